//! Child processes: started on a core, measured through /proc, ended when dropped.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::callgrind;

/// The core that the measured proxies run on.
const PROXY_CORE: &str = "0";
/// The core of the load and the simulator.
const LOAD_CORE: &str = "1";
/// What the names of the database's threads begin with.
const STORAGE_THREAD: &str = "(sqlx-";
/// Ticks per second in /proc/PID/stat. Linux shows 100 to programs on every common machine.
const TICKS_PER_SECOND: u64 = 100;

/// Variables that go before the configuration file of the gateway.
pub(crate) const CONFIGURING: [&str; 3] =
    ["SIGNALBOX_CONFIG", "SIGNALBOX_LISTEN", "SIGNALBOX_DATABASE"];

/// Where a process runs.
#[derive(Clone, Copy)]
pub(crate) enum Core {
    Proxy,
    /// The proxies' core, under callgrind, which counts instructions.
    Counted,
    Load,
}

/// Whether processes can be pinned here.
pub(crate) fn can_pin() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let found = Command::new("taskset").arg("--version").stdout(Stdio::null()).status();
    // This process itself may be pinned already, so the machine's cores are counted.
    let online = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let online = online.lines().filter(|line| line.starts_with("processor")).count();
    cores.max(online) > 1 && found.is_ok_and(|status| status.success())
}

/// Puts this process, and the threads it will start, on the load's core.
pub(crate) fn pin_self() {
    if can_pin() {
        let id = std::process::id().to_string();
        // Not pinned, the figures are noisier; the report says which it was.
        let _ = Command::new("taskset")
            .args(["-a", "-p", "-c", LOAD_CORE, &id])
            .stdout(Stdio::null())
            .status();
    }
}

/// A program that runs until this is dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program on a core, its output in a log file.
    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
        core: Core,
        log: PathBuf,
    ) -> anyhow::Result<Self> {
        let file = fs::File::create(&log)?;
        let mut words: Vec<OsString> = Vec::new();
        if can_pin() {
            let core = if matches!(core, Core::Load) { LOAD_CORE } else { PROXY_CORE };
            words.extend(["taskset", "-c", core].map(OsString::from));
        }
        if matches!(core, Core::Counted) {
            words.extend(callgrind::command(&log));
        }
        words.push(program.into());
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        for name in CONFIGURING {
            command.env_remove(name);
        }
        command.args(arguments).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child =
            command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child, log })
    }

    /// Fails with the end of the log when the program has ended.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let end = log.lines().rev().take(10).collect::<Vec<_>>();
            let end: Vec<_> = end.into_iter().rev().collect();
            bail!("a server ended with {status}:\n{}", end.join("\n"));
        }
        Ok(())
    }

    /// What it executed since the last time it was asked.
    pub(crate) fn instructions(&self) -> anyhow::Result<callgrind::Instructions> {
        callgrind::dump(self.child.id(), &self.log)
    }

    /// User and system time of all its threads so far, in microseconds.
    pub(crate) fn cpu_micros(&self) -> anyhow::Result<u64> {
        let text = fs::read_to_string(self.file("stat"))?;
        ticks(&text)
            .and_then(|ticks| ticks.checked_mul(1_000_000 / TICKS_PER_SECOND))
            .context("/proc/PID/stat reads differently here")
    }

    /// The part of [`Process::cpu_micros`] that the database's own threads used: the ledger's
    /// writing, which is not on the way of a request.
    pub(crate) fn storage_micros(&self) -> anyhow::Result<u64> {
        let mut sum = 0_u64;
        for thread in fs::read_dir(self.file("task"))? {
            // A thread that ends while it is read has no say.
            let text = fs::read_to_string(thread?.path().join("stat")).unwrap_or_default();
            if text.contains(STORAGE_THREAD) {
                sum = sum.saturating_add(ticks(&text).unwrap_or(0));
            }
        }
        Ok(sum.saturating_mul(1_000_000 / TICKS_PER_SECOND))
    }

    /// Most resident memory since the last [`Process::forget_peak`], in KiB.
    pub(crate) fn peak_kib(&self) -> anyhow::Result<u64> {
        let text = fs::read_to_string(self.file("status"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.context("/proc/PID/status has no VmHWM")
    }

    /// Starts the peak anew. Where that is not allowed, the peak is of the whole run.
    pub(crate) fn forget_peak(&self) {
        let _ = fs::write(self.file("clear_refs"), "5");
    }

    fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.child.id()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `utime` plus `stime`: fields 14 and 15, counted after the name, which may hold spaces.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.get(stat.rfind(')')?.checked_add(2)?..)?.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read_behind_a_name_with_spaces() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 31 11 0 0 20";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("nonsense"), None);
    }
}
