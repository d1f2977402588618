//! The events of a stream.

use serde_json::{Value, json};

use super::items::{
    annotation, call, failure, image, item_id, message, put, reasoning, response, status,
    text_part, usage,
};
use crate::answer::{Answer, Finish, Token};
use crate::dialect::{Failure, Recipient};
use crate::frames::{Frames, Writer};

/// An item in the making.
enum Open {
    Reasoning { text: String },
    Text { text: String },
    Refusal { text: String },
    Call { asked: String, name: String, arguments: String },
}

/// Writes the events; each has its number.
pub(crate) struct EventWriter {
    id: String,
    model: String,
    number: u64,
    begun: bool,
    open: Option<Open>,
    item: String,
    done: Vec<Value>,
}

impl EventWriter {
    pub(crate) fn new(to: &Recipient<'_>) -> Self {
        Self {
            id: to.id.to_owned(),
            model: to.model.to_owned(),
            number: 0,
            begun: false,
            open: None,
            item: String::new(),
            done: Vec::new(),
        }
    }

    fn bytes(&mut self, kind: &str, mut data: Value, frames: &Frames) -> Vec<u8> {
        put(&mut data, "type", json!(kind));
        put(&mut data, "sequence_number", json!(self.number));
        self.number = self.number.saturating_add(1);
        frames.sse(Some(kind), &data)
    }

    fn event(&mut self, kind: &str, data: Value, tokens: u64, frames: &mut Frames) {
        let bytes = self.bytes(kind, data, frames);
        frames.push(bytes, tokens);
    }

    /// An event of the open item's.
    fn inner(&mut self, kind: &str, mut data: Value, tokens: u64, frames: &mut Frames) {
        put(&mut data, "item_id", json!(self.item));
        put(&mut data, "output_index", json!(self.done.len()));
        self.event(kind, data, tokens, frames);
    }

    fn added(
        &mut self,
        prefix: &str,
        tokens: u64,
        frames: &mut Frames,
        item: impl Fn(&str) -> Value,
    ) {
        self.item = item_id(prefix, &self.id, self.done.len());
        let data = json!({"output_index": self.done.len(), "item": item(&self.item)});
        self.event("response.output_item.added", data, tokens, frames);
    }

    fn finished(&mut self, item: Value, frames: &mut Frames) {
        let data = json!({"output_index": self.done.len(), "item": item});
        self.event("response.output_item.done", data, 0, frames);
        self.done.push(item);
    }

    fn close(&mut self, answer: &Answer, frames: &mut Frames) {
        let id = self.item.clone();
        match self.open.take() {
            None => {}
            Some(Open::Reasoning { text }) => {
                let part = json!({"type": "summary_text", "text": text});
                let data = json!({"summary_index": 0, "text": text});
                self.inner("response.reasoning_summary_text.done", data, 0, frames);
                let data = json!({"summary_index": 0, "part": part});
                self.inner("response.reasoning_summary_part.done", data, 0, frames);
                self.finished(reasoning(&id, Some(&text), answer), frames);
            }
            Some(Open::Text { text }) => {
                if answer.cite {
                    let data = json!({"content_index": 0, "annotation_index": 0,
                        "annotation": annotation()});
                    self.inner("response.output_text.annotation.added", data, 0, frames);
                }
                let data = json!({"content_index": 0, "text": text, "logprobs": []});
                self.inner("response.output_text.done", data, 0, frames);
                self.part_done(&text_part(&text, answer), frames);
            }
            Some(Open::Refusal { text }) => {
                let data = json!({"content_index": 0, "refusal": text});
                self.inner("response.refusal.done", data, 0, frames);
                self.part_done(&json!({"type": "refusal", "refusal": text}), frames);
            }
            Some(Open::Call { asked, name, arguments }) => {
                let data = json!({"arguments": arguments, "name": name});
                self.inner("response.function_call_arguments.done", data, 0, frames);
                self.finished(call(&id, "completed", &asked, &name, &arguments), frames);
            }
        }
    }

    fn part_done(&mut self, part: &Value, frames: &mut Frames) {
        let data = json!({"content_index": 0, "part": part});
        self.inner("response.content_part.done", data, 0, frames);
        let id = self.item.clone();
        self.finished(message(&id, "completed", std::slice::from_ref(part)), frames);
    }

    fn open_message(&mut self, part: &Value, frames: &mut Frames) {
        self.added("msg", 0, frames, |id| message(id, "in_progress", &[]));
        let data = json!({"content_index": 0, "part": part});
        self.inner("response.content_part.added", data, 0, frames);
    }

    fn think(&mut self, piece: &str, answer: &Answer, frames: &mut Frames) {
        if !matches!(self.open, Some(Open::Reasoning { .. })) {
            self.close(answer, frames);
            self.added("rs", 0, frames, |id| json!({"type": "reasoning", "id": id, "summary": []}));
            let part = json!({"type": "summary_text", "text": ""});
            let data = json!({"summary_index": 0, "part": part});
            self.inner("response.reasoning_summary_part.added", data, 0, frames);
            self.open = Some(Open::Reasoning { text: String::new() });
        }
        if let Some(Open::Reasoning { text }) = &mut self.open {
            text.push_str(piece);
        }
        let data = json!({"summary_index": 0, "delta": piece});
        self.inner("response.reasoning_summary_text.delta", data, 1, frames);
    }

