//! Responses.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{Frames, Heard, Told, call, count, dollars, list, text};

/// Every code of an error.
pub const CODES: &[&str] =
    &["rate_limit_exceeded", "invalid_prompt", "image_content_policy_violation", "server_error"];

/// A body in one piece.
pub fn whole(body: &Value) -> Result<Heard> {
    Heard::default().response(body)
}

/// A stream.
pub fn stream(frames: &Frames) -> Result<Heard> {
    let mut items: Vec<Item> = Vec::new();
    let mut last = None;
    let begun = ["response.created", "response.in_progress"];
    let mut seen = 0;
    for (number, (name, event)) in frames.events.iter().enumerate() {
        let kind = text(event, "type")?;
        ensure!(name.as_deref() == Some(kind), "{name:?}: {event}");
        ensure!(count(event, "/sequence_number")? == number as u64, "out of order: {event}");
        ensure!(last.is_none(), "after the end: {event}");
        if kind == "response.debug" {
            ensure!(seen == 0, "debug first: {event}");
            continue;
        }
        if let Some(expected) = begun.get(seen) {
            ensure!(kind == *expected, "not {expected}: {event}");
            ensure!(event["response"]["status"] == "in_progress", "{event}");
        }
        seen += 1;
        match kind {
            "response.created" | "response.in_progress" => ensure!(seen <= 2, "{event}"),
            "response.output_item.added" => {
                ensure!(count(event, "/output_index")? == items.len() as u64, "{event}");
                items.push(Item::begin(&event["item"])?);
            }
            "response.completed" | "response.incomplete" | "response.failed" => {
                let status = text(&event["response"], "status")?;
                ensure!(kind == format!("response.{status}"), "{event}");
                last = Some(event["response"].clone());
            }
            _ => {
                let at = usize::try_from(count(event, "/output_index")?)?;
                let item = items.get_mut(at).with_context(|| format!("no item: {event}"))?;
                item.take(kind, event).with_context(|| event.to_string())?;
            }
        }
    }
    let response = last.context("no end")?;
    let done: Vec<&Value> = items.iter().filter_map(|item| item.done.as_ref()).collect();
    // What fails may leave its items where they were.
    if response["status"] != "failed" {
        ensure!(done.len() == items.len(), "an item has no end");
        let output: Vec<&Value> = list(&response, "output")?.iter().collect();
        ensure!(output == done, "{output:?} is not {done:?}");
        return Heard::default().response(&response);
    }
    let mut heard = Heard::default().response(&response)?;
    let texts = items.iter().flat_map(|item| &item.texts);
    heard.text = texts.map(|(_, _, text, _)| text.as_str()).collect();
    Ok(heard)
}

/// An item on its way.
struct Item {
    id: String,
    kind: String,
    /// Text of the deltas, by the event that ends them and their part.
    texts: Vec<(String, u64, String, bool)>,
    done: Option<Value>,
}

impl Item {
    fn begin(item: &Value) -> Result<Self> {
        ensure!(item["type"] == "reasoning" || item["status"] == "in_progress", "{item}");
        let (id, kind) = (text(item, "id")?.to_owned(), text(item, "type")?.to_owned());
        Ok(Self { id, kind, texts: Vec::new(), done: None })
    }

