//! The most that a request can consume, and what it probably does.

use signalbox_catalog::Endpoint;
use signalbox_core::{PriceKind, Usage};
use signalbox_dialect::Facts;
use signalbox_dialect::rerank::RerankRequest;
use signalbox_ledger::Estimate;

use super::Retrieval;
use crate::estimate::{self, IMAGE_TOKENS};

/// Tokens that a provider's instructions may add to each input: published ones have at most ten.
const INPUT_TEMPLATE: u64 = 16;
/// Documents in one search unit, and tokens of query and document together above which a document
/// counts as several (cohere.com/pricing).
const DOCUMENTS_PER_UNIT: u64 = 100;
const TOKENS_PER_CHUNK: u64 = 500;
/// Fewest tokens of a document in a chunk, however long the query is.
const LEAST_CHUNK: u64 = 50;
/// Bytes of text in a token, usually.
const BYTES_PER_TOKEN: u64 = 4;

/// An upper bound of what this endpoint can consume: a token has at least one byte of text, and
/// media that can't be counted may fill the context of an input.
pub(crate) fn bound(retrieval: &Retrieval, endpoint: &Endpoint) -> Estimate {
    let survey = retrieval.survey();
    let needs = &survey.needs;
    let (count, text) = match retrieval {
        Retrieval::Embeddings(request) => {
            let body = u64::try_from(request.document.bytes().len()).unwrap_or(u64::MAX);
            (request.count, body.saturating_sub(survey.media_bytes))
        }
        Retrieval::Rerank(request) => (request.document_bytes.len(), survey.prompt_bytes),
    };
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let room = endpoint.context_length.saturating_add(INPUT_TEMPLATE).saturating_mul(count);
    let images = survey.images.saturating_mul(IMAGE_TOKENS);
    let template = INPUT_TEMPLATE.saturating_mul(count.saturating_add(1));
    let counted = text.saturating_add(template).saturating_add(images);
    let uncounted = needs.audio || needs.video || needs.file;
    let search_units = match retrieval {
        Retrieval::Rerank(request) => units(request, 1),
        Retrieval::Embeddings(_) => 0,
    };
    Estimate {
        prompt_tokens: if uncounted { room } else { counted.min(room) },
        max_output: 0,
        images: survey.images,
        choices: 1,
        searches: 0,
        search_units,
        fetches: 0,
        file_pages: 0,
    }
}

/// Search units when a token has so many bytes.
fn units(request: &RerankRequest, bytes_per_token: u64) -> u64 {
    let query = request.query_bytes.div_ceil(bytes_per_token);
    let room = TOKENS_PER_CHUNK.saturating_sub(query).max(LEAST_CHUNK);
    let chunks = |bytes: &u64| bytes.div_ceil(bytes_per_token).div_ceil(room).max(1);
    let documents = request.document_bytes.iter().map(chunks).fold(0, u64::saturating_add);
    documents.div_ceil(DOCUMENTS_PER_UNIT).max(1)
}

/// Fills in what the endpoint has a price for and its answer did not count, or not believably, with
/// what is probable, and flags it. Answers whether it did so.
pub(super) fn complete(facts: &mut Facts, retrieval: &Retrieval, endpoint: &Endpoint) -> bool {
    let sold = |kind| endpoint.prices.rates.get(kind).is_some_and(|rate| !rate.is_zero());
    let counted = facts.usage.filter(|_| facts.usage_plausible);
    let mut usage = counted.unwrap_or_default();
    let by_tokens = usage.input_uncached == 0 && (counted.is_none() || sold(PriceKind::Prompt));
    if by_tokens {
        usage.input_uncached = estimate::prompt_expected(retrieval.survey());
        usage.estimated = true;
    }
    if let Retrieval::Rerank(request) = retrieval
        && usage.search_units == 0
        && sold(PriceKind::SearchUnit)
    {
        usage.search_units = units(request, BYTES_PER_TOKEN);
        usage.estimated = true;
    }
    facts.usage = Some(Usage { ..usage });
    facts.usage_plausible = true;
    usage.estimated
}

#[cfg(test)]
mod tests {
    use signalbox_dialect::document::Document;
    use signalbox_dialect::rerank::read_request;

    use super::*;

    fn rerank(query: usize, documents: &[usize]) -> RerankRequest {
        let documents: Vec<String> =
            documents.iter().map(|bytes| format!("\"{}\"", "x".repeat(*bytes))).collect();
        let query = "q".repeat(query);
        let body =
            format!(r#"{{"model":"a/b","query":"{query}","documents":[{}]}}"#, documents.join(","));
        read_request(Document::parse(body.into()).unwrap()).unwrap()
    }

    #[test]
    fn a_search_unit_is_a_hundred_documents_of_which_long_ones_count_more() {
        for (query, documents, bytes_per_token, expected) in [
            (10, vec![5; 1], 4, 1),
            (10, vec![5; 100], 4, 1),
            (10, vec![5; 101], 4, 2),
            (0, vec![500; 100], 1, 1),
            (0, vec![501; 100], 1, 2),
            (400, vec![101; 100], 1, 2),
            (9_000, vec![100; 100], 1, 2),
        ] {
            let request = rerank(query, &documents);
            assert_eq!(units(&request, bytes_per_token), expected, "{query} {documents:?}");
        }
    }

    #[test]
    fn the_bound_is_never_below_what_is_probable() {
        for (query, documents) in [(3, vec![1; 7]), (700, vec![3_000; 150]), (1, vec![90_000; 2])] {
            let request = rerank(query, &documents);
            assert!(units(&request, 1) >= units(&request, BYTES_PER_TOKEN));
        }
    }
}
