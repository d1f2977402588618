//! The counts that any bytes can be read as.

use bytes::Bytes;
use signalbox_core::Usage;

use super::{bedrock, relay_from};
use crate::answer::{AnswerStyle, read_unary};
use crate::conversation::WireDialect;
use crate::document::Document;
use crate::embeddings::{self, EmbeddingsForm};
use crate::identity::RelayOptions;
use crate::rerank;

/// More tokens than a few sums of the largest counts that are read (2⁴⁰ each).
const MOST: u64 = 1 << 46;

/// What the bytes count, read as a stream and as a whole answer of every dialect, as embeddings of
/// every form and as a rerank. What can't be read counts nothing.
///
/// # Errors
/// Counts whose parts are larger than their whole, or beyond all counting.
pub fn counts_of(bytes: &[u8]) -> Result<Vec<Usage>, String> {
    let mut found = Vec::new();
    for dialect in WireDialect::ALL {
        let framed = match dialect {
            WireDialect::BedrockConverse => bedrock::stream_of(bytes),
            _ => bytes.to_vec(),
        };
        let options = RelayOptions::default();
        found.extend(relay_from(dialect, AnswerStyle::Chat, options, &[&framed]).facts.usage);
        let whole = read_unary(dialect, Bytes::copy_from_slice(bytes));
        found.extend(whole.ok().and_then(|answer| answer.facts.usage));
    }
    let request = |text: &'static str| {
        Document::parse(Bytes::from_static(text.as_bytes())).map_err(|error| error.to_string())
    };
    let asked = embeddings::read_request(request(r#"{"model":"a/b","input":"i"}"#)?);
    let asked = asked.map_err(|error| error.message)?;
    for form in EmbeddingsForm::ALL {
        let answer = form.read_answer(bytes, &asked);
        found.extend(answer.ok().and_then(|answer| answer.facts.usage));
    }
    let asked = request(r#"{"model":"a/b","query":"q","documents":["d"]}"#)?;
    let asked = rerank::read_request(asked).map_err(|error| error.message)?;
    let answer = rerank::read_answer(bytes, &asked);
    found.extend(answer.ok().and_then(|answer| answer.facts.usage));
    for usage in &found {
        sane(usage)?;
    }
    Ok(found)
}

fn sane(usage: &Usage) -> Result<(), String> {
    let fits = usage.input_audio.saturating_add(usage.input_image) <= usage.input_uncached
        && usage.cache_read_audio <= usage.cache_read
        && usage.output_audio.saturating_add(usage.output_image) <= usage.output
        && usage.reasoning <= usage.output;
    let counted = usage.total() <= MOST && usage.searches <= MOST && usage.search_units <= MOST;
    if fits && counted { Ok(()) } else { Err(format!("no counts: {usage:?}")) }
}
