//! Lists the provider files for `src/embedded.rs`: whatever is in `data/providers` is compiled in.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::{fs, io};

fn main() -> io::Result<()> {
    // Cargo runs this in the folder of the crate. No absolute path goes into what is written, so that
    // a checkout may move and keep what was built.
    let folder = Path::new("data/providers");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=data/providers");

    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();

    let mut list = String::from("&[\n");
    for path in &files {
        let text = |part: Option<&std::ffi::OsStr>| {
            let part = part.and_then(|part| part.to_str()).map(ToOwned::to_owned);
            part.ok_or_else(|| Error::new(ErrorKind::InvalidData, "a name that is not UTF-8"))
        };
        let (slug, path) = (text(path.file_stem())?, text(Some(path.as_os_str()))?);
        let path = format!("/{path}");
        list.push_str(&format!(
            "    ({slug:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),\n"
        ));
    }
    list.push_str("]\n");

    let out = std::env::var_os("OUT_DIR").ok_or_else(|| Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("provider_files.rs"), list)
}
