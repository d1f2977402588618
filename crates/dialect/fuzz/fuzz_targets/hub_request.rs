//! Requests of any client are refused, or written for providers of every dialect.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws::{self, hub, readers};

fuzz_target!(|bytes: &[u8]| {
    hub::conversations_survive(bytes).unwrap();
    laws::messages_requests_survive(bytes).unwrap();
    readers::responses_requests_survive(bytes).unwrap();
});
