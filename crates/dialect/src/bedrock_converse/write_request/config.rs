//! What shapes the output: limits, sampling, format, effort, thinking and the tier.

use signalbox_core::Parameter;

use super::{Target, member};
use crate::anthropic_messages::write_request::claude::{self, Asked};
use crate::compose::{ArrayText, ObjectText};
use crate::document::{Raw, quoted};
use crate::loss::{Lost, of_member};

pub(super) fn write(target: &mut Target<'_>, forced: bool, body: &mut ObjectText) {
    let mut inference = ObjectText::new();
    let mut additional = ObjectText::new();
    let mut output = ObjectText::new();
    if let Some(format) = format(target) {
        output.json("textFormat", &format);
    }
    let asked = if target.is_claude {
        claude::ask(target.conversation, target.out, forced, &mut target.losses)
    } else {
        others(target)
    };
    let own = target.out.max_output.or(target.conversation.max_output);
    if let Some(limit) = own.or(asked.limit) {
        inference.json("maxTokens", &limit.to_string());
    }
    for (parameter, json) in &asked.sampling {
        match parameter {
            Parameter::Temperature => inference.json("temperature", json),
            Parameter::TopP => inference.json("topP", json),
            other => additional.json(other.name(), json),
        }
    }
    let has_stops = stops(target, &mut inference);
    additional.optional_json("thinking", asked.thinking.as_deref());
    output.optional_text("effort", asked.effort);
    for (key, object) in [
        ("inferenceConfig", inference),
        ("additionalModelRequestFields", additional),
        ("outputConfig", output),
    ] {
        if !object.is_empty() {
            body.json(key, &object.finish());
        }
    }
    if target.is_claude && has_stops {
        // Which of them ended the answer is told only when asked.
        body.json("additionalModelResponseFieldPaths", "[\"/stop_sequence\"]");
    }
    if let Some(tier) = target.out.service_tier {
        body.json("serviceTier", &member("type", &quoted(tier)));
    }
    extras(target);
}

/// What models of other makers are asked. Sampling beyond temperature and top_p has a name of its own
/// at each of them, so that it is lost.
fn others<'a>(target: &mut Target<'a>) -> Asked<'a> {
    let conversation = target.conversation;
    let mut sampling = Vec::new();
    for (parameter, json) in conversation.sampling.iter().filter(|(_, json)| json != "null") {
        if !target.supports(*parameter) {
            continue;
        }
        let number = Raw::new(json).number().unwrap_or(0.0);
        match parameter {
            Parameter::Temperature if number > 1.0 => {
                // The chat dialect's scale ends at 2, this one at 1.
                target.lose(Lost::Property, parameter.name());
                sampling.push((*parameter, "1"));
            }
            Parameter::Temperature | Parameter::TopP => sampling.push((*parameter, json.as_str())),
            // No top_k is what 0 means in the chat dialect.
            Parameter::TopK if number < 1.0 => {}
            other => target.lose(Lost::Parameter, other.name()),
        }
    }
    if conversation.verbosity.is_some() && target.supports(Parameter::Verbosity) {
        target.lose(Lost::Parameter, Parameter::Verbosity.name());
    }
    Asked { thinking: None, effort: None, limit: None, sampling }
}

/// Sequences that end the answer. Claude refuses those of white space alone.
fn stops(target: &mut Target<'_>, inference: &mut ObjectText) -> bool {
    if !target.supports(Parameter::Stop) {
        return false;
    }
    let mut list = ArrayText::new();
    for text in &target.conversation.stop {
        if text.is_empty() || (target.is_claude && text.trim().is_empty()) {
            target.lose(Lost::Parameter, Parameter::Stop.name());
        } else {
            list.push(&quoted(text));
        }
    }
    let is_any = !list.is_empty();
    if is_any {
        inference.json("stopSequences", &list.finish());
    }
    is_any
}

/// The format of the output, from the chat dialect's `response_format`. The schema is a string here.
fn format(target: &mut Target<'_>) -> Option<String> {
    let raw = target.conversation.response_format.as_deref().map(Raw::new)?;
    let kind = raw.get("type").and_then(Raw::string).unwrap_or_default();
    let supported =
        target.supports(Parameter::ResponseFormat) && target.supports(Parameter::StructuredOutputs);
    if kind == "text" || !supported {
        return None;
    }
    let named = raw.get("json_schema").filter(|_| kind == "json_schema");
    let Some(schema) = named.and_then(|named| named.get("schema")) else {
        target.lose(Lost::Parameter, Parameter::ResponseFormat.name());
        return None;
    };
    let text = |key| named.and_then(|named| named.get(key)).and_then(Raw::string);
    let mut definition = ObjectText::new();
    definition.text("schema", schema.text());
    definition.optional_text("name", text("name").as_deref());
    definition.optional_text("description", text("description").as_deref());
    let mut format = ObjectText::typed("json_schema");
    format.json("structure", &member("jsonSchema", &definition.finish()));
    Some(format.finish())
}

/// Members that only the dialect of origin knows.
fn extras(target: &mut Target<'_>) {
    for extra in &target.conversation.extra {
        let known = Parameter::from_name(&extra.key);
        if known.is_none_or(|parameter| target.supports(parameter)) {
            target.lose(of_member(&extra.key), &extra.key);
        }
    }
}
