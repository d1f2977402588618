//! A request body is refused, or becomes a clean body for a provider.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws;

fuzz_target!(|bytes: &[u8]| {
    for law in [
        laws::requests_survive as fn(&[u8]) -> _,
        laws::messages_requests_survive,
        laws::responses_requests_survive,
    ] {
        if let Err(broken) = law(bytes) {
            panic!("{broken}");
        }
    }
});
