use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use signalbox_dialect::preset::{CONFIG, union};
use signalbox_dialect::texts::Body;

use crate::{document, preset, with};

#[test]
fn g89_the_request_wins_objects_are_replaced_whole_and_tools_are_joined() {
    let tool = |name: &str, more: &str| json!({"type": "function", "function": {"name": name, "description": more}});
    let config = json!({"model": "a/b", "temperature": 0.1, "top_p": 0.5,
        "provider": {"order": ["x"], "zdr": true}, "tools": [tool("f", "old"), tool("g", "")],
        "cache_enabled": true, "cache_ttl_seconds": 5});
    let request = json!({"model": "@preset/p", "preset": "p", "temperature": 0.9,
        "messages": [{"role": "user", "content": "hi"}], "provider": {"order": ["y"]},
        "tools": [tool("h", ""), tool("f", "new")]});
    let merged = with(&preset(&config, None), Body::Chat, &request, None);
    assert_eq!(
        merged,
        json!({"model": "a/b", "temperature": 0.9, "top_p": 0.5, "provider": {"order": ["y"]},
            "messages": [{"role": "user", "content": "hi"}],
            "tools": [tool("f", "new"), tool("g", ""), tool("h", "")]})
    );
    let merged = with(&preset(&config, None), Body::Chat, &request, Some("c/d"));
    assert_eq!(merged["model"], "c/d");
    let empty = json!({"messages": [], "preset": "p"});
    assert_eq!(with(&preset(&json!({}), None), Body::Chat, &empty, None), json!({"messages": []}));
}

#[test]
fn everything_else_of_a_body_stays_byte_for_byte() {
    let text = r#"{ "model":"@preset/p" , "seed" : 1e0, "messages":[ {"role":"user","content":"\u0061"} ]}"#;
    let request = signalbox_dialect::document::Document::parse(text.into()).unwrap();
    let preset = preset(&json!({"model": "a/b", "top_k": 4}), Some("S"));
    let merged = preset.merged(&request, Body::Chat, None).unwrap();
    assert_eq!(
        merged.text(),
        r#"{ "model":"a/b" , "seed" : 1e0, "messages":[{"role":"system","content":"S"}, {"role":"user","content":"\u0061"} ],"top_k":4}"#
    );
}

#[test]
fn null_leaves_a_presets_word_out_and_one_word_answers_for_its_twins() {
    let config = json!({"temperature": 0.1, "max_tokens": 10, "reasoning": {"effort": "high"},
        "service_tier": "flex", "tools": [{"type": "openrouter:web_search"}]});
    let request = json!({"messages": [], "model": "a/b", "temperature": null,
        "max_completion_tokens": 20, "reasoning_effort": "low", "speed": "fast", "tools": null});
    assert_eq!(with(&preset(&config, None), Body::Chat, &request, Some("a/b")), request);
}

#[test]
fn a_system_prompt_comes_first_in_every_dialect() {
    let preset = preset(&json!({}), Some("Be \"kind\"."));
    let of = |body, request: Value| with(&preset, body, &request, None);
    let user = json!({"role": "user", "content": "hi"});
    let told = json!({"role": "system", "content": "Be \"kind\"."});
    assert_eq!(of(Body::Chat, json!({"messages": [user]}))["messages"], json!([told, user]));
    let own = json!({"role": "system", "content": "Mine"});
    assert_eq!(
        of(Body::Chat, json!({"messages": [own, user]}))["messages"],
        json!([told, own, user])
    );
    assert_eq!(of(Body::Chat, json!({"messages": []}))["messages"], json!([told]));
    assert_eq!(of(Body::Chat, json!({"messages": 5}))["messages"], 5, "for the survey to refuse");
    let messages = |system: Value| of(Body::Messages, json!({"messages": [], "system": system}));
    assert_eq!(messages(Value::Null)["system"], "Be \"kind\".");
    assert_eq!(messages(json!("a\nb"))["system"], "Be \"kind\".\n\na\nb");
    let block = json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}});
    assert_eq!(
        messages(json!([block]))["system"],
        json!([{"type": "text", "text": "Be \"kind\"."}, block])
    );
    let responses = of(Body::Responses, json!({"input": "x", "instructions": "y"}));
    assert_eq!(responses, json!({"input": "x", "instructions": "Be \"kind\".\n\ny"}));
    for prompt in [json!("x"), json!(["x"])] {
        let expected = json!({"prompt": "Be \"kind\".\n\nx"});
        assert_eq!(of(Body::Completions, json!({"prompt": prompt})), expected);
        assert_eq!(of(Body::Chat, json!({"prompt": prompt})), expected);
    }
    assert_eq!(of(Body::Completions, json!({"prompt": [1]})), json!({"prompt": [1]}));
}

