//! What the client gets: its events, numbered, with our members in response objects.

use std::sync::Arc;

use signalbox_core::ApiError;

use crate::document::{Edits, Kind, Raw, quoted, splice};
use crate::identity::{Extras, Identity, RelayOptions, UsageReport};
use crate::openai_chat::echo::echoed;
use crate::openai_responses::response::{Asked, State, Status, push_response};
use crate::openai_responses::write_stream::status_of;
use crate::openai_responses::write_usage::{write_usage, write_usage_over};

/// More items than any answer has.
const MOST_LEFT_OUT: usize = 1024;

/// Our members of a response object.
#[derive(Debug, Clone)]
pub(in crate::openai_responses) struct Own {
    id: String,
    model: String,
    created: i64,
    options: RelayOptions,
    /// Members that were sent on in another way than the client wrote them.
    repeated: [(&'static str, String); 3],
}

impl Own {
    pub(in crate::openai_responses) fn new(
        identity: &Identity,
        options: RelayOptions,
        asked: &Asked,
    ) -> Self {
        let repeated = ["metadata", "safety_identifier", "user"];
        Self {
            id: quoted(identity.id.as_str()),
            model: quoted(&identity.model),
            created: identity.created,
            options,
            repeated: repeated
                .map(|key| (key, asked.repeated(key).unwrap_or_else(|| "null".to_owned()))),
        }
    }

    /// The edits that make a response ours.
    pub(in crate::openai_responses) fn edits(&self, response: Raw<'_>) -> Edits {
        let mut edits = Edits::default();
        edits.set("id", self.id.clone());
        edits.set("created_at", self.created.to_string());
        edits.set("model", self.model.clone());
        for (key, json) in &self.repeated {
            if response.get(key).is_some() {
                edits.set(*key, json.clone());
            }
        }
        if response.get("openrouter_metadata").is_some() {
            edits.remove("openrouter_metadata");
        }
        if self.options.replayed && response.get("usage").is_some() {
            edits.set("usage", "null".to_owned());
        }
        edits
    }

    /// The edits of a response at its end.
    pub(in crate::openai_responses) fn last_edits(
        &self,
        response: Raw<'_>,
        report: &UsageReport,
        extras: &Extras<'_>,
    ) -> Edits {
        let mut edits = self.edits(response);
        let theirs = response.get("usage").filter(|_| !self.options.replayed);
        edits.set("usage", write_usage_over(theirs, report));
        if let Some(tier) = extras.service_tier {
            edits.set("service_tier", quoted(tier));
        }
        let completed =
            response.get("status").and_then(Raw::string).as_deref() == Some("completed");
        if completed && response.get("completed_at").is_none_or(Raw::is_null) {
            edits.set("completed_at", extras.completed_at.to_string());
        }
        if let Some(metadata) = extras.router_metadata {
            edits.set("openrouter_metadata", metadata.to_owned());
        }
        if self.options.exclude_reasoning
            && let Some(output) = response.get("output")
        {
            edits.set("output", visible(output));
        }
        edits
    }
}

/// The items that are no reasoning.
fn visible(output: Raw<'_>) -> String {
    let items = output.elements().filter(|(_, item)| !is_reasoning(*item));
    let kept: Vec<&str> = items.map(|(_, item)| item.text()).collect();
    format!("[{}]", kept.join(","))
}

fn is_reasoning(item: Raw<'_>) -> bool {
    item.get("type").and_then(Raw::string).as_deref() == Some("reasoning")
}

/// What the client has got, and what is held back.
#[derive(Debug)]
pub(super) struct Client {
    identity: Identity,
    asked: Arc<Asked>,
    own: Own,
    begun: bool,
    /// The least number that the next event may have.
    next: u64,
    /// The provider's places of items that are left out.
    left_out: Vec<i128>,
    /// The response as it began.
    first: Option<String>,
    /// The event that ends the answer.
    last: Option<String>,
}

/// Appends an event on one line. One whose name could not be written is left out.
fn push(kind: &str, text: &str, out: &mut Vec<u8>) {
    if kind.is_empty() || !kind.bytes().all(|byte| byte.is_ascii_graphic()) {
        return;
    }
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\n\n");
}

fn object<'a>(raw: Raw<'a>, key: &str) -> Option<Raw<'a>> {
    raw.get(key).filter(|value| value.kind() == Kind::Object)
}

impl Client {
    pub(super) fn new(identity: &Identity, options: RelayOptions, asked: Arc<Asked>) -> Self {
        Self {
            own: Own::new(identity, options, &asked),
            identity: identity.clone(),
            asked,
            begun: false,
            next: 0,
            left_out: Vec::new(),
            first: None,
            last: None,
        }
    }

    /// Writes an event that was found lawful.
    pub(super) fn write(&mut self, kind: &str, raw: Raw<'_>, out: &mut Vec<u8>) {
        match kind {
            "response.completed" | "response.incomplete" => {
                self.begin(out);
                self.last = Some(raw.text().to_owned());
            }
            "response.created" if !self.begun && object(raw, "response").is_some() => {
                self.begun = true;
                self.pass(kind, raw, out);
            }
            "" | "response.created" => {}
            _ => {
                self.begin(out);
                if !(self.own.options.exclude_reasoning && self.leaves_out(kind, raw)) {
                    self.pass(kind, raw, out);
                }
            }
        }
    }

