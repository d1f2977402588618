//! Legacy Completions.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{Frames, Heard, Told, count, dollars, list, text};

/// A body in one piece.
pub fn whole(body: &Value) -> Result<Heard> {
    ensure!(body.get("error").is_none(), "an error");
    let mut heard = head(body)?;
    let [choice] = list(body, "choices")?.as_slice() else { bail!("one choice") };
    add(&mut heard, choice)?;
    ensure!(!heard.end.is_empty(), "no end");
    heard.with_counts(body)
}

/// A stream.
pub fn stream(frames: &Frames) -> Result<Heard> {
    let mut heard = Heard::default();
    let mut usage = None;
    for (_, event) in &frames.events {
        let own = head(event)?;
        ensure!(usage.is_none() && heard.error.is_none(), "after the last: {event}");
        ensure!(heard.id.is_empty() || own.id == heard.id, "another id: {event}");
        heard.id = own.id;
        match list(event, "choices")?.as_slice() {
            [] => usage = Some(event),
            [choice] if event.get("error").is_some() => {
                ensure!(choice["finish_reason"] == "error", "{event}");
                heard.error = event.get("error").cloned();
            }
            [choice] => {
                ensure!(heard.end.is_empty(), "after the end: {event}");
                add(&mut heard, choice).with_context(|| event.to_string())?;
            }
            _ => bail!("two choices: {event}"),
        }
    }
    if heard.error.is_some() {
        ensure!(usage.is_none(), "an error ends the stream");
        return Ok(heard);
    }
    ensure!(!heard.end.is_empty(), "no end");
    heard.with_counts(usage.context("no usage")?)
}

fn head(body: &Value) -> Result<Heard> {
    ensure!(body["object"] == "text_completion", "the object's name");
    for key in ["model", "provider"] {
        text(body, key)?;
    }
    count(body, "/created")?;
    Ok(Heard { id: text(body, "id")?.to_owned(), ..Heard::default() })
}

fn add(heard: &mut Heard, choice: &Value) -> Result<()> {
    ensure!(choice["index"] == 0 && choice.get("logprobs").is_some(), "{choice}");
    heard.text.push_str(text(choice, "text")?);
    heard.thoughts.push_str(choice["reasoning"].as_str().unwrap_or_default());
    if !choice["finish_reason"].is_null() {
        heard.end = text(choice, "finish_reason")?.to_owned();
    }
    Ok(())
}

impl Heard {
    fn with_counts(mut self, body: &Value) -> Result<Self> {
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