#[test]
fn each_dialect_hears_a_preset_in_its_own_words() {
    let schema = json!({"type": "object"});
    let config = json!({"model": "a/b", "max_completion_tokens": 9, "stop": "x", "seed": 4,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": schema}},
            {"type": "openrouter:datetime"}],
        "tool_choice": "required", "reasoning": {"effort": "minimal"}, "verbosity": "high",
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}});
    let of = |body, request: Value| with(&preset(&config, None), body, &request, None);
    assert_eq!(
        of(Body::Messages, json!({"messages": []})),
        json!({"messages": [], "model": "a/b", "max_tokens": 9, "stop_sequences": ["x"],
            "tools": [{"name": "f", "input_schema": schema}, {"type": "openrouter:datetime"}],
            "tool_choice": {"type": "any"}, "thinking": {"type": "adaptive"},
            "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": schema}}})
    );
    assert_eq!(
        of(Body::Responses, json!({"input": "x"})),
        json!({"input": "x", "model": "a/b", "max_output_tokens": 9, "seed": 4,
            "tools": [{"type": "function", "name": "f", "parameters": schema},
                {"type": "openrouter:datetime"}],
            "tool_choice": "required", "reasoning": {"effort": "minimal"},
            "text": {"format": {"type": "json_schema", "name": "n", "schema": schema},
                "verbosity": "high"}})
    );
    let prompt = of(Body::Chat, json!({"prompt": "x"}));
    assert_eq!(prompt["stop"], "x");
    assert!(prompt.get("tools").is_none() && prompt.get("tool_choice").is_none(), "{prompt}");
}

#[test]
fn advisors_are_told_apart_by_their_names_and_other_tools_of_ours_by_their_type() {
    let advisor = |name: &str, model: &str| json!({"type": "openrouter:advisor", "parameters": {"name": name, "model": model}});
    let search = |results: u32| json!({"type": "openrouter:web_search", "parameters": {"max_results": results}});
    let kept = json!([advisor("a", "1"), search(1), advisor("b", "1")]);
    let own = json!([advisor("b", "2"), search(2), advisor("c", "2")]);
    let joined: Value =
        serde_json::from_str(&union(&kept.to_string(), Some(&own.to_string())).unwrap()).unwrap();
    let expected = json!([advisor("a", "1"), search(2), advisor("b", "2"), advisor("c", "2")]);
    assert_eq!(joined, expected);
    assert_eq!(union("[]", Some("5")), None);
    assert_eq!(union("[1]", None).as_deref(), Some("[1]"));
}

fn tool() -> impl Strategy<Value = Value> {
    let name = select(vec!["a", "b", "c", "d"]);
    prop_oneof![
        (name.clone(), any::<u8>()).prop_map(|(name, tag)| json!({"type": "function",
            "function": {"name": name, "description": tag.to_string()}})),
        (name.clone(), any::<u8>()).prop_map(|(name, tag)| json!({"type": "openrouter:advisor",
            "parameters": {"name": name, "tag": tag}})),
        (name, any::<u8>()).prop_map(|(name, tag)| json!({"type": name, "tag": tag})),
        any::<u8>().prop_map(|tag| json!({"tag": tag})),
    ]
}

