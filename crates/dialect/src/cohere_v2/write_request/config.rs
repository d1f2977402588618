//! Limits, sampling and the shape of the output.

use signalbox_core::Parameter;

use super::Target;
use crate::compose::{ArrayText, ObjectText};
use crate::document::{Raw, quoted};
use crate::loss::{Lost, of_member};

/// More sequences are refused.
const MOST_STOPS: usize = 5;
/// Members of this dialect that a client may have written among its own.
const NATIVE: &[&str] = &["documents", "citation_options", "safety_mode", "priority"];

pub(super) fn write(target: &mut Target<'_>, has_tools: bool, body: &mut ObjectText) {
    let conversation = target.conversation;
    if let Some(limit) = target.limit() {
        body.json("max_tokens", &limit.to_string());
    }
    sampling(target, body);
    stops(target, body);
    if let Some(format) = &conversation.response_format
        && target.supports(Parameter::ResponseFormat)
    {
        response_format(target, Raw::new(format), has_tools, body);
    }
    if conversation.verbosity.is_some() && target.supports(Parameter::Verbosity) {
        target.lose(Lost::Parameter, Parameter::Verbosity.name());
    }
    for extra in &conversation.extra {
        let known = Parameter::from_name(&extra.key);
        if known.is_some_and(|parameter| !target.supports(parameter)) {
            continue;
        }
        match extra.key.as_str() {
            "n" if extra.json == "1" => {}
            key if NATIVE.contains(&key) => body.json(key, &extra.json),
            key => target.lose(of_member(key), key),
        }
    }
}

fn sampling(target: &mut Target<'_>, body: &mut ObjectText) {
    let sampling = &target.conversation.sampling;
    let is_zero = |json: &str| Raw::new(json).number() == Some(0.0);
    let penalties = [Parameter::FrequencyPenalty, Parameter::PresencePenalty];
    let both = penalties.iter().all(|one| sampling.iter().any(|(name, _)| name == one));
    for (parameter, json) in sampling.iter().filter(|(_, json)| json != "null") {
        if !target.supports(*parameter) {
            continue;
        }
        let (key, bounds) = match parameter {
            Parameter::Temperature => ("temperature", Some(("0", "1"))),
            Parameter::TopP => ("p", Some(("0.01", "0.99"))),
            Parameter::TopK => ("k", Some(("0", "500"))),
            // Some models refuse both at once, and zero is as none.
            Parameter::FrequencyPenalty | Parameter::PresencePenalty if both && is_zero(json) => {
                continue;
            }
            Parameter::FrequencyPenalty => ("frequency_penalty", Some(("0", "1"))),
            Parameter::PresencePenalty => ("presence_penalty", Some(("0", "1"))),
            Parameter::Seed if !json.starts_with('-') => ("seed", None),
            Parameter::Logprobs if json == "true" => ("logprobs", None),
            Parameter::Logprobs => continue,
            Parameter::TopLogprobs if json == "0" => continue,
            other => {
                target.lose(Lost::Parameter, other.name());
                continue;
            }
        };
        let value = bounds.map_or(json.as_str(), |bounds| bounded(json, bounds));
        if value != json {
            target.lose(Lost::Parameter, parameter.name());
        }
        body.json(key, value);
    }
}

/// The number as it was written when it lies between the bounds, else the nearer bound.
fn bounded<'a>(json: &'a str, (least, most): (&'a str, &'a str)) -> &'a str {
    let number = |text| Raw::new(text).number();
    match (number(json), number(least), number(most)) {
        (Some(value), Some(bound), _) if value < bound => least,
        (Some(value), _, Some(bound)) if value > bound => most,
        _ => json,
    }
}

fn stops(target: &mut Target<'_>, body: &mut ObjectText) {
    let stops = &target.conversation.stop;
    if stops.is_empty() || !target.supports(Parameter::Stop) {
        return;
    }
    if stops.len() > MOST_STOPS {
        target.lose(Lost::Parameter, Parameter::Stop.name());
    }
    let mut list = ArrayText::new();
    for text in stops.iter().take(MOST_STOPS) {
        list.push(&quoted(text));
    }
    body.json("stop_sequences", &list.finish());
}

/// Both of the client's words for JSON are `json_object` here, with a schema or without. Beside tools
/// or documents it is refused.
fn response_format(
    target: &mut Target<'_>,
    format: Raw<'_>,
    has_tools: bool,
    body: &mut ObjectText,
) {
    let kind = format.get("type").and_then(Raw::string).unwrap_or_default();
    if kind == "text" {
        return;
    }
    let has_documents = target.conversation.extra.iter().any(|extra| extra.key == "documents");
    if !matches!(&*kind, "json_object" | "json_schema") || has_tools || has_documents {
        return target.lose(Lost::Parameter, Parameter::ResponseFormat.name());
    }
    let mut object = ObjectText::typed("json_object");
    let named = format.get("json_schema");
    if named.is_some_and(|named| named.get("description").is_some()) {
        target.lose(Lost::Property, "response_format.description");
    }
    let schema = named.and_then(|named| named.get("schema"));
    let schema = schema.filter(|schema| kind == "json_schema" && !schema.is_null());
    object.optional_json("json_schema", schema.map(Raw::text));
    body.json("response_format", &object.finish());
}
