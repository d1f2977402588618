//! The rules for contents, parts, signatures and schemas.

use serde_json::Value;

use super::parts::purpose;
use crate::ask::{Gather, Reading, Wrong, given, list, require, stranger, text};
use crate::mint;

/// Signatures that the provider documents as a way around its check.
const WAYS_AROUND: [&str; 2] =
    ["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];
/// Members of a part that hold its data; exactly one is there.
const DATA: &[&str] = &[
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];
const PART: &[&str] =
    &["thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata"];
/// Members of the provider's own kind of schema.
const SCHEMA: &[&str] = &[
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "maxItems",
    "minItems",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "example",
    "anyOf",
    "propertyOrdering",
    "default",
    "items",
    "minimum",
    "maximum",
];

/// Members whose values are the caller's own.
const AS_THEY_ARE: &[&str] = &[
    "args",
    "response",
    "parametersJsonSchema",
    "responseJsonSchema",
    "labels",
    "properties",
    "default",
    "example",
];
/// Deepest nesting of a body that is looked into.
const DEEPEST: usize = 64;

/// A name in the other of the two spellings that are read.
fn camel(name: &str) -> String {
    let mut out = String::new();
    for (index, word) in name.split('_').enumerate() {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if index > 0 => out.push(first.to_ascii_uppercase()),
            Some(first) => out.push(first),
            None => {}
        }
        out.push_str(letters.as_str());
    }
    out
}

/// A body in one spelling: the provider reads `snake_case` as well. What a caller or a schema names
/// stays as it is.
pub(super) fn spelled(value: &Value, depth: usize) -> Value {
    match value {
        _ if depth > DEEPEST => Value::Null,
        Value::Array(all) => {
            all.iter().map(|inner| spelled(inner, depth.saturating_add(1))).collect()
        }
        Value::Object(members) => {
            let pairs = members.iter().map(|(key, inner)| {
                let key = camel(key);
                let kept = AS_THEY_ARE.contains(&key.as_str());
                let below = depth.saturating_add(1);
                let inner = if kept { inner.clone() } else { spelled(inner, below) };
                (key, inner)
            });
            Value::Object(pairs.collect())
        }
        other => other.clone(),
    }
}

/// Refuses members that do not exist.
pub(super) fn known(value: &Value, members: &[&str], place: &str) -> Reading<()> {
    let Some(name) = stranger(value, members) else { return Ok(()) };
    let at = if place.is_empty() { String::new() } else { format!(" at '{place}'") };
    let message =
        format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field.");
    Err(Wrong::new(message))
}

/// The parts of a kind.
pub(super) fn functions<'a>(content: &'a Value, kind: &str) -> Vec<&'a Value> {
    list(content, "parts").iter().filter_map(|part| part.get(kind)).collect()
}

/// Checks the parts of a content and collects what they hold.
pub(super) fn content(content: &Value, place: &str, gather: &mut Gather) -> Reading<()> {
    known(content, &["role", "parts"], place)?;
    let parts = list(content, "parts");
    require(!parts.is_empty(), || {
        format!("* GenerateContentRequest.{place}.parts: contents.parts must not be empty.")
    })?;
    let members: Vec<&str> = DATA.iter().chain(PART).copied().collect();
    for (index, part) in parts.iter().enumerate() {
        let place = format!("{place}.parts[{index}]");
        known(part, &members, &place)?;
        let held = DATA.iter().filter(|name| given(part, name).is_some()).count();
        require(held > 0, || {
            format!(
                "* GenerateContentRequest.{place}.data: required oneof field 'data' must have one initialized field"
            )
        })?;
        require(held == 1, || {
            format!(
                "Invalid value at '{place}' (oneof), oneof field 'data' is already set. Cannot set another one."
            )
        })?;
        if let Some(plain) = text(part, "text") {
            gather.text(plain);
        }
        data(part, &place, gather)?;
    }
    Ok(())
}

fn data(part: &Value, place: &str, gather: &mut Gather) -> Reading<()> {
    if let Some(blob) = part.get("inlineData") {
        return inline(blob, &format!("{place}.inline_data"), gather);
    }
    if let Some(file) = part.get("fileData") {
        known(file, &["mimeType", "fileUri", "displayName"], &format!("{place}.file_data"))?;
        let uri = text(file, "fileUri");
        let uri = uri
            .ok_or_else(|| Wrong::new(format!("{place}.file_data.file_uri: must not be empty")))?;
        gather.media.push(format!("url:{uri}"));
    }
    if let Some(call) = part.get("functionCall") {
        known(call, &["id", "name", "args"], &format!("{place}.function_call"))?;
        require(text(call, "name").is_some_and(|name| !name.is_empty()), || {
            format!("* GenerateContentRequest.{place}.function_call.name: Name cannot be empty.")
        })?;
        require(given(call, "args").is_none_or(Value::is_object), || {
            format!(
                "Invalid value at '{place}.function_call.args' (type.googleapis.com/google.protobuf.Struct)"
            )
        })?;
    }
    if let Some(response) = part.get("functionResponse") {
        let members = ["id", "name", "response", "parts", "willContinue", "scheduling"];
        let place = format!("{place}.function_response");
        known(response, &members, &place)?;
        require(text(response, "name").is_some_and(|name| !name.is_empty()), || {
            format!("* GenerateContentRequest.{place}.name: Name cannot be empty.")
        })?;
        let result = response.get("response").filter(|r| r.is_object());
        let result = result.ok_or_else(|| {
            Wrong::new(format!(
                "Invalid value at '{place}.response' (type.googleapis.com/google.protobuf.Struct)"
            ))
        })?;
        gather.text(&result.to_string());
        for blob in list(response, "parts").iter().filter_map(|part| part.get("inlineData")) {
            inline(blob, &format!("{place}.parts.inline_data"), gather)?;
        }
    }
    Ok(())
}

