//! `generationConfig`: limits, sampling, the shape of the output and thinking.

use signalbox_core::Parameter;

use super::{Target, thinking};
use crate::compose::{ArrayText, ObjectText};
use crate::conversation::Extra;
use crate::document::{Raw, quoted};
use crate::loss::{Lost, of_member};

/// More sequences are refused.
const MOST_STOPS: usize = 5;

pub(super) fn write(target: &mut Target<'_>) -> ObjectText {
    let conversation = target.conversation;
    let mut config = ObjectText::new();
    if let Some(limit) = target.limit() {
        config.json("maxOutputTokens", &limit.to_string());
    }
    sampling(target, &mut config);
    stops(target, &mut config);
    if let Some(format) = &conversation.response_format
        && target.supports(Parameter::ResponseFormat)
    {
        response_format(target, Raw::new(format), &mut config);
    }
    for extra in &conversation.extra {
        other(target, extra, &mut config);
    }
    if conversation.verbosity.is_some() && target.supports(Parameter::Verbosity) {
        target.lose(Lost::Parameter, Parameter::Verbosity.name());
    }
    config.optional_json("thinkingConfig", thinking::config(target).as_deref());
    config
}

fn sampling(target: &mut Target<'_>, config: &mut ObjectText) {
    let sampling = &target.conversation.sampling;
    let wants_logprobs =
        sampling.iter().any(|(name, json)| *name == Parameter::Logprobs && json == "true");
    for (parameter, json) in sampling.iter().filter(|(_, json)| json != "null") {
        if !target.supports(*parameter) {
            continue;
        }
        let key = match parameter {
            Parameter::Temperature => "temperature",
            Parameter::TopP => "topP",
            // Zero says elsewhere that there is no such limit; here it is refused.
            Parameter::TopK if json == "0" => continue,
            Parameter::TopK => "topK",
            Parameter::FrequencyPenalty => "frequencyPenalty",
            Parameter::PresencePenalty => "presencePenalty",
            // Seeds have 32 bits.
            Parameter::Seed if json.parse::<i32>().is_ok() => "seed",
            Parameter::Logprobs if wants_logprobs => "responseLogprobs",
            Parameter::Logprobs => continue,
            Parameter::TopLogprobs if wants_logprobs => "logprobs",
            Parameter::TopLogprobs if json == "0" => continue,
            other => {
                target.lose(Lost::Parameter, other.name());
                continue;
            }
        };
        config.json(key, json);
    }
}

fn stops(target: &mut Target<'_>, config: &mut ObjectText) {
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
    config.json("stopSequences", &list.finish());
}

fn response_format(target: &mut Target<'_>, format: Raw<'_>, config: &mut ObjectText) {
    let kind = format.get("type").and_then(Raw::string).unwrap_or_default();
    if kind == "text" {
        return;
    }
    let is_json = matches!(&*kind, "json_object" | "json_schema");
    if !is_json || (target.has_functions() && !target.traits.json_with_functions) {
        return target.lose(Lost::Parameter, Parameter::ResponseFormat.name());
    }
    config.text("responseMimeType", "application/json");
    let named = format.get("json_schema");
    if named.is_some_and(|named| named.get("description").is_some()) {
        target.lose(Lost::Property, "response_format.description");
    }
    let schema = named.and_then(|named| named.get("schema"));
    let schema = schema.filter(|schema| kind == "json_schema" && !schema.is_null());
    config.optional_json("responseJsonSchema", schema.map(Raw::text));
}

/// Members of the client's dialect that have a place here.
fn other(target: &mut Target<'_>, extra: &Extra, config: &mut ObjectText) {
    let value = Raw::new(&extra.json);
    if Parameter::from_name(&extra.key).is_some_and(|parameter| !target.supports(parameter)) {
        return;
    }
    match extra.key.as_str() {
        "n" => {
            if let Some(count) = value.integer().filter(|count| *count > 1) {
                config.json("candidateCount", &count.to_string());
            }
        }
        "modalities" => {
            let mut list = ArrayText::new();
            for word in value.elements().filter_map(|(_, word)| word.string()) {
                list.push(&quoted(&word.to_ascii_uppercase()));
            }
            if !list.is_empty() {
                config.json("responseModalities", &list.finish());
            }
        }
        "image_config" => {
            let mut image = ObjectText::new();
            for entry in value.members() {
                match &*entry.key {
                    "aspect_ratio" => image.json("aspectRatio", entry.value.text()),
                    "image_size" => image.json("imageSize", entry.value.text()),
                    _ => target.lose(Lost::Parameter, "image_config"),
                }
            }
            if !image.is_empty() {
                config.json("imageConfig", &image.finish());
            }
        }
        key => target.lose(of_member(key), key),
    }
}
