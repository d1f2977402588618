//! Conversations as bodies for Messages endpoints.

use serde_json::json;
use signalbox_core::Parameter;
use signalbox_dialect::anthropic_messages::write_request::DEFAULT_MAX_TOKENS;
use signalbox_dialect::conversation::{Extra, PartBody, Verbatim, WireDialect};
use signalbox_dialect::loss::Lost;
use signalbox_dialect::patch::Patches;

use super::{outbound, read, to_messages};

fn lost(losses: &[signalbox_dialect::loss::Loss]) -> Vec<(Lost, &str)> {
    losses.iter().map(|loss| (loss.what, loss.detail.as_str())).collect()
}

#[test]
fn a_turn_with_tools_becomes_blocks() {
    let conversation = read(
        r#"{"messages":[
          {"role":"system","content":"Be brief."},{"role":"developer","content":"Be kind."},
          {"role":"user","content":"Weather?"},
          {"role":"assistant","content":"Looking. ","tool_calls":[
            {"id":"functions.w:0","type":"function","function":{"name":"w","arguments":"{ \"at\": 1e2 }"}},
            {"id":"b","type":"function","function":{"name":"w","arguments":""}},
            {"id":"c","type":"function","function":{"name":"w","arguments":"no json"}}]},
          {"role":"tool","tool_call_id":"functions.w:0","content":"rain"},
          {"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"sun"},{"type":"image_url","image_url":{"url":"https://x.test/i.png"}}]},
          {"role":"tool","tool_call_id":"c","content":""},
          {"role":"user","content":"And?"}],
        "tools":[{"type":"function","function":{"name":"w","description":"d","parameters":{"properties":{"at":{"type":"number"}}},"strict":true},"cache_control":{"type":"ephemeral"}}],
        "tool_choice":"required","parallel_tool_calls":false,"max_tokens":50,"stop":["A"," "]}"#,
    );
    let patches = Patches::default();
    let (body, losses) = to_messages(&conversation, &outbound(&patches));
    assert_eq!(
        body,
        json!({
            "model": "m-1", "max_tokens": 50,
            "system": [{"type":"text","text":"Be brief."},{"type":"text","text":"Be kind."}],
            "messages": [
                {"role":"user","content":[{"type":"text","text":"Weather?"}]},
                {"role":"assistant","content":[
                    {"type":"text","text":"Looking. "},
                    {"type":"tool_use","id":"functions_w_0","name":"w","input":{"at":100.0}},
                    {"type":"tool_use","id":"b","name":"w","input":{}},
                    {"type":"tool_use","id":"c","name":"w","input":{"arguments":"no json"}}]},
                {"role":"user","content":[
                    {"type":"tool_result","tool_use_id":"functions_w_0","content":"rain"},
                    {"type":"tool_result","tool_use_id":"b","content":[
                        {"type":"text","text":"sun"},
                        {"type":"image","source":{"type":"url","url":"https://x.test/i.png"}}]},
                    {"type":"tool_result","tool_use_id":"c"},
                    {"type":"text","text":"And?"}]}],
            "tools": [{"name":"w","description":"d",
                "input_schema":{"properties":{"at":{"type":"number"}},"type":"object"},
                "cache_control":{"type":"ephemeral"}}],
            "tool_choice": {"type":"any","disable_parallel_tool_use":true},
            "stop_sequences": ["A"]
        })
    );
    assert_eq!(
        lost(&losses),
        [(Lost::Property, "arguments"), (Lost::Property, "strict"), (Lost::Parameter, "stop")]
    );
}

