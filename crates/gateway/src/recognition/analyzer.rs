//! A recogniser behind HTTP, in the shape of Presidio's `POST /analyze` for several texts.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use signalbox_core::Secret;
use signalbox_guard::{Builtin, Named};
use signalbox_upstream::{AddressError, Client, Document, Method, Service};

/// Most bytes of texts that go into one call, and into one of its texts.
const MAX_CALL: usize = 64 * 1024;
/// Most texts that go into one call.
const MAX_TEXTS: usize = 256;
/// Bytes that two parts of a long text have in common: a name is whole in one of them.
const OVERLAP: usize = 256;

/// Why a recogniser said nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AnalyzerFault {
    #[error("the recogniser can't be reached: {0}")]
    Unreachable(String),
    #[error("the recogniser's answer can't be read: {0}")]
    Malformed(String),
}

/// Presidio's analyzer, or what speaks like it.
#[derive(Debug, Clone)]
pub struct Analyzer {
    service: Service,
    language: String,
    min_score: f64,
}

#[derive(Serialize)]
struct Question<'a> {
    text: Vec<&'a str>,
    language: &'a str,
    entities: Vec<&'static str>,
    score_threshold: f64,
}

/// One find. Its places are counted in characters.
#[derive(Deserialize)]
struct Place {
    entity_type: String,
    start: usize,
    end: usize,
}

/// A text, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// Which text.
    text: usize,
    /// Where in it the part begins, in bytes.
    from: usize,
    words: &'a str,
}

impl Analyzer {
    /// The service whose base URL comes before `/analyze`. Finds below `min_score`, between 0 and 1, don't
    /// count. Each call takes at most `timeout`. Without a credential it may be a service of the operator's
    /// own network that speaks `http://`.
    ///
    /// # Errors
    /// [`AddressError::Malformed`] for an address that is none, or that a credential may not be sent to,
    /// and for a credential that can't stand in a header.
    pub fn new(
        base_url: &str,
        key: Option<&Secret<String>>,
        language: String,
        min_score: f64,
        timeout: Duration,
    ) -> Result<Self, AddressError> {
        let client = Client::new();
        let service = match key {
            Some(key) => Service::new(&client, base_url, timeout)?.with_bearer(key)?,
            None => Service::without_credential(&client, base_url, timeout)?,
        };
        Ok(Self { service, language, min_score })
    }

    /// What of `wanted` is in some texts.
    pub(super) async fn analyze(
        &self,
        call: &[Part<'_>],
        wanted: &[Builtin],
    ) -> Result<Vec<Named>, AnalyzerFault> {
        let question = Question {
            text: call.iter().map(|part| part.words).collect(),
            language: &self.language,
            entities: wanted.iter().filter_map(|what| entity(*what)).collect(),
            score_threshold: self.min_score,
        };
        let malformed = |why: serde_json::Error| AnalyzerFault::Malformed(why.to_string());
        let question = Document::json(serde_json::to_string(&question).map_err(malformed)?);
        let told = self.service.call(Method::POST, "/analyze", Some(question), None).await;
        let told = told.map_err(|error| AnalyzerFault::Unreachable(error.to_string()))?;
        if told.status != 200 {
            return Err(AnalyzerFault::Unreachable(format!("status {}", told.status)));
        }
        let answers: Vec<Vec<Place>> = serde_json::from_slice(&told.body).map_err(malformed)?;
        if answers.len() != call.len() {
            let (got, given) = (answers.len(), call.len());
            return Err(AnalyzerFault::Malformed(format!("{got} answers for {given} texts")));
        }
        let found =
            call.iter().zip(&answers).flat_map(|(part, places)| named(part, places, wanted));
        Ok(found.collect())
    }
}

/// What the service calls it.
const fn entity(what: Builtin) -> Option<&'static str> {
    match what {
        Builtin::PersonName => Some("PERSON"),
        Builtin::Address => Some("LOCATION"),
        _ => None,
    }
}

