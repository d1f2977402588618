//! Requests that stay in the dialect.

use serde_json::{Value, json};
use signalbox_core::{ApiError, ErrorKind, Parameter, ParameterSet};
use signalbox_dialect::anthropic_messages::survey::survey;
use signalbox_dialect::anthropic_messages::write_relay::write_relay;
use signalbox_dialect::document::Document;
use signalbox_dialect::patch::Patches;
use signalbox_dialect::{Outbound, ReasoningStyle};

fn outbound(patches: &Patches) -> Outbound<'_> {
    Outbound {
        provider_model_id: "claude-1",
        stream: false,
        unsupported: ParameterSet::EMPTY,
        max_output: None,
        endpoint_max_output: None,
        service_tier: None,
        user: None,
        patches,
        reasoning: ReasoningStyle::AdaptiveOrBudget,
        asking: Default::default(),
        caches_prompts: true,
        traits: Default::default(),
        template: Default::default(),
        betas: &[],
        forward_name: false,
        cache: Default::default(),
    }
}

fn tried(
    text: &str,
    betas: &[&str],
    change: impl FnOnce(&mut Outbound<'_>),
) -> Result<String, ApiError> {
    let document = Document::parse(text.to_owned().into()).unwrap();
    let survey = survey(&document).unwrap();
    let patches = Patches::default();
    let mut out = Outbound { betas, ..outbound(&patches) };
    change(&mut out);
    let body = write_relay(&document, &survey, &out)?.whole();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

fn written(text: &str, change: impl FnOnce(&mut Outbound<'_>)) -> String {
    tried(text, &[], change).unwrap()
}

/// A request with these members beside a message and a limit.
fn with(members: Value) -> String {
    let mut value = json!({"model": "a/b", "max_tokens": 10_000,
        "messages": [{"role": "user", "content": "Hi"}]});
    for (key, member) in members.as_object().unwrap() {
        value[key] = member.clone();
    }
    value.to_string()
}

fn sent(members: Value, change: impl FnOnce(&mut Outbound<'_>)) -> Value {
    serde_json::from_str(&written(&with(members), change)).unwrap()
}

#[test]
fn what_needs_no_patch_passes_byte_for_byte() {
    let rest = r#" "max_tokens" : 4096 ,"temperature":1.0e0,
 "betas":["odd"], "context_management":{"edits":[{"type":"compact_20260112"}]},"system":[ {"type":"text","text":"S\u00e9","cache_control":{"type":"ephemeral","ttl":"1h"}}],
 "thinking":{"budget_tokens":2048 ,"type":"enabled","display":"omitted"},"output_config":{ "effort":"high","task_budget":{"type":"tokens","total":20000}},
 "messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"odd_beta","y":1e3}]},
 {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"c2ln"},{"type":"redacted_thinking","data":"ZZ"},{"type":"tool_use","id":"t","name":"f","input":{ "x":1.0 }}]},
 {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"7"}]}],
 "tools":[{"name":"f","input_schema":{ "type":"object" }},{"type":"bash_20250124","name":"bash"}]}"#;
    let from = format!("{{\"model\" :\"a/b\",{rest}");
    let to = format!("{{\"model\" :\"claude-1\",{rest}");
    assert_eq!(written(&from, |_| {}), to);
}

#[test]
fn members_of_the_router_go() {
    let members = json!({"models": ["c/d"], "route": "fallback", "provider": {"order": ["x"]},
        "plugins": [], "session_id": "s", "user": "u", "trace": {}, "debug": {}, "speed": "fast",
        "service_tier": "auto", "metadata": {"user_id": "u"}, "stop_server_tools_when": []});
    let expected = json!({"model": "claude-1", "max_tokens": 10_000,
        "messages": [{"role": "user", "content": "Hi"}]});
    assert_eq!(sent(members.clone(), |_| {}), expected);
    let value = sent(members, |out| {
        out.user = Some("hash");
        out.service_tier = Some("priority");
        out.stream = true;
    });
    assert_eq!(value["metadata"], json!({"user_id": "hash"}));
    assert_eq!((&value["service_tier"], &value["stream"]), (&json!("auto"), &json!(true)));
    assert_eq!(sent(json!({"fallbacks": [{"model": "c/d"}]}), |_| {}).get("fallbacks"), None);
    let flex = sent(json!({"stream": true}), |out| out.service_tier = Some("flex"));
    assert_eq!((flex.get("service_tier"), &flex["stream"]), (None, &json!(false)));
}

