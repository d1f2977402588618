//! A [`Conversation`] as the body of a request to a Messages endpoint.
//!
//! Instructions leave the messages, messages of one side are merged, results of tools become blocks
//! of the user, and `max_tokens` is always set (inference spec 1.4, 9.2, 9.4 and appendix H).

mod block;
pub(crate) mod claude;
mod file;
mod message;
mod thinking;
mod tool;

use signalbox_core::{ApiError, Parameter};

use super::limits;
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{CacheMark, Conversation, WireDialect};
use crate::document::{Edits, Raw, quoted, splice};
use crate::loss::{Loss, Lost, of_member, report};
use crate::openai_chat::write_request::{WrittenRequest, patched};
use crate::outbound::{Outbound, ReasoningStyle};
pub(super) use thinking::{LEAST_BUDGET, effort_word};

/// The limit on output when neither the client nor the endpoint has one: what every model can do.
pub const DEFAULT_MAX_TOKENS: u64 = 4096;

/// Beginning of the beta that lets tools be strict (inference spec 1.4, rule 7).
pub(super) const STRICT_BETA: &str = "structured-outputs-";

/// What the parts of a body need to know of the whole.
struct Target<'a> {
    conversation: &'a Conversation,
    out: &'a Outbound<'a>,
    /// The client wrote in this dialect too: members that nobody else knows go along.
    same_dialect: bool,
    losses: Vec<Loss>,
}

impl Target<'_> {
    fn lose(&mut self, what: Lost, detail: &str) {
        report(&mut self.losses, what, detail);
    }

    fn supports(&self, parameter: Parameter) -> bool {
        !self.out.unsupported.contains(parameter)
    }

    /// The limit on output tokens, of which thinking is a part.
    fn max_tokens(&self) -> u64 {
        max_tokens(self.out, self.conversation.max_output)
    }
}

/// The limit on output tokens, when the client set this one.
pub(super) fn max_tokens(out: &Outbound<'_>, sent: Option<u64>) -> u64 {
    out.max_output.or(sent).or(out.endpoint_max_output).unwrap_or(DEFAULT_MAX_TOKENS)
}

/// Writes the body. When nobody set a limit it is `out.endpoint_max_output`; without that it is
/// [`DEFAULT_MAX_TOKENS`]. `out.reasoning` says how thinking is asked for.
///
/// # Errors
/// `invalid_request` for more messages than an endpoint takes, and when raw JSON in the conversation
/// is no JSON, which no reader lets pass.
pub fn write_request(
    conversation: &Conversation,
    out: &Outbound<'_>,
) -> Result<WrittenRequest, ApiError> {
    let same_dialect = conversation.origin == Some(WireDialect::AnthropicMessages);
    let mut target = Target { conversation, out, same_dialect, losses: Vec::new() };
    let mut body = ObjectText::new();
    body.text("model", out.provider_model_id);
    body.json("max_tokens", &target.max_tokens().to_string());
    message::write(&mut target, &mut body);
    let forced = tool::write(&mut target, &mut body);
    let plan = thinking::plan(&mut target, forced);
    body.optional_json("thinking", plan.thinking.as_deref());
    output_config(&mut target, plan.effort, &mut body);
    for (parameter, json) in sampling(&mut target, plan.is_on) {
        body.json(parameter.name(), json);
    }
    stops(&mut target, &mut body);
    if out.stream {
        body.json("stream", "true");
    }
    if let Some(user) = out.user {
        body.json("metadata", &format!("{{\"user_id\":{}}}", quoted(user)));
    }
    match out.service_tier {
        Some("priority") => body.text("service_tier", "auto"),
        Some(_) => target.lose(Lost::Parameter, "service_tier"),
        None => {}
    }
    if let Some(mark) = conversation.cache_mark {
        body.json("cache_control", &cache_control(mark));
    }
    extras(&mut target, &mut body);
    let (body, lost_marks) = limits::kept(body.finish())?;
    if lost_marks {
        target.lose(Lost::CacheMark, "cache_control");
    }
    patched(body, out.patches, target.losses)
}

/// How a conversation's wish for reasoning is written: the `thinking` member, and the effort.
pub(super) fn thinking_plan(
    conversation: &Conversation,
    out: &Outbound<'_>,
    forced: bool,
) -> (Option<String>, Option<&'static str>) {
    let mut target = Target { conversation, out, same_dialect: true, losses: Vec::new() };
    let plan = thinking::plan(&mut target, forced);
    (plan.thinking, plan.effort)
}

