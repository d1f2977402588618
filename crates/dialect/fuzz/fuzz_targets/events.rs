//! Events of any stream are lawful and survive being written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws;

fuzz_target!(|bytes: &[u8]| {
    if let Err(broken) = laws::events_survive_writing(bytes) {
        panic!("{broken}");
    }
});
