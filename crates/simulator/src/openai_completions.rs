//! `openai-completions`: a prompt in, its continuation out. The envelope of errors is the chat
//! dialect's.

use serde_json::{Value, json};

use crate::answer::{Answer, Block, Finish, Token};
use crate::ask::{Ask, Gather, Reading, Wrong, echoed, given, stranger, text};
use crate::dialect::{Failure, Recipient};
use crate::frames::{Frames, Writer};
use crate::openai_chat::{CREATED, early_usage, usage};
use crate::openai_responses;

const MEMBERS: &[&str] = &[
    "best_of",
    "echo",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "model",
    "n",
    "presence_penalty",
    "prompt",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "suffix",
    "temperature",
    "top_p",
    "user",
];
/// Tokens when the request does not say.
const DEFAULT_TOKENS: u64 = 16;

/// Reads a request.
pub(crate) fn read(body: &Value) -> Reading<Ask> {
    let missing = |name: &str| Wrong::about(name, format!("Missing required parameter: '{name}'."));
    if let Some(name) = stranger(body, MEMBERS) {
        let message = format!("Unrecognized request argument supplied: {name}");
        return Err(Wrong { code: Some("unknown_parameter"), ..Wrong::about(name, message) });
    }
    let model = text(body, "model").ok_or_else(|| missing("model"))?;
    let prompt = given(body, "prompt").ok_or_else(|| missing("prompt"))?;
    let texts: Vec<&str> = match prompt {
        Value::String(one) => vec![one.as_str()],
        Value::Array(all) if all.iter().all(Value::is_string) && !all.is_empty() => {
            all.iter().filter_map(Value::as_str).collect()
        }
        Value::Array(all) if !all.is_empty() => Vec::new(),
        _ => {
            return Err(Wrong::about(
                "prompt",
                "Invalid type for 'prompt': expected a string or a list.",
            ));
        }
    };
    let streams = body.get("stream").and_then(Value::as_bool).unwrap_or(false);
    if given(body, "stream_options").is_some() && !streams {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Wrong::about("stream_options", message));
    }
    let include_usage = body.pointer("/stream_options/include_usage");
    let mut gather = Gather::default();
    texts.iter().for_each(|text| gather.text(text));
    Ok(Ask {
        model: model.to_owned(),
        stream: streams,
        include_usage: include_usage.and_then(Value::as_bool).unwrap_or(false),
        max_tokens: Some(body.get("max_tokens").and_then(Value::as_u64).unwrap_or(DEFAULT_TOKENS)),
        choices: body.get("n").and_then(Value::as_u64).unwrap_or(1).clamp(1, 128),
        prompt_tokens: gather.tokens(),
        last_user_text: echoed(texts.into_iter()),
        ..Ask::default()
    })
}

fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Calls => "stop",
        Finish::Length => "length",
        Finish::Refused => "content_filter",
    }
}

/// The whole answer.
pub(crate) fn document(answer: &Answer, to: &Recipient<'_>) -> Value {
    let mut whole = String::new();
    for block in answer.blocks() {
        if let Block::Text(piece) = block {
            whole.push_str(&piece);
        }
    }
    let finish = answer.finish.map(reason);
    let choices: Vec<Value> = (0..answer.choices)
        .map(|index| json!({"text": whole, "index": index, "logprobs": null, "finish_reason": finish}))
        .collect();
    let mut out = json!({"id": to.id, "object": "text_completion", "created": CREATED,
        "model": to.model, "choices": choices});
    if let (Some(counts), Some(members)) = (answer.counts(), out.as_object_mut()) {
        members.insert("usage".to_owned(), usage(&counts));
    }
    out
}

/// Writes the chunks of a stream.
pub(crate) struct ChunkWriter {
    id: String,
    model: String,
    wants_usage: bool,
}

impl ChunkWriter {
    pub(crate) fn new(to: &Recipient<'_>) -> Self {
        Self { id: to.id.to_owned(), model: to.model.to_owned(), wants_usage: to.wants_usage }
    }

    fn chunk(&self, choices: &Value) -> Value {
        json!({"id": self.id, "object": "text_completion", "created": CREATED,
            "model": self.model, "choices": choices})
    }

    fn push(&self, answer: &Answer, text: &str, finish: Option<&str>, frames: &mut Frames) {
        for index in 0..answer.choices {
            let choice = json!([{"text": text, "index": index, "logprobs": null,
                "finish_reason": finish}]);
            frames.push(frames.sse(None, &self.chunk(&choice)), u64::from(finish.is_none()));
        }
    }
}

impl Writer for ChunkWriter {
    fn begin(&mut self, _answer: &Answer, _frames: &mut Frames) {}

    fn token(&mut self, token: &Token, answer: &Answer, frames: &mut Frames) {
        if let Token::Text(piece) = token {
            self.push(answer, piece, None, frames);
        }
    }

    fn finish(&mut self, answer: &Answer, done: bool, frames: &mut Frames) {
        if let Some(finish) = answer.finish {
            self.push(answer, "", Some(reason(finish)), frames);
        }
        if self.wants_usage {
            let last = answer.counts().map(|counts| usage(&counts));
            for usage in [early_usage(answer), last].into_iter().flatten() {
                let mut chunk = self.chunk(&json!([]));
                if let Some(members) = chunk.as_object_mut() {
                    members.insert("usage".to_owned(), usage.clone());
                }
                frames.push_usage(frames.sse(None, &chunk), 0, Some(usage));
            }
        }
        if done {
            frames.push(&b"data: [DONE]\n\n"[..], 0);
        }
    }

    fn error(&mut self, status: u16, frames: &mut Frames) {
        let error = openai_responses::error(&Failure::simulated(status));
        frames.push(frames.sse(None, &error), 0);
    }

    fn half(&mut self, frames: &mut Frames) {
        frames.push(&b"data: {\"choices\":[{\"text\":\"lo\n\n"[..], 0);
    }

    fn wrong(&mut self, frames: &mut Frames) {
        frames.push(frames.sse(None, &self.chunk(&json!("none"))), 0);
    }
}
