//! Makes a table of the built web app, `web/dist`, for `src/web/asset.rs`. Without a built app the table
//! is empty: nothing here runs Node.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::{fs, io};

/// The built app. Cargo runs this in the folder of the crate; no absolute path goes into what is
/// written, so that a checkout may move and keep what was built.
const BUILT: &str = "../../web/dist";

/// The media types of what an app is made of. Other files are not served.
const KINDS: &[(&str, &str)] = &[
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("woff2", "font/woff2"),
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={BUILT}");
    let mut names = Vec::new();
    if Path::new(BUILT).is_dir() {
        collect("", &mut names)?;
    }
    names.sort();
    let mut table = String::from("&[\n");
    for name in &names {
        row(&mut table, name)?;
    }
    table.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("assets.rs"), table)
}

/// The addresses of all files below a folder of the app.
fn collect(folder: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(format!("{BUILT}{folder}"))? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|_| io::Error::other("a name that is not UTF-8"))?;
        let name = format!("{folder}/{name}");
        if entry.file_type()?.is_dir() {
            collect(&name, names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

/// One file with its compressed forms, unless it is one.
fn row(table: &mut String, name: &str) -> io::Result<()> {
    let extension = name.rsplit('.').next().unwrap_or_default();
    let Some((_, kind)) = KINDS.iter().find(|(known, _)| *known == extension) else {
        return Ok(());
    };
    let mut hasher = DefaultHasher::new();
    fs::read(format!("{BUILT}{name}"))?.hash(&mut hasher);
    let hash = hasher.finish();
    let bytes = |ending: &str| {
        let path = format!("/{BUILT}{name}{ending}");
        format!("include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))")
    };
    let packed = |ending: &str| match Path::new(&format!("{BUILT}{name}{ending}")).is_file() {
        true => format!("Some({})", bytes(ending)),
        false => "None".to_owned(),
    };
    let (plain, brotli, gzip) = (bytes(""), packed(".br"), packed(".gz"));
    writeln!(
        table,
        "Asset {{ path: {name:?}, kind: {kind:?}, tag: \"W/\\\"{hash:016x}\\\"\", \
         plain: {plain}, brotli: {brotli}, gzip: {gzip} }},"
    )
    .map_err(io::Error::other)
}
