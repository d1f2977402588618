//! Events of any stream are lawful and survive being written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws;

fuzz_target!(|bytes: &[u8]| {
    for law in [laws::events_survive_writing as fn(&[u8]) -> _, laws::messages_survive_writing] {
        if let Err(broken) = law(bytes) {
            panic!("{broken}");
        }
    }
});
