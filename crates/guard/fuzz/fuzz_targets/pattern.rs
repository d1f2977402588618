//! A custom pattern is refused, or finds whole characters in any text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_guard::Pattern;

fuzz_target!(|input: (&str, &str)| {
    let (pattern, text) = input;
    if let Ok(pattern) = Pattern::compile(pattern) {
        let mut end = 0;
        for span in pattern.find(text) {
            assert!(span.start >= end && !text[span.clone()].is_empty());
            end = span.end;
        }
    }
});
