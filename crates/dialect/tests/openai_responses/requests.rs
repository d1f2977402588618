//! Requests: what is refused, what routing learns, and what becomes of them in the hub.

use bytes::Bytes;
use proptest::prelude::*;
use signalbox_core::{ApiError, Parameter, ParameterSet};
use signalbox_dialect::conversation::{Conversation, Part, PartBody, Role, Tool, ToolChoice};
use signalbox_dialect::document::Document;
use signalbox_dialect::event::ReasoningForm;
use signalbox_dialect::loss::{Loss, Lost};
use signalbox_dialect::openai_chat::write_relay::{Outbound, ReasoningStyle};
use signalbox_dialect::openai_responses::read_request::read_request;
use signalbox_dialect::openai_responses::response::Asked;
use signalbox_dialect::openai_responses::survey::{Survey, survey};
use signalbox_dialect::openai_responses::write_request::write_request;
use signalbox_dialect::patch::Patches;

fn document(body: &str) -> Document {
    Document::parse(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn read(body: &str) -> Result<Survey, ApiError> {
    survey(&document(body))
}

fn converse(body: &str) -> (Conversation, Vec<Loss>) {
    let document = document(body);
    let mut conversation = read_request(&document, &survey(&document).unwrap());
    let lost = std::mem::take(&mut conversation.lost);
    (conversation, lost)
}

#[test]
fn what_needs_a_memory_is_refused_and_null_is_fine() {
    for (member, named) in [
        (r#""store":true"#, "`store`"),
        (r#""background":true"#, "`background`"),
        (r#""previous_response_id":"resp_1""#, "`previous_response_id`"),
        (r#""prompt":{"id":"pmpt_1"}"#, "`prompt`"),
    ] {
        let error = read(&format!(r#"{{"model":"a/b","input":"hi",{member}}}"#)).unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(error.message.contains(named), "{}", error.message);
    }
    let fine = r#"{"model":"a/b","input":"hi","store":false,"background":null,
        "previous_response_id":null,"prompt":null,"conversation":null}"#;
    assert!(read(fine).is_ok());
}

#[test]
fn a_mistake_is_named_by_its_place() {
    for (body, named) in [
        (r#"{"model":"a/b"}"#, "`input`"),
        (r#"{"input":[]}"#, "`input`"),
        (r#"{"input":7}"#, "`input`"),
        (r#"{"input":[{"role":"tool","content":"x"}]}"#, "`input[0].role`"),
        (r#"{"input":[{"content":"x"}]}"#, "`input[0].type`"),
        (r#"{"input":[{"role":"user","content":[{"type":"tex"}]}]}"#, "`input[0].content[0].type`"),
        (
            r#"{"input":[{"type":"function_call","name":"f","arguments":"{}"}]}"#,
            "`input[0].call_id`",
        ),
        (r#"{"input":[{"type":"function_call_output","call_id":"c"}]}"#, "`input[0].output`"),
        (r#"{"input":[{"type":"item_reference","id":"x"}]}"#, "`input[0]`"),
        (
            r#"{"input":"x","tools":[{"type":"function","function":{"name":"f"}}]}"#,
            "`tools[0].name`",
        ),
        (r#"{"input":"x","max_output_tokens":0}"#, "`max_output_tokens`"),
        (r#"{"input":"x","temperature":3}"#, "`temperature`"),
        (
            r#"{"input":"x","text":{"format":{"type":"json_schema","name":"n"}}}"#,
            "`text.format.schema`",
        ),
        (r#"{"input":"x","include":["all"]}"#, "`include[0]`"),
        (r#"{"input":"x","modalities":["audio"]}"#, "`modalities`"),
        (r#"{"input":"x","reasoning":{"effort":"low","max_tokens":9}}"#, "reasoning.max_tokens"),
    ] {
        let error = read(body).unwrap_err();
        assert_eq!(error.status(), 400, "{body}");
        assert!(error.message.contains(named), "{body}: {}", error.message);
    }
}

const AGENT: &str = r#"{"model":"acme/m1","models":["acme/m2"],"stream":true,"store":false,
 "instructions":"You write code.","include":["reasoning.encrypted_content"],
 "parallel_tool_calls":false,"prompt_cache_key":"thread-1","max_output_tokens":500,
 "reasoning":{"effort":"xhigh","summary":"auto"},"tool_choice":{"type":"function","name":"shell"},
 "text":{"verbosity":"low","format":{"type":"json_schema","name":"plan","strict":true,"schema":{"type":"object"}}},
 "tools":[{"type":"function","name":"shell","description":"Runs","strict":false,"parameters":{"type": "object"}},
          {"type":"custom","name":"patch","description":"Edits","format":{"type":"grammar","syntax":"lark","definition":"start: /x/"}},
          {"type":"local_shell"}],
 "input":[
  {"type":"message","role":"developer","content":[{"type":"input_text","text":"Rules."}]},
  {"role":"user","content":[{"type":"input_text","text":"Look"},
    {"type":"input_image","detail":"high","image_url":"data:image/png;base64,AAAA"}]},
  {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"gAAA\u0041=="},
  {"type":"function_call","id":"fc_1","call_id":"call_1","name":"shell","arguments":"{\"cmd\": [\"ls\"]}"},
  {"type":"custom_tool_call","call_id":"call_2","name":"patch","input":"*** \"a\""},
  {"type":"function_call_output","call_id":"call_1","output":"a.txt"},
  {"type":"custom_tool_call_output","call_id":"call_2","output":[{"type":"input_text","text":"ok"}]},
  {"type":"message","role":"assistant","id":"msg_1","status":"completed","phase":"commentary",
   "content":[{"type":"output_text","text":"Done","annotations":[]}]},
  {"type":"compaction","encrypted_content":"zz"},
  {"role":"user","content":"Thanks"}]}"#;

#[test]
fn routing_learns_what_an_agent_needs() {
    let survey = read(AGENT).unwrap();
    assert_eq!(survey.model.as_deref(), Some("acme/m1"));
    assert_eq!(survey.models, ["acme/m2"]);
    assert!(survey.stream && survey.needs.tools && survey.needs.tool_history);
    assert!(survey.needs.image && survey.needs.json_schema && !survey.needs.file);
    assert_eq!((survey.images, survey.media_bytes, survey.max_output), (1, 4, Some(500)));
    assert_eq!(survey.prompt_cache_key.as_deref(), Some("thread-1"));
    assert_eq!(survey.reasoning.unwrap().effort.unwrap().name(), "xhigh");
    for parameter in [
        Parameter::Tools,
        Parameter::ToolChoice,
        Parameter::MaxTokens,
        Parameter::Reasoning,
        Parameter::ResponseFormat,
        Parameter::Verbosity,
        Parameter::ParallelToolCalls,
    ] {
        assert!(survey.parameters.contains(parameter), "{parameter:?}");
    }
    assert!((300..1500).contains(&survey.prompt_bytes), "{}", survey.prompt_bytes);
    assert_eq!(read(r#"{"input":"12345678"}"#).unwrap().prompt_bytes, 20);
}

#[test]
fn reasoning_of_other_formats_survives_a_client_that_drops_what_only_routers_write() {
    let item = |id: &str, sealed: &str| {
        format!(
            r#"{{"type":"reasoning","id":"{id}","summary":[],"encrypted_content":"{sealed}",
                "content":[{{"type":"reasoning_text","text":"Hm."}}]}}"#
        )
    };
    let sealed = item("call_1", "signalbox.reasoning/google-gemini-v1/call_1/a/b==");
    let signed = item("rs_1", "signalbox.signature/anthropic-claude-v1/rs_1/c2ln");
    let (conversation, _) = converse(&format!(r#"{{"input":[{sealed},{signed}]}}"#));
    let parts: Vec<&PartBody> =
        conversation.messages[0].parts.iter().map(|part| &part.body).collect();
    let [
        PartBody::Reasoning(first),
        PartBody::RedactedReasoning(secret),
        PartBody::Reasoning(second),
    ] = parts[..]
    else {
        panic!("{parts:?}")
    };
    assert_eq!((first.format.as_deref(), &first.signature), (Some("google-gemini-v1"), &None));
    assert_eq!((secret.data.as_str(), secret.id.as_deref()), ("a/b==", Some("call_1")));
    assert_eq!(secret.format.as_deref(), Some("google-gemini-v1"));
    assert_eq!(second.format.as_deref(), Some("anthropic-claude-v1"));
    assert_eq!((second.signature.as_deref(), second.text.as_str()), (Some("c2ln"), "Hm."));
}

#[test]
fn a_turn_of_the_model_is_one_message_and_so_are_its_results() {
    let (conversation, _) = converse(AGENT);
    assert_eq!(conversation.system, [Part::text("You write code."), Part::text("Rules.")]);
    let roles: Vec<Role> = conversation.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User, Role::Assistant, Role::User]);
    let turn: Vec<&PartBody> =
        conversation.messages[1].parts.iter().map(|part| &part.body).collect();
    let [
        PartBody::Reasoning(thought),
        PartBody::RedactedReasoning(secret),
        PartBody::ToolCall { arguments, id, .. },
        PartBody::ToolCall { arguments: input, name, .. },
    ] = turn[..]
    else {
        panic!("{turn:?}")
    };
    assert_eq!((thought.form, thought.text.as_str()), (ReasoningForm::Summary, "Hm."));
    assert_eq!((secret.data.as_str(), secret.id.as_deref()), ("gAAAA==", Some("rs_1")));
    assert_eq!(secret.format.as_deref(), Some("openai-responses-v1"));
    assert_eq!((id.as_str(), arguments.as_str()), ("call_1", r#"{"cmd": ["ls"]}"#));
    assert_eq!((name.as_str(), input.as_str()), ("patch", r#"{"input":"*** \"a\""}"#));
    assert_eq!(conversation.messages[2].parts.len(), 2);
}

#[test]
fn reasoning_without_seal_and_format_is_nobodys() {
    let formats = |members: &str| {
        let item = format!(
            r#"{{"type":"reasoning","id":"rs_1","summary":[],"content":[{{"type":"reasoning_text","text":"a"}}]{members}}}"#
        );
        let (conversation, _) = converse(&format!(r#"{{"model":"a/b","input":[{item}]}}"#));
        let format = |part: &Part| match &part.body {
            PartBody::Reasoning(one) => one.format.clone(),
            PartBody::RedactedReasoning(one) => one.format.clone(),
            other => panic!("{other:?}"),
        };
        conversation.messages[0].parts.iter().map(format).collect::<Vec<_>>()
    };
    let own = || Some("openai-responses-v1".to_owned());
    assert_eq!(formats(""), [None]);
    assert_eq!(formats(r#","signature":"s""#), [own()]);
    assert_eq!(formats(r#","encrypted_content":"e""#), [own(), own()]);
    assert_eq!(formats(r#","format":"xai-responses-v1""#), [Some("xai-responses-v1".to_owned())]);
}

#[test]
fn tools_and_format_take_the_hubs_shape() {
    let (conversation, losses) = converse(AGENT);
    assert_eq!(conversation.tools.len(), 2);
    let Tool::Function(shell) = &conversation.tools[0] else { panic!() };
    assert_eq!(shell.parameters.as_deref(), Some(r#"{"type": "object"}"#));
    let Tool::Function(patch) = &conversation.tools[1] else { panic!() };
    assert!(patch.description.as_deref().unwrap().ends_with("lark grammar:\nstart: /x/"));
    assert_eq!(conversation.tool_choice, Some(ToolChoice::Function("shell".into())));
    assert_eq!(conversation.parallel_tool_calls, Some(false));
    assert_eq!(
        conversation.response_format.as_deref(),
        Some(
            r#"{"type":"json_schema","json_schema":{"name":"plan","strict":true,"schema":{"type":"object"}}}"#
        )
    );
    assert_eq!(conversation.verbosity.as_deref(), Some("low"));
    let lost: Vec<(Lost, &str)> =
        losses.iter().map(|loss| (loss.what, loss.detail.as_str())).collect();
    assert_eq!(
        lost,
        [
            (Lost::Property, "phase"),
            (Lost::Content, "compaction"),
            (Lost::Property, "tool.format"),
            (Lost::Tool, "local_shell"),
            (Lost::Parameter, "reasoning.summary"),
        ]
    );
}

proptest! {
    #[test]
    fn any_document_is_refused_or_read(
        input in "(\"x\"|\\[(\\{(\"(type|role|content|call_id|output|summary)\":(\"(message|user|reasoning|function_call_output|x)\"|\\[\\{\"type\":\"input_text\",\"text\":\"t\"\\}\\]|null|1|\\{\\}),?){0,4}\\},?){0,3}\\])",
        rest in "(,\"(tools|text|include|reasoning|tool_choice|metadata)\":(\\[\\]|\\{\\}|\"auto\"|null|\\[\\{\"type\":\"custom\",\"name\":\"n\"\\}\\])){0,1}",
    ) {
        let body = format!("{{\"input\":{input}{rest}}}");
        if let Ok(document) = Document::parse(Bytes::from(body)) {
            let asked = Asked::of(&document);
            prop_assert_eq!(&asked, &Asked::of(&document));
            if let Ok(survey) = survey(&document) {
                let conversation = read_request(&document, &survey);
                prop_assert_eq!(conversation.stream, survey.stream);
            }
        }
    }
}

#[test]
fn what_the_hub_knows_of_a_request_survives_writing() {
    let (first, _) = converse(AGENT);
    let patches = Patches::default();
    let out = Outbound {
        provider_model_id: "m-1",
        stream: true,
        unsupported: ParameterSet::EMPTY,
        max_output: None,
        endpoint_max_output: None,
        service_tier: None,
        user: Some("0123"),
        patches: &patches,
        reasoning: ReasoningStyle::Effort,
        asking: Default::default(),
        caches_prompts: true,
        traits: Default::default(),
        template: Default::default(),
        betas: &[],
        forward_name: false,
        cache: Default::default(),
    };
    let written = write_request(&first, &out).unwrap();
    assert_eq!(written.losses, []);
    let body = std::str::from_utf8(&written.body).unwrap();
    let again = document(body);
    assert_eq!(again.get("model"), Some("\"m-1\""));
    assert_eq!(again.get("store"), Some("false"));
    assert_eq!(again.get("reasoning"), Some(r#"{"effort":"xhigh","summary":"auto"}"#));
    assert!(body.contains(r#""encrypted_content":"gAAAA==""#), "{body}");
    let (second, _) = converse(body);
    assert_eq!(second.messages, first.messages);
    assert_eq!(second.tool_choice, first.tool_choice);
    assert_eq!(second.response_format, first.response_format);
    assert_eq!(second.verbosity, first.verbosity);
    assert_eq!(second.max_output, first.max_output);
    assert_eq!(second.system, [Part::text("You write code.\n\nRules.")]);
}