fn cache_control(mark: CacheMark) -> String {
    let mut control = ObjectText::typed("ephemeral");
    control.optional_text("ttl", mark.ttl());
    control.finish()
}

/// Temperature, top_p and top_k that may be sent. Where thinking is on they must be left at their
/// defaults: top_p may be 0.95 or more. Models that always decide themselves how much to think have
/// none of the three and ignore what is sent (inference spec 1.4, rule 11).
fn sampling<'a>(target: &mut Target<'a>, thinks: bool) -> Vec<(Parameter, &'a str)> {
    let mut kept = Vec::new();
    let removed = target.out.reasoning == ReasoningStyle::AdaptiveEffort;
    for (parameter, json) in &target.conversation.sampling {
        if !target.supports(*parameter) {
            continue;
        }
        let name = parameter.name();
        let own = matches!(parameter, Parameter::Temperature | Parameter::TopP | Parameter::TopK);
        if removed && own {
            target.lose(Lost::Property, name);
            continue;
        }
        let number = Raw::new(json).number().unwrap_or(0.0);
        match parameter {
            Parameter::Temperature if thinks => {
                if number < 1.0 {
                    target.lose(Lost::Parameter, name);
                }
            }
            Parameter::Temperature if number > 1.0 => {
                // The chat dialect's scale ends at 2, this one at 1.
                target.lose(Lost::Property, name);
                kept.push((*parameter, "1"));
            }
            Parameter::TopP if thinks && number < 0.95 => target.lose(Lost::Parameter, name),
            Parameter::TopK if thinks => target.lose(Lost::Parameter, name),
            // No top_k is what 0 means in the chat dialect.
            Parameter::TopK if number < 1.0 => {}
            Parameter::Temperature | Parameter::TopP | Parameter::TopK => {
                kept.push((*parameter, json));
            }
            _ => target.lose(Lost::Parameter, name),
        }
    }
    kept
}

/// Sequences of white space alone are refused, so they go.
fn stops(target: &mut Target<'_>, body: &mut ObjectText) {
    let mut list = ArrayText::new();
    for text in &target.conversation.stop {
        if text.trim().is_empty() {
            target.lose(Lost::Parameter, "stop");
        } else {
            list.push(&quoted(text));
        }
    }
    if !list.is_empty() && target.supports(Parameter::Stop) {
        body.json("stop_sequences", &list.finish());
    }
}

/// Effort and format, on top of what a client of this dialect wrote there.
fn output_config(target: &mut Target<'_>, effort: Option<&str>, body: &mut ObjectText) {
    let mut edits = Edits::default();
    if let Some(effort) = effort {
        edits.set("effort", quoted(effort));
    }
    if let Some(format) = format(target) {
        edits.set("format", format);
    }
    let sent = target.conversation.extra.iter().find(|extra| extra.key == "output_config");
    let sent = sent.filter(|_| target.same_dialect).map_or("{}", |extra| extra.json.as_str());
    let sent = Raw::new(sent);
    if !edits.is_empty() || sent.members().next().is_some() {
        body.json("output_config", &splice(sent.text(), sent.members(), &edits));
    }
}

/// The format of the output, from the chat dialect's `response_format`.
fn format(target: &mut Target<'_>) -> Option<String> {
    let raw = target.conversation.response_format.as_deref().map(Raw::new)?;
    if !target.supports(Parameter::ResponseFormat) {
        return None;
    }
    let kind = raw.get("type").and_then(Raw::string).unwrap_or_default();
    match (&*kind, raw.get("json_schema").and_then(|inner| inner.get("schema"))) {
        ("text", _) => None,
        ("json_schema", Some(schema)) => {
            // A schema is always kept to here, and has neither name nor description.
            if raw.get("json_schema").is_some_and(|inner| inner.get("description").is_some()) {
                target.lose(Lost::Property, "response_format.description");
            }
            let mut format = ObjectText::typed("json_schema");
            format.json("schema", schema.text());
            Some(format.finish())
        }
        _ => {
            target.lose(Lost::Parameter, "response_format");
            None
        }
    }
}

/// Members that only one dialect knows. What is written from other words is not written twice.
fn extras(target: &mut Target<'_>, body: &mut ObjectText) {
    let written = ["output_config", "thinking", "metadata", "cache_control", "service_tier"];
    for extra in &target.conversation.extra {
        if !target.same_dialect {
            target.lose(of_member(&extra.key), &extra.key);
        } else if !written.contains(&extra.key.as_str()) {
            body.json(&extra.key, &extra.json);
        }
    }
}