fn inline(blob: &Value, place: &str, gather: &mut Gather) -> Reading<()> {
    known(blob, &["mimeType", "data", "displayName"], place)?;
    let kind = text(blob, "mimeType").unwrap_or_default();
    require(kind.contains('/'), || format!("Unsupported MIME type: {kind}"))?;
    let valid = gather.inline(kind, text(blob, "data").unwrap_or_default());
    require(valid, || {
        format!("Invalid value at '{place}.data' (TYPE_BYTES), Base64 decoding failed")
    })
}

/// Checks that calls and responses follow each other.
pub(super) fn turns(contents: &[Value]) -> Reading<()> {
    for (index, content) in contents.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|at| contents.get(at));
        let asked = before.map(|c| functions(c, "functionCall")).unwrap_or_default();
        let answered = functions(content, "functionResponse");
        require(answered.is_empty() || !asked.is_empty(), || {
            "Please ensure that function response turn comes immediately after a function call turn.".into()
        })?;
        require(answered.len() == asked.len(), || {
            "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.".into()
        })?;
        let named = |list: &[&Value]| {
            let mut names: Vec<String> =
                list.iter().filter_map(|f| text(f, "name").map(str::to_owned)).collect();
            names.sort();
            names
        };
        require(named(&asked) == named(&answered), || {
            "Please ensure that function response names match the names of the function calls they answer.".into()
        })?;
        let calls = functions(content, "functionCall");
        let role = text(content, "role");
        require(calls.is_empty() || role == Some("model"), || {
            "Please ensure that function call turns have the role model.".into()
        })?;
        require(answered.is_empty() || role == Some("user"), || {
            "Please ensure that function response turns have the role user.".into()
        })?;
        let follows = before.is_some_and(|c| text(c, "role") == Some("user"));
        require(calls.is_empty() || follows, || {
            "Please ensure that function call turn comes immediately after a user turn or after a function response turn.".into()
        })?;
        let last = index.saturating_add(1) == contents.len();
        require(calls.is_empty() || !last, || {
            "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.".into()
        })?;
    }
    Ok(())
}

/// Checks signatures: made here, and on the first call of every step of the current turn.
pub(super) fn signatures(contents: &[Value], strict: bool) -> Reading<()> {
    let own = contents.iter().rposition(|c| {
        text(c, "role") != Some("model") && functions(c, "functionResponse").is_empty()
    });
    for (index, content) in contents.iter().enumerate() {
        let mut first = strict && own.is_none_or(|own| index > own);
        for (at, part) in list(content, "parts").iter().enumerate() {
            let called = part.get("functionCall").and_then(|call| text(call, "name"));
            let signature = text(part, "thoughtSignature");
            if let Some(signature) = signature.filter(|s| !WAYS_AROUND.contains(s)) {
                let hidden = mint::unseal(signature);
                let fits = match called {
                    Some(name) => hidden == Some(purpose(name)),
                    None => hidden.is_some(),
                };
                require(fits, || "Corrupted thought signature.".into())?;
            }
            if let (Some(name), true) = (called, first) {
                first = false;
                require(signature.is_some(), || {
                    format!(
                        "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly. Additional data, function call `default_api:{name}`, position {}.",
                        at.saturating_add(1)
                    )
                })?;
            }
        }
    }
    Ok(())
}

/// Checks a schema of the provider's own kind. Its cloud reads some members more.
pub(super) fn schema(schema: &Value, place: &str, cloud: bool, depth: usize) -> Reading<()> {
    if depth > 32 {
        return Err(Wrong::new(format!("{place}: the schema is nested too deeply")));
    }
    let mut members = SCHEMA.to_vec();
    if cloud {
        members.extend(["additionalProperties", "ref", "defs"]);
    }
    require(schema.is_object(), || format!("Invalid value at '{place}', expected an object"))?;
    known(schema, &members, place)?;
    let kind = schema.get("type");
    require(kind.is_none_or(Value::is_string), || {
        format!(
            "Invalid value at '{place}.type' (type.googleapis.com/google.ai.generativelanguage.v1beta.Type): Proto field is not repeating, cannot start list."
        )
    })?;
    let texts = list(schema, "enum").iter().all(Value::is_string);
    require(texts, || format!("Invalid value at '{place}.enum' (TYPE_STRING)"))?;
    let below = depth.saturating_add(1);
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, inner) in properties.into_iter().flatten() {
        self::schema(inner, &format!("{place}.properties[{name}]"), cloud, below)?;
    }
    if let Some(items) = given(schema, "items") {
        self::schema(items, &format!("{place}.items"), cloud, below)?;
    }
    for inner in list(schema, "anyOf") {
        self::schema(inner, &format!("{place}.any_of"), cloud, below)?;
    }
    Ok(())
}
