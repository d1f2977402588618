//! A [`Conversation`] as the body of a request to the legacy `POST /completions`.

use signalbox_core::{ApiError, Parameter};

use super::prompt;
use super::template::PromptTemplate;
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::Conversation;
use crate::document::{Raw, quoted};
use crate::loss::{Loss, Lost, of_member, report};
use crate::openai_chat::write_request::patched;
use crate::outbound::{Outbound, WrittenRequest};

/// More sequences are refused.
const MOST_STOPS: usize = 4;
/// More probabilities for each token are refused.
const MOST_LOGPROBS: i128 = 5;

/// Writes the body. With [`PromptTemplate::Verbatim`], which is for clients of the legacy dialect, a
/// conversation of one text of the user is the prompt unchanged, and members that are not known go on;
/// any other conversation takes the plain template. The template's own stop sequence comes before the
/// client's. Tools are described in the prompt, whether the endpoint supports them or not. Of `out`,
/// `reasoning`, `traits` and `forward_name` mean nothing here.
///
/// # Errors
/// `invalid_request` when raw JSON in the conversation is no JSON, which no reader lets pass.
pub fn write_request(
    conversation: &Conversation,
    out: &Outbound<'_>,
    template: PromptTemplate,
) -> Result<WrittenRequest, ApiError> {
    let mut losses = Vec::new();
    let is_verbatim =
        template == PromptTemplate::Verbatim && prompt::verbatim(conversation).is_some();
    let mut body = ObjectText::new();
    body.text("model", out.provider_model_id);
    body.text("prompt", &prompt::render(conversation, template, &mut losses));
    body.json("stream", if out.stream { "true" } else { "false" });
    if out.stream {
        body.json("stream_options", r#"{"include_usage":true}"#);
    }
    if let Some(limit) = out.max_output.or(conversation.max_output) {
        body.json("max_tokens", &limit.to_string());
    }
    sampling(conversation, out, &mut losses, &mut body);
    let own = (!is_verbatim).then_some(template.form().stop);
    stops(conversation, out, own, &mut losses, &mut body);
    body.optional_text("user", out.user);
    rest(conversation, out, is_verbatim, &mut losses, &mut body);
    patched(body.finish(), out.patches, losses)
}

fn sampling(
    conversation: &Conversation,
    out: &Outbound<'_>,
    losses: &mut Vec<Loss>,
    body: &mut ObjectText,
) {
    let sampling = conversation.sampling.iter().filter(|(_, json)| json != "null");
    for (parameter, json) in sampling.filter(|(one, _)| !out.unsupported.contains(*one)) {
        match parameter {
            Parameter::Logprobs => logprobs(conversation, json, losses, body),
            Parameter::TopLogprobs => {}
            _ => body.json(parameter.name(), json),
        }
    }
    if let Some(format) = &conversation.response_format
        && !out.unsupported.contains(Parameter::ResponseFormat)
    {
        body.json("response_format", format);
    }
}

/// `logprobs` is a number here: how many alternatives there are to be for each token.
fn logprobs(
    conversation: &Conversation,
    json: &str,
    losses: &mut Vec<Loss>,
    body: &mut ObjectText,
) {
    let alternatives = || {
        let mut sampling = conversation.sampling.iter();
        let (_, json) = sampling.find(|(name, _)| *name == Parameter::TopLogprobs)?;
        Raw::new(json).integer()
    };
    let count = match json {
        "true" => alternatives().unwrap_or(0),
        _ => return,
    };
    if count > MOST_LOGPROBS {
        report(losses, Lost::Parameter, Parameter::TopLogprobs.name());
    }
    body.json("logprobs", &count.clamp(0, MOST_LOGPROBS).to_string());
}

fn stops(
    conversation: &Conversation,
    out: &Outbound<'_>,
    own: Option<&str>,
    losses: &mut Vec<Loss>,
    body: &mut ObjectText,
) {
    if out.unsupported.contains(Parameter::Stop) {
        return;
    }
    let theirs = conversation.stop.iter().map(String::as_str).filter(|text| Some(*text) != own);
    let all: Vec<&str> = own.into_iter().chain(theirs).collect();
    if all.len() > MOST_STOPS {
        report(losses, Lost::Parameter, Parameter::Stop.name());
    }
    let mut list = ArrayText::new();
    for text in all.iter().take(MOST_STOPS) {
        list.push(&quoted(text));
    }
    if !list.is_empty() {
        body.json("stop", &list.finish());
    }
}

/// What has no place here, and members of the client's dialect.
fn rest(
    conversation: &Conversation,
    out: &Outbound<'_>,
    is_verbatim: bool,
    losses: &mut Vec<Loss>,
    body: &mut ObjectText,
) {
    if conversation.reasoning.is_some_and(|request| request.enabled != Some(false)) {
        report(losses, Lost::Parameter, "reasoning");
    }
    if conversation.verbosity.is_some() && !out.unsupported.contains(Parameter::Verbosity) {
        report(losses, Lost::Parameter, Parameter::Verbosity.name());
    }
    if conversation.parallel_tool_calls == Some(false) && !conversation.tools.is_empty() {
        report(losses, Lost::Parameter, Parameter::ParallelToolCalls.name());
    }
    if conversation.cache_mark.is_some() {
        report(losses, Lost::CacheMark, "cache_control");
    }
    if out.service_tier.is_some() {
        report(losses, Lost::Parameter, "service_tier");
    }
    for extra in &conversation.extra {
        let known = Parameter::from_name(&extra.key);
        if known.is_some_and(|parameter| out.unsupported.contains(parameter)) {
            continue;
        }
        if is_verbatim || extra.key == "n" {
            body.json(&extra.key, &extra.json);
        } else {
            report(losses, of_member(&extra.key), &extra.key);
        }
    }
}
