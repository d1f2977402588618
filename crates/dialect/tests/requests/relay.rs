use serde_json::{Value, json};
use signalbox_core::{Parameter, ParameterSet};
use signalbox_dialect::openai_chat::write_relay::{Outbound, ReasoningStyle};
use signalbox_dialect::patch::Patches;
use signalbox_dialect::{openai_chat, openai_completions};

use super::document;

fn outbound(patches: &Patches) -> Outbound<'_> {
    Outbound {
        provider_model_id: "tiny-1",
        stream: false,
        unsupported: ParameterSet::EMPTY,
        max_output: None,
        endpoint_max_output: None,
        service_tier: None,
        user: None,
        patches,
        reasoning: ReasoningStyle::Effort,
        asking: Default::default(),
        caches_prompts: true,
        traits: Default::default(),
        template: Default::default(),
        betas: &[],
        forward_name: true,
        cache: Default::default(),
    }
}

/// The text sent for a body, with the decisions changed by `change`.
fn text(body: &str, change: impl FnOnce(&mut Outbound<'_>)) -> String {
    let patches = Patches::default();
    let mut out = outbound(&patches);
    change(&mut out);
    let document = document(body);
    let survey = openai_chat::survey::survey(&document).unwrap();
    let bytes = openai_chat::write_relay::write_relay(&document, &survey, &out).unwrap().whole();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(body: &str, change: impl FnOnce(&mut Outbound<'_>)) -> Value {
    serde_json::from_str(&text(body, change)).unwrap()
}

const MESSAGES: &str = r#""messages":[{"role":"user","content":"hi"}]"#;

fn with(members: &str) -> String {
    format!("{{{MESSAGES},{members}}}")
}

#[test]
fn what_is_not_changed_is_sent_byte_for_byte() {
    let body = "{ \"model\" : \"acme/m1\",\n  \"temperature\": 1.00, \"messages\": [ {\"role\":\"user\",\"content\":\"h\\u00e9\"},{\"role\":\"assistant\",\"content\":\"Sure: \",\"reasoning_content\":\"r\"} ],\"safe_prompt\":true }";
    assert_eq!(text(body, |_| ()), body.replace("acme/m1", "tiny-1"));
}

#[test]
fn parameters_that_are_absent_stay_absent() {
    let sent = json(&with(r#""model":"acme/m1""#), |_| ());
    assert_eq!(sent, json!({"model":"tiny-1","messages":[{"role":"user","content":"hi"}]}));
    assert!(text(&with(r#""temperature":1.0"#), |_| ()).contains(r#""temperature":1.0"#));
}

#[test]
fn what_the_endpoint_does_not_support_is_dropped() {
    let sent = json(&with(r#""top_k":5,"seed":1"#), |out| {
        out.unsupported.insert(Parameter::TopK);
    });
    assert_eq!((sent.get("top_k"), &sent["seed"]), (None, &json!(1)));
}

#[test]
fn the_routers_own_members_stay_here() {
    let body = with(
        r#""models":["a"],"route":"sort","provider":{},"plugins":[],"preset":"p","transforms":[],
        "session_id":"s","trace":{},"debug":{},"usage":{"include":true},"metadata":{},"max_tool_calls":3,
        "stop_server_tools_when":[{}],"speed":"fast","service_tier":"priority","cache_control":{"type":"ephemeral"},
        "user":"ann@example.com","safety_identifier":"ann","prompt":"ann","stream_options":{"x":1}"#,
    );
    let sent = json(&body, |_| ());
    assert_eq!(sent.as_object().unwrap().keys().collect::<Vec<_>>(), ["messages", "model"]);
    let sent = text(&body, |out| out.user = Some("h4sh"));
    assert!(sent.contains(r#""user":"h4sh""#) && !sent.contains("ann"));
}

#[test]
fn a_stream_always_asks_for_usage() {
    let sent = json(&with(r#""stream":true,"stream_options":{"include_usage":false}"#), |out| {
        out.stream = true
    });
    assert_eq!(
        (&sent["stream"], &sent["stream_options"]),
        (&json!(true), &json!({"include_usage":true}))
    );
    let sent = json(&with(r#""stream":true,"stream_options":{}"#), |_| ());
    assert_eq!((&sent["stream"], sent.get("stream_options")), (&json!(false), None));
}

#[test]
fn the_output_limit_keeps_the_clients_spelling() {
    let limits = |members: &str, unsupported: &[Parameter], limit: Option<u64>| {
        let sent = json(&with(members), |out| {
            out.max_output = limit;
            out.unsupported = unsupported.iter().copied().collect();
        });
        (sent["max_tokens"].as_u64(), sent["max_completion_tokens"].as_u64())
    };
    let (old, new) = (Parameter::MaxTokens, Parameter::MaxCompletionTokens);
    assert_eq!(limits(r#""seed":1"#, &[], None), (None, None));
    assert_eq!(limits(r#""seed":1"#, &[], Some(9)), (Some(9), None));
    assert_eq!(limits(r#""max_completion_tokens":50"#, &[], Some(9)), (None, Some(9)));
    assert_eq!(
        limits(r#""max_tokens":50,"max_completion_tokens":60"#, &[], Some(9)),
        (Some(9), Some(9))
    );
    assert_eq!(limits(r#""seed":1"#, &[old], Some(9)), (None, Some(9)));
    assert_eq!(limits(r#""max_tokens":50"#, &[], None), (Some(50), None));
    assert_eq!(limits(r#""max_tokens":50"#, &[old], None), (None, Some(50)));
    assert_eq!(limits(r#""max_completion_tokens":50"#, &[new], None), (Some(50), None));
    assert_eq!(
        limits(r#""max_tokens":50,"max_completion_tokens":60"#, &[old], None),
        (None, Some(50))
    );
    assert_eq!(limits(r#""max_tokens":null"#, &[], Some(9)), (Some(9), None));
}

#[test]
fn reasoning_is_asked_for_as_the_endpoint_wants() {
    let asked = |members: &str, style: ReasoningStyle| {
        let mut sent = json(&with(members), |out| out.reasoning = style);
        let map = sent.as_object_mut().unwrap();
        assert_eq!(map.get("include_reasoning"), None);
        (map.remove("reasoning_effort"), map.remove("reasoning"))
    };
    let effort = |members: &str| asked(members, ReasoningStyle::Effort);
    assert_eq!(
        effort(r#""reasoning":{"effort":"high","summary":"auto"}"#),
        (Some(json!("high")), None)
    );
    assert_eq!(
        effort(r#""reasoning":{"max_tokens":800},"max_tokens":1000"#),
        (Some(json!("high")), None)
    );
    assert_eq!(effort(r#""reasoning":{"enabled":true}"#), (Some(json!("medium")), None));
    assert_eq!(effort(r#""reasoning":{"enabled":false}"#), (Some(json!("none")), None));
    assert_eq!(effort(r#""reasoning":{"exclude":true}"#), (None, None));
    assert_eq!(effort(r#""include_reasoning":true"#), (None, None));
    let object = |members: &str| asked(members, ReasoningStyle::Object);
    assert_eq!(object(r#""reasoning_effort":"low""#), (None, Some(json!({"effort":"low"}))));
    assert_eq!(
        object(r#""reasoning_effort":"low","reasoning":{"exclude":true}"#),
        (None, Some(json!({"exclude":true,"effort":"low"})))
    );
    assert_eq!(object(r#""include_reasoning":false"#), (None, Some(json!({"exclude":true}))));
    let none = asked(r#""reasoning_effort":"low","reasoning":{}"#, ReasoningStyle::None);
    assert_eq!(none, (None, None));
}

#[test]
fn names_go_into_the_text_for_models_without_names() {
    let body = r#"{"messages":[
        {"role":"user","name":"A\"n","content":"hi"},
        {"role":"user","name":"B","content":[{"type":"image_url","image_url":{"url":"u","detail":"original"}},{"type":"text","text":"yo"},{"type":"text","text":"2"}]},
        {"role":"user","name":"C","content":[{"type":"image_url","image_url":{"url":"u"}}]},
        {"role":"assistant","name":"D","content":null,"model":"acme/m1"},
        {"role":"tool","name":"f","tool_call_id":"c","content":"ok"}]}"#;
    let sent = json(body, |out| out.forward_name = false);
    assert_eq!(
        sent["messages"],
        json!([
            {"role":"user","content":"A\"n: hi"},
            {"role":"user","content":[{"type":"image_url","image_url":{"url":"u","detail":"high"}},
                {"type":"text","text":"B: yo"},{"type":"text","text":"2"}]},
            {"role":"user","content":[{"type":"text","text":"C: "},{"type":"image_url","image_url":{"url":"u"}}]},
            {"role":"assistant","content":null},
            {"role":"tool","tool_call_id":"c","content":"ok"},
        ])
    );
    let kept = json(body, |_| ());
    assert_eq!(kept["messages"][0]["name"], "A\"n");
}

#[test]
fn the_legacy_video_part_is_renamed() {
    let body = r#"{"messages":[{"role":"user","content":[{"type":"input_video","video_url":{"url":"u"}}]}]}"#;
    let part = &json(body, |_| ())["messages"][0]["content"][0];
    assert_eq!(part, &json!({"type":"video_url","video_url":{"url":"u"}}));
}

#[test]
fn a_prompt_becomes_one_user_message() {
    let sent = json(r#"{"model":"m","prompt":"a\n\u00e9"}"#, |_| ());
    assert_eq!(sent, json!({"model":"tiny-1","messages":[{"role":"user","content":"a\né"}]}));
    let legacy = document(r#"{"model":"m","prompt":["a"],"logprobs":3,"best_of":1,"messages":[]}"#);
    let survey = openai_completions::survey::survey(&legacy).unwrap();
    let patches = Patches::default();
    let bytes = openai_completions::write_relay::write_relay(&legacy, &survey, &outbound(&patches));
    assert_eq!(
        serde_json::from_slice::<Value>(&bytes.unwrap().whole()).unwrap(),
        json!({"model":"tiny-1","messages":[{"role":"user","content":"a"}],"logprobs":true,"top_logprobs":3})
    );
}

#[test]
fn the_endpoints_patches_see_what_was_decided() {
    let patches: Patches = serde_json::from_value(json!([
        {"rename":"/max_tokens","to":"max_completion_tokens"},
        {"set":"/extra/deep","value":true},
    ]))
    .unwrap();
    let document = document(&with(r#""max_tokens":50"#));
    let survey = openai_chat::survey::survey(&document).unwrap();
    let out = Outbound { max_output: Some(20), ..outbound(&patches) };
    let bytes = openai_chat::write_relay::write_relay(&document, &survey, &out).unwrap().whole();
    let sent: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((sent.get("max_tokens"), &sent["max_completion_tokens"]), (None, &json!(20)));
    assert_eq!(sent["extra"], json!({"deep":true}));
}

#[test]
fn two_spellings_of_the_limit_leave_with_the_smaller_one() {
    let (one, other) = (r#""max_tokens":1"#, r#""max_completion_tokens":16000"#);
    for members in [
        format!("{one},{other}"),
        format!("{other},{one}"),
        r#""max_tokens":16000,"max_completion_tokens":1"#.to_owned(),
    ] {
        for prompt in [MESSAGES, r#""prompt":"hi""#] {
            let sent = json(&format!("{{{prompt},{members},\"n\":2}}"), |_| ());
            let found = [&sent["max_tokens"], &sent["max_completion_tokens"], &sent["n"]];
            assert_eq!(found, [&json!(1), &json!(1), &json!(2)], "{members}");
        }
    }
}

#[test]
fn no_patch_and_no_other_name_gets_round_the_limit() {
    for (row, members) in [
        (
            json!({"rename":"/max_tokens","to":"max_completion_tokens"}),
            r#""max_tokens":1,"max_completion_tokens":16000"#,
        ),
        (
            json!({"rename":"/max_completion_tokens","to":"max_tokens"}),
            r#""max_tokens":16000,"max_completion_tokens":1"#,
        ),
        (
            json!({"rename":"/max_tokens","to":"max_new_tokens"}),
            r#""max_tokens":1,"max_new_tokens":16000"#,
        ),
        (
            json!({"move":"/max_tokens","to":"/options/num_predict"}),
            r#""max_tokens":1,"options":{"num_predict":16000}"#,
        ),
    ] {
        let patches: Patches = serde_json::from_value(json!([row])).unwrap();
        let body = document(&with(members));
        let survey = openai_chat::survey::survey(&body).unwrap();
        let out = outbound(&patches);
        let bytes = openai_chat::write_relay::write_relay(&body, &survey, &out).unwrap().whole();
        let sent = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(!sent.contains("16000") && sent.contains(":1"), "{row}: {sent}");
    }
}

#[test]
fn only_the_gateway_asks_for_a_tier() {
    let body = with(r#""service_tier":"priority","speed":"fast""#);
    let sent = json(&body, |_| ());
    assert_eq!((sent.get("service_tier"), sent.get("speed")), (None, None));
    let sent = json(&body, |out| out.service_tier = Some("flex"));
    assert_eq!((&sent["service_tier"], sent.get("speed")), (&json!("flex"), None));
}

#[test]
fn web_search_goes_only_where_it_is_supported() {
    let body = with(r#""web_search_options":{"search_context_size":"high"}"#);
    assert!(json(&body, |_| ()).get("web_search_options").is_some());
    let sent = json(&body, |out| out.unsupported.insert(Parameter::WebSearchOptions));
    assert_eq!(sent.get("web_search_options"), None);
}
