//! How thinking is asked for at Messages endpoints.

use serde_json::{Value, json};
use signalbox_core::Parameter;
use signalbox_dialect::openai_chat::write_relay::ReasoningStyle;
use signalbox_dialect::patch::Patches;

use super::{outbound, read, to_messages};

/// `thinking`, `output_config` and whether reasoning was lost.
fn asked(style: ReasoningStyle, members: &str) -> (Value, Value, bool) {
    let conversation =
        read(&format!(r#"{{"messages":[{{"role":"user","content":"a"}}],{members}}}"#));
    let patches = Patches::default();
    let mut out = outbound(&patches);
    out.reasoning = style;
    let (body, losses) = to_messages(&conversation, &out);
    let lost = losses.iter().any(|loss| loss.detail.starts_with("reasoning"));
    (body["thinking"].clone(), body["output_config"].clone(), lost)
}

#[test]
fn a_budget_is_a_share_of_the_limit_and_below_it() {
    for (members, budget) in [
        (r#""max_tokens":10000,"reasoning":{"effort":"max"}"#, Some(9500)),
        (r#""max_tokens":10000,"reasoning":{"effort":"high"}"#, Some(8000)),
        (r#""max_tokens":10000,"reasoning":{"enabled":true}"#, Some(5000)),
        (r#""max_tokens":10000,"reasoning":{"effort":"minimal"}"#, Some(1024)),
        (r#""max_tokens":1000000,"reasoning":{"effort":"high"}"#, Some(128_000)),
        (r#""max_tokens":10000,"reasoning":{"max_tokens":10}"#, Some(1024)),
        (r#""max_tokens":10000,"reasoning":{"max_tokens":20000}"#, Some(9999)),
        (r#""max_tokens":1025,"reasoning":{"effort":"low"}"#, Some(1024)),
        (r#""max_tokens":10000,"reasoning":{"effort":"none"}"#, None),
        (r#""max_tokens":10000,"reasoning":{"exclude":true}"#, None),
    ] {
        let (thinking, effort, lost) = asked(ReasoningStyle::Budget, members);
        let expected =
            budget.map_or(Value::Null, |budget| json!({"type":"enabled","budget_tokens":budget}));
        assert_eq!((thinking, effort, lost), (expected, Value::Null, false), "{members}");
    }
    let small = asked(ReasoningStyle::Budget, r#""max_tokens":1024,"reasoning":{"effort":"low"}"#);
    assert_eq!(small, (Value::Null, Value::Null, true));
}

#[test]
fn adaptive_thinking_takes_an_effort() {
    let style = ReasoningStyle::AdaptiveEffort;
    let on = json!({"type":"adaptive","display":"summarized"});
    for (members, effort) in [
        (r#""reasoning":{"effort":"minimal"}"#, "low"),
        (r#""reasoning":{"effort":"xhigh"}"#, "xhigh"),
        (r#""reasoning":{"effort":"low"},"verbosity":"max""#, "max"),
    ] {
        let expected = (on.clone(), json!({"effort":effort}), false);
        assert_eq!(asked(style, members), expected, "{members}");
    }
    let hidden = asked(style, r#""reasoning":{"effort":"low","exclude":true}"#);
    assert_eq!(hidden.0["display"], "omitted");
    assert_eq!(asked(style, r#""reasoning":{"max_tokens":5000}"#), (on, Value::Null, true));
    let off = asked(style, r#""reasoning":{"enabled":false},"verbosity":"max""#);
    assert_eq!(off, (json!({"type":"disabled"}), json!({"effort":"high"}), false));
    let silent = asked(style, r#""verbosity":"medium""#);
    assert_eq!(silent, (Value::Null, json!({"effort":"medium"}), false));
}

#[test]
fn a_model_that_knows_both_takes_a_budget_when_tokens_were_asked_for() {
    let style = ReasoningStyle::AdaptiveOrBudget;
    let budget = asked(style, r#""max_tokens":9000,"reasoning":{"max_tokens":5000}"#);
    assert_eq!(budget.0, json!({"type":"enabled","budget_tokens":5000}));
    let effort = asked(style, r#""reasoning":{"effort":"xhigh"}"#);
    assert_eq!(effort.1, json!({"effort":"high"}));
    assert_eq!(asked(style, r#""reasoning":{"effort":"max"}"#).1, json!({"effort":"max"}));
}

#[test]
fn sampling_is_left_alone_while_thinking() {
    let conversation = read(
        r#"{"messages":[{"role":"user","content":"a"}],"temperature":0.2,"top_p":0.97,"top_k":5,"reasoning":{"effort":"high"},"max_tokens":9000}"#,
    );
    let patches = Patches::default();
    let mut out = outbound(&patches);
    out.reasoning = ReasoningStyle::Budget;
    let (body, losses) = to_messages(&conversation, &out);
    assert!(body.get("temperature").is_none() && body.get("top_k").is_none());
    assert_eq!(body["top_p"], 0.97);
    assert_eq!(losses.len(), 2);
    out.unsupported.insert(Parameter::TopP);
    assert!(to_messages(&conversation, &out).0.get("top_p").is_none());
}

#[test]
fn thinking_gives_way_to_what_it_can_t_go_with() {
    let style = ReasoningStyle::Budget;
    let tools = r#""tools":[{"type":"function","function":{"name":"f"}}]"#;
    let forced = asked(
        style,
        &format!(r#"{tools},"tool_choice":"required","reasoning":{{"effort":"high"}}"#),
    );
    assert_eq!(forced, (Value::Null, Value::Null, true));
    let history = |details: &str| {
        read(&format!(
            r#"{{"messages":[{{"role":"user","content":"a"}},{{"role":"assistant"{details},"tool_calls":[{{"id":"x","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}]}},{{"role":"tool","tool_call_id":"x","content":"1"}}],{tools},"reasoning":{{"effort":"high"}}}}"#
        ))
    };
    let patches = Patches::default();
    let mut out = outbound(&patches);
    out.reasoning = style;
    assert!(to_messages(&history(""), &out).0.get("thinking").is_none());
    let thought = r#","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"s","format":"anthropic-claude-v1"}]"#;
    assert!(to_messages(&history(thought), &out).0.get("thinking").is_some());
    out.reasoning = ReasoningStyle::AdaptiveEffort;
    assert!(to_messages(&history(""), &out).0.get("thinking").is_some());
    let prefill = read(
        r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"reasoning":{"effort":"high"}}"#,
    );
    assert_eq!(to_messages(&prefill, &out).0["thinking"]["type"], "disabled");
}
