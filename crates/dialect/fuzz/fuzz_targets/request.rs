//! A request body is refused, or becomes a clean body for a provider.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws;

fuzz_target!(|bytes: &[u8]| {
    if let Err(broken) = laws::requests_survive(bytes) {
        panic!("{broken}");
    }
});
