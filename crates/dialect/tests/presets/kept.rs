use serde_json::{Value, json};
use signalbox_dialect::preset::{Preset, config_of};
use signalbox_dialect::texts::Body;

use crate::document;

fn kept(body: Body, request: &Value) -> (Value, Option<String>) {
    let preset = Preset::of(&document(request), body).unwrap();
    let config = serde_json::from_str(preset.config().text()).unwrap();
    (config, preset.system_prompt().map(str::to_owned))
}

#[test]
fn what_is_said_and_by_whom_is_not_kept() {
    let request = json!({"model": "a/b", "temperature": 0.7, "stream": true, "user": "u",
        "session_id": "s", "metadata": {"a": "b"}, "trace": {"x": 1}, "prompt": null, "n": 2,
        "unknown": 1, "preset": "other", "debug": {}, "cache_enabled": true,
        "cache_ttl_seconds": 60, "provider": {"order": ["x"]}, "top_p": null,
        "messages": [{"role": "user", "content": "first"},
            {"role": "developer", "content": [{"type": "text", "text": "Be"},
                {"type": "text", "text": "kind."}]},
            {"role": "system", "content": "second"}]});
    let config = json!({"model": "a/b", "temperature": 0.7, "cache_enabled": true,
        "cache_ttl_seconds": 60, "provider": {"order": ["x"]}});
    assert_eq!(kept(Body::Chat, &request), (config, Some("Be\n\nkind.".to_owned())));
    assert_eq!(kept(Body::Chat, &json!({"messages": []})), (json!({}), None));
}

#[test]
fn order_and_numbers_are_kept_as_they_were_written() {
    let text = r#"{"top_p":1.0,"messages":[],"temperature" : 7e-1,"model":"a/b"}"#;
    let document = signalbox_dialect::document::Document::parse(text.into()).unwrap();
    let preset = Preset::of(&document, Body::Chat).unwrap();
    assert_eq!(preset.config().text(), r#"{"top_p":1.0,"temperature":7e-1,"model":"a/b"}"#);
}

#[test]
fn the_same_is_kept_of_every_dialect() {
    let schema = json!({"type": "object", "properties": {"x": {"type": "string"}}});
    let chat = json!({"model": "a/b", "max_tokens": 100, "temperature": 0.5,
        "tools": [{"type": "function", "function": {"name": "f", "description": "F", "parameters": schema}},
            {"type": "openrouter:web_search", "parameters": {"max_results": 3}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "reasoning": {"effort": "high"}});
    let request = |own: Value| {
        let mut request = json!({"model": "a/b", "temperature": 0.5});
        request.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        request
    };
    let messages = request(json!({"max_tokens": 100, "system": [{"type": "text", "text": "S"}],
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"name": "f", "description": "F", "input_schema": schema},
            {"type": "openrouter:web_search", "parameters": {"max_results": 3}}],
        "tool_choice": {"type": "tool", "name": "f"},
        "thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}));
    let responses = request(json!({"max_output_tokens": 100, "instructions": "S", "input": "hi",
        "tools": [{"type": "function", "name": "f", "description": "F", "parameters": schema},
            {"type": "openrouter:web_search", "parameters": {"max_results": 3}}],
        "tool_choice": {"type": "function", "name": "f"}, "reasoning": {"effort": "high"}}));
    for (body, request) in [(Body::Messages, messages), (Body::Responses, responses)] {
        // Tools of ours that are not available yet can be read but not saved.
        let config: Value = serde_json::from_str(&config_of(&document(&request), body)).unwrap();
        assert_eq!(config, chat, "{body:?}");
        assert!(Preset::of(&document(&request), body).is_err());
        let mut without = request;
        without["tools"].as_array_mut().unwrap().pop();
        let kept = kept(body, &without);
        assert_eq!(
            (kept.0["tools"][0].clone(), kept.1),
            (chat["tools"][0].clone(), Some("S".to_owned()))
        );
    }
}

#[test]
fn words_of_one_dialect_alone_are_kept_in_those_of_chat() {
    let schema = json!({"type": "object"});
    let of = |body, request: Value| kept(body, &request).0;
    let messages = json!({"stop_sequences": ["x"], "tool_choice": {"type": "any"},
        "thinking": {"type": "enabled", "budget_tokens": 2000}, "fallbacks": [{"model": "c/d"}],
        "output_config": {"format": {"type": "json_schema", "schema": schema}},
        "service_tier": "standard_only"});
    assert_eq!(
        of(Body::Messages, messages),
        json!({"stop": ["x"], "tool_choice": "required", "reasoning": {"max_tokens": 2000},
            "models": ["c/d"], "service_tier": "default", "response_format":
            {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}})
    );
    for (thinking, expected) in [
        (json!({"type": "disabled"}), json!({"reasoning": {"enabled": false}})),
        (json!({"type": "adaptive"}), json!({"reasoning": {"enabled": true}})),
    ] {
        assert_eq!(of(Body::Messages, json!({"thinking": thinking})), expected);
    }
    let effort = json!({"output_config": {"effort": "low"}});
    assert_eq!(of(Body::Messages, effort), json!({"verbosity": "low"}));
    let text = json!({"format": {"type": "json_schema", "name": "n", "schema": schema},
        "verbosity": "low"});
    assert_eq!(
        of(Body::Responses, json!({"text": text, "truncation": "auto", "store": false})),
        json!({"response_format": {"type": "json_schema",
            "json_schema": {"name": "n", "schema": schema}}, "verbosity": "low"})
    );
}

#[test]
fn what_no_request_could_have_is_refused_by_its_name() {
    for (member, value) in [
        ("temperature", json!("hot")),
        ("tools", json!("none")),
        ("models", json!([5])),
        ("plugins", json!({})),
        ("provider", json!([])),
        ("cache_enabled", json!("yes")),
        ("cache_ttl_seconds", json!(0)),
        ("cache_ttl_seconds", json!(86_401)),
        ("cache_ttl_seconds", json!(1.5)),
        ("reasoning", json!({"effort": "huge"})),
    ] {
        let request = json!({"model": "a/b", member: value});
        let error = Preset::of(&document(&request), Body::Chat).unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(error.message.contains(member), "{member}: {}", error.message);
    }
    let wrong = json!({"max_output_tokens": -1, "input": "x"});
    assert!(Preset::of(&document(&wrong), Body::Responses).is_err());
    let wrong = json!({"messages": [], "max_tokens": "x"});
    assert!(Preset::of(&document(&wrong), Body::Messages).is_err());
}
