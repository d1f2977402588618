//! What is read of a request, and what is refused. Members that the provider's service model does not
//! have are refused, although the service itself may overlook them: a writer has no business there.

use serde_json::Value;

use super::check;
use crate::ask::{
    Ask, Choice, Gather, Reading, Tool, Wrong, echoed, given, list, require, stranger, text,
};
use crate::dialect::Route;

const MEMBERS: &[&str] = &[
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "inferenceConfig",
    "messages",
    "outputConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
    "system",
    "toolConfig",
];
/// Least thinking budget.
const LEAST_BUDGET: u64 = 1024;

/// Reads a request.
pub(crate) fn read(route: &Route, body: &Value) -> Reading<Ask> {
    require(body.is_object(), || "The request body is not valid JSON.".into())?;
    if let Some(name) = stranger(body, MEMBERS) {
        return Err(Wrong::new(format!(
            "Malformed input request: extraneous key [{name}] is not permitted"
        )));
    }
    let messages = list(body, "messages");
    require(!messages.is_empty(), || "A conversation must start with a user message.".into())?;
    let inference = body.get("inferenceConfig").unwrap_or(&Value::Null);
    if let Some(name) = stranger(inference, &["maxTokens", "temperature", "topP", "stopSequences"])
    {
        return Err(Wrong::new(format!(
            "inferenceConfig: extraneous key [{name}] is not permitted"
        )));
    }
    let max_tokens = inference.get("maxTokens").and_then(Value::as_u64);
    require(given(inference, "maxTokens").is_none() || max_tokens.is_some_and(|n| n > 0), || {
        "Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1".into()
    })?;
    let thinks = thinking(body, max_tokens)?;
    let mut gather = Gather::default();
    check::system(body, &mut gather)?;
    check::roles(messages)?;
    check::pairs(messages, thinks)?;
    check::documents(messages)?;
    for (index, message) in messages.iter().enumerate() {
        let place = format!("messages.{index}.content");
        for (at, block) in list(message, "content").iter().enumerate() {
            check::block(block, &format!("{place}.{at}"), &mut gather)?;
        }
    }
    check::marks(body)?;
    let has_calls = |m: &Value| {
        list(m, "content")
            .iter()
            .any(|b| b.get("toolUse").or_else(|| b.get("toolResult")).is_some())
    };
    require(given(body, "toolConfig").is_some() || !messages.iter().any(has_calls), || {
        "The toolConfig field must be defined when using toolUse and toolResult content blocks."
            .into()
    })?;
    let (tools, choice) = tools(body, thinks)?;
    let own = |m: &&Value| text(m, "role") == Some("user") && check::texts(m).next().is_some();
    let last_user = messages.iter().rev().find(own);
    let results = |m: &Value| list(m, "content").iter().any(|b| b.get("toolResult").is_some());
    let mut ask = Ask {
        model: route.model.clone().unwrap_or_default(),
        stream: route.stream.unwrap_or_default(),
        include_usage: true,
        max_tokens,
        choices: 1,
        prompt_tokens: gather.tokens(),
        last_user_text: last_user.map(|m| echoed(check::texts(m))).unwrap_or_default(),
        answers_tools: messages.last().is_some_and(results),
        schema: schema(body)?,
        media: gather.media,
        thinks,
        ..Ask::default()
    };
    ask.offer(tools.into_iter(), &choice);
    Ok(ask)
}

/// Whether thinking is on with a budget, in the fields that go to the model as they are.
fn thinking(body: &Value, max_tokens: Option<u64>) -> Reading<bool> {
    let fields = body.get("additionalModelRequestFields").unwrap_or(&Value::Null);
    let Some(thinking) = given(fields, "thinking").or_else(|| given(fields, "reasoning_config"))
    else {
        return Ok(false);
    };
    if text(thinking, "type") != Some("enabled") {
        return Ok(false);
    }
    let budget = thinking.get("budget_tokens").and_then(Value::as_u64);
    let budget = budget.ok_or_else(|| Wrong::new("The model returned the following errors: thinking.enabled.budget_tokens: Field required"))?;
    require(budget >= LEAST_BUDGET, || {
        format!(
            "The model returned the following errors: thinking.enabled.budget_tokens: Input should be greater than or equal to {LEAST_BUDGET}"
        )
    })?;
    require(max_tokens.is_none_or(|most| budget < most), || {
        "The model returned the following errors: `max_tokens` must be greater than `thinking.budget_tokens`".into()
    })?;
    let temperature = body.pointer("/inferenceConfig/temperature").and_then(Value::as_f64);
    require(temperature.is_none_or(|t| (t - 1.0).abs() < f64::EPSILON), || {
        "The model returned the following errors: `temperature` may only be set to 1 when thinking is enabled".into()
    })?;
    Ok(true)
}

