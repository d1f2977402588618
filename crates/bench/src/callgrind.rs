//! Valgrind's tool that counts instructions: the same on every machine, and repeatable.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// A function that only the database's own threads come by.
const STORAGE_SIGN: &str = "sqlite3_step";

/// Instructions of a process outside the kernel.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Instructions {
    pub whole: u64,
    /// The database's own threads.
    pub storage: u64,
}

impl Instructions {
    /// Without the database's threads.
    pub(crate) fn path(self) -> u64 {
        self.whole.saturating_sub(self.storage)
    }
}

/// What is put before a program that is to be counted.
pub(crate) fn command(log: &Path) -> [OsString; 4] {
    let mut out = OsString::from("--callgrind-out-file=");
    out.push(profile(log));
    ["valgrind".into(), "--tool=callgrind".into(), "--separate-threads=yes".into(), out]
}

fn profile(log: &Path) -> PathBuf {
    log.with_extension("callgrind")
}

/// Has a process write down what it executed since the last time, and sums it up. The profiles stay,
/// one file for each thread.
pub(crate) fn dump(process: u32, log: &Path) -> anyhow::Result<Instructions> {
    let before = profiles(log)?;
    let id = process.to_string();
    let asked = Command::new("callgrind_control")
        .args(["-d", &id])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !asked.context("callgrind_control")?.success() {
        bail!("callgrind_control could not reach process {id}");
    }
    let mut sum = Instructions::default();
    for path in profiles(log)?.into_iter().filter(|path| !before.contains(path)) {
        let text = fs::read_to_string(&path)?;
        let total = text.lines().rev().find_map(|line| line.strip_prefix("totals: "));
        let total: u64 = total.context("a profile without totals")?.trim().parse()?;
        sum.whole = sum.whole.saturating_add(total);
        if text.contains(STORAGE_SIGN) {
            sum.storage = sum.storage.saturating_add(total);
        }
    }
    Ok(sum)
}

/// The profiles beside a log.
fn profiles(log: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let stem = profile(log);
    let stem = stem.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut found = Vec::new();
    for entry in fs::read_dir(log.parent().unwrap_or(Path::new(".")))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.strip_prefix(&stem).is_some_and(|rest| rest.starts_with('.')) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