    fn take(&mut self, event_kind: &str, event: &Value) -> Result<()> {
        ensure!(self.done.is_none(), "after the item's end");
        if event_kind == "response.output_item.done" {
            let item = &event["item"];
            ensure!(item["id"] == self.id.as_str() && item["type"] == self.kind.as_str(), "{item}");
            ensure!(self.texts.iter().all(|(_, _, _, ended)| *ended), "a text has no end");
            self.done = Some(item.clone());
            return Ok(());
        }
        ensure!(event["item_id"] == self.id.as_str(), "of another item");
        let (owner, part, member) = match event_kind.trim_start_matches("response.") {
            "content_part.added"
            | "content_part.done"
            | "reasoning_summary_part.added"
            | "reasoning_summary_part.done" => return Ok(()),
            "output_text.annotation.added" => {
                count(event, "/annotation_index")?;
                return text(&event["annotation"], "type").map(drop);
            }
            "output_text.delta" | "output_text.done" => ("message", "/content_index", "text"),
            "refusal.delta" | "refusal.done" => ("message", "/content_index", "refusal"),
            "reasoning_text.delta" | "reasoning_text.done" => {
                ("reasoning", "/content_index", "text")
            }
            "reasoning_summary_text.delta" | "reasoning_summary_text.done" => {
                ("reasoning", "/summary_index", "text")
            }
            "function_call_arguments.delta" | "function_call_arguments.done" => {
                ("function_call", "/output_index", "arguments")
            }
            _ => bail!("an event that is not known"),
        };
        ensure!(self.kind == owner, "in an item of type {}", self.kind);
        let (base, what) = event_kind.rsplit_once('.').context("a name")?;
        let part = count(event, part)?;
        let found = self.texts.iter_mut().find(|(of, at, _, _)| of == base && *at == part);
        match (what, found) {
            ("delta", Some((_, _, all, ended))) => {
                ensure!(!*ended, "after its end");
                all.push_str(text(event, "delta")?);
            }
            ("delta", None) => {
                let all = text(event, "delta")?.to_owned();
                self.texts.push((base.to_owned(), part, all, false));
            }
            (_, Some((_, _, all, ended))) => {
                ensure!(!std::mem::replace(ended, true), "ends twice");
                ensure!(text(event, member)? == all, "not what its pieces said");
            }
            (_, None) => ensure!(text(event, member)?.is_empty(), "it had no pieces"),
        }
        Ok(())
    }
}

impl Heard {
    fn response(mut self, response: &Value) -> Result<Self> {
        ensure!(response["object"] == "response", "{response}");
        self.id = text(response, "id")?.to_owned();
        text(response, "model")?;
        self.metadata = response.get("openrouter_metadata").cloned();
        for item in list(response, "output")? {
            self.item(item)?;
        }
        self.replay.clone_from(list(response, "output")?);
        let reason = response["incomplete_details"]["reason"].as_str();
        self.end = match (text(response, "status")?, reason) {
            ("completed", None) if self.calls.is_empty() => "stop".to_owned(),
            ("completed", None) => "tool_calls".to_owned(),
            ("incomplete", Some("max_output_tokens")) => "length".to_owned(),
            ("incomplete", Some("content_filter")) => "content_filter".to_owned(),
            ("failed", None) => {
                ensure!(CODES.contains(&text(&response["error"], "code")?), "{response}");
                let kind = text(response, "error_type")?;
                self.error = Some(json!({"error_type": kind, "error": response["error"]}));
                return Ok(self);
            }
            (status, reason) => bail!("{status} {reason:?}"),
        };
        ensure!(response["error"].is_null(), "{response}");
        let Some(usage) = response.get("usage") else {
            ensure!(self.end == "length", "no usage");
            return Ok(self);
        };
        let told = Told {
            input: count(usage, "/input_tokens")?,
            output: count(usage, "/output_tokens")?,
            reasoning: count(usage, "/output_tokens_details/reasoning_tokens")?,
            cost: dollars(usage, "cost")?,
        };
        ensure!(count(usage, "/total_tokens")? == told.input + told.output, "{usage}");
        self.usage = Some(told);
        Ok(self)
    }

    fn item(&mut self, item: &Value) -> Result<()> {
        text(item, "id")?;
        match text(item, "type")? {
            "message" => {
                ensure!(item["role"] == "assistant", "{item}");
                for part in list(item, "content")? {
                    if part["type"] == "refusal" {
                        self.text.push_str(text(part, "refusal")?);
                        continue;
                    }
                    ensure!(
                        part["type"] == "output_text" && part["annotations"].is_array(),
                        "{part}"
                    );
                    self.text.push_str(text(part, "text")?);
                }
            }
            "reasoning" => {
                let summary = list(item, "summary")?.iter();
                let content = item["content"].as_array().into_iter().flatten();
                for part in summary.chain(content) {
                    self.thoughts.push_str(text(part, "text")?);
                }
                for key in ["signature", "encrypted_content"] {
                    // A seal of another format says so; the provider gets what it once wrote.
                    let sealed = item[key].as_str();
                    let bare = sealed.map(|text| match text.strip_prefix("signalbox.") {
                        Some(packed) => packed.splitn(4, '/').last().unwrap_or(packed),
                        None => text,
                    });
                    let bare = bare.filter(|bare| !self.seals.iter().any(|seal| seal == bare));
                    self.seals.extend(bare.map(str::to_owned));
                }
            }
            "function_call" => {
                let (id, name) = (text(item, "call_id")?, text(item, "name")?);
                call(self, id, name, text(item, "arguments")?)?;
            }
            _ => bail!("{item}"),
        }
        Ok(())
    }
}
