//! Legacy answers are lawful however they are split; any chat request becomes a prompt.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws::providers;

fuzz_target!(|bytes: &[u8]| {
    let cuts: Vec<usize> = bytes.iter().take(8).map(|byte| usize::from(*byte)).collect();
    providers::completions_answers_are_lawful(bytes, &cuts).unwrap();
    providers::completions_requests_survive(bytes).unwrap();
});