    /// The first event, when the provider did not send it.
    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            let mut response = Vec::with_capacity(1024);
            push_response(&mut response, &self.identity, &self.asked, &State::begun());
            let response = String::from_utf8_lossy(&response).into_owned();
            let number = self.next;
            self.next = self.next.saturating_add(1);
            let text = format!(
                "{{\"type\":\"response.created\",\"sequence_number\":{number},\"response\":{response}}}"
            );
            push("response.created", &text, out);
            self.first = Some(response);
        }
    }

    /// A body that was sent to a provider, for a client that wants to see it (inference spec 3.5).
    pub(super) fn echo(&mut self, body: &str, out: &mut Vec<u8>) {
        let (kind, number) = ("response.debug", self.next);
        self.next = self.next.saturating_add(1);
        let members = echoed(body);
        let text = format!("{{\"type\":\"{kind}\",\"sequence_number\":{number}{members}}}");
        push(kind, &text, out);
    }

    /// Whether an event is about reasoning.
    fn leaves_out(&mut self, kind: &str, raw: Raw<'_>) -> bool {
        let place = raw.get("output_index").and_then(Raw::integer);
        let begins = kind.starts_with("response.reasoning")
            || object(raw, "item").is_some_and(|item| {
                kind.starts_with("response.output_item.") && is_reasoning(item)
            });
        let known = place.is_some_and(|place| self.left_out.contains(&place));
        if begins && !known && self.left_out.len() < MOST_LEFT_OUT {
            self.left_out.extend(place);
        }
        begins || known
    }

    fn pass(&mut self, kind: &str, raw: Raw<'_>, out: &mut Vec<u8>) {
        let mut edits = self.numbered(raw);
        if let Some(response) = object(raw, "response") {
            let inside = self.own.edits(response);
            let response = splice(response.text(), response.members(), &inside);
            if self.first.is_none() {
                self.first = Some(response.clone());
            }
            edits.set("response", response);
        }
        if edits.is_empty() {
            push(kind, raw.text(), out);
        } else {
            push(kind, &splice(raw.text(), raw.members(), &edits), out);
        }
    }

    /// The edits that give an event its numbers: they rise, and items count without those that are
    /// left out. Numbers that do so already stay.
    fn numbered(&mut self, raw: Raw<'_>) -> Edits {
        let mut edits = Edits::default();
        let sent = raw.get("sequence_number").and_then(Raw::integer);
        let sent = sent.and_then(|number| u64::try_from(number).ok());
        let fits = |number: &u64| {
            *number == self.next || (*number > self.next && !self.own.options.exclude_reasoning)
        };
        let number = sent.filter(fits).unwrap_or(self.next);
        if sent != Some(number) {
            edits.set("sequence_number", number.to_string());
        }
        self.next = number.saturating_add(1);
        if let Some(place) = raw.get("output_index").and_then(Raw::integer) {
            let before = self.left_out.iter().filter(|one| **one < place).count();
            if before > 0 {
                let place = place.saturating_sub(i128::try_from(before).unwrap_or(0));
                edits.set("output_index", place.to_string());
            }
        }
        edits
    }

    pub(super) fn closing(&self, report: &UsageReport, extras: &Extras<'_>) -> Vec<u8> {
        let mut rest = self.rest();
        let mut out = Vec::with_capacity(4096);
        rest.begin(&mut out);
        let last = self.last.as_deref().unwrap_or("{\"type\":\"response.completed\"}");
        let last = Raw::new(last);
        let empty = "{\"object\":\"response\",\"status\":\"completed\",\"output\":[]}";
        let response = object(last, "response").unwrap_or(Raw::new(empty));
        let inside = self.own.last_edits(response, report, extras);
        let mut edits = rest.numbered(last);
        edits.set("response", splice(response.text(), response.members(), &inside));
        let kind = last.get("type").and_then(Raw::string).unwrap_or_default();
        push(&kind, &splice(last.text(), last.members(), &edits), &mut out);
        out
    }

    pub(super) fn failing(
        &self,
        error: &ApiError,
        report: Option<&UsageReport>,
        extras: &Extras<'_>,
    ) -> Vec<u8> {
        let mut rest = self.rest();
        let mut out = Vec::with_capacity(4096);
        rest.begin(&mut out);
        let response = Raw::new(rest.first.as_deref().unwrap_or("{\"object\":\"response\"}"));
        let mut edits = self.own.edits(response);
        let status = status_of(error);
        edits.set("status", quoted(status.name()));
        match &status {
            Status::Failed(object, kind) => {
                edits.set("error", object.clone());
                edits.set("error_type", quoted(kind));
            }
            Status::Incomplete(reason) => {
                edits.set("incomplete_details", format!("{{\"reason\":\"{reason}\"}}"));
            }
            Status::InProgress | Status::Completed => {}
        }
        if let Some(report) = report {
            edits.set("usage", write_usage(report));
        }
        if let Some(tier) = extras.service_tier {
            edits.set("service_tier", quoted(tier));
        }
        if let Some(metadata) = extras.router_metadata {
            edits.set("openrouter_metadata", metadata.to_owned());
        }
        let kind = format!("response.{}", status.name());
        let text = format!(
            "{{\"type\":\"{kind}\",\"sequence_number\":{},\"response\":{}}}",
            rest.next,
            splice(response.text(), response.members(), &edits),
        );
        push(&kind, &text, &mut out);
        out
    }

    /// A copy to end the answer with.
    fn rest(&self) -> Self {
        Self {
            identity: self.identity.clone(),
            asked: Arc::clone(&self.asked),
            own: self.own.clone(),
            begun: self.begun,
            next: self.next,
            left_out: Vec::new(),
            first: self.first.clone(),
            last: None,
        }
    }
}
