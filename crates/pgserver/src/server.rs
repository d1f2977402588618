//! A server in a folder of its own.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::database::{ROLE, psql};
use crate::{Database, program};

/// A server of one test; stopped and deleted when dropped.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    port: u16,
}

impl Server {
    /// A new server. Ends the test when PostgreSQL is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Self {
        program::require();
        let folder = tempfile::Builder::new().prefix("signalbox-pg-").tempdir();
        let folder = folder.expect("a folder");
        program::hand_over(folder.path());
        make(folder.path());
        let port = launch(folder.path());
        Self { folder, port }
    }

    /// An empty database.
    #[must_use]
    pub fn database(&self) -> Database {
        Database::create(self.port)
    }

    /// What the server has written into its log.
    ///
    /// # Panics
    /// When it can't be read.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("data/server.log")).expect("a log")
    }

    /// Ends the server and all of its connections.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop(&self) {
        end(self.folder.path());
    }

    /// Starts it again, at the same port.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&self) {
        assert!(try_launch(self.folder.path(), self.port), "the server does not start again");
    }

    /// Freezes all of its processes: connections stay open and nobody answers.
    ///
    /// # Panics
    /// When they can't be told.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets them go on.
    ///
    /// # Panics
    /// When they can't be told.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Lets every transaction of others only read, or write again.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn read_only(&self, on: bool) {
        let value = if on { "on" } else { "off" };
        self.sql(&format!("ALTER SYSTEM SET default_transaction_read_only = {value}"));
        self.sql("SELECT pg_reload_conf()");
        // Sessions hear of it one by one: when a new one of the role is told, old ones are too.
        let mut show = psql(self.port, "postgres", "SHOW default_transaction_read_only");
        show.args(["-U", ROLE]).env_remove("PGOPTIONS");
        let told = (0..500).any(|_| program::run(&mut show) == value);
        assert!(told, "the server does not hear that read-only is {value}");
    }

    /// Ends the connections of Signalbox and refuses new ones for being too many.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn crowd_out(&self) {
        self.sql(&format!("ALTER ROLE {ROLE} CONNECTION LIMIT 0"));
        self.sql(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'"
        ));
    }

    /// Admits connections again.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn admit(&self) {
        self.sql(&format!("ALTER ROLE {ROLE} CONNECTION LIMIT -1"));
    }

    fn sql(&self, statement: &str) {
        program::run(&mut psql(self.port, "postgres", statement));
    }

    fn signal(&self, signal: &str) {
        let file = self.folder.path().join("data/postmaster.pid");
        let text = std::fs::read_to_string(file).expect("the server runs");
        let first = text.lines().next().expect("a process id").to_owned();
        let children = Command::new("pgrep").args(["-P", &first]).output().expect("pgrep");
        let children = String::from_utf8_lossy(&children.stdout).into_owned();
        // The parent first, so that it starts no more of them.
        let all = std::iter::once(first.as_str()).chain(children.split_whitespace());
        drop(Command::new("kill").arg(signal).args(all).output());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.folder.path().join("data/postmaster.pid").exists() {
            self.signal("-CONT");
            let mut stop = stop(self.folder.path());
            drop(stop.output());
        }
    }
}

/// A new cluster in `folder/data`.
pub(crate) fn make(folder: &Path) {
    program::run(
        program::command("initdb")
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args(["--no-sync", "-D"])
            .arg(folder.join("data")),
    );
}

/// Starts the cluster on a free port and makes the role of Signalbox.
pub(crate) fn launch(folder: &Path) -> u16 {
    for _ in 0..5 {
        // Somebody may take the port between the two lines: then the next one is tried.
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        if try_launch(folder, port) {
            program::run(&mut psql(port, "postgres", &format!("CREATE ROLE {ROLE} LOGIN")));
            return port;
        }
    }
    let log = std::fs::read_to_string(folder.join("data/server.log")).unwrap_or_default();
    panic!("PostgreSQL does not start: {log}")
}

fn try_launch(folder: &Path, port: u16) -> bool {
    let options = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off \
         -c max_connections=300 -c shared_buffers=32MB -c log_min_messages=fatal"
    );
    let mut start = program::command("pg_ctl");
    start.args(["start", "-w", "-t", "60", "-D"]).arg(folder.join("data"));
    start.arg("-l").arg(folder.join("data/server.log")).args(["-o", &options]);
    let status = start.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.expect("pg_ctl can be started").success()
}

fn stop(folder: &Path) -> Command {
    let mut stop = program::command("pg_ctl");
    stop.args(["stop", "-w", "-m", "immediate", "-D"]).arg(folder.join("data"));
    stop
}

fn end(folder: &Path) {
    program::run(&mut stop(folder));
}

/// The same as a line for a shell.
pub(crate) fn stop_line(folder: &Path) -> String {
    let stop = stop(folder);
    let words = std::iter::once(stop.get_program()).chain(stop.get_args());
    words.map(|word| format!("'{}'", word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}
