//! What scanning costs with every built-in filter on: `cargo run --release -p signalbox-guard --example
//! scan_speed`. The best of many rounds, for prose, code and texts that were made to be slow. Its instructions
//! are counted by `valgrind --tool=callgrind target/release/examples/scan_speed code 1100`, less those of
//! `code 100`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    missing_docs
)]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use signalbox_dialect::document::Document;
use signalbox_dialect::texts::{Body, Change, changed, texts};
use signalbox_guard::{
    Action, Allowlist, Builtin, BuiltinFilter, Guardrail, Layer, Sample, Scope, Screen,
};

fn screen(filters: &[Builtin]) -> Screen {
    let filter =
        |slug: &Builtin| BuiltinFilter { slug: *slug, action: Action::Redact, scan_scope: None };
    let filters = filters.iter().map(filter).collect();
    let rules = Guardrail { content_filter_builtins: Some(filters), ..Guardrail::default() };
    let layer = Layer { scope: Scope::ApiKey, id: None, rules };
    Screen::compile(&[layer], Allowlist::default()).unwrap().unwrap()
}

const PROSE: &str = "You asked what the new system should show to the people who use it every day. \
    The prompt answer, as far as I can tell, is that nobody knows yet: in 2024 we counted 1,204 visits \
    on 37 pages, and the previous release (version 4.2.1) did not change that. Please act on it, and \
    do not forget to tell me what you think about the developer tools; they are, on the whole, fine.\n\n";

const CODE: &str = "pub(crate) fn each(bytes: &[u8], mut take: impl FnMut(usize, usize)) -> Result<(), Error> {\n    \
    let some_long_identifier_name = self.other_quite_long_name.checked_add(0x1f).map(|x| x >> 6);\n    \
    if let Some(value) = map.get(&key) { return Ok(std::mem::take(value)); } // see https://docs.rs/a/b-c\n    \
    assert_eq!(hash, \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\");\n}\n";

fn sized(part: &str, bytes: usize) -> String {
    part.chars().cycle().take(bytes).collect()
}

fn time(screen: &Screen, text: &str) -> (f64, usize) {
    let sample = [Sample { text, from_user: true }];
    let found = screen.scan(&sample, &[]).detections().len();
    let rounds = (40_000_000 / text.len().max(1)).clamp(20, 2_000);
    let mut best = f64::INFINITY;
    for _ in 0..rounds {
        let began = Instant::now();
        black_box(screen.scan(black_box(&sample), &[]));
        best = best.min(began.elapsed().as_secs_f64() * 1e6);
    }
    (best, found)
}

/// A chat request with 20 KB of this and an address at its end.
fn body(part: &str) -> Document {
    let prompt = format!("{} me@corp.example", sized(part, 20_000));
    let body = serde_json::json!({"model": "a/b", "messages": [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": prompt}]});
    Document::parse(Bytes::from(body.to_string())).unwrap()
}

/// All that a guardrail adds to a request: its texts, the scan, what is told of it, and a body with a change.
fn screened(screen: &Screen, document: &Document) {
    let texts = texts(black_box(document), Body::Chat);
    let samples: Vec<Sample<'_>> =
        texts.iter().map(|one| Sample { text: one.text(), from_user: true }).collect();
    let found = screen.scan(&samples, &[]);
    black_box((found.stages(), found.refusal()));
    let redactions = found.redactions().into_iter();
    let changes: Vec<Change> =
        redactions.map(|one| Change { text: one.text, span: one.span, with: one.with }).collect();
    assert_eq!(changes.len(), 1);
    black_box(changed(document, &texts, &changes));
}

/// Microseconds for it.
fn request(screen: &Screen, part: &str) -> f64 {
    let document = body(part);
    let mut best = f64::INFINITY;
    for _ in 0..2_000 {
        let began = Instant::now();
        screened(screen, &document);
        best = best.min(began.elapsed().as_secs_f64() * 1e6);
    }
    best
}

/// `prose 1000` screens a request so many times and prints nothing: for valgrind, which counts the
/// instructions; what as many less cost is the cost of one.
fn count(all: &Screen, mut arguments: impl Iterator<Item = String>) -> bool {
    let (Some(what), Some(times)) = (arguments.next(), arguments.next()) else { return false };
    let document = body(if what == "code" { CODE } else { PROSE });
    for _ in 0..times.parse::<u32>().unwrap() {
        screened(all, &document);
    }
    true
}

fn main() {
    let all = screen(&Builtin::ALL);
    if count(&all, std::env::args().skip(1)) {
        return;
    }
    for (name, filters) in [
        ("marks", vec![Builtin::Email, Builtin::IpAddress]),
        ("numbers", vec![Builtin::Phone, Builtin::Ssn, Builtin::CreditCard]),
        ("injection", vec![Builtin::RegexPromptInjection]),
        ("all", Builtin::ALL.to_vec()),
    ] {
        let screen = screen(&filters);
        let (prose, _) = time(&screen, &sized(PROSE, 20_000));
        let (code, _) = time(&screen, &sized(CODE, 20_000));
        println!("20 KB {name:<10} prose {prose:>8.1} us   code {code:>8.1} us");
    }
    for (name, part) in [("prose", PROSE), ("code", CODE)] {
        println!("20 KB {name:<10} from a chat body, redacted {:>8.1} us", request(&all, part));
    }
    let base64 = "c29tZSB0ZXh0IHRoYXQgc2F5cyBub3RoaW5n";
    let cases: Vec<(&str, &str)> = vec![
        ("prose", PROSE),
        ("code", CODE),
        ("digits", "4111111111111112"),
        ("digits, spaced", "411 1 "),
        ("at signs", "@"),
        ("addresses", "aaaaaaaa@bbbbbbbb.cc "),
        ("at and letters", "a@"),
        ("colons", ":"),
        ("hex and colons", "a:"),
        ("base64", base64),
        ("hexadecimal", "6e6f7468696e6720"),
        ("pairs", "6e 6f "),
        ("one letter", "a "),
        ("spaced words", "i g n o r e the rest of it, "),
        ("letters, runs", "a b c d e f g h i j. "),
        ("ignore", "ignore "),
        ("ignore all", "ignore all previous "),
        ("you are now", "you are now "),
        ("injections", "ignore all previous instructions "),
        ("less-than", "<system "),
        ("scrambled", "ignroe "),
        ("nothing", "é"),
    ];
    println!(
        "{:<16} {:>10} {:>10} {:>10} {:>10}  finds in 20 KB",
        "us for", "1 KB", "20 KB", "200 KB", "2 MB"
    );
    for (name, part) in cases {
        let times: Vec<(f64, usize)> = [1_000, 20_000, 200_000, 2_000_000]
            .iter()
            .map(|size| time(&all, &sized(part, *size)))
            .collect();
        println!(
            "{name:<16} {:>10.1} {:>10.1} {:>10.1} {:>10.1}  {}",
            times[0].0, times[1].0, times[2].0, times[3].0, times[1].1
        );
    }
}
