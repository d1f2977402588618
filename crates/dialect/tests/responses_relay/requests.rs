//! Requests that stay in the dialect.

use serde_json::{Value, json};
use signalbox_core::{Parameter, ParameterSet};
use signalbox_dialect::document::Document;
use signalbox_dialect::loss::{Loss, Lost};
use signalbox_dialect::openai_responses::hosted::lost;
use signalbox_dialect::openai_responses::survey::survey;
use signalbox_dialect::openai_responses::write_relay::write_relay;
use signalbox_dialect::patch::Patches;
use signalbox_dialect::{Outbound, ReasoningStyle};

fn written(text: &str, change: impl FnOnce(&mut Outbound<'_>)) -> String {
    let document = Document::parse(text.to_owned().into()).unwrap();
    let survey = survey(&document).unwrap();
    let patches = Patches::default();
    let mut out = Outbound {
        provider_model_id: "m-1",
        stream: true,
        unsupported: ParameterSet::EMPTY,
        max_output: None,
        endpoint_max_output: None,
        service_tier: None,
        user: None,
        patches: &patches,
        reasoning: ReasoningStyle::Effort,
        asking: Default::default(),
        caches_prompts: true,
        traits: Default::default(),
        template: Default::default(),
        betas: &[],
        forward_name: true,
        cache: signalbox_dialect::CacheStyle::Breakpoints,
    };
    change(&mut out);
    let body = write_relay(&document, &survey, &out).unwrap().whole();
    String::from_utf8(body.to_vec()).unwrap()
}

fn sent(members: Value, change: impl FnOnce(&mut Outbound<'_>)) -> Value {
    let mut value = json!({"model": "a/b", "input": "Hi"});
    for (key, member) in members.as_object().unwrap() {
        value[key] = member.clone();
    }
    serde_json::from_str(&written(&value.to_string(), change)).unwrap()
}

#[test]
fn what_needs_no_patch_passes_byte_for_byte() {
    let rest = r#" "stream":true ,"store" : false,"instructions":"Be\u0020brief.",
 "input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"x","prompt_cache_breakpoint":{}}]},
 {"type":"message","role":"assistant","phase":"commentary","content":[{"type":"output_text","text":"y"}]},
 {"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gA=="}, {"type":"compaction","encrypted_content":"z"},
 {"type":"custom_tool_call","call_id":"c","name":"p","input":"*** Begin"},{"type":"custom_tool_call_output","call_id":"c","output":"ok"}],
 "tools":[{"type":"custom","name":"p","format":{"type":"grammar","syntax":"lark","definition":"s: x"}},{"type":"local_shell"}],
 "include":["reasoning.encrypted_content"],"prompt_cache_key":"k","max_tool_calls":4,"parallel_tool_calls":true,
 "reasoning":{ "effort":"high","summary":"auto"},"text":{"verbosity":"low"},"temperature":1.0e0,"not_known_yet":{"a":1}}"#;
    let from = format!("{{\"model\" :\"a/b\",{rest}");
    let to = format!("{{\"model\" :\"m-1\",{rest}");
    assert_eq!(written(&from, |_| {}), to);
}

#[test]
fn members_of_the_router_go() {
    let members = json!({"models": ["c/d"], "route": "fallback", "provider": {"order": ["x"]},
        "plugins": [], "session_id": "s", "user": "u", "trace": {}, "metadata": {"k": "v"}, "client_metadata": {"i": "1"},
        "service_tier": "priority", "safety_identifier": "u", "stream": true,
        "cache_control": {"type": "ephemeral"}, "stream_options": {"include_obfuscation": false}});
    let expected = json!({"model": "m-1", "input": "Hi", "store": false, "stream": false});
    assert_eq!(sent(members.clone(), |out| out.stream = false), expected);
    let value = sent(members, |out| {
        out.user = Some("hash");
        out.service_tier = Some("flex");
        out.max_output = Some(64);
    });
    assert_eq!((&value["safety_identifier"], value.get("user")), (&json!("hash"), None));
    assert_eq!((&value["service_tier"], &value["max_output_tokens"]), (&json!("flex"), &json!(64)));
    assert_eq!(value["stream_options"], json!({"include_obfuscation": false}));
}

