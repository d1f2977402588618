//! A gateway process.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::caller;
use crate::watch;

/// Longest that a process may take to be ready: what is promised is a third of it.
const READY_WITHIN: Duration = Duration::from_secs(9);
/// Ports that the kernel gives to nobody by itself.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A command of the product with a clean environment, in a folder of its own.
pub fn signalbox(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
    command.current_dir(home);
    command.env_clear().env("SIGNALBOX_LOG", "warn").stdin(Stdio::null());
    command
}

/// A free port. Processes begin their search in different places.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 1_000).unwrap().saturating_mul(12);
    (0..PORTS.end - PORTS.start)
        .map(|_| {
            let step = NEXT.fetch_add(1, Ordering::Relaxed);
            PORTS.start + (first + step) % (PORTS.end - PORTS.start)
        })
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

/// A gateway that is started, killed and started again at one address.
pub struct Node {
    pub address: SocketAddr,
    config: PathBuf,
    home: PathBuf,
    child: Option<Child>,
}

impl Node {
    /// Not yet started. What it keeps beside its database will be in the folder `home`.
    pub fn new(config: &Path, home: &Path) -> Self {
        std::fs::create_dir(home).expect("a folder");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let (config, home) = (config.to_owned(), home.to_owned());
        Self { address, config, home, child: None }
    }

    /// Starts it and gives the time until it was ready.
    pub async fn start(&mut self) -> Duration {
        let began = watch::now();
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let child = signalbox(&self.home)
            .arg("serve")
            .arg("--config")
            .arg(&self.config)
            .args(["--listen", &self.address.to_string()])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the gateway's process");
        self.child = Some(child);
        loop {
            if caller::status(self.address, "/health/ready").await == Some(200) {
                return watch::now() - began;
            }
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            let took = watch::now() - began;
            assert!(ended.is_none() && took < READY_WITHIN, "{ended:?} {took:?}: {}", self.said());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn log(&self) -> PathBuf {
        self.home.join("stderr.log")
    }

    /// What it wrote to stderr, all its lives long.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// What the kernel says of it in this file of its own.
    #[cfg(target_os = "linux")]
    pub fn kernel(&self, file: &str) -> String {
        let id = self.child.as_ref().expect("a running process").id();
        std::fs::read_to_string(format!("/proc/{id}/{file}")).unwrap()
    }

    /// Ends the process at once, as a power switch would; returns when it is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("SIGKILL");
            child.wait().expect("the end of a killed process");
        }
    }

    /// Asks the process to stop and waits until it has.
    pub async fn stop(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("a running process");
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let said = self.said();
            let last: Vec<_> = said.lines().rev().take(20).collect();
            eprintln!("the last lines of {}:", self.address);
            last.iter().rev().for_each(|line| eprintln!("  {line}"));
        }
    }
}
