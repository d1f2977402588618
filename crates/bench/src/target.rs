//! The three things that are measured.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use signalbox_runtime::Clock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::case::Case;
use crate::process::{CONFIGURING, Core, Process};

/// Long enough for a program that runs under callgrind.
const START_LIMIT: Duration = Duration::from_secs(120);

/// Something that answers chat requests.
pub(crate) struct Target {
    pub name: &'static str,
    pub address: SocketAddr,
    pub key: String,
    /// Whether models have the gateway's names.
    pub named: bool,
    /// The measured process; the simulator is not measured.
    pub process: Option<Process>,
}

impl Target {
    /// The model name that this target knows a case by.
    pub(crate) fn model(&self, case: Case) -> &'static str {
        if self.named { case.model() } else { case.behaviour() }
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// Waits until a path answers 200.
async fn ready(process: &mut Process, address: SocketAddr, path: &str) -> anyhow::Result<()> {
    let clock = Clock::system();
    while clock.monotonic() < START_LIMIT {
        process.check()?;
        if answers(address, path).await.unwrap_or(false) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("no answer at {address}{path}")
}

async fn answers(address: SocketAddr, path: &str) -> anyhow::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(2), stream.read_to_end(&mut answer)).await??;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}

/// Starts the simulator; its target is the straight road.
pub(crate) async fn simulator(program: &Path, folder: &Path) -> anyhow::Result<(Process, Target)> {
    let address = free_address()?;
    let arguments = ["--listen", &address.to_string(), "--no-journal"];
    let log = folder.join("simulator.log");
    let mut process = Process::start(program, &arguments, Core::Load, log)?;
    ready(&mut process, address, "/v1/models").await?;
    let target =
        Target { name: "direct", address, key: "none".to_owned(), named: false, process: None };
    Ok((process, target))
}

/// Starts the floor in front of the simulator.
pub(crate) async fn floor(
    simulator: SocketAddr,
    folder: &Path,
    core: Core,
) -> anyhow::Result<Target> {
    let address = free_address()?;
    let program = std::env::current_exe()?;
    let arguments = ["floor", "--listen", &address.to_string(), "--to", &simulator.to_string()];
    let log = folder.join("floor.log");
    let mut process = Process::start(&program, &arguments, core, log)?;
    ready(&mut process, address, "/v1/models").await?;
    let key = "none".to_owned();
    Ok(Target { name: "floor", address, key, named: false, process: Some(process) })
}

/// The other dialects of providers that roads lead to; a model of each is `bench/<dialect>`, and
/// `bench/<dialect>-stream` for streams.
pub(crate) const DIALECTS: [&str; 5] =
    ["anthropic-messages", "openai-responses", "gemini", "bedrock-converse", "cohere-v2"];

fn offer(out: &mut String, model: &str, provider: &str, behaviour: &str, more: &str) {
    out.push_str(&format!(
        "[[models]]\nid = \"{model}\"\nname = \"{model}\"\ncontext_length = 1000000\n\
         [[endpoints]]\nmodel = \"{model}\"\nprovider = \"{provider}\"\n{more}\
         provider_model_id = \"{behaviour}\"\n\
         pricing = {{ prompt = \"0.0000002\", completion = \"0.0000008\" }}\n"
    ));
}

fn configuration(simulator: SocketAddr, listen: SocketAddr, database: &Path) -> String {
    let mut out = format!(
        "listen = \"{listen}\"\npublic_url = \"http://{listen}\"\n\
         [database]\nurl = \"sqlite://{}\"\n\
         [[providers]]\nslug = \"bench\"\nbase_url = \"http://{simulator}/v1\"\napi_key = \"none\"\n",
        database.display()
    );
    for case in [Case::SmallUnary, Case::SaturatedStream, Case::PacedStreams] {
        offer(&mut out, case.model(), "bench", case.behaviour(), "");
    }
    for dialect in DIALECTS {
        let provider = format!("bench-{dialect}");
        out.push_str(&format!(
            "[[providers]]\nslug = \"{provider}\"\nbase_url = \"http://{simulator}/v1\"\n\
             transport = \"none\"\nspeaks = [{{ dialect = \"{dialect}\" }}]\n"
        ));
        let more = format!("dialect = \"{dialect}\"\n");
        for (case, end) in [(Case::SmallUnary, ""), (Case::SaturatedStream, "-stream")] {
            let model = format!("bench/{dialect}{end}");
            offer(&mut out, &model, &provider, case.behaviour(), &more);
        }
    }
    out
}

/// Starts Signalbox with a new database and an account with money.
pub(crate) async fn signalbox(
    program: &Path,
    simulator: SocketAddr,
    folder: &Path,
    core: Core,
) -> anyhow::Result<Target> {
    let address = free_address()?;
    let file = folder.join("signalbox.toml");
    fs::write(&file, configuration(simulator, address, &folder.join("signalbox.db")))?;
    let path = file.to_string_lossy().into_owned();
    let log = folder.join("signalbox.log");
    let mut process = Process::start(program, &["serve", "--config", &path], core, log)?;
    ready(&mut process, address, "/health/ready").await?;
    let made = admin(program, &["bootstrap", "--json", "--config", &path])?;
    let made: Value = serde_json::from_str(&made).context("bootstrap printed no JSON")?;
    let text = |name: &str| {
        made.get(name).and_then(Value::as_str).with_context(|| format!("bootstrap gave no {name}"))
    };
    let account = text("account_id")?;
    admin(program, &["grant", "--account", account, "--usd", "1000000", "--config", &path])?;
    let key = text("api_key")?.to_owned();
    Ok(Target { name: "signalbox", address, key, named: true, process: Some(process) })
}

fn admin(program: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new(program);
    for name in CONFIGURING {
        command.env_remove(name);
    }
    let output = command.arg("admin").args(arguments).output()?;
    if !output.status.success() {
        bail!("admin {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// A program beside this one, unless another was named.
pub(crate) fn beside(named: Option<&PathBuf>, name: &str) -> anyhow::Result<PathBuf> {
    let path = match named {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name(name),
    };
    if !path.is_file() {
        bail!("not built: {}", path.display());
    }
    Ok(path)
}