#[test]
fn reasoning_is_asked_for_in_the_dialects_own_words() {
    let asked = |reasoning: Value, include: Value| {
        let members =
            json!({"reasoning": reasoning, "include": include, "max_output_tokens": 1000});
        let value = sent(members, |_| {});
        (value["reasoning"].clone(), value["include"].clone())
    };
    let encrypted = json!(["reasoning.encrypted_content"]);
    for (reasoning, expected) in [
        (json!({"effort": "low", "exclude": true}), json!({"effort": "low"})),
        (
            json!({"enabled": true, "summary": "auto"}),
            json!({"summary": "auto", "effort": "medium"}),
        ),
        (json!({"max_tokens": 800}), json!({"effort": "high"})),
    ] {
        assert_eq!(asked(reasoning, Value::Null), (expected, encrypted.clone()));
    }
    let off = (json!({"effort": "none"}), Value::Null);
    assert_eq!(asked(json!({"enabled": false}), Value::Null), off);
    let both = json!(["web_search_call.results", "reasoning.encrypted_content"]);
    let more = asked(json!({"effort": "low"}), json!(["web_search_call.results"]));
    assert_eq!(more.1, both);
    let none = sent(json!({"reasoning": {"effort": "low"}}), |out| {
        out.reasoning = ReasoningStyle::None;
    });
    assert_eq!((none.get("reasoning"), none.get("include")), (None, None));
}

#[test]
fn what_is_not_supported_is_left_out() {
    let members = json!({"temperature": 1.0, "tools": [{"type": "local_shell"}], "tool_choice": "auto",
        "text": {"format": {"type": "json_object"}}, "prompt_cache_options": {}});
    let value = sent(members, |out| {
        out.unsupported = [Parameter::Temperature, Parameter::Tools, Parameter::ResponseFormat]
            .into_iter()
            .collect();
        out.cache = signalbox_dialect::CacheStyle::AsSent;
    });
    let keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["input", "model", "store", "stream"]);
}

#[test]
fn what_other_providers_or_the_router_wrote_stays_behind() {
    let input = json!([
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "g",
            "format": "openai-responses-v1"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "signature": "s",
            "format": "anthropic-claude-v1"},
        {"type": "reasoning", "id": "call_1", "summary": [],
            "encrypted_content": "signalbox.reasoning/google-gemini-v1/call_1/x"},
        {"type": "openrouter:web_search", "id": "ws_1"},
        {"type": "message", "role": "user", "content":
            [{"type": "input_text", "text": "x", "prompt_cache_breakpoint": {}}]},
    ]);
    let value =
        sent(json!({"input": input}), |out| out.cache = signalbox_dialect::CacheStyle::AsSent);
    let expected = json!([
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "g"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]},
    ]);
    assert_eq!(value["input"], expected);
}

#[test]
fn web_search_is_left_out_and_what_else_is_charged_refused() {
    let ask = |tools: &str| {
        format!(r#"{{"model":"a/b","input":"Hi","tool_choice":"auto","tools":[{tools}]}}"#)
    };
    let search = r#"{"type":"web_search","external_web_access":true}"#;
    let shell = r#"{"type":"local_shell"}"#;
    let both = ask(&format!("{search}, {shell}"));
    let value: Value = serde_json::from_str(&written(&both, |_| {})).unwrap();
    assert_eq!(value["tools"], json!([{"type": "local_shell"}]));
    let document = Document::parse(both.into()).unwrap();
    assert_eq!(lost(&document), [Loss::new(Lost::Tool, "web_search")]);
    let alone: Value = serde_json::from_str(&written(&ask(search), |_| {})).unwrap();
    assert!(alone.get("tools").is_none() && alone.get("tool_choice").is_none(), "{alone}");
    for kind in ["file_search", "code_interpreter", "image_generation"] {
        let body = ask(&format!(r#"{{"type":"{kind}"}}"#));
        let error = survey(&Document::parse(body.into()).unwrap()).unwrap_err();
        assert!(error.message.contains("not available yet"), "{}", error.message);
    }
}