#[test]
fn there_is_always_a_limit_on_output() {
    let text = r#"{"model":"a/b","messages":[{"role":"user","content":"Hi"}]}"#;
    let limit = |text: &str, max_output: Option<u64>| -> Value {
        let body = written(text, |out| {
            out.max_output = max_output;
            out.endpoint_max_output = Some(64_000);
        });
        serde_json::from_str::<Value>(&body).unwrap()["max_tokens"].clone()
    };
    assert!(written(text, |_| {}).contains("\"max_tokens\":4096"));
    assert_eq!(limit(text, None), json!(64_000));
    assert_eq!(limit(text, Some(9)), json!(9));
    assert_eq!(limit(&with(json!({})), None), json!(10_000));
    assert_eq!(limit(&with(json!({})), Some(8000)), json!(8000));
    assert_eq!(limit(&with(json!({"max_tokens": null})), None), json!(64_000));
}

#[test]
fn what_is_not_supported_is_left_out() {
    let members = json!({"temperature": 1.0, "top_p": 0.5, "top_k": 4, "stop_sequences": ["x"],
        "tools": [{"name": "f", "input_schema": {}}], "tool_choice": {"type": "auto"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}}});
    let value = sent(members, |out| {
        out.unsupported = [
            Parameter::Temperature,
            Parameter::TopP,
            Parameter::TopK,
            Parameter::Stop,
            Parameter::Tools,
            Parameter::Verbosity,
            Parameter::ResponseFormat,
        ]
        .into_iter()
        .collect();
    });
    let keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["max_tokens", "messages", "model"]);
}

#[test]
fn strict_needs_its_beta() {
    let text = with(json!({"tools": [{"name": "f", "input_schema": {}, "strict": true},
        {"type": "bash_20250124", "name": "bash"}]}));
    let beta = ["interleaved-thinking-2025-05-14", "structured-outputs-2025-11-13"];
    assert!(tried(&text, &beta, |_| {}).unwrap().contains("\"strict\":true"));
    assert!(!tried(&text, &beta[..1], |_| {}).unwrap().contains("strict"));
}

#[test]
fn tools_of_the_client_stream_their_arguments() {
    let tools = json!({"tools": [{"name": "f", "input_schema": {}},
        {"type": "custom", "name": "g", "input_schema": {}, "eager_input_streaming": false},
        {"type": "bash_20250124", "name": "bash"}]});
    let value = sent(tools, |out| out.stream = true);
    let eager: Vec<_> =
        (0..3).map(|at| value["tools"][at].get("eager_input_streaming").cloned()).collect();
    assert_eq!(eager, [Some(json!(true)), Some(json!(false)), None]);
}

