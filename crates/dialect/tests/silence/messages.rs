//! The members of `POST /messages` (inference spec 16.5, and Anthropic's reference).

use super::{ASKED, Allowed, Group, HASHED, ROUTER, WITH_ITS_PART, never_silent};
use signalbox_dialect::anthropic_messages::read_request::read_request;
use signalbox_dialect::anthropic_messages::survey::survey;

const PLAIN: &str =
    r#"{"model":"a/m","max_tokens":9000,"messages":[{"role":"user","content":"Hi"}]}"#;
const TOOLS: &str = r#"{"model":"a/m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],
    "tools":[{"name":"f","input_schema":{"type":"object"}}]}"#;
const PARTS: &str = r#"{"model":"a/m","max_tokens":9,"messages":[{"role":"user","content":[
    {"type":"text","text":"Hi"},
    {"type":"image","source":{"type":"url","url":"https://a.test/i.png"}},
    {"type":"document","source":{"type":"text","media_type":"text/plain","data":"x"}},
    {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}]}]}"#;
const WORDS: &str = r#"{"model":"a/m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}"#;
const CHOICE: &str = r#"{"model":"a/m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],
    "tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"auto"}}"#;
const TURN: &str = r#"{"model":"a/m","max_tokens":9,"tools":[{"name":"f","input_schema":{"type":"object"}}],
    "messages":[{"role":"user","content":"Hi"},
    {"role":"assistant","content":[{"type":"text","text":"So"},{"type":"tool_use","id":"c1","name":"f","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":[{"type":"text","text":"7"}]}]}]}"#;