/// Finds with their places in bytes of the whole text. Those that are nowhere in it are left out.
fn named(part: &Part<'_>, places: &[Place], wanted: &[Builtin]) -> Vec<Named> {
    if places.is_empty() {
        return Vec::new();
    }
    let mut starts: Vec<usize> = part.words.char_indices().map(|(at, _)| at).collect();
    starts.push(part.words.len());
    let byte = |character: usize| starts.get(character).map(|at| at.saturating_add(part.from));
    let one = |place: &Place| {
        let is_it = |what: &&Builtin| entity(**what) == Some(place.entity_type.as_str());
        let what = *wanted.iter().find(is_it)?;
        let span = byte(place.start)?..byte(place.end)?;
        (!span.is_empty()).then_some(Named { text: part.text, what, span })
    };
    places.iter().filter_map(one).collect()
}

/// Texts in portions, long ones in parts; those that say nothing are left out.
pub(super) fn calls<'a>(texts: &[&'a str]) -> Vec<Vec<Part<'a>>> {
    let mut calls: Vec<Vec<Part<'a>>> = Vec::new();
    let mut bytes = 0_usize;
    let all = texts.iter().enumerate().filter(|(_, text)| !text.trim().is_empty());
    for part in all.flat_map(|(index, text)| parts(index, text)) {
        bytes = bytes.saturating_add(part.words.len());
        match calls.last_mut().filter(|call| call.len() < MAX_TEXTS && bytes <= MAX_CALL) {
            Some(call) => call.push(part),
            None => {
                bytes = part.words.len();
                calls.push(vec![part]);
            }
        }
    }
    calls
}

fn parts(text: usize, words: &str) -> impl Iterator<Item = Part<'_>> {
    let mut next = Some(0_usize);
    std::iter::from_fn(move || {
        let from = next?;
        let end = words.floor_char_boundary(from.saturating_add(MAX_CALL));
        next = (end < words.len()).then(|| words.floor_char_boundary(end.saturating_sub(OVERLAP)));
        Some(Part { text, from, words: words.get(from..end)? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_where_it_says_and_no_call_is_too_large() {
        let texts = ["é".repeat(100_000), " \n".to_owned(), "x".to_owned(), "y".repeat(MAX_CALL)];
        let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        texts.extend(["z"; 600]);
        let calls = calls(&texts);
        let mut reached = vec![0; texts.len()];
        for call in &calls {
            assert!(call.len() <= MAX_TEXTS);
            assert!(call.iter().map(|part| part.words.len()).sum::<usize>() <= MAX_CALL);
            for part in call {
                let end = part.from + part.words.len();
                assert_eq!(texts[part.text].get(part.from..end), Some(part.words));
                let overlap = if part.from == 0 { 0 } else { OVERLAP };
                assert_eq!(part.from + overlap, reached[part.text]);
                reached[part.text] = end;
            }
        }
        for (text, reached) in texts.iter().zip(reached) {
            assert_eq!(reached, if text.trim().is_empty() { 0 } else { text.len() });
        }
    }

    #[test]
    fn places_are_characters_and_what_is_nowhere_is_left_out() {
        let part = Part { text: 3, from: 10, words: "Zoë Ünal in Köln" };
        let place = |kind: &str, start, end| Place { entity_type: kind.to_owned(), start, end };
        let places = [
            place("PERSON", 0, 8),
            place("LOCATION", 12, 16),
            place("PERSON", 5, 400),
            place("PERSON", 8, 2),
            place("IBAN", 0, 3),
        ];
        let found = named(&part, &places, &[Builtin::PersonName, Builtin::Address]);
        let one = |what, span| Named { text: 3, what, span };
        let expected = [one(Builtin::PersonName, 10..20), one(Builtin::Address, 24..29)].to_vec();
        assert_eq!(found, expected);
        assert_eq!(named(&part, &places, &[Builtin::PersonName]).len(), 1);
    }
}
