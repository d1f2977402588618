//! What is read of a request, and what is refused.

use serde_json::Value;

use super::check;
use crate::ask::{Ask, Choice, Gather, Reading, Tool, Wrong, echoed, given, list, require, text};
use crate::behaviour::Behaviour;
use crate::dialect::{Carrier, Route};

const MEMBERS: &[&str] = &[
    "cachedContent",
    "contents",
    "generationConfig",
    "labels",
    "safetySettings",
    "serviceTier",
    "store",
    "systemInstruction",
    "toolConfig",
    "tools",
];
const SETTINGS: &[&str] = &[
    "audioTimestamp",
    "candidateCount",
    "enableEnhancedCivicAnswers",
    "frequencyPenalty",
    "imageConfig",
    "logprobs",
    "maxOutputTokens",
    "mediaResolution",
    "presencePenalty",
    "responseJsonSchema",
    "responseLogprobs",
    "responseMimeType",
    "responseModalities",
    "responseSchema",
    "seed",
    "speechConfig",
    "stopSequences",
    "temperature",
    "thinkingConfig",
    "topK",
    "topP",
];

/// Reads a request.
pub(crate) fn read(route: &Route, body: &Value) -> Reading<Ask> {
    let body = &check::spelled(body, 0);
    require(body.is_object(), || "Invalid JSON payload received. Expected an object.".into())?;
    check::known(body, MEMBERS, "")?;
    let settings = body.get("generationConfig").unwrap_or(&Value::Null);
    check::known(settings, SETTINGS, "generation_config")?;
    let thinking = settings.get("thinkingConfig").unwrap_or(&Value::Null);
    let known = ["includeThoughts", "thinkingBudget", "thinkingLevel"];
    check::known(thinking, &known, "generation_config.thinking_config")?;
    let both = given(thinking, "thinkingBudget").and(given(thinking, "thinkingLevel"));
    require(both.is_none(), || {
        "You can only set only one of thinking budget and thinking level.".into()
    })?;
    let model = route.model.clone().unwrap_or_default();
    let contents = list(body, "contents");
    require(!contents.is_empty(), || {
        "* GenerateContentRequest.contents: contents is not specified".into()
    })?;
    let strict = Behaviour::parse(&model).strict_signatures;
    let mut gather = Gather::default();
    if let Some(system) = given(body, "systemInstruction") {
        check::content(system, "system_instruction", &mut gather)?;
    }
    for (index, content) in contents.iter().enumerate() {
        let role = text(content, "role");
        require(matches!(role, Some("user" | "model")) || contents.len() == 1, || {
            "Please use a valid role: user, model.".into()
        })?;
        check::content(content, &format!("contents[{index}]"), &mut gather)?;
    }
    check::turns(contents)?;
    check::signatures(contents, strict)?;
    let cloud = route.carrier == Carrier::Vertex;
    let tools = tools(body, cloud)?;
    let schema = schema(settings, cloud)?;
    let own = |c: &&Value| text(c, "role") != Some("model") && texts(c).next().is_some();
    let last_user = contents.iter().rev().find(own);
    let mut ask = Ask {
        model,
        stream: route.stream.unwrap_or_default(),
        include_usage: true,
        max_tokens: settings.get("maxOutputTokens").and_then(Value::as_u64),
        choices: 1,
        prompt_tokens: gather.tokens(),
        last_user_text: last_user.map(|c| echoed(texts(c))).unwrap_or_default(),
        answers_tools: contents
            .last()
            .is_some_and(|c| !check::functions(c, "functionResponse").is_empty()),
        schema,
        media: gather.media,
        ..Ask::default()
    };
    ask.offer(tools.into_iter(), &choice(body)?);
    Ok(ask)
}

fn texts(content: &Value) -> impl Iterator<Item = &str> {
    list(content, "parts").iter().filter_map(|part| part.get("text")?.as_str())
}

fn tools(body: &Value, cloud: bool) -> Reading<Vec<Tool>> {
    let mut out = Vec::new();
    require(given(body, "tools").is_none_or(Value::is_array), || {
        "Invalid value at 'tools' (repeated field), expected a list".into()
    })?;
    for (index, tool) in list(body, "tools").iter().enumerate() {
        let declared = list(tool, "functionDeclarations").iter();
        for (at, function) in declared.enumerate() {
            let place = format!("tools[{index}].function_declarations[{at}]");
            let members = [
                "name",
                "description",
                "parameters",
                "parametersJsonSchema",
                "response",
                "responseJsonSchema",
                "behavior",
            ];
            check::known(function, &members, &place)?;
            let name = text(function, "name").unwrap_or_default();
            let lawful = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
            let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            require(starts && name.len() <= 128 && name.chars().all(lawful), || {
                format!(
                    "* GenerateContentRequest.{place}.name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128."
                )
            })?;
            let (plain, json) =
                (given(function, "parameters"), given(function, "parametersJsonSchema"));
            require(plain.and(json).is_none(), || {
                format!(
                    "* GenerateContentRequest.{place}: parameters and parameters_json_schema are mutually exclusive"
                )
            })?;
            if let Some(plain) = plain {
                check::schema(plain, &format!("{place}.parameters"), cloud, 0)?;
            }
            let parameters = plain.or(json).cloned().unwrap_or_default();
            out.push(Tool { name: name.to_owned(), parameters });
        }
    }
    Ok(out)
}

fn choice(body: &Value) -> Reading<Choice<'_>> {
    let Some(config) = body.pointer("/toolConfig/functionCallingConfig") else {
        return Ok(Choice::Free);
    };
    let allowed = list(config, "allowedFunctionNames");
    match text(config, "mode").unwrap_or("AUTO") {
        "AUTO" | "MODE_UNSPECIFIED" if allowed.is_empty() => Ok(Choice::Free),
        "NONE" => Ok(Choice::Never),
        "ANY" | "VALIDATED" => {
            Ok(allowed.first().and_then(Value::as_str).map_or(Choice::Any, Choice::Named))
        }
        "AUTO" | "MODE_UNSPECIFIED" => Err(Wrong::new(
            "Please set allowed_function_names only when function calling mode is ANY.",
        )),
        other => Err(Wrong::new(format!(
            "Invalid value at 'tool_config.function_calling_config.mode' (type.googleapis.com/google.ai.generativelanguage.v1beta.FunctionCallingConfig.Mode), \"{other}\""
        ))),
    }
}

fn schema(settings: &Value, cloud: bool) -> Reading<Option<Value>> {
    let plain = given(settings, "responseSchema");
    let found = plain.or_else(|| given(settings, "responseJsonSchema"));
    if let Some(plain) = plain {
        check::schema(plain, "generation_config.response_schema", cloud, 0)?;
    }
    let json =
        matches!(text(settings, "responseMimeType"), Some("application/json" | "text/x.enum"));
    require(found.is_none() || json, || {
        "Function calling or response schema with a response mime type: 'text/plain' is unsupported; set response_mime_type to application/json".into()
    })?;
    Ok(found.cloned())
}
