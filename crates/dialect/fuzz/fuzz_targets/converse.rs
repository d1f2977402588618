//! Answers of Converse are lawful however they are split, and any chat request can be written for it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws::{bedrock, readers};

fuzz_target!(|bytes: &[u8]| {
    let cuts: Vec<usize> = bytes.iter().take(8).map(|byte| usize::from(*byte)).collect();
    bedrock::converse_answers_are_lawful(bytes, &cuts).unwrap();
    readers::converse_requests_survive(bytes).unwrap();
    let _ = signalbox_dialect::bedrock_converse::error::read_error(400, bytes);
});
