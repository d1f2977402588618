//! The members of `POST /responses` (inference spec 16.4, and OpenAI's reference).

use super::{ASKED, Allowed, EXCLUDED, Group, HASHED, ROUTER, WITH_ITS_PART, never_silent};
use signalbox_dialect::openai_responses::read_request::read_request;
use signalbox_dialect::openai_responses::survey::survey;

const PLAIN: &str = r#"{"model":"a/m","input":"Hi"}"#;
const TOOLS: &str = r#"{"model":"a/m","input":"Hi","tools":[{"type":"function","name":"f"}]}"#;
const CUSTOM: &str = r#"{"model":"a/m","input":"Hi","tools":[{"type":"custom","name":"c"}]}"#;
const PARTS: &str = r#"{"model":"a/m","input":[{"role":"user","content":[
    {"type":"input_text","text":"Hi"},
    {"type":"input_image","image_url":"https://a.test/i.png"},
    {"type":"input_file","file_data":"data:application/pdf;base64,JVBERi0="}]}]}"#;
const WORDS: &str =
    r#"{"model":"a/m","input":[{"role":"user","content":[{"type":"input_text","text":"Hi"}]}]}"#;
const TURN: &str = r#"{"model":"a/m","tools":[{"type":"function","name":"f"}],"input":[
    {"role":"user","content":"Hi"},
    {"type":"message","role":"assistant","content":[{"type":"output_text","text":"So"}]},
    {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
    {"type":"function_call_output","call_id":"c1","output":[{"type":"input_text","text":"7"}]}]}"#;