#[test]
fn thinking_is_brought_into_a_form_that_the_model_knows() {
    use ReasoningStyle::{AdaptiveEffort, AdaptiveOrBudget, Budget, Effort};
    let budget = |tokens: u64| json!({"type": "enabled", "budget_tokens": tokens, "new": 1});
    let adaptive = json!({"type": "adaptive", "display": "omitted"});
    let shown = json!({"type": "adaptive", "new": 1, "display": "summarized"});
    let with_display = json!({"type": "enabled", "budget_tokens": 8000, "display": "omitted"});
    let disabled = json!({"type": "disabled"});
    for (style, thinking, effort, expected, expected_effort) in [
        (Budget, budget(2000), None, budget(2000), None),
        (Budget, budget(9_999), Some("max"), budget(9_999), Some("high")),
        (Budget, budget(10_000), None, budget(9_999), None),
        (Budget, budget(5), None, budget(1024), None),
        (Budget, adaptive.clone(), None, with_display, None),
        (Budget, disabled.clone(), None, disabled.clone(), None),
        (AdaptiveOrBudget, budget(2000), Some("xhigh"), budget(2000), Some("high")),
        (AdaptiveOrBudget, adaptive.clone(), Some("max"), adaptive.clone(), Some("max")),
        (AdaptiveEffort, adaptive.clone(), Some("xhigh"), adaptive.clone(), Some("xhigh")),
        (AdaptiveEffort, budget(2000), Some("low"), shown, Some("low")),
        (AdaptiveEffort, disabled.clone(), Some("max"), disabled, Some("high")),
        (Effort, adaptive, Some("low"), Value::Null, Some("low")),
    ] {
        let mut members = json!({"thinking": thinking});
        if let Some(effort) = effort {
            members["output_config"] = json!({"effort": effort});
        }
        let value = sent(members.clone(), |out| out.reasoning = style);
        assert_eq!(value["thinking"], expected, "{style:?} {members}");
        assert_eq!(
            value["output_config"]["effort"].as_str(),
            expected_effort,
            "{style:?} {members}"
        );
    }
    let text = with(json!({"thinking": budget(20_000)}));
    let beta = ["interleaved-thinking-2025-05-14"];
    assert!(tried(&text, &beta, |_| {}).unwrap().contains("20000"));
}

#[test]
fn a_smaller_limit_makes_the_budget_smaller() {
    let members = json!({"thinking": {"type": "enabled", "budget_tokens": 8000}});
    let value = sent(members.clone(), |out| out.max_output = Some(4000));
    assert_eq!(value["thinking"], json!({"type": "enabled", "budget_tokens": 3999}));
    let value = sent(members, |out| out.max_output = Some(500));
    assert_eq!(value.get("thinking"), None);
}

#[test]
fn blocks_of_other_providers_stay_behind() {
    let text = r#"{"max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"signalbox.reasoning/google-gemini-v1//Zz"},{"type":"thinking","thinking":"t","signature":""},{"type":"redacted_thinking","data":"signalbox.reasoning/openai-responses-v1/rs_1/Z"}, {"type":"text", "text":"b"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":""}]},{"role":"user","content":[{"type":"openrouter_shell_tool_result"},{"type":"text","text":"c"}]}],"model":"a/b"}"#;
    assert_eq!(
        written(text, |_| {}),
        r#"{"max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"text", "text":"b"}]},{"role":"user","content":[{"type":"text","text":"c"}]}],"model":"claude-1"}"#
    );
}

#[test]
fn too_many_marks_are_thinned_and_too_many_messages_refused() {
    let block = json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}});
    let members = json!({"system": [block, block], "tools": [{"name": "f", "input_schema": {},
        "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": [block, block, block]}]});
    let value = sent(members, |_| {});
    assert_eq!(value.to_string().matches("ephemeral").count(), 4);
    assert_eq!(value["messages"][0]["content"], json!([block, block, block]));
    let message = json!({"role": "user", "content": "x"});
    let text = with(json!({"messages": vec![message; 1001]}));
    assert_eq!(tried(&text, &[], |_| {}).unwrap_err().kind, ErrorKind::InvalidRequest);
}

#[test]
fn patches_of_the_endpoint_come_last() {
    let document = Document::parse(with(json!({})).into()).unwrap();
    let survey = survey(&document).unwrap();
    let patches: Patches = serde_json::from_value(json!([
        {"drop": "/model"},
        {"set": "/anthropic_version", "value": "v"},
    ]))
    .unwrap();
    let body = write_relay(&document, &survey, &outbound(&patches)).unwrap().whole();
    let value: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((value.get("model"), &value["anthropic_version"]), (None, &json!("v")));
}
