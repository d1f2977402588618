//! A [`Conversation`] as the body of a request to an `openai-chat` endpoint: the hub's road out.
//!
//! A request that came in this dialect takes the relay instead; both ask for reasoning, limits and
//! usage alike.

mod message;
mod part;
mod tool;

use bytes::Bytes;
use signalbox_core::{ApiError, Parameter};

use super::survey::{Effort, ReasoningRequest};
use super::write_relay::reasoning;
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::{Conversation, Message, Role, WireDialect};
use crate::document::{Document, Edits, quoted};
use crate::loss::{Loss, Lost, of_member, report};
pub use crate::outbound::WrittenRequest;
use crate::outbound::{CacheStyle, Outbound};
use crate::patch::Patches;

/// What the parts of a body need to know of the whole.
struct Target<'a> {
    out: &'a Outbound<'a>,
    /// The client wrote in this dialect too: its cache marks and texts keep their shape.
    same_dialect: bool,
    losses: Vec<Loss>,
}

impl Target<'_> {
    fn lose(&mut self, what: Lost, detail: &str) {
        report(&mut self.losses, what, detail);
    }

    /// Whether cache marks can be written. The mark that OpenAI has does not go `everywhere`.
    fn marks(&self, everywhere: bool) -> bool {
        match self.out.cache {
            CacheStyle::AsSent => self.same_dialect,
            CacheStyle::Automatic => false,
            CacheStyle::Control => true,
            CacheStyle::Breakpoints => !everywhere,
        }
    }
}

/// Writes the body.
///
/// # Errors
/// `invalid_request` when raw JSON in the conversation is no JSON, which no reader lets pass.
pub fn write_request(
    conversation: &Conversation,
    out: &Outbound<'_>,
) -> Result<WrittenRequest, ApiError> {
    let same_dialect = conversation.origin == Some(WireDialect::OpenaiChat);
    let mut target = Target { out, same_dialect, losses: Vec::new() };
    let mut body = ObjectText::new();
    body.text("model", out.provider_model_id);
    body.json("messages", &messages(conversation, &mut target));
    tool::write(conversation, &mut target, &mut body);
    body.json("stream", if out.stream { "true" } else { "false" });
    if out.stream {
        body.json("stream_options", r#"{"include_usage":true}"#);
    }
    shape(conversation, out, &mut body);
    body.optional_text("user", out.user);
    body.optional_text("service_tier", out.service_tier);
    rest(conversation, &mut target, &mut body);
    let request = reasoning_request(conversation);
    let mut losses = target.losses;
    let document = Document::parse(Bytes::from(body.finish()))?;
    let mut edits = Edits::default();
    reasoning::ask(&document, request, conversation.max_output, out, &mut edits, &mut losses);
    out.patches.apply(&document, &mut edits);
    Ok(WrittenRequest { body: document.edited(&edits), losses })
}

/// The body with the endpoint's patches made.
pub(crate) fn patched(
    body: String,
    patches: &Patches,
    losses: Vec<Loss>,
) -> Result<WrittenRequest, ApiError> {
    let document = Document::parse(Bytes::from(body))?;
    let mut edits = Edits::default();
    patches.apply(&document, &mut edits);
    let body = if edits.is_empty() { document.bytes().clone() } else { document.edited(&edits) };
    Ok(WrittenRequest { body, losses })
}

fn messages(conversation: &Conversation, target: &mut Target<'_>) -> String {
    let mut list = ArrayText::new();
    // A list without messages is refused; instructions may be empty.
    if !conversation.system.is_empty() || conversation.messages.is_empty() {
        let system = Message::new(Role::System, conversation.system.clone());
        message::write(&system, target, &mut list);
    }
    for one in &conversation.messages {
        message::write(one, target, &mut list);
    }
    list.finish()
}

/// What shapes the output: limits, sampling, format.
fn shape(conversation: &Conversation, out: &Outbound<'_>, body: &mut ObjectText) {
    let supported = |parameter: Parameter| !out.unsupported.contains(parameter);
    if let Some(limit) = out.max_output.or(conversation.max_output) {
        let respelled =
            !supported(Parameter::MaxTokens) && supported(Parameter::MaxCompletionTokens);
        let key = if respelled { "max_completion_tokens" } else { "max_tokens" };
        body.json(key, &limit.to_string());
    }
    for (parameter, json) in &conversation.sampling {
        if supported(*parameter) {
            body.json(parameter.name(), json);
        }
    }
    if !conversation.stop.is_empty() && supported(Parameter::Stop) {
        let mut stop = ArrayText::new();
        for text in &conversation.stop {
            stop.push(&quoted(text));
        }
        body.json("stop", &stop.finish());
    }
    if supported(Parameter::ResponseFormat) {
        body.optional_json("response_format", conversation.response_format.as_deref());
    }
    if supported(Parameter::Verbosity) && effort_of_thinking(conversation).is_none() {
        body.optional_text("verbosity", conversation.verbosity.as_deref());
    }
}

/// The effort of thinking that a Messages client switched on without a budget. That dialect has one
/// word for effort and verbosity, and here it is about the thinking.
fn effort_of_thinking(conversation: &Conversation) -> Option<Effort> {
    let request = conversation.reasoning.filter(|request| {
        request.enabled == Some(true) && request.effort.is_none() && request.max_tokens.is_none()
    });
    request.filter(|_| conversation.origin == Some(WireDialect::AnthropicMessages))?;
    Some(match conversation.verbosity.as_deref()? {
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" => Effort::Xhigh,
        "max" => Effort::Max,
        _ => return None,
    })
}

/// What is asked about reasoning.
fn reasoning_request(conversation: &Conversation) -> Option<ReasoningRequest> {
    let mut request = conversation.reasoning?;
    request.effort = request.effort.or_else(|| effort_of_thinking(conversation));
    Some(request)
}

/// Members that only one dialect knows, and the mark on the whole prompt.
fn rest(conversation: &Conversation, target: &mut Target<'_>, body: &mut ObjectText) {
    match (conversation.cache_mark, target.out.cache) {
        (None, _) | (_, CacheStyle::Automatic | CacheStyle::Breakpoints) => {}
        (Some(_), CacheStyle::AsSent | CacheStyle::Control) => {
            target.lose(Lost::CacheMark, "cache_control");
        }
    }
    // A Responses client's members that have a name here are among them too.
    let origin = conversation.origin;
    let is_known = target.same_dialect || origin == Some(WireDialect::OpenaiResponses);
    for extra in &conversation.extra {
        let known = Parameter::from_name(&extra.key);
        if known.is_some_and(|parameter| target.out.unsupported.contains(parameter)) {
            continue;
        }
        let is_option = extra.key == "prompt_cache_options";
        if is_known && (!is_option || target.out.cache == CacheStyle::Breakpoints) {
            body.json(&extra.key, &extra.json);
        } else {
            target.lose(of_member(&extra.key), &extra.key);
        }
    }
}