#[test]
fn the_limit_is_always_set() {
    let conversation = read(r#"{"messages":[{"role":"system","content":"Only this."}]}"#);
    let patches = Patches::default();
    let (body, _) = to_messages(&conversation, &outbound(&patches));
    assert_eq!(body["max_tokens"], DEFAULT_MAX_TOKENS);
    assert_eq!(body["messages"], json!([{"role":"user","content":"Only this."}]));
    assert!(body.get("system").is_none());
    let mut out = outbound(&patches);
    out.max_output = Some(64_000);
    out.stream = true;
    out.user = Some("hash");
    out.service_tier = Some("priority");
    let (body, _) = to_messages(&conversation, &out);
    assert_eq!(body["max_tokens"], 64_000);
    assert_eq!(body["stream"], true);
    assert_eq!(body["metadata"], json!({"user_id":"hash"}));
    assert_eq!(body["service_tier"], "auto");
}

#[test]
fn sampling_goes_along_only_where_it_was_sent_and_is_known() {
    let conversation = read(
        r#"{"messages":[{"role":"user","content":"a","name":"bo"}],"temperature":1.0,"top_p":0.50,"top_k":0,"seed":1,"min_p":0.1,"logit_bias":{}}"#,
    );
    let patches = Patches::default();
    let mut out = outbound(&patches);
    out.unsupported.insert(Parameter::MinP);
    let (body, losses) = to_messages(&conversation, &out);
    assert_eq!(body["temperature"], 1.0);
    assert_eq!(body["top_p"], 0.5);
    assert!(body.get("top_k").is_none());
    assert_eq!(body["messages"][0]["content"][0]["text"], "bo: a");
    assert_eq!(lost(&losses), [(Lost::Parameter, "seed"), (Lost::Parameter, "logit_bias")]);
    let hot = read(r#"{"messages":[{"role":"user","content":"a"}],"temperature":1.5}"#);
    let (body, losses) = to_messages(&hot, &out);
    assert_eq!(body["temperature"], 1);
    assert_eq!(lost(&losses), [(Lost::Property, "temperature")]);
}

#[test]
fn media_become_blocks_or_losses() {
    let conversation = read(
        r#"{"messages":[{"role":"user","content":[
          {"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/","detail":"high"}},
          {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}},
          {"type":"file","file":{"filename":"a.txt","file_data":"data:text/plain;base64,aGVsbG8="}},
          {"type":"file","file":{"file_id":"file-1"}},
          {"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}},
          {"type":"text","text":"  "},
          {"type":"text","text":"So?","cache_control":{"type":"ephemeral","ttl":"5m"}}]}]}"#,
    );
    let patches = Patches::default();
    let (body, losses) = to_messages(&conversation, &outbound(&patches));
    assert_eq!(
        body["messages"][0]["content"],
        json!([
            {"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"/9j/"}},
            {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"},"title":"a.pdf"},
            {"type":"document","source":{"type":"text","media_type":"text/plain","data":"hello"},"title":"a.txt"},
            {"type":"text","text":"So?","cache_control":{"type":"ephemeral","ttl":"5m"}}
        ])
    );
    assert_eq!(
        lost(&losses),
        [(Lost::Property, "detail"), (Lost::Content, "file_id"), (Lost::Content, "audio")]
    );
}

#[test]
fn a_schema_becomes_the_output_format() {
    let ask = |format: &str| {
        read(&format!(
            r#"{{"messages":[{{"role":"user","content":"a"}}],"response_format":{format}}}"#
        ))
    };
    let patches = Patches::default();
    let schema =
        ask(r#"{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object"}}}"#);
    let (body, losses) = to_messages(&schema, &outbound(&patches));
    assert_eq!(
        body["output_config"],
        json!({"format":{"type":"json_schema","schema":{"type":"object"}}})
    );
    assert_eq!(losses, []);
    let (body, losses) = to_messages(&ask(r#"{"type":"json_object"}"#), &outbound(&patches));
    assert!(body.get("output_config").is_none());
    assert_eq!(lost(&losses), [(Lost::Parameter, "response_format")]);
}

#[test]
fn signed_reasoning_goes_back_as_it_came() {
    let conversation = read(
        r#"{"messages":[{"role":"user","content":"a"},
          {"role":"assistant","content":"b","reasoning_details":[
            {"type":"reasoning.text","text":"one, ","format":"anthropic-claude-v1","index":0},
            {"type":"reasoning.text","text":"two","format":"anthropic-claude-v1","index":0},
            {"type":"reasoning.text","signature":"c2ln","format":"anthropic-claude-v1","index":0},
            {"type":"reasoning.encrypted","data":"ZGF0YQ","format":"anthropic-claude-v1","index":1},
            {"type":"reasoning.encrypted","data":"x","format":"openai-responses-v1","index":2}]},
          {"role":"user","content":"c"},
          {"role":"assistant","content":"d","reasoning":"unsigned"},
          {"role":"user","content":"e"}]}"#,
    );
    let patches = Patches::default();
    let (body, losses) = to_messages(&conversation, &outbound(&patches));
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"type":"thinking","thinking":"one, two","signature":"c2ln"},
            {"type":"redacted_thinking","data":"ZGF0YQ"},
            {"type":"text","text":"b"}
        ])
    );
    assert_eq!(body["messages"][3]["content"], json!([{"type":"text","text":"d"}]));
    assert_eq!(
        lost(&losses),
        [(Lost::Reasoning, "openai-responses-v1"), (Lost::Reasoning, "unsigned")]
    );
}

#[test]
fn what_only_this_dialect_knows_goes_back_to_it() {
    let mut conversation = read(
        r#"{"messages":[{"role":"user","content":"a"},{"role":"system","content":"Now French."},{"role":"user","content":"b"}]}"#,
    );
    conversation.origin = Some(WireDialect::AnthropicMessages);
    let raw = r#"{"type":"search_result",  "x":1}"#;
    let verbatim = Verbatim { dialect: WireDialect::AnthropicMessages, json: raw.into() };
    conversation.messages[0].parts[0].body =
        PartBody::Opaque { kind: "search_result".into(), verbatim };
    conversation.extra =
        [("context_management", r#"{"edits":[]}"#), ("output_config", r#"{"task_budget":1}"#)]
            .map(|(key, json)| Extra { key: key.into(), json: json.into() })
            .to_vec();
    let patches = Patches::default();
    let written = signalbox_dialect::anthropic_messages::write_request::write_request(
        &conversation,
        &outbound(&patches),
    )
    .unwrap();
    let text = String::from_utf8(written.body.to_vec()).unwrap();
    assert!(text.contains(raw), "{text}");
    let (body, losses) = to_messages(&conversation, &outbound(&patches));
    assert_eq!(losses, []);
    assert_eq!(body["messages"][1]["role"], "system");
    assert_eq!(body["context_management"], json!({"edits":[]}));
    assert_eq!(body["output_config"], json!({"task_budget":1}));
}
