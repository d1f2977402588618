//! Instructions of one request and one chunk, one request at a time.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use bytes::Bytes;
use serde_json::json;

use crate::Options;
use crate::callgrind::Instructions;
use crate::case::{Case, Volume};
use crate::load::{self, Call};
use crate::process::Core;
use crate::run::call;
use crate::target::{self, Target};

/// Requests before the first that is counted.
const WARM: u32 = 30;

/// A client's dialect on its way to a provider's.
struct Road {
    path: &'static str,
    client: &'static str,
    provider: &'static str,
}

const CHAT: (&str, &str) = ("/api/v1/chat/completions", "openai-chat");
const MESSAGES: (&str, &str) = ("/api/v1/messages", "anthropic-messages");
const RESPONSES: (&str, &str) = ("/api/v1/responses", "openai-responses");

/// From each client's dialect to its own, to chat, and to the others.
const ROADS: [((&str, &str), &str); 9] = [
    (CHAT, "openai-chat"),
    (CHAT, "anthropic-messages"),
    (CHAT, "gemini"),
    (CHAT, "bedrock-converse"),
    (CHAT, "cohere-v2"),
    (MESSAGES, "anthropic-messages"),
    (MESSAGES, "openai-chat"),
    (RESPONSES, "openai-responses"),
    (RESPONSES, "openai-chat"),
];

impl Road {
    fn call(&self, target: &Target, case: Case) -> Call {
        let model = match (self.provider, case.streams()) {
            ("openai-chat", _) => case.model().to_owned(),
            (dialect, true) => format!("bench/{dialect}-stream"),
            (dialect, false) => format!("bench/{dialect}"),
        };
        let text = "The signal box at the junction is manned. ".repeat(20);
        let mut body = json!({"model": model, "stream": case.streams()});
        if let Some(members) = body.as_object_mut() {
            let said = json!([{"role": "user", "content": text}]);
            let (key, limit) = match self.client {
                "openai-responses" => ("input", "max_output_tokens"),
                _ => ("messages", "max_tokens"),
            };
            members.insert(key.to_owned(), said);
            members.insert(limit.to_owned(), json!(400));
        }
        let (address, key) = (target.address, target.key.clone());
        let body = Bytes::from(body.to_string());
        Call { address, key, path: self.path, body, case, is_chat: false }
    }
}

/// Starts everything under callgrind, counts, prints the tables.
pub(crate) async fn run(options: &Options, profiles: Option<PathBuf>) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let folder = profiles.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(folder)?;
    let program = target::beside(options.simulator.as_ref(), "signalbox-simulator")?;
    let (_simulator, direct) = target::simulator(&program, folder).await?;
    let mut targets = vec![target::floor(direct.address, folder, Core::Counted).await?];
    if !options.without_signalbox {
        let program = target::beside(options.signalbox.as_ref(), "signalbox")?;
        targets.push(target::signalbox(&program, direct.address, folder, Core::Counted).await?);
    }
    cases(options, &targets).await?;
    match targets.iter().find(|target| target.named) {
        Some(target) if options.roads => roads(target).await,
        _ => Ok(()),
    }
}

/// What a process executes for some calls, one at a time, after it has warmed up to them.
async fn count(target: &Target, call: &Call) -> anyhow::Result<(Instructions, u32)> {
    let process = target.process.as_ref().context("not started here")?;
    let requests = requests(call.case);
    load::run(call, Volume { requests: warm(call.case), at_once: 1 }).await?;
    process.instructions()?;
    load::run(call, Volume { requests, at_once: 1 }).await?;
    Ok((process.instructions()?, requests))
}

async fn cases(options: &Options, targets: &[Target]) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "case target           whole     x floor        path     x floor")?;
    for case in Case::ALL.into_iter().filter(|case| options.cases.contains(case.letter())) {
        let mut floor = None;
        for target in targets {
            let (spent, requests) = count(target, &call(target, case)).await?;
            let units = f64::from(requests) * f64::from(case.chunks().max(1));
            let (whole, path) = (spent.whole as f64 / units, spent.path() as f64 / units);
            let floor = *floor.get_or_insert(whole);
            writeln!(
                out,
                "{:<5}{:<10}{whole:>12.0}{:>12.2}{path:>12.0}{:>12.2}",
                case.letter(),
                target.name,
                whole / floor,
                path / floor,
            )?;
        }
    }
    writeln!(out, "instructions outside the kernel, for a request (A, B) or a chunk (C, D)")?;
    Ok(())
}

/// The request of case A on every road, and a chunk of a saturated stream.
async fn roads(target: &Target) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{:<42}{:>12}{:>12}", "road", "request", "chunk")?;
    for ((path, client), provider) in ROADS {
        let road = Road { path, client, provider };
        let (whole, requests) = count(target, &road.call(target, Case::SmallUnary)).await?;
        let request = whole.path() as f64 / f64::from(requests);
        let case = Case::SaturatedStream;
        let (streamed, streams) = count(target, &road.call(target, case)).await?;
        let stream = streamed.path() as f64 / f64::from(streams);
        let chunk = (stream - request) / f64::from(case.chunks());
        let name = format!("{client} -> {provider}");
        writeln!(out, "{name:<42}{request:>12.0}{chunk:>12.0}")?;
    }
    writeln!(out, "path; a chunk is what a stream of 50 has more than the request, divided by 50")?;
    Ok(())
}

/// Requests before the first that is counted.
fn warm(case: Case) -> u32 {
    if case == Case::PacedStreams { 1 } else { WARM }
}

/// Requests that are counted.
fn requests(case: Case) -> u32 {
    match case {
        Case::SmallUnary => 200,
        Case::LargeUnary => 50,
        Case::SaturatedStream => 50,
        Case::PacedStreams => 3,
    }
}
