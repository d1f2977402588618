//! Messages of the binary event stream do not depend on how it is split.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws::bedrock;

fuzz_target!(|bytes: &[u8]| {
    let cuts: Vec<usize> = bytes.iter().take(8).map(|byte| usize::from(*byte)).collect();
    bedrock::messages_do_not_depend_on_splits(bytes, &cuts).unwrap();
});
