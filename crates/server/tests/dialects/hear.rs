//! What clients hear, read as strictly as their languages are written.

use std::sync::LazyLock;

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
        public(inbound, &body)?;
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

/// The public shapes of whole answers; the legacy dialect has none.
static SHAPES: LazyLock<Vec<(Inbound, jsonschema::Validator)>> = LazyLock::new(|| {
    let text = include_str!("../../../../openapi/public.json");
    let whole: Value = serde_json::from_str(text).expect("the public description");
    let doors = [Inbound::Chat, Inbound::Responses, Inbound::Messages].into_iter();
    let shape = |inbound: Inbound| {
        let path = inbound.path().trim_start_matches("/api/v1");
        let answer = &whole["paths"][path]["post"]["responses"]["200"];
        let mut schema = answer["content"]["application/json"]["schema"].clone();
        assert!(schema.is_object(), "{path}");
        schema["components"] = whole["components"].clone();
        (inbound, jsonschema::draft202012::new(&schema).expect("a schema"))
    };
    doors.map(shape).collect()
});

/// What the public shapes require and the inventors of the dialects leave out themselves: nobody adds
/// it to an answer that is passed on as it came. Pointers to the objects, the member and its value.
fn left_out(body: &mut Value) {
    let mut fill = |pointer: &str, kind: Option<&str>, member: &str, value: Value| {
        let found = body.pointer_mut(pointer);
        let objects = match found {
            Some(Value::Array(list)) => list.iter_mut().collect(),
            Some(object) => vec![object],
            None => Vec::new(),
        };
        for object in objects.into_iter().filter_map(Value::as_object_mut) {
            if kind.is_none_or(|kind| object.get("type").is_some_and(|one| one == kind)) {
                object.entry(member).or_insert_with(|| value.clone());
            }
        }
    };
    fill("", Some("message"), "container", Value::Null);
    fill("/usage", None, "inference_geo", Value::Null);
    fill("/usage", None, "service_tier", "standard".into());
    fill("/content", Some("text"), "citations", Value::Null);
    fill("/content", Some("tool_use"), "caller", serde_json::json!({"type": "direct"}));
    for member in ["presence_penalty", "frequency_penalty", "completed_at"] {
        fill("", None, member, Value::Null);
    }
}

/// The body has the public shape.
fn public(inbound: Inbound, body: &Value) -> Result<()> {
    let Some((_, shape)) = SHAPES.iter().find(|(of, _)| *of == inbound) else { return Ok(()) };
    let mut body = body.clone();
    if inbound != Inbound::Chat {
        left_out(&mut body);
    }
    let errors = shape.iter_errors(&body).take(3);
    let errors: Vec<String> =
        errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
    ensure!(errors.is_empty(), "{}", errors.join("; ").chars().take(600).collect::<String>());
    Ok(())
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
