//! One cell of the table, played through.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use signalbox_core::Usd;
use signalbox_simulator::{Entry, Outcome};
use signalbox_testkit::{Reply, TestServer};

use crate::hear::{Heard, hear, refusal};
use crate::say::{Ask, PDF_BYTES, PIXEL_BYTES, PLEA, Past, RULES, TOOLS, shaped};
use crate::sell::{sold_as, spare};
use crate::table::{Cell, Feature, Inbound, Limit, Shown};

/// What the simulator thinks before it speaks.
pub const THOUGHT: &str = "Let me think. ";
/// What it says when it has results.
pub const ANSWERED: &str = "The tools have answered.";

/// A conversation with one model.
pub struct Talk<'a> {
    pub server: &'a TestServer,
    pub inbound: Inbound,
    pub charged: Usd,
}

/// Plays a cell; returns what was charged.
pub async fn play(server: &TestServer, cell: &Cell) -> Result<Usd> {
    let mut talk = Talk { server, inbound: cell.inbound, charged: Usd::ZERO };
    let ask = ask(cell);
    match (cell.limit(), cell.feature) {
        (Some(limit), _) => talk.impossible(cell, limit, &ask).await?,
        (None, Feature::ErrorBefore) => talk.error_before(cell, ask).await?,
        (None, Feature::ErrorAfter) => talk.error_after(&ask).await?,
        (None, Feature::Tools | Feature::ParallelTools | Feature::Reasoning) => {
            talk.with_calls(cell, ask).await?;
        }
        (None, _) => {
            let heard = talk.ask(&ask).await?;
            talk.truth(&heard, &talk.entry(&sold_as(cell), 0)?).await?;
            one_turn(cell, &heard)?;
        }
    }
    Ok(talk.charged)
}

pub fn ask(cell: &Cell) -> Ask {
    let calls = match cell.feature {
        Feature::Tools | Feature::Reasoning => 1,
        Feature::ParallelTools => 2,
        _ => 0,
    };
    Ask {
        model: format!("table/{}", cell.name()),
        stream: cell.stream,
        tools: calls,
        thinks: cell.feature == Feature::Reasoning,
        image: cell.feature == Feature::Image,
        pdf: cell.feature == Feature::Pdf,
        shaped: cell.feature == Feature::StructuredOutput,
        ..Ask::default()
    }
}

/// What an answer without calls says.
fn one_turn(cell: &Cell, heard: &Heard) -> Result<()> {
    ensure!(heard.end == "stop" && heard.calls.is_empty(), "{heard:?}");
    whole(heard)?;
    match cell.feature {
        Feature::Text => ensure!(heard.text == "t0 t1 t2 t3 t4 ", "{heard:?}"),
        Feature::Image => {
            let expected = format!("image/png:{PIXEL_BYTES}");
            ensure!(heard.text == expected, "{:?} is not {expected}", heard.text);
        }
        Feature::Pdf => {
            let expected = format!("application/pdf:{PDF_BYTES}");
            ensure!(heard.text == expected, "{:?} is not {expected}", heard.text);
        }
        _ => {
            let value: Value = serde_json::from_str(&heard.text).context(heard.text.clone())?;
            ensure!(value == shaped(), "{value}");
        }
    }
    Ok(())
}

/// Nothing was lost but shades of a part, such as the name of a file.
pub fn whole(heard: &Heard) -> Result<()> {
    let losses = heard.losses();
    ensure!(losses.iter().all(|(kind, _)| kind == "property"), "losses: {losses:?}");
    Ok(())
}