const GROUPS: &[Group] = &[
    Group {
        request: PLAIN,
        at: "",
        members: &[
            ("system", "\"Be brief.\""),
            ("temperature", "0.5"),
            ("top_p", "0.5"),
            ("top_k", "5"),
            ("stop_sequences", "[\"x\"]"),
            ("stream", "true"),
            ("tools", r#"[{"name":"f","input_schema":{"type":"object"}}]"#),
            ("thinking", r#"{"type":"enabled","budget_tokens":2000}"#),
            ("output_config", r#"{"effort":"low"}"#),
            ("output_format", r#"{"type":"json_schema","schema":{}}"#),
            ("context_management", r#"{"edits":[]}"#),
            ("mcp_servers", r#"[{"type":"url","url":"https://a.test","name":"n"}]"#),
            ("container", "\"c\""),
            ("inference_geo", "\"us\""),
            ("metadata", r#"{"user_id":"u"}"#),
            ("cache_control", r#"{"type":"ephemeral"}"#),
            ("service_tier", "\"auto\""),
            ("speed", "\"fast\""),
            ("models", "[\"a/b\"]"),
            ("fallbacks", "[{\"model\":\"a/b\"}]"),
            ("provider", "{}"),
            ("plugins", "[]"),
            ("route", "\"fallback\""),
            ("preset", "\"p\""),
            ("session_id", "\"s\""),
            ("user", "\"u\""),
            ("trace", "{}"),
            ("debug", "{}"),
            ("stop_server_tools_when", "[{}]"),
            ("other", "1"),
        ],
    },
    Group {
        request: r#"{"model":"a/m","max_tokens":9000,"messages":[{"role":"user","content":"Hi"}],
            "thinking":{"type":"adaptive"}}"#,
        at: "/thinking",
        members: &[("display", "\"omitted\"")],
    },
    Group {
        request: r#"{"model":"a/m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"output_config":{"effort":"low"}}"#,
        at: "/output_config",
        members: &[
            ("format", r#"{"type":"json_schema","schema":{"type":"object"}}"#),
            ("task_budget", r#"{"type":"tokens","total":20000}"#),
            ("other", "1"),
        ],
    },
    Group {
        request: r#"{"model":"a/m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],
            "system":[{"type":"text","text":"Be brief."}]}"#,
        at: "/system/0",
        members: &[("cache_control", r#"{"type":"ephemeral"}"#), ("citations", "[{}]")],
    },
    Group { request: TOOLS, at: "", members: &[("tool_choice", r#"{"type":"any"}"#)] },
    Group {
        request: CHOICE,
        at: "/tool_choice",
        members: &[("disable_parallel_tool_use", "true")],
    },
    Group {
        request: TOOLS,
        at: "/tools",
        members: &[("-", r#"{"type":"bash_20250124","name":"bash"}"#)],
    },
    Group {
        request: TOOLS,
        at: "/tools/0",
        members: &[
            ("description", "\"d\""),
            ("cache_control", r#"{"type":"ephemeral"}"#),
            ("strict", "true"),
            ("defer_loading", "true"),
            ("input_examples", "[{}]"),
            ("allowed_callers", "[\"direct\"]"),
            ("eager_input_streaming", "true"),
        ],
    },
    Group {
        request: PLAIN,
        at: "/messages",
        members: &[
            ("-", r#"{"role":"system","content":"Be brief."}"#),
            ("-", r#"{"role":"assistant","content":"So"}"#),
        ],
    },
    Group { request: PLAIN, at: "/messages/0", members: &[("other", "1")] },
    Group {
        request: WORDS,
        at: "/messages/0/content",
        members: &[
            ("-", r#"{"type":"text","text":"x"}"#),
            (
                "-",
                r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}"#,
            ),
            ("-", r#"{"type":"image","source":{"type":"file","file_id":"f1"}}"#),
            ("-", r#"{"type":"document","source":{"type":"url","url":"https://a.test/a.pdf"}}"#),
            ("-", r#"{"type":"document","source":{"type":"file","file_id":"f1"}}"#),
            (
                "-",
                r#"{"type":"document","source":{"type":"content","content":[{"type":"text","text":"y"}]}}"#,
            ),
            (
                "-",
                r#"{"type":"search_result","source":"https://a.test","title":"t","content":[{"type":"text","text":"y"}]}"#,
            ),
            ("-", r#"{"type":"container_upload","file_id":"f1"}"#),
            ("-", r#"{"type":"other"}"#),
            ("-", r#"{"type":"openrouter_shell_tool_result","tool_use_id":"x"}"#),
        ],
    },
    Group {
        request: PARTS,
        at: "/messages/0/content/0",
        members: &[
            ("cache_control", r#"{"type":"ephemeral"}"#),
            ("citations", "[{}]"),
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
        at: "/messages/0/content/2",
        members: &[
            ("title", "\"t\""),
            ("context", "\"c\""),
            ("citations", r#"{"enabled":true}"#),
            ("cache_control", r#"{"type":"ephemeral"}"#),
        ],
    },
    Group {
        request: PARTS,
        at: "/messages/0/content/3",
        members: &[
            ("title", "\"t\""),
            ("context", "\"c\""),
            ("citations", r#"{"enabled":true}"#),
            ("cache_control", r#"{"type":"ephemeral"}"#),
        ],
    },
    Group {
        request: TURN,
        at: "/messages/1/content",
        members: &[
            ("-", r#"{"type":"thinking","thinking":"t","signature":"s"}"#),
            ("-", r#"{"type":"redacted_thinking","data":"d"}"#),
            ("-", r#"{"type":"server_tool_use","id":"s1","name":"web_search","input":{}}"#),
            ("-", r#"{"type":"compaction","content":"c"}"#),
        ],
    },
    Group {
        request: TURN,
        at: "/messages/1/content/0",
        members: &[("citations", r#"[{"type":"char_location"}]"#)],
    },
    Group {
        request: TURN,
        at: "/messages/1/content/1",
        members: &[
            ("cache_control", r#"{"type":"ephemeral"}"#),
            ("caller", r#"{"type":"direct"}"#),
        ],
    },
    Group {
        request: TURN,
        at: "/messages/2/content/0",
        members: &[
            ("cache_control", r#"{"type":"ephemeral"}"#),
            ("is_error", "true"),
            ("other", "1"),
        ],
    },
    Group {
        request: TURN,
        at: "/messages/2/content/0/content",
        members: &[
            ("-", r#"{"type":"text","text":"x"}"#),
            (
                "-",
                r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}"#,
            ),
            (
                "-",
                r#"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"x"}}"#,
            ),
            ("-", r#"{"type":"search_result","source":"https://a.test","title":"t","content":[]}"#),
            ("-", r#"{"type":"tool_reference","tool_name":"g"}"#),
        ],
    },
    Group {
        request: TURN,
        at: "/messages/2/content/0/content/0",
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
    ("/fallbacks", &["*"], ROUTER),
    ("/stream", &["*"], "the router says itself whether to stream"),
    (
        "/messages/0/content/{\"type\":\"openrouter_shell_tool_result\",\"tool_use_id\":\"x\"}",
        &["*"],
        "results of the router's own tools go to nobody (inference spec 16.5)",
    ),
    ("/messages/0/content/3/title", &["cohere-v2", "openai-completions"], WITH_ITS_PART),
];

#[test]
fn nothing_of_a_messages_request_is_dropped_silently() {
    never_silent(
        |document| {
            let survey = survey(document).map_err(|error| error.to_string())?;
            read_request(document, &survey).map_err(|error| error.to_string())
        },
        GROUPS,
        ALLOWED,
    );
}
