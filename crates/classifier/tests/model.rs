//! The committed weights, judged on what they were made for and on what nobody made them for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use proptest::prelude::*;
use signalbox_classifier::labelled::{self, Half};
use signalbox_classifier::report::Report;
use signalbox_classifier::weights::{EMBEDDED, Weights, WeightsError};
use signalbox_classifier::{LinearClassifier, MacroGroup, PromptText, TaskClassifier, TaskTag};
use signalbox_classifier::{features, prompt};

fn model() -> LinearClassifier<'static> {
    LinearClassifier::embedded().unwrap()
}

#[test]
fn the_committed_weights_were_made_from_the_committed_training_half() {
    let weights = Weights::read(EMBEDDED).unwrap();
    let made_from = weights.fingerprint;
    assert_eq!(made_from, labelled::fingerprint(Half::Train), "run `cargo xtask train-classifier`");
    assert_eq!(weights.write(), EMBEDDED);
}

#[test]
fn the_figures_of_the_test_half_are_the_documented_ones() {
    let docs =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/classifier.md"));
    let docs = docs.unwrap();
    let report = Report::of(&model(), Half::Test).to_string();
    assert!(docs.contains(report.trim()), "docs/classifier.md has other figures:\n{report}");
}

#[test]
fn every_tag_is_told_from_the_others_more_often_than_by_chance() {
    let report = Report::of(&model(), Half::Test);
    for tag in TaskTag::ALL {
        let (right, own) = (report.cell(tag, tag), report.of_tag(tag));
        assert!(right * 5 > own, "{tag}: {right} of {own}");
    }
}

#[test]
fn plain_prompts_have_plain_tags() {
    let model = model();
    let cases = [
        ("Translate to German: Where is the station?", TaskTag::Translation),
        ("Prove that the sum of two even numbers is even.", TaskTag::Math),
        ("Write a SQL query that counts orders per customer, postgres", TaskTag::CodeSqlDatabase),
        ("Write a Dockerfile for a Node app and a docker-compose file", TaskTag::CodeDevopsConfig),
    ];
    for (text, tag) in cases {
        let found = model.classify(&PromptText::new(&[text])).unwrap();
        assert_eq!(found.tag, tag, "{text}: {found:?}");
        assert_eq!(found.macro_group, tag.macro_group());
    }
}

/// A coding agent's system text that isn't among those that the model was trained with.
const AGENT: &str = "You are an assistant for software projects that works in a shell. Read files \
    before you change them, keep to the style of the project, keep answers short, and never push. \
    Tools are described below. The working folder is /home/sam/shop, the platform is Linux.";

#[test]
fn a_system_text_for_any_task_does_not_decide_the_tag() {
    let cases = [
        ("write a migration that adds a column deleted_at to users", TaskTag::CodeSqlDatabase),
        ("run the tests", TaskTag::CodeShellExecution),
        ("Write a poem about the sea", TaskTag::ContentWriting),
        ("Translate to French: good morning", TaskTag::Translation),
        ("my package hasn't arrived", TaskTag::CustomerSupport),
    ];
    for (text, tag) in cases {
        for (system, tools) in [("", 0), ("You are a helpful assistant.", 0), (AGENT, 14)] {
            let parts = [text];
            let found = model().best(&PromptText::new(&parts).system(system).tools(tools));
            assert_eq!(found.0, tag, "{system} {text}: {found:?}");
        }
    }
}

#[test]
fn a_prompt_without_text_is_unclassified() {
    assert_eq!(model().classify(&PromptText::default()), None);
    assert_eq!(model().classify(&PromptText::new(&["", " \n"]).system("You are a bot.")), None);
}

#[test]
fn a_prompt_under_the_threshold_is_unclassified() {
    let prompt = PromptText::new(&["Solve 2x + 3 = 11 for x."]);
    let (tag, confidence) = model().best(&prompt);
    let at = model().with_threshold(confidence).classify(&prompt);
    assert_eq!(at.map(|found| found.tag), Some(tag));
    assert_eq!(model().with_threshold(confidence + 1e-3).classify(&prompt), None);
}

#[test]
fn a_file_of_weights_that_is_cut_or_foreign_is_refused() {
    let cut = EMBEDDED.len() - 1;
    let read = |file: &[u8]| Weights::read(file).err();
    assert_eq!(read(&EMBEDDED[..cut]), Some(WeightsError::Length(cut)));
    assert_eq!(read(b"SBTC"), Some(WeightsError::Length(4)));
    let mut other = EMBEDDED.to_vec();
    other[0] = b'X';
    assert_eq!(read(&other), Some(WeightsError::Foreign));
    let mut classes = EMBEDDED.to_vec();
    classes[5] = 3;
    assert_eq!(read(&classes), Some(WeightsError::Mismatch));
}

fn features_of(prompt: &PromptText<'_>) -> usize {
    let mut count = 0;
    features::each(prompt, &mut |_, _| count += 1);
    count
}

#[test]
fn work_is_bounded_by_the_cut_and_not_by_the_prompt() {
    let read = prompt::HEAD + prompt::TAIL + prompt::SYSTEM;
    for text in ["a b ", "word ", "längeres Wort ", "字", "!?", "🦀 ", "9{}\n", "İ"] {
        let texts = [10_000, 100_000, 1_000_000].map(|bytes| text.repeat(bytes / text.len()));
        let counts = texts.each_ref().map(|long| {
            let parts = [long.as_str()];
            features_of(&PromptText::new(&parts).system(long))
        });
        assert!(counts.iter().all(|count| *count <= read * 4), "{text}: {counts:?}");
        assert!(counts[2] <= counts[0] + 32, "{text}: {counts:?}");
    }
}

#[test]
fn a_prompt_in_many_parts_is_read_no_further() {
    let parts = vec!["some words "; 100_000];
    assert!(features_of(&PromptText::new(&parts)) <= (prompt::HEAD + prompt::TAIL) * 4);
}

proptest! {
    #[test]
    fn any_text_has_an_answer_and_always_the_same(
        user in proptest::collection::vec(any::<String>(), 0..4), system in any::<String>(), tools: usize,
    ) {
        let parts: Vec<&str> = user.iter().map(String::as_str).collect();
        let prompt = PromptText::new(&parts).system(&system).tools(tools);
        let model = model();
        let first = model.classify(&prompt);
        prop_assert_eq!(first, model.classify(&prompt));
        if let Some(found) = first {
            prop_assert!((model.threshold()..=1.0).contains(&found.confidence));
            prop_assert!(MacroGroup::ALL.contains(&found.macro_group));
        }
        let sum: f32 = model.probabilities(&prompt).iter().sum();
        prop_assert!((sum - 1.0).abs() < 1e-3, "{}", sum);
    }

    #[test]
    fn bytes_that_are_no_text_have_an_answer_too(bytes in proptest::collection::vec(any::<u8>(), 0..6000)) {
        let text = String::from_utf8_lossy(&bytes);
        let parts = [text.as_ref()];
        let _ = model().classify(&PromptText::new(&parts));
        prop_assert!(features_of(&PromptText::new(&parts)) <= (prompt::HEAD + prompt::TAIL) * 4);
    }
}
