//! Requests and answers of embeddings and reranks survive reading and writing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_dialect::laws;

fuzz_target!(|bytes: &[u8]| {
    for law in [
        laws::embeddings_requests_survive,
        laws::embeddings_answers_survive,
        laws::rerank_requests_survive,
        laws::rerank_answers_survive,
    ] {
        if let Err(broken) = law(bytes) {
            panic!("{broken}");
        }
    }
});