const GROUPS: &[Group] = &[
    Group {
        request: PLAIN,
        at: "",
        members: &[
            ("instructions", "\"Be brief.\""),
            ("max_output_tokens", "100"),
            ("max_tool_calls", "3"),
            ("temperature", "0.5"),
            ("top_p", "0.5"),
            ("top_k", "5"),
            ("min_p", "0.1"),
            ("top_a", "0.1"),
            ("frequency_penalty", "0.5"),
            ("presence_penalty", "0.5"),
            ("repetition_penalty", "1.5"),
            ("seed", "7"),
            ("logit_bias", "{\"5\":1}"),
            ("top_logprobs", "3"),
            ("text", r#"{"verbosity":"low"}"#),
            ("reasoning", r#"{"effort":"high"}"#),
            ("include", r#"["message.output_text.logprobs"]"#),
            ("truncation", "\"auto\""),
            ("modalities", r#"["text","image"]"#),
            ("image_config", r#"{"aspect_ratio":"1:1"}"#),
            ("context_management", r#"[{"type":"compaction"}]"#),
            ("service_tier", "\"flex\""),
            ("speed", "\"fast\""),
            ("cache_control", r#"{"type":"ephemeral"}"#),
            ("prompt_cache_key", "\"k\""),
            ("prompt_cache_options", r#"{"mode":"explicit"}"#),
            ("prompt_cache_retention", "\"24h\""),
            ("safety_identifier", "\"u\""),
            ("user", "\"u\""),
            ("metadata", r#"{"a":"b"}"#),
            ("models", "[\"a/b\"]"),
            ("provider", "{}"),
            ("plugins", "[]"),
            ("route", "\"fallback\""),
            ("preset", "\"p\""),
            ("session_id", "\"s\""),
            ("trace", "{}"),
            ("debug", "{}"),
            ("stop_server_tools_when", "[{}]"),
            ("x_search_filter", "{}"),
            ("store", "false"),
            ("background", "false"),
            ("stream_options", "{}"),
            ("tools", r#"[{"type":"function","name":"f"}]"#),
            ("stop", "[\"x\"]"),
            ("prediction", r#"{"type":"content","content":"x"}"#),
            ("other", "1"),
        ],
    },
    Group {
        request: r#"{"model":"a/m","input":"Hi","text":{"verbosity":"low"}}"#,
        at: "/text",
        members: &[
            ("format", r#"{"type":"json_schema","name":"n","schema":{"type":"object"}}"#),
            ("other", "1"),
        ],
    },
    Group {
        request: r#"{"model":"a/m","input":"Hi","reasoning":{"effort":"low"}}"#,
        at: "/reasoning",
        members: &[
            ("summary", "\"detailed\""),
            ("context", "\"all_turns\""),
            ("mode", "\"pro\""),
            ("exclude", "true"),
        ],
    },
    Group {
        request: TOOLS,
        at: "",
        members: &[("tool_choice", "\"required\""), ("parallel_tool_calls", "false")],
    },
    Group {
        request: TOOLS,
        at: "/tools",
        members: &[
            ("-", r#"{"type":"custom","name":"c"}"#),
            ("-", r#"{"type":"namespace","name":"n","tools":[]}"#),
            ("-", r#"{"type":"local_shell"}"#),
            ("-", r#"{"type":"mcp","server_label":"s"}"#),
        ],
    },
    Group {
        request: TOOLS,
        at: "/tools/0",
        members: &[
            ("description", "\"d\""),
            ("parameters", r#"{"type":"object","properties":{"a":{}}}"#),
            ("strict", "true"),
            ("defer_loading", "true"),
            ("other", "1"),
        ],
    },
    Group {
        request: CUSTOM,
        at: "/tools/0",
        members: &[
            ("description", "\"d\""),
            ("format", r#"{"type":"grammar","syntax":"lark","definition":"x"}"#),
            ("other", "1"),
        ],
    },
    Group {
        request: WORDS,
        at: "/input",
        members: &[
            ("-", r#"{"role":"developer","content":"Be brief."}"#),
            ("-", r#"{"role":"assistant","content":"So"}"#),
            (
                "-",
                r#"{"type":"reasoning","id":"r1","summary":[{"type":"summary_text","text":"t"}]}"#,
            ),
            ("-", r#"{"type":"web_search_call","id":"w1"}"#),
            ("-", r#"{"type":"compaction","encrypted_content":"x"}"#),
        ],
    },
    Group {
        request: WORDS,
        at: "/input/0/content",
        members: &[
            ("-", r#"{"type":"input_text","text":"x"}"#),
            ("-", r#"{"type":"input_image","image_url":"data:image/png;base64,AA=="}"#),
            ("-", r#"{"type":"input_image","file_id":"f1"}"#),
            ("-", r#"{"type":"input_file","file_id":"f1"}"#),
            ("-", r#"{"type":"input_file","file_url":"https://a.test/a.pdf"}"#),
            ("-", r#"{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}"#),
            ("-", r#"{"type":"input_video","video_url":"https://a.test/v.mp4"}"#),
        ],
    },
    Group {
        request: PARTS,
        at: "/input/0/content/0",
        members: &[("prompt_cache_breakpoint", "{}"), ("other", "1")],
    },
    Group {
        request: PARTS,
        at: "/input/0/content/1",
        members: &[("detail", "\"low\""), ("prompt_cache_breakpoint", "{}")],
    },
    Group {
        request: PARTS,
        at: "/input/0/content/2",
        members: &[
            ("filename", "\"a.pdf\""),
            ("detail", "\"low\""),
            ("file_url", "\"https://a.test/a.pdf\""),
        ],
    },
    Group { request: PARTS, at: "/input/0", members: &[("other", "1")] },
    Group {
        request: TURN,
        at: "/input/1",
        members: &[
            ("phase", "\"commentary\""),
            ("id", "\"m1\""),
            ("status", "\"completed\""),
            ("other", "1"),
        ],
    },
    Group {
        request: TURN,
        at: "/input/1/content/0",
        members: &[
            ("annotations", r#"[{"type":"url_citation","url":"https://a.test"}]"#),
            ("logprobs", "[{}]"),
        ],
    },
    Group {
        request: TURN,
        at: "/input/2",
        members: &[
            ("id", "\"fc1\""),
            ("status", "\"completed\""),
            ("namespace", "\"n\""),
            ("caller", "{\"type\":\"direct\"}"),
        ],
    },
    Group {
        request: TURN,
        at: "/input/3",
        members: &[("id", "\"fo1\""), ("status", "\"completed\""), ("other", "1")],
    },
    Group {
        request: TURN,
        at: "/input/3/output",
        members: &[
            ("-", r#"{"type":"input_text","text":"x"}"#),
            ("-", r#"{"type":"input_image","image_url":"data:image/png;base64,AA=="}"#),
        ],
    },
    Group { request: TURN, at: "/input/3/output/0", members: &[("prompt_cache_breakpoint", "{}")] },
];

const ALLOWED: &[Allowed] = &[
    ("/debug", &["*"], ROUTER),
    ("/metadata", &["*"], "it is for the account's own records, and must not leave the process"),
    ("/models", &["*"], ROUTER),
    ("/plugins", &["*"], ROUTER),
    ("/preset", &["*"], ROUTER),
    ("/provider", &["*"], ROUTER),
    ("/route", &["*"], ROUTER),
    ("/service_tier", &["*"], ASKED),
    ("/session_id", &["*"], ROUTER),
    ("/speed", &["*"], ASKED),
    ("/trace", &["*"], ROUTER),
    ("/user", &["*"], HASHED),
    ("/safety_identifier", &["*"], HASHED),
    ("/store", &["*"], "nothing is stored (inference spec 16.4)"),
    ("/background", &["*"], "nothing runs in the background (inference spec 16.4)"),
    ("/stream_options", &["*"], "it is about the stream to the client alone"),
    (
        "/reasoning/exclude",
        &["bedrock-converse", "cohere-v2", "openai-chat", "openai-completions"],
        EXCLUDED,
    ),
    ("/input/0/content/1/detail", &["openai-completions"], WITH_ITS_PART),
    ("/input/0/content/2/filename", &["cohere-v2", "openai-completions"], WITH_ITS_PART),
    ("/input/1/id", &["*"], REPEATED),
    ("/input/1/status", &["*"], REPEATED),
    ("/input/2/id", &["*"], REPEATED),
    ("/input/2/status", &["*"], REPEATED),
    ("/input/3/id", &["*"], REPEATED),
    ("/input/3/status", &["*"], REPEATED),
];

const REPEATED: &str = "what was answered, repeated: it means nothing to a model";

#[test]
fn nothing_of_a_responses_request_is_dropped_silently() {
    never_silent(
        |document| {
            let survey = survey(document).map_err(|error| error.to_string())?;
            Ok(read_request(document, &survey))
        },
        GROUPS,
        ALLOWED,
    );
}
