//! Messages.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{Frames, Heard, Told, call, count, dollars, list, text};

/// Every type of error.
pub const ERRORS: &[&str] = &[
    "invalid_request_error",
    "authentication_error",
    "billing_error",
    "permission_error",
    "not_found_error",
    "rate_limit_error",
    "timeout_error",
    "api_error",
    "overloaded_error",
];

/// A body in one piece.
pub fn whole(body: &Value) -> Result<Heard> {
    let heard = Heard { metadata: body.get("openrouter_metadata").cloned(), ..Heard::default() };
    ensure!(!body["stop_reason"].is_null(), "no end");
    heard.message(body)
}

/// A stream.
pub fn stream(frames: &Frames) -> Result<Heard> {
    let mut heard = Heard::default();
    let (mut message, mut stopped) = (Value::Null, false);
    // The block that is open, and the JSON of its input.
    let mut open: Option<(Value, String)> = None;
    let mut blocks: Vec<Value> = Vec::new();
    for (name, event) in &frames.events {
        let kind = text(event, "type")?;
        ensure!(name.as_deref() == Some(kind), "{name:?}: {event}");
        ensure!(!stopped && heard.error.is_none(), "after the end: {event}");
        ensure!(message.is_null() == (kind == "message_start") || kind == "ping", "{event}");
        match kind {
            "ping" => {}
            "message_start" => {
                message = event["message"].clone();
                ensure!(message["content"] == json!([]), "{event}");
                ensure!(message["stop_reason"].is_null(), "{event}");
                count(&message, "/usage/input_tokens")?;
            }
            "content_block_start" => {
                ensure!(open.is_none(), "a block inside a block: {event}");
                ensure!(count(event, "/index")? == blocks.len() as u64, "{event}");
                open = Some((event["content_block"].clone(), String::new()));
            }
            "content_block_delta" => {
                ensure!(count(event, "/index")? == blocks.len() as u64, "{event}");
                let (block, input) = open.as_mut().context("no block is open")?;
                delta(block, input, &event["delta"])?;
            }
            "content_block_stop" => {
                ensure!(count(event, "/index")? == blocks.len() as u64, "{event}");
                let (mut block, input) = open.take().context("no block is open")?;
                if !input.is_empty() {
                    block["input"] = serde_json::from_str(&input).context(input)?;
                }
                blocks.push(block);
            }
            "message_delta" => {
                ensure!(open.is_none() && message["stop_reason"].is_null(), "{event}");
                message["stop_reason"] = json!(text(&event["delta"], "stop_reason")?);
                message["usage"] = event["usage"].clone();
            }
            "message_stop" => {
                ensure!(!message["stop_reason"].is_null(), "no message_delta");
                heard.metadata = event.get("openrouter_metadata").cloned();
                stopped = true;
            }
            "error" => {
                let known = ERRORS.contains(&text(&event["error"], "type")?);
                ensure!(known, "{event}");
                heard.error = Some(event["error"].clone());
            }
            _ => bail!("{event}"),
        }
    }
    if heard.error.is_some() {
        heard.id = text(&message, "id")?.to_owned();
        blocks.extend(open.map(|(block, _)| block));
        let texts = blocks.iter().filter_map(|block| block["text"].as_str());
        heard.text = texts.collect();
        return Ok(heard);
    }
    ensure!(stopped, "no message_stop");
    message["content"] = json!(blocks);
    heard.message(&message)
}

fn delta(block: &mut Value, input: &mut String, delta: &Value) -> Result<()> {
    let (kind, member) = match text(delta, "type")? {
        "text_delta" => ("text", "text"),
        "citations_delta" => {
            ensure!(block["type"] == "text" && delta["citation"].is_object(), "{delta} in {block}");
            return Ok(());
        }
        "thinking_delta" => ("thinking", "thinking"),
        "signature_delta" => ("thinking", "signature"),
        "input_json_delta" => {
            ensure!(block["type"] == "tool_use", "{delta} in {block}");
            input.push_str(text(delta, "partial_json")?);
            return Ok(());
        }
        _ => bail!("{delta}"),
    };
    ensure!(block["type"] == kind, "{delta} in {block}");
    let whole = block[member].as_str().unwrap_or_default().to_owned() + text(delta, member)?;
    block[member] = json!(whole);
    Ok(())
}

impl Heard {
    fn message(mut self, message: &Value) -> Result<Self> {
        ensure!(message["type"] == "message" && message["role"] == "assistant", "{message}");
        for key in ["model", "provider"] {
            text(message, key)?;
        }
        self.id = text(message, "id")?.to_owned();
        for block in list(message, "content")? {
            match text(block, "type")? {
                "text" => self.text.push_str(text(block, "text")?),
                "thinking" => {
                    self.thoughts.push_str(text(block, "thinking")?);
                    let signature = text(block, "signature")?;
                    // What nobody signed may say whose it is, in the place of the signature.
                    let told = signature.strip_prefix("signalbox.reasoning/");
                    let own = told.map_or(Some(signature), |rest| rest.splitn(3, '/').nth(2));
                    let is_signed = own.is_some_and(|own| !own.is_empty());
                    self.seals.extend(is_signed.then(|| signature.to_owned()));
                }
                "redacted_thinking" => self.seals.push(text(block, "data")?.to_owned()),
                "tool_use" => {
                    let input = block["input"].to_string();
                    call(&mut self, text(block, "id")?, text(block, "name")?, &input)?;
                }
                _ => bail!("{block}"),
            }
        }
        self.replay.clone_from(list(message, "content")?);
        self.end = match text(message, "stop_reason")? {
            "end_turn" => "stop",
            "tool_use" => "tool_calls",
            "max_tokens" => "length",
            other => other,
        }
        .to_owned();
        let usage = &message["usage"];
        let read = |key: &str| count(usage, &format!("/{key}"));
        let cached = read("cache_read_input_tokens")? + read("cache_creation_input_tokens")?;
        self.usage = Some(Told {
            input: read("input_tokens")? + cached,
            output: read("output_tokens")?,
            reasoning: count(usage, "/output_tokens_details/thinking_tokens")?,
            cost: dollars(usage, "cost")?,
        });
        Ok(self)
    }
}
