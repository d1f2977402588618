//! The programs of PostgreSQL, run as a user that they accept.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Set where a missing server has to fail the run: in CI.
const REQUIRED: &str = "SIGNALBOX_REQUIRE_POSTGRES";
/// Where distributions put programs that are not in the path; `*` is a version.
const PLACES: [(&str, &str); 3] =
    [("/usr/lib/postgresql", "bin"), ("/usr/local/opt", "bin"), ("/opt/homebrew/opt", "bin")];

/// What is run.
const PROGRAMS: [&str; 4] = ["initdb", "pg_ctl", "postgres", "psql"];

/// The folder with `initdb`, the newest version of it.
fn folder() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER.get_or_init(find).as_deref()
}

fn find() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = PLACES
        .iter()
        .filter_map(|(root, bin)| Some((std::fs::read_dir(root).ok()?, bin)))
        .flat_map(|(entries, bin)| entries.flatten().map(move |one| one.path().join(bin)))
        .chain(["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from))
        .filter(|folder| PROGRAMS.iter().all(|name| folder.join(name).is_file()))
        .collect();
    found.sort();
    found.pop()
}

/// Ends a test that can't run: the process as a whole, since everything in it needs the server.
#[expect(clippy::disallowed_methods, reason = "the way to skip a test and to read a switch")]
pub(crate) fn require() {
    if folder().is_some() {
        return;
    }
    assert!(
        std::env::var(REQUIRED).is_err(),
        "{REQUIRED} is set and PostgreSQL is not installed (Debian: apt-get install postgresql)"
    );
    let line = "skipped: PostgreSQL is not installed (Debian: apt-get install postgresql)\n";
    drop(std::io::stderr().write_all(line.as_bytes()));
    std::process::exit(0);
}

fn is_root() -> bool {
    static ROOT: OnceLock<bool> = OnceLock::new();
    *ROOT.get_or_init(|| run(Command::new("id").arg("-u")) == "0")
}

/// Gives a folder to the user that the server runs as.
pub(crate) fn hand_over(folder: &Path) {
    if is_root() {
        run(Command::new("chown").arg("postgres").arg(folder));
    }
}

/// A program of PostgreSQL: as `postgres` when we are root, whom the server refuses.
pub(crate) fn command(name: &str) -> Command {
    let path = folder().expect("PostgreSQL is installed").join(name);
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(path);
        command
    } else {
        Command::new(path)
    };
    command.stdin(Stdio::null()).current_dir("/");
    command
}

/// Runs to the end and answers what was printed.
///
/// # Panics
/// When it fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().expect("a program that can be started");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
