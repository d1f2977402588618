//! Chat Completions.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{Frames, Heard, Told, call, count, dollars, list, text};

/// A body in one piece.
pub fn whole(body: &Value) -> Result<Heard> {
    ensure!(body["object"] == "chat.completion" && body.get("error").is_none(), "an answer");
    let [choice] = list(body, "choices")?.as_slice() else { bail!("one choice") };
    ensure!(choice["index"] == 0, "its index");
    message(head(body)?, choice)?.with_usage(body)
}

/// A stream. It becomes a message first, as clients make one of it.
pub fn stream(frames: &Frames) -> Result<Heard> {
    let mut heard = Heard::default();
    let mut made = Made::default();
    let mut usage = None;
    for (_, event) in &frames.events {
        ensure!(event["object"] == "chat.completion.chunk", "{event}");
        ensure!(usage.is_none(), "after the usage: {event}");
        ensure!(heard.error.is_none(), "after the error: {event}");
        let own = head(event)?;
        ensure!(heard.id.is_empty() || own.id == heard.id, "another id: {event}");
        heard.id = own.id;
        match list(event, "choices")?.as_slice() {
            [] if event.get("debug").is_some() => ensure!(made.choice.is_null(), "debug first"),
            [] => usage = Some(event),
            [choice] => {
                ensure!(event.get("usage").is_none_or(Value::is_null), "usage early: {event}");
                if let Some(error) = event.get("error") {
                    ensure!(choice["finish_reason"] == "error", "{event}");
                    heard.error = Some(error.clone());
                } else {
                    made.add(choice).with_context(|| event.to_string())?;
                }
            }
            _ => bail!("two choices: {event}"),
        }
    }
    if heard.error.is_some() {
        ensure!(usage.is_none(), "an error ends the stream");
        heard.text = made.choice["message"]["content"].as_str().unwrap_or_default().to_owned();
        return Ok(heard);
    }
    let usage = usage.context("no usage")?;
    ensure!(!made.choice["finish_reason"].is_null(), "no end");
    message(heard, &made.choice)?.with_usage(usage)
}

fn head(body: &Value) -> Result<Heard> {
    for key in ["model", "provider"] {
        text(body, key)?;
    }
    count(body, "/created")?;
    let metadata = body.get("openrouter_metadata").cloned();
    Ok(Heard { id: text(body, "id")?.to_owned(), metadata, ..Heard::default() })
}

fn message(mut heard: Heard, choice: &Value) -> Result<Heard> {
    let message = &choice["message"];
    ensure!(message["role"] == "assistant", "the role");
    heard.text = message["content"].as_str().unwrap_or_default().to_owned();
    heard.text.push_str(message["refusal"].as_str().unwrap_or_default());
    heard.thoughts = message["reasoning"].as_str().unwrap_or_default().to_owned();
    heard.end = text(choice, "finish_reason")?.to_owned();
    let mut replay = json!({"role": "assistant", "content": message["content"]});
    for key in ["tool_calls", "reasoning_details"] {
        if let Some(found) = message.get(key) {
            replay[key] = found.clone();
        }
    }
    if let Some(calls) = message.get("tool_calls") {
        for one in calls.as_array().context("calls")? {
            ensure!(one["type"] == "function", "{one}");
            let function = &one["function"];
            let (name, arguments) = (text(function, "name")?, text(function, "arguments")?);
            call(&mut heard, text(one, "id")?, name, arguments)?;
        }
    }
    for detail in message["reasoning_details"].as_array().into_iter().flatten() {
        let kind = text(detail, "type")?;
        text(detail, "format")?;
        match kind {
            "reasoning.text" => drop(text(detail, "text")?),
            "reasoning.summary" => drop(text(detail, "summary")?),
            "reasoning.encrypted" => drop(text(detail, "data")?),
            _ => bail!("{detail}"),
        }
        for key in ["signature", "data"] {
            heard.seals.extend(detail[key].as_str().map(str::to_owned));
        }
    }
    heard.replay = vec![replay];
    Ok(heard)
}

impl Heard {
    fn with_usage(mut self, body: &Value) -> Result<Self> {
        let usage = &body["usage"];
        let told = Told {
            input: count(usage, "/prompt_tokens")?,
            output: count(usage, "/completion_tokens")?,
            reasoning: count(usage, "/completion_tokens_details/reasoning_tokens")?,
            cost: dollars(usage, "cost")?,
        };
        ensure!(count(usage, "/total_tokens")? == told.input + told.output, "{usage}");
        self.usage = Some(told);
        self.metadata = body.get("openrouter_metadata").cloned();
        Ok(self)
    }
}

/// A message that is being put together.
#[derive(Default)]
struct Made {
    choice: Value,
}

impl Made {
    fn add(&mut self, choice: &Value) -> Result<()> {
        ensure!(choice["index"] == 0, "the choice's index");
        let delta = choice["delta"].as_object().context("no delta")?;
        if self.choice.is_null() {
            ensure!(delta.get("role") == Some(&json!("assistant")), "the first has the role");
            self.choice = json!({"message": {"role": "assistant"}, "finish_reason": null});
        } else {
            ensure!(delta.get("role").is_none_or(|role| role == "assistant"), "the role");
        }
        ensure!(self.choice["finish_reason"].is_null(), "after the end");
        let message = &mut self.choice["message"];
        for (key, value) in delta {
            match key.as_str() {
                "content" | "reasoning" | "refusal" if value.is_string() => {
                    append(message, key, value)
                }
                "tool_calls" => {
                    for piece in value.as_array().context("calls")? {
                        add_call(message, piece)?;
                    }
                }
                "reasoning_details" => {
                    for piece in value.as_array().context("details")? {
                        add_detail(message, piece)?;
                    }
                }
                _ => {}
            }
        }
        self.choice["finish_reason"] = choice["finish_reason"].clone();
        Ok(())
    }
}

fn append(object: &mut Value, key: &str, more: &Value) {
    let text = object[key].as_str().unwrap_or_default().to_owned();
    object[key] = json!(text + more.as_str().unwrap_or_default());
}

fn entries<'a>(message: &'a mut Value, key: &str) -> Result<&'a mut Vec<Value>> {
    if message[key].is_null() {
        message[key] = json!([]);
    }
    message[key].as_array_mut().context("a list")
}

fn add_call(message: &mut Value, piece: &Value) -> Result<()> {
    let at = usize::try_from(count(piece, "/index")?)?;
    let calls = entries(message, "tool_calls")?;
    if at == calls.len() {
        text(piece, "id")?;
        text(&piece["function"], "name")?;
        let mut call = piece.clone();
        call.as_object_mut().context("a call")?.remove("index");
        calls.push(call);
        return Ok(());
    }
    let call = calls.get_mut(at).context("calls begin in order")?;
    ensure!(piece.get("id").is_none_or(Value::is_null), "a call begins twice");
    append(&mut call["function"], "arguments", &piece["function"]["arguments"]);
    Ok(())
}

/// Pieces of one index and type belong together.
fn add_detail(message: &mut Value, piece: &Value) -> Result<()> {
    let details = entries(message, "reasoning_details")?;
    let same = |one: &Value| one["index"] == piece["index"] && one["type"] == piece["type"];
    let Some(last) = details.last_mut().filter(|one| same(one)) else {
        details.push(piece.clone());
        return Ok(());
    };
    for (key, value) in piece.as_object().context("a detail")? {
        if ["text", "summary", "data", "signature"].contains(&key.as_str()) {
            append(last, key, value);
        } else {
            last[key] = value.clone();
        }
    }
    Ok(())
}
