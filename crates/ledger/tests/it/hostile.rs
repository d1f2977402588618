//! Numbers that can't be true, in every place of every shape of usage: nothing is credited, nothing
//! costs more than was held, and what is nonsense is no count.

use std::fmt::Write as _;

use signalbox_core::{PriceTable, Timestamp, Usage};
use signalbox_dialect::{Facts, laws::usage::counts_of};
use signalbox_ledger::laws::charge_stays_within_the_hold;
use signalbox_ledger::{Estimate, price};

use crate::table::cases;
use crate::usage_golden::{self, wire::Shape};

/// What providers were seen to send, or might, in the place of a count.
const HOSTILE: [&str; 20] = [
    "-1",
    "-9223372036854775808",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "-1e308",
    "1E400",
    "2.5",
    "0.1",
    "\"12x\"",
    "\"-5\"",
    "\"\"",
    "true",
    "[]",
    "[12]",
    "{}",
    "{\"value\":{\"value\":[1]}}",
    "\"NaN\"",
];

/// Without any of these an answer cannot be billed, so that nonsense in their place has to be noticed.
const CORE: [&str; 8] = [
    "prompt_tokens",
    "completion_tokens",
    "input_tokens",
    "output_tokens",
    "promptTokenCount",
    "candidatesTokenCount",
    "inputTokens",
    "outputTokens",
];

fn tables() -> Vec<PriceTable> {
    let texts = [
        "prices prompt=0.000003 completion=0.000015 input_cache_read=0.0000003 web_search=0.01",
        "prices prompt=1000 completion=1000 request=1000 input_cache_write=1000",
        "prices prompt=0.000001 completion=0.000002\nover >100 prompt=0.5 completion=0.7",
        "prices prompt=0 completion=0",
        "prices completion=1",
    ];
    texts.iter().map(|text| cases(&format!("{text}\nuse => 0"))[0].table.clone()).collect()
}

fn estimates() -> [Estimate; 3] {
    let small = Estimate { prompt_tokens: 200, max_output: 50, choices: 1, ..Estimate::default() };
    let tools = Estimate { searches: 5, search_units: 5, fetches: 5, file_pages: 5, ..small };
    [small, Estimate { prompt_tokens: 400_000, max_output: 9_000, ..tools }, Estimate::default()]
}

fn check(usage: &Usage, what: &str) {
    for table in tables() {
        for estimate in estimates() {
            let at = Timestamp::from_seconds(1_800_000_000);
            charge_stays_within_the_hold(usage, &estimate, &table, at)
                .unwrap_or_else(|broken| panic!("{what}: {broken}"));
        }
    }
}

/// Each number of a JSON text: where it begins and ends, and the key before it.
fn numbers(json: &str) -> Vec<(usize, usize, &str)> {
    let bytes = json.as_bytes();
    let mut found = Vec::new();
    for (at, _) in json.match_indices("\":") {
        let begin = at + 2;
        let length = bytes[begin..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
            .count();
        if length > 0 {
            let key = json[..at].rsplit('"').next().unwrap();
            found.push((begin, begin + length, key));
        }
    }
    found
}

/// The shape with this text in place of one of its usage objects.
fn changed(shape: &Shape, from: &str, to: &str) -> Shape {
    let mut shape = shape.clone();
    for text in shape.objects_mut() {
        if text == from {
            to.clone_into(text);
        }
    }
    shape
}

fn is_told_apart(facts: &Facts) -> bool {
    facts.usage.is_none() || !facts.usage_plausible
}

#[test]
fn nonsense_in_place_of_any_count_is_noticed_and_never_credits() {
    let (mut tried, mut noticed) = (0_u32, 0_u32);
    for (mut shape, _, _) in usage_golden::shapes() {
        let objects: Vec<String> = shape.objects_mut().map(|text| text.clone()).collect();
        for object in objects {
            for (begin, end, key) in numbers(&object) {
                for nonsense in HOSTILE {
                    let mut text = object[..begin].to_owned();
                    let _ = write!(text, "{nonsense}{}", &object[end..]);
                    let shape = changed(&shape, &object, &text);
                    let name = format!("{}: {key} of {text}", shape.dialect);
                    // The first level alone: what is nested says something else.
                    let core = CORE.contains(&key) && !object[..begin].contains("iterations");
                    let read = shape.read_stream().into_iter().chain([shape.read_whole()]);
                    for (facts, bytes) in read.zip(shape.bytes()) {
                        // What is told in a stream alone is not in the whole answer.
                        let core = core && String::from_utf8_lossy(&bytes).contains(&text);
                        assert!(!core || is_told_apart(&facts), "{name}: {facts:?}");
                        noticed += u32::from(is_told_apart(&facts));
                        facts.usage.iter().for_each(|usage| check(usage, &name));
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(tried > 10_000 && noticed > tried / 2, "{noticed} of {tried}");
}

#[test]
fn a_count_that_is_null_or_missing_is_none_and_not_nothing() {
    for (mut shape, _, _) in usage_golden::shapes() {
        let name = format!("{}: {}", shape.dialect, shape.name);
        for text in shape.objects_mut() {
            "{}".clone_into(text);
        }
        for facts in shape.read_stream().into_iter().chain([shape.read_whole()]) {
            assert_eq!(facts.usage, None, "{name}");
        }
        for text in shape.objects_mut() {
            "null".clone_into(text);
        }
        for facts in shape.read_stream().into_iter().chain([shape.read_whole()]) {
            assert_eq!(facts.usage, None, "{name}");
        }
    }
}

#[test]
fn zeros_that_a_provider_says_are_zeros() {
    let zeros = r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#;
    let mut shape = Shape::new("openai-chat", "zeros");
    shape.add("usage", zeros);
    for facts in shape.read_stream().into_iter().chain([shape.read_whole()]) {
        assert_eq!((facts.usage, facts.usage_plausible), (Some(Usage::default()), true));
        let usage = facts.usage.unwrap();
        let cost = price(&usage, &tables()[0], Timestamp::default(), 1).unwrap();
        assert_eq!(cost.total.nanos(), 0);
    }
}

/// Numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// The body of the fuzz target `usage_to_cost` for a moment, on answers that are mangled by a fixed
/// seed.
#[test]
fn mangled_answers_count_no_more_than_was_held() {
    const BYTES: &[u8] = b"\"\\{}[]:,\n 0199-eE.u\0\x7f\xff";
    let mut dice = Dice(0x5eed_0009);
    let answers: Vec<Vec<u8>> =
        usage_golden::shapes().iter().flat_map(|(shape, _, _)| shape.bytes()).collect();
    let mut counted = 0;
    for _ in 0..1500 {
        let mut bytes = answers[dice.below(answers.len())].clone();
        for _ in 0..dice.below(6) {
            let at = dice.below(bytes.len());
            let end = (at + dice.below(12)).min(bytes.len());
            match dice.below(4) {
                0 => drop(bytes.drain(at..end)),
                1 => bytes.splice(at..at, [BYTES[dice.below(BYTES.len())]]).for_each(drop),
                2 => bytes.splice(at..end, *b"99999999999999").for_each(drop),
                _ => bytes.extend_from_within(at..end),
            }
        }
        let found = counts_of(&bytes).unwrap_or_else(|broken| {
            panic!("{broken}\nof {}", String::from_utf8_lossy(&bytes));
        });
        counted += found.len();
        found.iter().for_each(|usage| check(usage, &String::from_utf8_lossy(&bytes)));
    }
    assert!(counted > 500, "{counted}");
}
