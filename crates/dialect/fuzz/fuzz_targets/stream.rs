//! Any split of a provider's stream gives the same answer. The first bytes are the cuts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws;

fuzz_target!(|bytes: &[u8]| {
    let (cuts, stream) = bytes.split_at(bytes.len().min(4));
    let cuts: Vec<usize> = cuts.iter().map(|&cut| usize::from(cut)).collect();
    if let Err(broken) = laws::splits_do_not_matter(stream, &cuts) {
        panic!("{broken}");
    }
});
