//! Texts for filters of content stay where they are unless they are replaced.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws;

fuzz_target!(|bytes: &[u8]| {
    laws::texts_stay_in_place(bytes).unwrap();
});