    fn say(&mut self, piece: &str, answer: &Answer, frames: &mut Frames) {
        if !matches!(self.open, Some(Open::Text { .. })) {
            self.close(answer, frames);
            let part =
                json!({"type": "output_text", "text": "", "annotations": [], "logprobs": []});
            self.open_message(&part, frames);
            self.open = Some(Open::Text { text: String::new() });
        }
        if let Some(Open::Text { text }) = &mut self.open {
            text.push_str(piece);
        }
        let data = json!({"content_index": 0, "delta": piece, "logprobs": []});
        self.inner("response.output_text.delta", data, 1, frames);
    }

    fn draw(&mut self, data: &str, frames: &mut Frames) {
        self.added("ig", 0, frames, |id| image(id, "in_progress", None));
        self.inner("response.image_generation_call.in_progress", json!({}), 0, frames);
        self.inner("response.image_generation_call.generating", json!({}), 0, frames);
        self.inner("response.image_generation_call.completed", json!({}), 1, frames);
        let item = image(&self.item, "completed", Some(data));
        self.finished(item, frames);
    }
}

impl Writer for EventWriter {
    fn begin(&mut self, _answer: &Answer, frames: &mut Frames) {
        self.begun = true;
        for kind in ["response.created", "response.in_progress"] {
            let response = response(&self.id, &self.model, "in_progress", &[]);
            self.event(kind, json!({ "response": response }), 0, frames);
        }
    }

    fn token(&mut self, token: &Token, answer: &Answer, frames: &mut Frames) {
        match token {
            Token::Reasoning(piece) => self.think(piece, answer, frames),
            Token::Text(piece) => self.say(piece, answer, frames),
            Token::Redacted => {
                self.close(answer, frames);
                self.added(
                    "rs",
                    1,
                    frames,
                    |id| json!({"type": "reasoning", "id": id, "summary": []}),
                );
                let item = reasoning(&self.item, None, answer);
                self.finished(item, frames);
            }
            Token::Refusal(piece) => {
                self.close(answer, frames);
                self.open_message(&json!({"type": "refusal", "refusal": ""}), frames);
                let data = json!({"content_index": 0, "delta": piece});
                self.inner("response.refusal.delta", data, 1, frames);
                self.open = Some(Open::Refusal { text: piece.clone() });
            }
            Token::Call { id, name, .. } => {
                self.close(answer, frames);
                self.added("fc", 1, frames, |own| call(own, "in_progress", id, name, ""));
                let (asked, name) = (id.clone(), name.clone());
                self.open = Some(Open::Call { asked, name, arguments: String::new() });
            }
            Token::Arguments { piece, .. } => {
                if let Some(Open::Call { arguments, .. }) = &mut self.open {
                    arguments.push_str(piece);
                }
                let data = json!({ "delta": piece });
                self.inner("response.function_call_arguments.delta", data, 1, frames);
            }
            Token::Image(data) => {
                self.close(answer, frames);
                self.draw(data, frames);
            }
        }
    }

    fn finish(&mut self, answer: &Answer, done: bool, frames: &mut Frames) {
        if self.done.is_empty() && self.open.is_none() && answer.finish == Some(Finish::Stop) {
            let part =
                json!({"type": "output_text", "text": "", "annotations": [], "logprobs": []});
            self.open_message(&part, frames);
            self.open = Some(Open::Text { text: String::new() });
        }
        self.close(answer, frames);
        if !done {
            return;
        }
        let status = status(answer);
        let mut response = response(&self.id, &self.model, status, &self.done);
        let usage = answer.counts().map(|counts| usage(&counts));
        if let Some(usage) = &usage {
            put(&mut response, "usage", usage.clone());
        }
        let kind = format!("response.{status}");
        let bytes = self.bytes(&kind, json!({ "response": response }), frames);
        frames.push_usage(bytes, 0, usage);
    }

    fn error(&mut self, status: u16, frames: &mut Frames) {
        if !self.begun {
            let message = Failure::simulated(status).message("", "");
            let data = json!({"code": "server_error", "message": message, "param": null});
            self.event("error", data, 0, frames);
            return;
        }
        let mut response = response(&self.id, &self.model, "failed", &self.done);
        put(&mut response, "error", failure(status));
        self.event("response.failed", json!({ "response": response }), 0, frames);
    }

    fn half(&mut self, frames: &mut Frames) {
        let half = "event: response.output_text.delta\ndata: {\"type\":\"response.output_te\n\n";
        frames.push(half.as_bytes(), 0);
    }

    fn wrong(&mut self, frames: &mut Frames) {
        let data = json!({"output_index": "none", "content_index": [1], "delta": 7});
        self.event("response.output_text.delta", data, 0, frames);
    }
}
