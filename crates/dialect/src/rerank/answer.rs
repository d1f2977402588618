//! Answers: `results` or `data`, each with `index` and `relevance_score`; written in our shape.
//!
//! Shapes: docs.cohere.com/reference/rerank, the reference of Voyage's `/rerank`, Jina's `/v1/rerank`.

use bytes::Bytes;
use signalbox_core::Usage;

use super::{RerankRequest, documents, has_image};
use crate::compose::{ArrayText, ObjectText};
use crate::document::{Kind, Raw};
use crate::embeddings::{count, document, malformed, member, total_tokens};
use crate::identity::{Facts, Identity, StreamFault, UsageReport};
use crate::openai_chat::finish::FinishReason;

/// One document of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Its place in the request.
    pub index: usize,
    /// How relevant it is.
    pub score: f64,
    /// The same, with the provider's digits.
    pub digits: String,
}

/// A provider's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct RerankAnswer {
    /// The most relevant document first.
    pub ranked: Vec<Ranked>,
    /// What was seen of it.
    pub facts: Facts,
}

/// Reads an answer that came with a success status. No more documents than were wanted are kept.
///
/// # Errors
/// `InBand` when it is an error, `Malformed` when it is no answer to this request.
pub fn read_answer(body: &[u8], request: &RerankRequest) -> Result<RerankAnswer, StreamFault> {
    let document = document(body)?;
    let list = ["results", "data"].iter().find_map(|key| member(&document, key));
    let list = list.filter(|raw| raw.kind() == Kind::Array);
    let list = list.ok_or_else(|| malformed("there are no `results`"))?;
    let mut seen = vec![false; request.document_bytes.len()];
    let mut ranked = Vec::new();
    for (_, one) in list.elements() {
        let one = result(one).ok_or_else(|| malformed("a result has no index and score"))?;
        let slot = seen.get_mut(one.index);
        let slot = slot.ok_or_else(|| malformed("a result is of no document"))?;
        if std::mem::replace(slot, true) {
            return Err(malformed("a document is ranked twice"));
        }
        ranked.push(one);
    }
    ranked.sort_by(|one, two| two.score.total_cmp(&one.score));
    ranked.truncate(request.top_n.unwrap_or(usize::MAX));
    let mut odd = false;
    let billed = member(&document, "meta").and_then(|meta| meta.get("billed_units"));
    let usage = member(&document, "usage");
    let units = [billed, usage].into_iter().flatten();
    let units = units.filter_map(|raw| count(raw.get("search_units"), &mut odd)).next();
    let tokens = usage.and_then(|usage| total_tokens(usage, &mut odd));
    let tokens = tokens.or_else(|| total_tokens(billed?, &mut odd));
    let mut facts = Facts {
        content_seen: true,
        usage_plausible: !odd,
        finish: Some(FinishReason::Stop),
        done: true,
        chunks: 1,
        ..Facts::default()
    };
    if units.is_some() || tokens.is_some() {
        let (input_uncached, search_units) = (tokens.unwrap_or(0), units.unwrap_or(0));
        facts.usage = Some(Usage { input_uncached, search_units, ..Usage::default() });
    }
    let id = member(&document, "id").and_then(Raw::string);
    facts.upstream_id = id.map(|id| id.into_owned());
    Ok(RerankAnswer { ranked, facts })
}

fn result(raw: Raw<'_>) -> Option<Ranked> {
    let index = usize::try_from(count(raw.get("index"), &mut false)?).ok()?;
    let digits = raw.get("relevance_score")?;
    let score = digits.number().filter(|score| score.is_finite())?;
    Some(Ranked { index, score, digits: digits.text().to_owned() })
}

/// Writes the answer for the client (inference spec 16.2). Documents are those of the request.
#[must_use]
pub fn write_answer(
    answer: &RerankAnswer,
    request: &RerankRequest,
    identity: &Identity,
    report: &UsageReport,
) -> Bytes {
    let sent = documents(&request.document);
    let mut results = ArrayText::new();
    for one in &answer.ranked {
        let mut result = ObjectText::new();
        result.json("index", &one.index.to_string());
        result.json("relevance_score", &one.digits);
        result.json("document", &echo(sent.get(one.index).copied()));
        results.push(&result.finish());
    }
    let mut body = ObjectText::new();
    body.text("id", identity.id.as_str());
    body.text("model", &identity.model);
    body.text("provider", &identity.provider);
    body.json("results", &results.finish());
    let mut usage = ObjectText::new();
    if report.usage.search_units > 0 {
        usage.json("search_units", &report.usage.search_units.to_string());
    }
    if report.usage.total() > 0 {
        usage.json("total_tokens", &report.usage.total().to_string());
    }
    usage.json("cost", &report.cost.to_string());
    body.json("usage", &usage.finish());
    Bytes::from(body.finish())
}

/// A document as it was sent: its text and its image.
fn echo(sent: Option<Raw<'_>>) -> String {
    let mut document = ObjectText::new();
    match sent {
        Some(raw) if raw.kind() == Kind::Object => {
            let text = raw.get("text").filter(|text| !text.is_null());
            document.optional_json("text", text.map(Raw::text));
            let image = raw.get("image").filter(|_| has_image(raw));
            document.optional_json("image", image.map(Raw::text));
        }
        Some(raw) => document.json("text", raw.text()),
        None => {}
    }
    document.finish()
}
