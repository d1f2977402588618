//! Usage in the shapes that providers send, streamed and whole: what it means, and what it costs.

pub mod wire;

use std::collections::BTreeMap;
use std::path::Path;

use signalbox_core::Usd;
use signalbox_dialect::answer::read_unary;
use signalbox_dialect::{AnswerStyle, Facts, RelayOptions, WireDialect, laws};
use signalbox_ledger::price;

use self::wire::Shape;
use crate::table::{Case, cases, dollars};

const SHAPES: &str = include_str!("usage_golden/shapes.txt");

/// The shapes of the table, each with its expectation as a line of the small language of tables.
pub fn shapes() -> Vec<(Shape, Option<&'static str>, Case)> {
    let prices: String = SHAPES
        .lines()
        .filter(|line| line.starts_with("prices ") || line.starts_with("over "))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut found = Vec::new();
    for block in SHAPES.split("\n[").skip(1) {
        let (title, rest) = block.split_once('\n').unwrap();
        let (dialect, name) = title.split_once("] ").unwrap();
        let mut shape = Shape::new(dialect, name);
        for line in rest.lines().filter(|line| !line.is_empty()) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            if word != "=" {
                shape.add(word, rest);
                continue;
            }
            let (quantities, cost) = rest.split_once(" => ").unwrap();
            let (quantities, tier) = match quantities.split_once(" tier=") {
                Some((quantities, tier)) => (quantities, Some(tier)),
                None => (quantities, None),
            };
            let case = cases(&format!("{prices}use {quantities} => {cost}")).remove(0);
            found.push((std::mem::take(&mut shape), tier, case));
        }
    }
    found
}

fn check(facts: &Facts, tier: Option<&str>, case: &Case, name: &str) -> Usd {
    let usage = facts.usage.unwrap_or_else(|| panic!("{name}: no usage"));
    assert_eq!(usage, case.usage, "{name}");
    assert!(facts.usage_plausible, "{name} is no fault");
    assert_eq!(facts.service_tier.as_deref(), tier, "{name}");
    let cost = price(&usage, &case.table, case.at, case.requests).unwrap().total;
    assert_eq!(cost, dollars(&case.expected), "{name}");
    cost
}

#[test]
fn every_shape_of_usage_costs_what_it_should_streamed_and_whole() {
    let (mut streams, mut wholes) = (0, 0);
    let mut by_dialect = BTreeMap::<String, u32>::new();
    for (shape, tier, case) in shapes() {
        let name = format!("{}: {}", shape.dialect, shape.name);
        let whole = check(&shape.read_whole(), tier, &case, &format!("{name}, whole"));
        wholes += 1;
        *by_dialect.entry(shape.dialect.clone()).or_default() += 1;
        if let Some(facts) = shape.read_stream() {
            let streamed = check(&facts, tier, &case, &format!("{name}, streamed"));
            assert_eq!(streamed, whole, "{name}");
            streams += 1;
        }
    }
    assert!(streams + wholes >= 200, "{streams} streams and {wholes} whole answers");
    assert_eq!(by_dialect.len(), WireDialect::ALL.len() + 2, "{by_dialect:?}");
}

#[test]
fn goldens_cost_the_same_streamed_and_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dialect/tests/golden");
    let table = &shapes()[0].2.table;
    let cost = |facts: &Facts| {
        let usage = facts.usage?;
        Some(price(&usage, table, signalbox_core::Timestamp::default(), 1).unwrap().total)
    };
    let mut pairs = 0;
    for (name, dialect) in [
        ("openai-chat", WireDialect::OpenaiChat),
        ("openai-completions", WireDialect::OpenaiCompletions),
        ("openai-responses-relay", WireDialect::OpenaiResponses),
        ("anthropic-messages", WireDialect::AnthropicMessages),
        ("gemini", WireDialect::Gemini),
        ("bedrock-converse", WireDialect::BedrockConverse),
        ("cohere-v2", WireDialect::CohereV2),
    ] {
        for entry in std::fs::read_dir(folder.join(name)).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_str().unwrap();
            let stem = file.strip_suffix(".json").filter(|stem| !stem.contains('.'));
            let Some(stem) = stem else { continue };
            let ends = [".sse", ".stream"].map(|end| path.with_file_name(format!("{stem}{end}")));
            let Some(stream) = ends.iter().find_map(|path| std::fs::read(path).ok()) else {
                continue;
            };
            let stream = match dialect {
                WireDialect::BedrockConverse => laws::bedrock::stream_of(&stream),
                _ => stream,
            };
            let options = RelayOptions::default();
            let streamed = laws::relay_from(dialect, AnswerStyle::Chat, options, &[&stream]);
            let whole = read_unary(dialect, std::fs::read(&path).unwrap().into()).unwrap();
            assert_eq!(streamed.facts.usage, whole.facts.usage, "{name}/{stem}");
            assert_eq!(cost(&streamed.facts), cost(&whole.facts), "{name}/{stem}");
            assert!(cost(&whole.facts) > Some(Usd::ZERO), "{name}/{stem}");
            pairs += 1;
        }
    }
    assert!(pairs >= 15, "{pairs}");
}
