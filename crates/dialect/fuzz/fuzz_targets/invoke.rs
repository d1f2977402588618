//! Envelopes unwrap to the same events however they are split.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws::bedrock;

fuzz_target!(|bytes: &[u8]| {
    let cuts: Vec<usize> = bytes.iter().take(8).map(|byte| usize::from(*byte)).collect();
    bedrock::envelopes_unwrap(bytes, &cuts).unwrap();
});
