//! The laws of answers, on made-up, mangled and arbitrary bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use signalbox_dialect::{AnswerStyle, RelayOptions, laws};

/// All recorded streams and bodies.
fn goldens() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openai-chat");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Small values that mean something somewhere, and some that mean trouble.
fn value() -> impl Strategy<Value = String> {
    select(vec![
        "null",
        "true",
        "0",
        "1",
        "-1",
        "2.5",
        "1e308",
        "99999999999999999999",
        "\"\"",
        "\"a\"",
        "\"stop\"",
        "\"error\"",
        "\"tool_calls\"",
        "\"length\"",
        "\"\\ud800\"",
        "\"\\u00e9\\n\"",
        "\"é漢\"",
        "[]",
        "{}",
        "[{}]",
        "[null]",
        "{\"a\":[1,{\"b\":2}]}",
        "[{\"type\":\"text\",\"text\":\"t\"}]",
        "[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"h\"}]}]",
        "[{\"type\":\"reasoning.text\",\"text\":\"r\",\"index\":0}]",
        "[{\"type\":\"reasoning.text\",\"signature\":\"s\",\"index\":0,\"format\":\"f\"}]",
        "[{\"type\":\"reasoning.encrypted\",\"data\":\"d\",\"id\":\"i\"},{\"type\":\"odd\"}]",
        "[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]",
        "[{\"index\":0,\"function\":{\"arguments\":\"}\"}},{\"id\":\"d\",\"function\":{}}]",
        "[{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":{\"x\":1}}}]",
        "{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}",
        "{\"prompt_tokens\":-3,\"completion_tokens\":\"x\"}",
        "{\"message\":\"m\",\"code\":429}",
    ])
    .prop_map(str::to_owned)
}

fn object(names: &'static [&'static str], special: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let member = (select(names), prop_oneof![2 => special, 1 => value()]);
    vec(member, 0..6)
        .prop_map(|members| {
            let members: Vec<String> =
                members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        })
        .boxed()
}

fn message(body: &'static str) -> BoxedStrategy<String> {
    let inner = object(
        &[
            "role",
            "content",
            "content",
            "reasoning",
            "reasoning_content",
            "reasoning_details",
            "tool_calls",
            "tool_calls",
            "refusal",
            "images",
            "audio",
            "function_call",
            "odd",
        ],
        value().boxed(),
    );
    let names: &'static [&'static str] = if body == "delta" {
        &["index", "delta", "delta", "finish_reason", "native_finish_reason", "logprobs", "odd"]
    } else {
        &["index", "message", "message", "finish_reason", "native_finish_reason", "logprobs"]
    };
    let choice = object(names, inner.clone());
    let tidy = (0..3u32, inner, select(vec!["null", "null", "\"stop\""])).prop_map(
        move |(index, inner, finish)| {
            format!("{{\"index\":{index},\"{body}\":{inner},\"finish_reason\":{finish}}}")
        },
    );
    let choices = vec(prop_oneof![3 => tidy, 1 => choice], 0..3)
        .prop_map(|choices| format!("[{}]", choices.join(",")));
    let rest = object(
        &["id", "usage", "model", "provider", "x_own", "service_tier", "odd", "object"],
        value().boxed(),
    );
    (choices, rest, 0..20u8)
        .prop_map(|(choices, rest, rare)| {
            let start = rest.trim_end_matches('}');
            let comma = if start.len() > 1 && rest.len() == start.len() + 1 { "," } else { "" };
            match rare {
                0 => rest,
                1 => format!("{{\"error\":{rest}}}"),
                _ if comma.is_empty() => format!("{{\"choices\":{choices}}}"),
                _ => format!("{start},\"choices\":{choices}}}"),
            }
        })
        .boxed()
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        12 => message("delta").prop_map(|json| format!("data: {json}\n\n")),
        1 => select(vec![
            ": comment\n\n", "data: [DONE]\n\n", "event: error\n", "data:\n\n", "data: {\n",
            "id: 1\n", "data: }\r\n\r\n", "odd\n", "\r", "{\"error\":\"x\"}\n", "data: \u{1}\n\n",
        ]).prop_map(str::to_owned),
    ];
    vec(line, 0..8).prop_map(|lines| lines.concat().into_bytes())
}