impl Talk<'_> {
    pub async fn post(&self, ask: &Ask) -> Reply {
        let caller = self.server.caller().with("X-OpenRouter-Metadata", "enabled");
        caller.post(self.inbound.path(), &ask.body(self.inbound)).await
    }

    /// A question whose answer must be a good one.
    pub async fn ask(&self, ask: &Ask) -> Result<Heard> {
        let heard = hear(self.inbound, &self.post(ask).await, ask.stream)?;
        ensure!(heard.error.is_none(), "{heard:?}");
        Ok(heard)
    }

    /// The request number `at` for a model of the provider's.
    pub fn entry(&self, model: &str, at: usize) -> Result<Entry> {
        let entries = self.server.journal().of_model(model);
        entries.get(at).cloned().with_context(|| format!("no request {at} for {model}"))
    }

    /// What was told is what is true, what is stored and what is charged.
    pub async fn truth(&mut self, heard: &Heard, entry: &Entry) -> Result<()> {
        let told = heard.usage.as_ref().with_context(|| format!("no usage: {heard:?}"))?;
        ensure!(told.input == entry.prompt_tokens, "{told:?}, but {}", entry.prompt_tokens);
        ensure!(told.output == entry.tokens, "{told:?}, but {}", entry.tokens);
        let nanos = told.input * 1000 + told.output * 2000;
        ensure!(told.cost == format!("{}e-9", nanos).parse().unwrap_or(told.cost), "{told:?}");
        let row = self.server.generation(&heard.id).await;
        ensure!(row.cost == told.cost, "stored {}, told {}", row.cost, told.cost);
        self.charged = self.charged.checked_add(row.cost).context("too much")?;
        Ok(())
    }

    /// Calls, their results, and the answer to them.
    async fn with_calls(&mut self, cell: &Cell, ask: Ask) -> Result<()> {
        let first = self.ask(&ask).await?;
        let sent = self.entry(&sold_as(cell), 0)?;
        self.truth(&first, &sent).await?;
        arrived(&sent)?;
        called(&first, ask.tools)?;
        whole(&first)?;
        if ask.thinks {
            ensure!(first.thoughts == THOUGHT, "thoughts {:?}", first.thoughts);
            ensure!(cell.outbound.seals() != first.seals.is_empty(), "seals {:?}", first.seals);
        }
        let result = |at: usize| format!("{{\"found\": \"№ {at}\"}}");
        let results = first.calls.iter().enumerate().map(|(at, one)| (one.id.clone(), result(at)));
        let past = Past { replay: first.replay.clone(), results: results.collect() };
        let second = self.ask(&Ask { past: Some(past), ..ask.clone() }).await?;
        let sent = self.entry(&sold_as(cell), 1)?;
        self.truth(&second, &sent).await?;
        ensure!(second.text == ANSWERED && second.calls.is_empty(), "{second:?}");
        ensure!(second.end == "stop", "{second:?}");
        whole(&second)?;
        if ask.thinks {
            came_back(&first, &sent)?;
        }
        Ok(())
    }

    async fn impossible(&mut self, cell: &Cell, limit: &Limit, ask: &Ask) -> Result<()> {
        match limit.shown {
            Shown::Refused(status, kind) => {
                let reply = self.post(ask).await;
                ensure!(reply.status == status, "{}: {:?}", reply.status, reply.body);
                let found = refusal(self.inbound, &reply)?;
                ensure!(found == kind, "{found} is not {kind}");
                // Nothing was answered, whoever refused.
                let entries = self.server.journal().of_model(&sold_as(cell));
                ensure!(
                    entries.iter().all(|one| one.outcome == Outcome::Status(400)),
                    "{entries:?}"
                );
            }
            Shown::Lost(kind, detail) => {
                let heard = self.ask(ask).await?;
                self.truth(&heard, &self.entry(&sold_as(cell), 0)?).await?;
                let losses = heard.losses();
                let told = losses.contains(&(kind.to_owned(), detail.to_owned()));
                ensure!(told, "{losses:?} has no {kind} {detail}: {heard:?}");
            }
        }
        Ok(())
    }

    /// With a spare nobody notices; alone it is a typed error.
    async fn error_before(&mut self, cell: &Cell, ask: Ask) -> Result<()> {
        let order = vec![cell.outbound.slug().to_owned(), spare(cell.outbound)];
        let heard = self.ask(&Ask { order, ..ask.clone() }).await?;
        ensure!(heard.text == "t0 t1 t2 t3 t4 ", "{heard:?}");
        let well = format!("{}+tokens-5", cell.name());
        self.truth(&heard, &self.entry(&well, 0)?).await?;
        ensure!(self.server.journal().of_model(&sold_as(cell)).len() == 1, "tried once");
        let model = format!("alone/{}", cell.name());
        let reply = self.post(&Ask { model, ..ask }).await;
        let kind = refusal(self.inbound, &reply)?;
        ensure!(reply.status == 503 && kind == "provider_overloaded", "{} {kind}", reply.status);
        Ok(())
    }

    /// The error is told once, inside the answer, and nothing is paid.
    async fn error_after(&mut self, ask: &Ask) -> Result<()> {
        let heard = hear(self.inbound, &self.post(ask).await, true)?;
        ensure!(heard.error.is_some(), "{heard:?}");
        if self.inbound != Inbound::Completions {
            ensure!(heard.text == "t0 t1 t2 ", "{heard:?}");
        }
        let row = self.server.generation(&heard.id).await;
        ensure!(row.cost == Usd::ZERO, "it cost {}", row.cost);
        Ok(())
    }
}

/// The words of user and operator are in a body as they were said.
fn arrived(entry: &Entry) -> Result<()> {
    let body = entry.body.as_ref().context("no body was kept")?;
    for text in [PLEA, RULES] {
        ensure!(strings(body).iter().any(|one| one.contains(text)), "{text:?} is not in {body}");
    }
    Ok(())
}

/// The calls are those that the simulator makes.
pub fn called(heard: &Heard, count: usize) -> Result<()> {
    ensure!(heard.end == "tool_calls" && heard.calls.len() == count, "{heard:?}");
    for (one, name) in heard.calls.iter().zip(TOOLS) {
        ensure!(one.name == name && one.arguments == shaped(), "{one:?}");
        ensure!(heard.calls.iter().filter(|other| other.id == one.id).count() == 1, "{heard:?}");
    }
    Ok(())
}

/// What was thought comes back to the provider, and its seals untouched.
pub fn came_back(heard: &Heard, entry: &Entry) -> Result<()> {
    let body = entry.body.as_ref().context("no body was kept")?;
    let all = strings(body);
    for seal in &heard.seals {
        // A client of another language may see more than the provider's own.
        let found = all.iter().any(|one| one.len() > 20 && seal.ends_with(*one));
        ensure!(found, "the seal {seal} is not in {body}");
    }
    let thought = all.iter().any(|one| one.contains(THOUGHT.trim_end()));
    ensure!(thought, "the thought is not in {body}");
    Ok(())
}

/// Every text in a document.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().flat_map(strings).collect(),
        Value::Object(members) => members.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}
