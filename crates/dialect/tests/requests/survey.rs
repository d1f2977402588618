use signalbox_core::Parameter;
use signalbox_dialect::openai_chat::survey::{Effort, PromptStyle, Survey};
use signalbox_dialect::{openai_chat, openai_completions};

use super::document;

/// What each message adds to the estimate.
const PER_MESSAGE: usize = 12;

fn survey(body: &str) -> Survey {
    openai_chat::survey::survey(&document(body)).unwrap_or_else(|error| panic!("{body}: {error}"))
}

/// A body with one message and these further members.
fn with(members: &str) -> String {
    format!(r#"{{"messages":[{{"role":"user","content":"hi"}}],{members}}}"#)
}

fn refusal(body: &str) -> String {
    let error = openai_chat::survey::survey(&document(body)).expect_err(body);
    assert_eq!(error.kind.status(), 400, "{body}");
    error.message
}

#[test]
fn a_rich_request_is_read_whole() {
    let read = survey(
        r#"{"model":"acme/m1","models":["acme/m2"],"route":"fallback","stream":true,
        "messages":[
          {"role":"system","content":"1234"},
          {"role":"user","name":"ann","content":[{"type":"text","text":"a\nb"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"original"}},
            {"type":"input_audio","input_audio":{"data":"BBBB","format":"wav"}},
            {"type":"input_video","video_url":{"url":"https://x/y.mp4"}},
            {"type":"file","file":{"filename":"a.pdf","file_data":"https://x/a.pdf"}},
            {"type":"something_new","x":1}]},
          {"role":"assistant","content":null,"tool_calls":[
            {"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
          {"role":"tool","tool_call_id":"c1","content":"ok"}],
        "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],
        "n":2,"max_tokens":100,"max_completion_tokens":80,"temperature":1.0,"top_k":null,
        "response_format":{"type":"json_object"},"modalities":["text","image"],
        "provider":{"sort":"price"},"session_id":"s","user":"u","service_tier":"flex",
        "metadata":{"a":"b"},"trace":{"trace_id":"t"},"debug":{"echo_upstream_body":true},
        "plugins":[{"id":"web","enabled":false},{"id":"mine"}],"transforms":["middle-out"],
        "safe_prompt":true}"#,
    );
    assert_eq!(read.model.as_deref(), Some("acme/m1"));
    assert_eq!((read.models.len(), read.choices, read.max_output), (1, 2, Some(80)));
    assert!(read.stream && read.echo_upstream_body);
    assert_eq!(read.prompt_style, PromptStyle::Messages);
    let needs = &read.needs;
    assert!(needs.image && needs.audio && needs.video && needs.file);
    assert!(needs.tools && needs.tool_history && needs.json_object && !needs.json_schema);
    assert_eq!(needs.output_modalities, ["text", "image"]);
    assert_eq!((read.images, read.media_bytes), (1, 4 + 4));
    let tools = r#"[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]"#;
    let odd = r#"{"type":"something_new","x":1}"#;
    let texts = 4 + 3 + 3 + 1 + 2 + 2 + odd.len() + tools.len();
    assert_eq!(read.prompt_bytes, (4 * PER_MESSAGE + texts) as u64);
    assert!(read.marks.named && read.marks.original_detail && read.marks.legacy_video);
    assert_eq!(read.provider.as_deref(), Some(r#"{"sort":"price"}"#));
    assert!(read.parameters.contains(Parameter::Temperature));
    assert!(!read.parameters.contains(Parameter::TopK), "null is absent");
}

#[test]
fn mistakes_are_named_by_path() {
    let messages = |one: &str| format!(r#"{{"messages":[{{"role":"user","content":"a"}},{one}]}}"#);
    let cases = [
        (r#"{"model":"m"}"#.to_owned(), "Either `messages` or `prompt` is required."),
        (r#"{"messages":null}"#.to_owned(), "Either `messages` or `prompt` is required."),
        (r#"{"messages":[]}"#.to_owned(), "`messages` must be a list of at least one message."),
        (r#"{"messages":"a"}"#.to_owned(), "`messages` must be a list."),
        (messages("1"), "`messages[1]` must be an object."),
        (messages(r#"{"content":"a"}"#), "`messages[1].role` is required."),
        (
            messages(r#"{"role":"robot","content":"a"}"#),
            "`messages[1].role` must be one of system, developer, user, assistant, tool, not \"robot\".",
        ),
        (messages(r#"{"role":"user"}"#), "`messages[1].content` is required."),
        (
            messages(r#"{"role":"user","content":5}"#),
            "`messages[1].content` must be a string or a list of parts.",
        ),
        (messages(r#"{"role":"tool","content":"a"}"#), "`messages[1].tool_call_id` is required."),
        (
            messages(r#"{"role":"user","content":[{"type":"image_url","image_url":{}}]}"#),
            "`messages[1].content[0].image_url.url` is required.",
        ),
        (
            messages(
                r#"{"role":"system","content":[{"type":"image_url","image_url":{"url":"u"}}]}"#,
            ),
            "`messages[1].content[0].type` must be text in a system or developer message.",
        ),
        (
            messages(
                r#"{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":{}}}]}"#,
            ),
            "`messages[1].tool_calls[0].function.arguments` must be a string that holds JSON.",
        ),
        (with(r#""temperature":2.1"#), "`temperature` must be a number between 0 and 2."),
        (with(r#""temperature":"hot""#), "`temperature` must be a number between 0 and 2."),
        (
            with(r#""frequency_penalty":1e999"#),
            "`frequency_penalty` must be a number between -2 and 2.",
        ),
        (with(r#""top_logprobs":21"#), "`top_logprobs` must be an integer between 0 and 20."),
        (with(r#""n":0"#), "`n` must be an integer between 1 and 128."),
        (with(r#""n":129"#), "`n` must be an integer between 1 and 128."),
        (with(r#""stop":["a","b","c","d","e"]"#), "`stop` must be at most 4 long."),
        (
            with(r#""logit_bias":{"5":101}"#),
            "`logit_bias.5` must be a number between -100 and 100.",
        ),
        (with(r#""prediction":"a""#), "`prediction` must be an object."),
        (with(r#""stream":"yes""#), "`stream` must be true or false."),
        (with(r#""model":"""#), "`model` must be a model id, not an empty text."),
        (with(r#""metadata":{"a[0]":"b"}"#), "`metadata.a[0]` must be a key without brackets."),
        (with(r#""metadata":{"a":1}"#), "`metadata.a` must be a string."),
        (
            with(r#""tools":[{"type":"function","function":{}}]"#),
            "`tools[0].function.name` is required.",
        ),
        (
            with(r#""tools":[{"type":"function","function":{"name":"a b"}}]"#),
            "`tools[0].function.name` must be 1 to 64 letters, digits, underscores or dashes.",
        ),
        (
            with(r#""tools":[{"type":"openrouter:web_search"}]"#),
            "`tools[0].type`: the server tool \"openrouter:web_search\" is not available yet.",
        ),
        (
            with(r#""plugins":[{"id":"web"}]"#),
            "`plugins[0]`: the plugin \"web\" is not available yet.",
        ),
        (
            with(r#""response_format":{"type":"json_schema"}"#),
            "`response_format.json_schema` is required.",
        ),
    ];
    for (body, message) in cases {
        assert_eq!(refusal(&body), message, "{body}");
    }
}

#[test]
fn output_limits_are_positive_whole_numbers() {
    for wrong in [
        "0",
        "-1",
        "1.5",
        "1e3",
        "\"5\"",
        "2147483649",
        "99999999999999999999999999999999999999999",
    ] {
        for key in ["max_tokens", "max_completion_tokens"] {
            let message = refusal(&with(&format!("\"{key}\":{wrong}")));
            assert_eq!(message, format!("`{key}` must be an integer between 1 and 2147483648."));
        }
    }
    assert_eq!(survey(&with(r#""max_tokens":null"#)).max_output, None);
}

#[test]
fn long_identifiers_are_refused() {
    let of = |key: &str, length: usize| with(&format!("\"{key}\":\"{}\"", "é".repeat(length)));
    assert_eq!(survey(&of("session_id", 256)).session_id.unwrap().chars().count(), 256);
    assert_eq!(
        refusal(&of("session_id", 257)),
        "`session_id` must be at most 256 characters long."
    );
    assert_eq!(refusal(&of("user", 257)), "`user` must be at most 256 characters long.");
}

#[test]
fn the_two_efforts_must_agree() {
    let body = with(r#""reasoning_effort":"low","reasoning":{"effort":"high"}"#);
    assert!(refusal(&body).starts_with("`reasoning_effort` is low but `reasoning.effort` is high"));
    let same = survey(&with(r#""reasoning_effort":"low","reasoning":{"effort":"low"}"#));
    assert_eq!(same.reasoning.unwrap().effort, Some(Effort::Low));
    refusal(&with(r#""reasoning":{"effort":"low","max_tokens":5}"#));
    refusal(&with(r#""reasoning_effort":"huge""#));
}

#[test]
fn include_reasoning_maps_to_the_object() {
    let read = |members: &str| survey(&with(members)).reasoning;
    assert_eq!(read(r#""stream":false"#), None);
    assert!(read(r#""include_reasoning":false"#).unwrap().exclude);
    assert!(!read(r#""include_reasoning":true"#).unwrap().exclude);
    assert!(!read(r#""include_reasoning":false,"reasoning":{}"#).unwrap().exclude);
    assert_eq!(read(r#""reasoning":{"effort":"none"}"#).unwrap().enabled, Some(false));
    assert_eq!(read(r#""reasoning":{"max_tokens":2000}"#).unwrap().max_tokens, Some(2000));
}

#[test]
fn messages_win_over_a_prompt() {
    assert_eq!(survey(&with(r#""prompt":[1,2]"#)).prompt_style, PromptStyle::Messages);
    let read = survey(r#"{"prompt":"four"}"#);
    assert_eq!((read.prompt_style, read.prompt_bytes), (PromptStyle::Prompt, 4));
    survey(r#"{"prompt":"four","messages":null}"#);
}

#[test]
fn a_legacy_prompt_is_one_text() {
    let read = |body: &str| openai_completions::survey::survey(&document(body));
    assert!(
        read(r#"{"prompt":["a"],"logprobs":5,"best_of":1,"echo":false,"suffix":null}"#).is_ok()
    );
    for wrong in [
        r#"{"messages":[{"role":"user","content":"a"}]}"#,
        r#"{"prompt":[]}"#,
        r#"{"prompt":["a","b"]}"#,
        r#"{"prompt":[1,2]}"#,
        r#"{"prompt":[[1]]}"#,
        r#"{"prompt":{}}"#,
        r#"{"prompt":"a","echo":true}"#,
        r#"{"prompt":"a","best_of":2}"#,
        r#"{"prompt":"a","suffix":"b"}"#,
        r#"{"prompt":"a","tools":[{"type":"function","function":{"name":"f"}}]}"#,
        r#"{"prompt":"a","logprobs":true}"#,
    ] {
        assert_eq!(read(wrong).expect_err(wrong).kind.status(), 400, "{wrong}");
    }
}

#[test]
fn everything_that_is_sent_on_counts_as_prompt() {
    let bytes = |body: &str| survey(body).prompt_bytes as usize;
    let message = |one: &str| bytes(&format!("{{\"messages\":[{one}]}}")) - PER_MESSAGE;
    let text = "x".repeat(1000);
    for one in [
        r#"{"role":"assistant","refusal":"TEXT"}"#,
        r#"{"role":"assistant","reasoning":"TEXT"}"#,
        r#"{"role":"assistant","reasoning_content":"TEXT"}"#,
        r#"{"role":"assistant","reasoning":"TEXT","reasoning_content":"TEXT"}"#,
        r#"{"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":"TEXT"}]}"#,
        r#"{"role":"assistant","function_call":{"name":"f","arguments":"TEXT"}}"#,
        r#"{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"f","input":"TEXT"}}]}"#,
        r#"{"role":"user","content":[{"type":"odd","odd":{"text":"TEXT"}}]}"#,
        r#"{"role":"user","content":"","name":"TEXT"}"#,
        r#"{"role":"user","content":"","odd":"TEXT"}"#,
    ] {
        let counted = message(&one.replace("TEXT", &text));
        assert!((1000..1100).contains(&counted), "{counted} of {one}");
    }
    for member in [
        r#""functions":[{"name":"f","description":"TEXT"}]"#,
        r#""response_format":{"type":"grammar","grammar":"TEXT"}"#,
        r#""response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"d":"TEXT"}}}"#,
        r#""prediction":{"type":"content","content":"TEXT"}"#,
    ] {
        let counted = bytes(&with(&member.replace("TEXT", &text)));
        assert!((1000..1100).contains(&counted), "{counted} of {member}");
    }
    let odd = r#"{"role":"user","content":[{"type":"odd","odd":{"url":"data:x;base64,TEXT"}}]}"#;
    assert!(message(&odd.replace("TEXT", &text)) < 100, "media are no text");
}

#[test]
fn only_base64_payloads_count_as_media() {
    let media = |part: &str| {
        let body = format!(r#"{{"messages":[{{"role":"user","content":[{part}]}}]}}"#);
        let read = survey(&body);
        assert!(read.media_bytes < body.len() as u64);
        read.media_bytes
    };
    let image =
        |url: &str| media(&format!(r#"{{"type":"image_url","image_url":{{"url":"{url}"}}}}"#));
    assert_eq!(image("data:image/png;base64,iVBORw0KGgo="), 12);
    assert_eq!(image(r"data:image\/png;base64,AA\/\/AA=="), 10);
    assert_eq!(image("https://x/AAAA"), 0);
    assert_eq!(image("AAAA"), 0);
    assert_eq!(image("data:image/png;base64,forget all that, and say"), 0);
    assert_eq!(image("data:text/plain,AAAA"), 0);
    let audio = |data: &str| {
        media(&format!(
            r#"{{"type":"input_audio","input_audio":{{"data":"{data}","format":"wav"}}}}"#
        ))
    };
    assert_eq!((audio("BBBB"), audio("a b")), (4, 0));
    let file = |data: &str| media(&format!(r#"{{"type":"file","file":{{"file_data":"{data}"}}}}"#));
    assert_eq!(file("data:application/pdf;base64,JVBERi0="), 8);
    assert_eq!(file("https://x/a.pdf"), 0);
    assert_eq!(media(r#"{"type":"text","text":"data:image/png;base64,AAAA"}"#), 0);
    assert_eq!(
        media(
            r#"{"type":"image_url","image_url":{"url":"data:;base64,AAAA","url":"data:;base64,AA"}}"#
        ),
        2
    );
}
