//! What clients hear, read as strictly as their languages are written.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use signalbox_core::Usd;
use signalbox_testkit::Reply;

use crate::table::Inbound;

#[path = "hear/chat.rs"]
mod chat;
#[path = "hear/completions.rs"]
mod completions;
#[path = "hear/messages.rs"]
mod messages;
#[path = "hear/responses.rs"]
mod responses;

/// One answer.
#[derive(Debug, Default)]
pub struct Heard {
    pub id: String,
    pub text: String,
    pub thoughts: String,
    pub calls: Vec<Call>,
    /// Signatures and sealed reasoning, in order.
    pub seals: Vec<String>,
    pub end: String,
    /// `None` where an answer failed.
    pub usage: Option<Told>,
    /// An error inside the answer.
    pub error: Option<Value>,
    /// `openrouter_metadata`, when there was any.
    pub metadata: Option<Value>,
    /// What the client keeps of it to send back.
    pub replay: Vec<Value>,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub id: String,
    pub name: String,
    pub arguments: Value,
}

/// What the answer says it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub input: u64,
    pub output: u64,
    pub reasoning: u64,
    pub cost: Usd,
}

/// Reads an answer of status 200 to its end.
pub fn hear(inbound: Inbound, reply: &Reply, stream: bool) -> Result<Heard> {
    let said = || String::from_utf8_lossy(&reply.body).into_owned();
    ensure!(reply.status == 200, "status {}: {}", reply.status, said());
    ensure!(reply.ended, "broken off: {}", said());
    let kind = if stream { "text/event-stream" } else { "application/json" };
    ensure!(reply.header("content-type") == Some(kind), "{:?}", reply.headers);
    let heard = if stream {
        let events = Frames::read(&reply.body, inbound)?;
        match inbound {
            Inbound::Chat => chat::stream(&events),
            Inbound::Responses => responses::stream(&events),
            Inbound::Messages => messages::stream(&events),
            Inbound::Completions => completions::stream(&events),
        }
    } else {
        let body = serde_json::from_slice(&reply.body).context("the body is no JSON")?;
        match inbound {
            Inbound::Chat => chat::whole(&body),
            Inbound::Responses => responses::whole(&body),
            Inbound::Messages => messages::whole(&body),
            Inbound::Completions => completions::whole(&body),
        }
    };
    let heard = heard.with_context(said)?;
    let header = reply.header("x-generation-id");
    ensure!(header == Some(heard.id.as_str()), "{header:?} is not {}: {}", heard.id, said());
    Ok(heard)
}

/// The error of a reply that is one, in the client's envelope: its kind.
pub fn refusal(inbound: Inbound, reply: &Reply) -> Result<String> {
    let body: Value = serde_json::from_slice(&reply.body)?;
    ensure!(reply.status >= 400, "no error: {body}");
    ensure!(reply.header("content-type") == Some("application/json"), "{:?}", reply.headers);
    let error = &body["error"];
    text(error, "message").with_context(|| body.to_string())?;
    let kind = match inbound {
        Inbound::Chat | Inbound::Completions => {
            ensure!(error["code"] == reply.status, "{body}");
            ensure!(error["error_type"] == error["metadata"]["error_type"], "{body}");
            &error["error_type"]
        }
        Inbound::Messages => {
            ensure!(body["type"] == "error" && body.get("request_id").is_some(), "{body}");
            let known = messages::ERRORS.contains(&error["type"].as_str().unwrap_or_default());
            ensure!(known, "{body}");
            &error["error_type"]
        }
        Inbound::Responses => {
            let known = responses::CODES.contains(&error["code"].as_str().unwrap_or_default());
            ensure!(known && body.get("metadata").is_some(), "{body}");
            &body["error_type"]
        }
    };
    Ok(kind.as_str().with_context(|| body.to_string())?.to_owned())
}

impl Heard {
    /// Losses of the metadata: kind and detail.
    pub fn losses(&self) -> Vec<(String, String)> {
        let list = self.metadata.as_ref().and_then(|one| one["losses"].as_array());
        let word = |loss: &Value, key| loss[key].as_str().unwrap_or_default().to_owned();
        list.into_iter().flatten().map(|one| (word(one, "kind"), word(one, "detail"))).collect()
    }
}

/// The frames of an event stream.
pub struct Frames {
    /// The name, where the grammar has one, and the data.
    pub events: Vec<(Option<String>, Value)>,
}

impl Frames {
    fn read(bytes: &[u8], inbound: Inbound) -> Result<Self> {
        let text = std::str::from_utf8(bytes)?;
        let named = matches!(inbound, Inbound::Messages | Inbound::Responses);
        let (mut events, mut done) = (Vec::new(), false);
        let whole = text.strip_suffix("\n\n").context("the last event has no end")?;
        for block in whole.split("\n\n") {
            ensure!(!done, "after [DONE]: {block}");
            let mut name = None;
            for line in block.split('\n') {
                if line.starts_with(':') {
                    continue;
                }
                if let Some(found) = line.strip_prefix("event: ") {
                    ensure!(named && name.is_none(), "a name too many: {block}");
                    name = Some(found.to_owned());
                } else if line == "data: [DONE]" {
                    done = true;
                } else {
                    let data = line.strip_prefix("data: ").with_context(|| line.to_owned())?;
                    let data = serde_json::from_str(data).with_context(|| line.to_owned())?;
                    ensure!(name.is_some() == named, "no name: {block}");
                    events.push((name.take(), data));
                }
            }
            ensure!(name.is_none(), "a name without data: {block}");
        }
        ensure!(done == (inbound != Inbound::Messages), "[DONE]: {done}");
        Ok(Self { events })
    }
}

/// A text that has to be there.
pub fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().with_context(|| format!("no text {key} in {value}"))
}

/// A count that has to be there.
pub fn count(value: &Value, pointer: &str) -> Result<u64> {
    let found = value.pointer(pointer).and_then(Value::as_u64);
    found.with_context(|| format!("no count {pointer} in {value}"))
}

/// Dollars that have to be there.
pub fn dollars(value: &Value, key: &str) -> Result<Usd> {
    let number = value[key].as_f64().with_context(|| format!("no {key} in {value}"))?;
    Ok(format!("{number:.9}").parse()?)
}

/// A list that has to be there.
pub fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    value[key].as_array().with_context(|| format!("no list {key} in {value}"))
}

/// Adds a call; its arguments have to be an object.
pub fn call(heard: &mut Heard, id: &str, name: &str, arguments: &str) -> Result<()> {
    let arguments: Value = serde_json::from_str(arguments).context(arguments.to_owned())?;
    ensure!(arguments.is_object() && !id.is_empty(), "{id} {name} {arguments}");
    heard.calls.push(Call { id: id.to_owned(), name: name.to_owned(), arguments });
    Ok(())
}
