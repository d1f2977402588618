//! How long the classifier takes for short, middling and long prompts:
//! `cargo run --release -p signalbox-classifier --example speed`
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::expect_used)]

use std::hint::black_box;
use std::time::Instant;

use signalbox_classifier::labelled::{self, Half};
use signalbox_classifier::{LinearClassifier, PromptText, TaskClassifier};

const ROUNDS: usize = 2_000;

fn main() {
    let model = LinearClassifier::embedded().expect("the committed weights fit");
    let prompts: Vec<_> = labelled::prompts(Half::Train).collect();
    let all: Vec<&str> = prompts.iter().flat_map(|one| one.user).collect();
    let text = all.join("\n").repeat(3);
    println!("| prompt | median | p90 | p99 |\n|---|---|---|---|");
    for (name, bytes) in [("200 B", 200), ("4 KB", 4_000), ("100 KB", 100_000)] {
        let window = |round: usize| {
            let from = text.floor_char_boundary(round * 397 % (text.len() - bytes));
            text.get(from..text.floor_char_boundary(from + bytes)).unwrap_or_default()
        };
        for system in [false, true] {
            let mut micros: Vec<f64> = (0..ROUNDS)
                .map(|round| {
                    let parts = [window(round)];
                    let prompt =
                        PromptText::new(&parts).system(if system { window(round + 7) } else { "" });
                    let start = Instant::now();
                    black_box(model.classify(black_box(&prompt)));
                    start.elapsed().as_secs_f64() * 1e6
                })
                .collect();
            micros.sort_by(f64::total_cmp);
            let at =
                |share: f64| micros.get((share * ROUNDS as f64) as usize).copied().unwrap_or(0.0);
            let with = if system { ", and as much system text" } else { "" };
            let (median, p90, p99) = (at(0.5), at(0.9), at(0.99));
            println!("| {name}{with} | {median:.1} µs | {p90:.1} µs | {p99:.1} µs |");
        }
    }
}
