//! The server that all test processes of a run share.
//!
//! Each process that uses it keeps a shared lock on `users`. The watchdog, a shell loop, stops the
//! server when nobody does.

use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::database::psql;
use crate::{program, server};

/// Seconds between two looks of the watchdog.
const LOOK: u32 = 10;

/// The port of the server, which is started if it is not there.
pub(crate) fn port() -> u16 {
    static PORT: OnceLock<(u16, File)> = OnceLock::new();
    PORT.get_or_init(join).0
}

/// One server for each checkout.
fn folder() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    env!("CARGO_MANIFEST_DIR").hash(&mut hasher);
    let user = program::run(Command::new("id").arg("-u"));
    std::env::temp_dir().join(format!("signalbox-pg-shared-{user}-{:016x}", hasher.finish()))
}

fn lock_file(folder: &Path, name: &str) -> File {
    let options =
        OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(name));
    options.expect("a lock file")
}

fn join() -> (u16, File) {
    let folder = folder();
    std::fs::create_dir_all(&folder).expect("a folder");
    let users = lock_file(&folder, "users");
    users.lock_shared().expect("a shared lock");
    let starting = lock_file(&folder, "starting");
    starting.lock().expect("an exclusive lock");
    let known = std::fs::read_to_string(folder.join("port")).ok();
    let known = known.and_then(|text| text.trim().parse().ok()).filter(|port| answers(*port));
    let port = known.unwrap_or_else(|| start(&folder));
    (port, users)
}

fn answers(port: u16) -> bool {
    psql(port, "postgres", "SELECT 1").output().is_ok_and(|output| output.status.success())
}

fn start(folder: &Path) -> u16 {
    let home = folder.join("server");
    if home.exists() {
        std::fs::remove_dir_all(&home).expect("what an earlier server left can be removed");
    }
    std::fs::create_dir(&home).expect("a folder");
    program::hand_over(&home);
    server::make(&home);
    let port = server::launch(&home);
    std::fs::write(folder.join("port"), port.to_string()).expect("a file");
    watch(folder, &home);
    port
}

fn watch(folder: &Path, home: &Path) {
    let stop = server::stop_line(home);
    let script = format!(
        "while sleep {LOOK}; do flock -n -x users -c \"{stop}; rm -rf port server\" && exit; done"
    );
    let mut watchdog = Command::new("sh");
    watchdog.args(["-c", &script]).current_dir(folder).process_group(0);
    watchdog.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    drop(watchdog.spawn().expect("a watchdog"));
}
