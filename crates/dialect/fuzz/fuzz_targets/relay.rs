//! An answer that stays in its dialect says what it said. The first bytes are the cuts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws;

fuzz_target!(|bytes: &[u8]| {
    let (cuts, answer) = bytes.split_at(bytes.len().min(4));
    let cuts: Vec<usize> = cuts.iter().map(|&cut| usize::from(cut)).collect();
    let results = [
        laws::messages_relay_keeps_all(answer, &cuts),
        laws::whole_messages_keep_all(answer),
        laws::responses_relay_keeps_all(answer, &cuts),
        laws::whole_responses_keep_all(answer),
    ];
    for result in results {
        if let Err(broken) = result {
            panic!("{broken}");
        }
    }
});
