//! Whole answers that can be read can be written, and read the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws;

fuzz_target!(|bytes: &[u8]| {
    if let Err(broken) = laws::whole_answers_survive(bytes) {
        panic!("{broken}");
    }
});