fn tools(body: &Value, thinks: bool) -> Reading<(Vec<Tool>, Choice<'_>)> {
    let Some(config) = given(body, "toolConfig") else { return Ok((Vec::new(), Choice::Free)) };
    if let Some(name) = stranger(config, &["tools", "toolChoice"]) {
        return Err(Wrong::new(format!("toolConfig: extraneous key [{name}] is not permitted")));
    }
    require(!list(config, "tools").is_empty(), || {
        "Value at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1".into()
    })?;
    let mut out = Vec::new();
    for (index, tool) in list(config, "tools").iter().enumerate() {
        if tool.get("cachePoint").or_else(|| tool.get("systemTool")).is_some() {
            continue;
        }
        let place = format!("toolConfig.tools.{index}.member.toolSpec");
        let spec = given(tool, "toolSpec");
        let spec = spec.ok_or_else(|| Wrong::new(format!("{place}: Member must not be null")))?;
        if let Some(name) = stranger(spec, &["name", "description", "inputSchema", "strict"]) {
            return Err(Wrong::new(format!("{place}: extraneous key [{name}] is not permitted")));
        }
        let name = text(spec, "name").unwrap_or_default();
        require(check::lawful(name, "_-"), || {
            format!(
                "Value '{name}' at '{place}.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+"
            )
        })?;
        require(text(spec, "description") != Some(""), || {
            format!(
                "Value at '{place}.description' failed to satisfy constraint: Member must have length greater than or equal to 1"
            )
        })?;
        let schema = spec.pointer("/inputSchema/json").filter(|s| s.is_object());
        let schema = schema.ok_or_else(|| {
            Wrong::new(format!("The value at {place}.inputSchema.json must be an object"))
        })?;
        require(text(schema, "type") == Some("object"), || {
            format!(
                "The value at {place}.inputSchema.json.type must be one of the following: object."
            )
        })?;
        out.push(Tool { name: name.to_owned(), parameters: schema.clone() });
    }
    let choice = choice(config)?;
    require(!thinks || matches!(choice, Choice::Free), || {
        "The model returned the following errors: Thinking may not be enabled when tool_choice forces tool use.".into()
    })?;
    Ok((out, choice))
}

fn choice(config: &Value) -> Reading<Choice<'_>> {
    let Some(choice) = given(config, "toolChoice") else { return Ok(Choice::Free) };
    let object = |name: &str| choice.get(name).filter(|v| v.is_object());
    require(choice.as_object().is_some_and(|members| members.len() == 1), || {
        "toolConfig.toolChoice: exactly one member must be set".into()
    })?;
    if object("auto").is_some() {
        return Ok(Choice::Free);
    }
    if object("any").is_some() {
        return Ok(Choice::Any);
    }
    let named = object("tool").and_then(|tool| text(tool, "name"));
    named.map(Choice::Named).ok_or_else(|| {
        Wrong::new("toolConfig.toolChoice: must be one of auto, any, tool with a name")
    })
}

/// The schema of the answer, which this dialect carries as text.
fn schema(body: &Value) -> Reading<Option<Value>> {
    let Some(format) = body.pointer("/outputConfig/textFormat") else { return Ok(None) };
    require(text(format, "type") == Some("json_schema"), || {
        "outputConfig.textFormat.type must be json_schema".into()
    })?;
    let schema = format.pointer("/structure/jsonSchema/schema").and_then(Value::as_str);
    let schema = schema.ok_or_else(|| {
        Wrong::new(
            "outputConfig.textFormat.structure.jsonSchema.schema must be a JSON schema as text",
        )
    })?;
    let schema = serde_json::from_str(schema);
    schema
        .map(Some)
        .map_err(|_| Wrong::new("outputConfig.textFormat: the schema is not valid JSON"))
}