/// Members with values that say where they are from.
fn members(from: &'static str) -> impl Strategy<Value = Value> {
    let plain: Vec<&str> = CONFIG
        .iter()
        .copied()
        .filter(|key| !matches!(*key, "tools" | "cache_enabled" | "cache_ttl_seconds"))
        .collect();
    let count = plain.len();
    (subsequence(plain, 0..=count).prop_shuffle(), vec(tool(), 0..6), any::<bool>()).prop_map(
        move |(keys, tools, has_tools)| {
            let mut all: serde_json::Map<String, Value> =
                keys.into_iter().map(|key| (key.to_owned(), json!(from))).collect();
            if has_tools {
                all.insert("tools".to_owned(), tools.into());
            }
            Value::Object(all)
        },
    )
}

const TWINS: [&[&str]; 4] = [
    &["max_tokens", "max_completion_tokens"],
    &["reasoning", "reasoning_effort", "include_reasoning"],
    &["service_tier", "speed"],
    &["models"],
];

proptest! {
    #[test]
    fn the_request_wins_and_merging_again_changes_nothing(
        config in members("preset"),
        request in members("request"),
    ) {
        let mut request = request;
        request["messages"] = json!([{"role": "user", "content": "hi"}]);
        let own = request.get("model").and_then(Value::as_str).map(str::to_owned);
        let preset = preset(&config, None);
        let once = with(&preset, Body::Chat, &request, own.as_deref());
        for (key, value) in request.as_object().unwrap() {
            if key != "tools" {
                prop_assert_eq!(&once[key], value, "{} of the request", key);
            }
        }
        for (key, value) in config.as_object().unwrap() {
            let row = TWINS.into_iter().find(|row| row.contains(&key.as_str()));
            let said = row.map_or_else(
                || request.get(key).is_some(),
                |row| row.iter().any(|one| request.get(one).is_some()),
            );
            if !said {
                prop_assert_eq!(&once[key], value, "{} of the preset", key);
            } else if request.get(key).is_none() {
                prop_assert!(once.get(key).is_none(), "{} is said already", key);
            }
        }
        let known = |key: &String| config.get(key).is_some() || request.get(key).is_some();
        prop_assert!(once.as_object().unwrap().keys().all(known));
        let model = once.get("model").and_then(Value::as_str).map(str::to_owned);
        prop_assert_eq!(with(&preset, Body::Chat, &once, model.as_deref()), once);
    }

    #[test]
    fn tools_keep_their_order_and_none_is_lost(
        kept in vec(tool(), 0..8),
        own in vec(tool(), 0..8),
    ) {
        let text = |tools: &[Value]| Value::from(tools.to_vec()).to_string();
        let joined = union(&text(&kept), Some(&text(&own))).unwrap();
        let all: Vec<Value> = serde_json::from_str(&joined).unwrap();
        for tool in &own {
            let count = |list: &[Value]| list.iter().filter(|one| *one == tool).count();
            prop_assert!(count(&all) >= count(&own), "a tool of the request is there");
        }
        prop_assert!(all.len() <= kept.len() + own.len() && all.len() >= kept.len().max(own.len()));
        // What the preset alone has stands where it stood, and so does what took its place.
        for (index, tool) in kept.iter().enumerate() {
            prop_assert!(&all[index] == tool || own.contains(&all[index]));
        }
        let added: Vec<&Value> = all.iter().skip(kept.len()).collect();
        let mut rest = own.iter();
        prop_assert!(added.iter().all(|one| rest.any(|own| own == *one)), "in the request's order");
        prop_assert_eq!(union(&text(&kept), Some(&joined)).unwrap(), joined.clone());
    }

    #[test]
    fn no_body_makes_the_merge_fall_over(text in "\\PC{0,60}", model in ".{0,20}") {
        let request = document(&json!({"messages": text, "system": [text], "tools": {"a": text},
            "input": [text], "model": model, "prompt": [text], "preset": {"x": text}}));
        let preset = preset(&json!({"tools": text, "stop": {"a": 1}, "reasoning": text,
            "tool_choice": [text], "response_format": text, "model": text}), Some(&text));
        for body in Body::ALL {
            preset.merged(&request, body, Some(&model)).unwrap();
        }
    }
}
