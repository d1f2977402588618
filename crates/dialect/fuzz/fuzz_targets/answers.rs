//! Answers of Messages, Responses and Gemini providers are lawful however they are split.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws::{hub, readers};

fuzz_target!(|bytes: &[u8]| {
    let cuts: Vec<usize> = bytes.iter().take(8).map(|byte| usize::from(*byte)).collect();
    hub::messages_answers_are_lawful(bytes, &cuts).unwrap();
    readers::gemini_answers_are_lawful(bytes, &cuts).unwrap();
    readers::responses_answers_are_lawful(bytes, &cuts).unwrap();
});
