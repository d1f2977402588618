//! The members of `POST /chat/completions` (inference spec 1.2 and 1.3, and OpenAI's reference).

use super::{ASKED, Allowed, EXCLUDED, Group, HASHED, ROUTER, STRICT, WITH_ITS_PART, never_silent};
use signalbox_dialect::openai_chat::read_request::read_request;
use signalbox_dialect::openai_chat::survey::survey;

const PLAIN: &str = r#"{"model":"a/m","messages":[{"role":"user","content":"Hi"}]}"#;
const TOOLS: &str = r#"{"model":"a/m","messages":[{"role":"user","content":"Hi"}],
    "tools":[{"type":"function","function":{"name":"f"}}]}"#;
const PARTS: &str = r#"{"model":"a/m","messages":[{"role":"user","content":[
    {"type":"text","text":"Hi"},
    {"type":"image_url","image_url":{"url":"https://a.test/i.png"}},
    {"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0="}}]}]}"#;
const WORDS: &str =
    r#"{"model":"a/m","messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}"#;
const TURN: &str = r#"{"model":"a/m","messages":[{"role":"user","content":"Hi"},
    {"role":"assistant","content":"Yes."},{"role":"user","content":"And?"}]}"#;
const RESULT: &str = r#"{"model":"a/m","tools":[{"type":"function","function":{"name":"f"}}],
    "messages":[{"role":"user","content":"Hi"},
    {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"7"}]}]}"#;