fn mangled() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), 0..12usize, vec(any::<u8>(), 0..4));
    (select(goldens()), vec(edit, 0..4)).prop_map(|(mut bytes, edits)| {
        for (at, length, with) in edits {
            let at = at.index(bytes.len() + 1);
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, with);
        }
        bytes
    })
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => stream(), 2 => mangled(), 1 => vec(any::<u8>(), 0..200)]
}

fn check(result: Result<(), String>) -> Result<(), TestCaseError> {
    result.map_err(TestCaseError::fail)
}

/// Many chunks that hardly differ, with something odd among them now and then.
fn monotone() -> impl Strategy<Value = Vec<u8>> {
    let odd = message("delta").prop_map(|json| format!("data: {json}\n\n"));
    let text = select(vec![
        " a",
        "\\n",
        "\u{e9}",
        "\\u00e9",
        "",
        "\"",
        "\\",
        "\"},\"x\":{\"y\":\"z",
        "\\\"",
    ]);
    let usual = (text, select(vec!["null", "\"stop\""]), 0..12u8).prop_map(|(text, finish, rare)| {
        let finish = if rare == 0 { finish } else { "null" };
        let index = u8::from(rare == 1);
        format!(
            "data: {{\"id\":\"c\",\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"{text}\"}},\
             \"finish_reason\":{finish}}}]}}\n\n"
        )
    });
    vec(prop_oneof![9 => usual, 1 => odd], 0..12).prop_map(|lines| lines.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_answer(bytes in any_bytes(), cuts in vec(0..400usize, 0..6)) {
        check(laws::splits_do_not_matter(&bytes, &cuts))?;
    }

    #[test]
    fn a_remembered_preamble_changes_nothing(
        first in message("delta"),
        choices in vec(select(vec!["a", "b\\n", ""]), 1..5),
    ) {
        // A space more in each chunk makes each preamble new.
        let stream = |space: bool| -> Vec<u8> {
            let start = first.split("\"choices\"").next().unwrap().trim_start_matches('{');
            let chunk = |(count, text): (usize, &&str)| {
                let spaces = " ".repeat(if space { count + 1 } else { 0 });
                let choice = format!("{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}");
                format!("data: {{{spaces}{start}\"choices\":[{choice}]}}\n\n")
            };
            choices.iter().enumerate().map(chunk).collect::<String>().into_bytes()
        };
        let relay = |bytes: &[u8]| {
            laws::relay(AnswerStyle::Chat, RelayOptions::default(), &[bytes])
        };
        let (recalled, fresh) = (relay(&stream(false)), relay(&stream(true)));
        prop_assert_eq!((recalled.out, recalled.facts), (fresh.out, fresh.facts));
    }

    #[test]
    fn events_are_lawful_and_survive_writing(bytes in any_bytes()) {
        check(laws::events_survive_writing(&bytes))?;
        check(laws::messages_survive_writing(&bytes))?;
    }

    #[test]
    fn whole_answers_survive(
        bytes in prop_oneof![4 => message("message").prop_map(String::into_bytes), 1 => mangled()],
    ) {
        check(laws::whole_answers_survive(&bytes))?;
    }
}

proptest! {
    // An event with a name is always read in full.
    #[test]
    fn a_chunk_like_the_one_before_reads_as_if_it_came_alone(bytes in monotone()) {
        let text = String::from_utf8(bytes).unwrap();
        let named = text.replace("data: ", "event: x\ndata: ");
        for exclude_reasoning in [false, true] {
            let options = RelayOptions { exclude_reasoning, ..RelayOptions::default() };
            let relay = |text: &str| laws::relay(AnswerStyle::Chat, options, &[text.as_bytes()]);
            prop_assert_eq!(relay(&text), relay(&named));
        }
    }
}
