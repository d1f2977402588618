//! The house rules that no compiler checks. `cargo xtask tidy` prints every breach; the test suite
//! runs it too.

use std::path::{Path, PathBuf};

use anyhow::Context;

mod floors;
mod names;
mod routes;
mod sizes;
mod source;
mod sql;

/// One breach: where, and of which rule.
pub(crate) type Breach = String;

/// A source file of the workspace.
pub(crate) struct File {
    /// Relative to the repository's root, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// Every breach in the repository at `root`.
///
/// # Errors
/// The repository can't be read.
pub(crate) fn breaches(root: &Path) -> anyhow::Result<Vec<Breach>> {
    let files = sources(root)?;
    let mut found = floors::check(root)?;
    found.extend(names::check(root, &files)?);
    found.extend(routes::check(&files));
    found.extend(sizes::check(&files));
    found.extend(source::check(&files));
    found.extend(sql::check(root, &files)?);
    Ok(found)
}

/// Prints the breaches and fails when there are any.
///
/// # Errors
/// There are breaches, or the repository can't be read.
#[expect(clippy::print_stderr, reason = "a chore talks to the person who runs it")]
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let found = breaches(root)?;
    for breach in &found {
        eprintln!("{breach}");
    }
    anyhow::ensure!(found.is_empty(), "{} breaches of the house rules", found.len());
    Ok(())
}

/// Every Rust file under `crates` and `xtask`.
fn sources(root: &Path) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    let mut folders = vec![root.join("crates"), root.join("xtask")];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text =
                    std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                let shown = path.strip_prefix(root).unwrap_or(&path);
                files.push(File { path: shown.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The paths in a folder.
fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let read = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    read.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        let found = super::breaches(&crate::root()).unwrap();
        assert!(found.is_empty(), "\n{}", found.join("\n"));
    }
}