const GROUPS: &[Group] = &[
    Group {
        request: PLAIN,
        at: "",
        members: &[
            ("max_tokens", "100"),
            ("max_completion_tokens", "100"),
            ("temperature", "0.5"),
            ("top_p", "0.5"),
            ("top_k", "5"),
            ("frequency_penalty", "0.5"),
            ("presence_penalty", "0.5"),
            ("repetition_penalty", "1.5"),
            ("min_p", "0.1"),
            ("top_a", "0.1"),
            ("seed", "7"),
            ("stop", "[\"x\"]"),
            ("logit_bias", "{\"5\":1}"),
            ("logprobs", "true"),
            ("n", "2"),
            ("response_format", r#"{"type":"json_object"}"#),
            ("structured_outputs", "true"),
            ("tools", r#"[{"type":"function","function":{"name":"f"}}]"#),
            ("functions", r#"[{"name":"f"}]"#),
            ("function_call", "\"auto\""),
            ("max_tool_calls", "3"),
            ("stop_server_tools_when", "[{}]"),
            ("reasoning", r#"{"effort":"high"}"#),
            ("reasoning_effort", "\"high\""),
            ("include_reasoning", "true"),
            ("verbosity", "\"low\""),
            ("web_search_options", "{}"),
            ("x_search_filter", "{}"),
            ("prediction", r#"{"type":"content","content":"x"}"#),
            ("modalities", r#"["text","audio"]"#),
            ("audio", r#"{"voice":"a","format":"wav"}"#),
            ("image_config", r#"{"aspect_ratio":"1:1"}"#),
            ("plugins", "[]"),
            ("provider", "{}"),
            ("route", "\"fallback\""),
            ("models", "[\"a/b\"]"),
            ("preset", "\"p\""),
            ("service_tier", "\"flex\""),
            ("speed", "\"fast\""),
            ("cache_control", r#"{"type":"ephemeral"}"#),
            ("prompt_cache_key", "\"k\""),
            ("prompt_cache_options", r#"{"mode":"explicit"}"#),
            ("prompt_cache_retention", "\"24h\""),
            ("session_id", "\"s\""),
            ("user", "\"u\""),
            ("safety_identifier", "\"u\""),
            ("metadata", r#"{"a":"b"}"#),
            ("trace", "{}"),
            ("debug", r#"{"echo_upstream_body":true}"#),
            ("transforms", "[]"),
            ("usage", r#"{"include":true}"#),
            ("stream_options", r#"{"include_usage":true}"#),
            ("store", "true"),
            ("moderation", "{}"),
            ("safe_prompt", "true"),
        ],
    },
    Group {
        request: r#"{"model":"a/m","messages":[{"role":"user","content":"Hi"}],"logprobs":true}"#,
        at: "",
        members: &[("top_logprobs", "3")],
    },
    Group {
        request: r#"{"model":"a/m","messages":[{"role":"user","content":"Hi"}],"reasoning":{"effort":"low"}}"#,
        at: "/reasoning",
        members: &[
            ("summary", "\"detailed\""),
            ("context", "\"all_turns\""),
            ("mode", "\"pro\""),
            ("exclude", "true"),
        ],
    },
    Group {
        request: r#"{"model":"a/m","messages":[{"role":"user","content":"Hi"}],
            "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}}"#,
        at: "/response_format/json_schema",
        members: &[("strict", "true"), ("description", "\"d\"")],
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
            ("-", r#"{"type":"custom","custom":{"name":"c"}}"#),
            ("-", r#"{"type":"other"}"#),
        ],
    },
    Group {
        request: TOOLS,
        at: "/tools/0",
        members: &[
            ("cache_control", r#"{"type":"ephemeral"}"#),
            ("defer_loading", "true"),
            ("prompt_cache_breakpoint", "{}"),
        ],
    },
    Group {
        request: TOOLS,
        at: "/tools/0/function",
        members: &[
            ("description", "\"d\""),
            ("parameters", r#"{"type":"object","properties":{"a":{}}}"#),
            ("strict", "true"),
            ("other", "true"),
        ],
    },
    Group {
        request: PLAIN,
        at: "/messages",
        members: &[
            ("-", r#"{"role":"system","content":"Be brief."}"#),
            ("-", r#"{"role":"developer","content":"Be brief."}"#),
            ("-", r#"{"role":"assistant","content":"So"}"#),
        ],
    },
    Group { request: PLAIN, at: "/messages/0", members: &[("name", "\"bo\""), ("other", "1")] },
    Group {
        request: WORDS,
        at: "/messages/0/content",
        members: &[
            ("-", r#"{"type":"text","text":"x"}"#),
            ("-", r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}"#),
            ("-", r#"{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}"#),
            ("-", r#"{"type":"video_url","video_url":{"url":"https://a.test/v.mp4"}}"#),
            ("-", r#"{"type":"file","file":{"file_id":"f1"}}"#),
            ("-", r#"{"type":"refusal","refusal":"no"}"#),
            ("-", r#"{"type":"other"}"#),
        ],
    },
    Group {
        request: PARTS,
        at: "/messages/0/content/0",
        members: &[
            ("cache_control", r#"{"type":"ephemeral"}"#),
            ("prompt_cache_breakpoint", "{}"),
            ("other", "1"),
        ],
    },
    Group {
        request: PARTS,
        at: "/messages/0/content/1",
        members: &[("cache_control", r#"{"type":"ephemeral"}"#), ("other", "1")],
    },
    Group {
        request: PARTS,
        at: "/messages/0/content/1/image_url",
        members: &[("detail", "\"low\""), ("other", "1")],
    },
    Group {
        request: PARTS,
        at: "/messages/0/content/2",
        members: &[("cache_control", r#"{"type":"ephemeral"}"#), ("other", "1")],
    },
    Group {
        request: PARTS,
        at: "/messages/0/content/2/file",
        members: &[("filename", "\"a.pdf\""), ("file_id", "\"f1\""), ("other", "1")],
    },
    Group {
        request: TURN,
        at: "/messages/1",
        members: &[
            ("name", "\"bo\""),
            ("refusal", "\"no\""),
            ("reasoning", "\"because\""),
            ("reasoning_content", "\"because\""),
            ("reasoning_details", r#"[{"type":"reasoning.text","text":"t"}]"#),
            (
                "images",
                r#"[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]"#,
            ),
            ("audio", r#"{"id":"a1"}"#),
            ("annotations", r#"[{"type":"url_citation","url_citation":{"url":"https://a.test"}}]"#),
            ("function_call", r#"{"name":"f","arguments":"{}"}"#),
            ("tool_calls", r#"[{"id":"c1","type":"custom","custom":{"name":"f","input":"x"}}]"#),
            ("model", "\"a/m\""),
            ("other", "1"),
        ],
    },
    Group {
        request: RESULT,
        at: "/messages/1/tool_calls/0",
        members: &[("cache_control", r#"{"type":"ephemeral"}"#), ("extra_content", "{\"a\":1}")],
    },
    Group { request: RESULT, at: "/messages/2", members: &[("name", "\"f\""), ("other", "1")] },
    Group {
        request: RESULT,
        at: "/messages/2/content",
        members: &[
            ("-", r#"{"type":"text","text":"x"}"#),
            ("-", r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}"#),
            ("-", r#"{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0="}}"#),
        ],
    },
    Group {
        request: RESULT,
        at: "/messages/2/content/0",
        members: &[("cache_control", r#"{"type":"ephemeral"}"#)],
    },
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
    ("/stream_options", &["*"], "usage is always asked for and always told"),
    ("/usage", &["*"], "usage is always asked for and always told"),
    ("/transforms", &["*"], "a plugin has taken its place (inference spec 1.2)"),
    (
        "/include_reasoning",
        &["anthropic-messages", "bedrock-converse", "cohere-v2", "gemini", "openai-chat"],
        "reasoning that there is is shown anyway",
    ),
    (
        "/reasoning/exclude",
        &["bedrock-converse", "cohere-v2", "openai-chat", "openai-completions"],
        EXCLUDED,
    ),
    (
        "/response_format/json_schema/strict",
        &["anthropic-messages", "bedrock-converse", "cohere-v2", "gemini"],
        STRICT,
    ),
    ("/messages/0/content/1/image_url/detail", &["openai-completions"], WITH_ITS_PART),
    ("/messages/0/content/2/file/filename", &["cohere-v2", "openai-completions"], WITH_ITS_PART),
    ("/messages/1/model", &["*"], ROUTER),
];

#[test]
fn nothing_of_a_chat_request_is_dropped_silently() {
    never_silent(
        |document| {
            let survey = survey(document).map_err(|error| error.to_string())?;
            read_request(document, &survey).map_err(|error| error.to_string())
        },
        GROUPS,
        ALLOWED,
    );
}
