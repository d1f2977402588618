//! A moderator behind HTTP, in the shape of OpenAI's `POST /moderations`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use signalbox_core::{Flagged, Secret};
use signalbox_upstream::{AddressError, Client, Document, Method, Service};

use super::{Judgement, ModerationFault, Moderator};

/// Most bytes of texts that go into one call.
const MAX_CALL: usize = 256 * 1024;
/// Most texts that go into one call.
const MAX_TEXTS: usize = 32;

/// The service at a base URL.
#[derive(Debug, Clone)]
pub struct ModerationService {
    service: Service,
    model: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Judged>,
}

#[derive(Deserialize)]
struct Judged {
    flagged: bool,
    #[serde(default)]
    categories: BTreeMap<String, Option<bool>>,
}

impl ModerationService {
    /// The service whose base URL comes before `/moderations`. Each call takes at most `timeout`. Without a
    /// model it takes its own.
    ///
    /// # Errors
    /// [`AddressError::Malformed`] for an address that a credential may not be sent to, and for a
    /// credential that can't stand in a header.
    pub fn new(
        base_url: &str,
        key: Option<&Secret<String>>,
        model: Option<String>,
        timeout: Duration,
    ) -> Result<Self, AddressError> {
        let service = Service::new(&Client::new(), base_url, timeout)?;
        let service = match key {
            Some(key) => service.with_bearer(key)?,
            None => service,
        };
        Ok(Self { service, model })
    }

    async fn ask(&self, texts: &[&str]) -> Result<Vec<Judged>, ModerationFault> {
        let mut body = json!({ "input": texts });
        if let (Some(members), Some(model)) = (body.as_object_mut(), &self.model) {
            members.insert("model".to_owned(), model.as_str().into());
        }
        let document = Document::json(body.to_string());
        let told = self.service.call(Method::POST, "/moderations", Some(document), None).await;
        let told = told.map_err(|error| ModerationFault::Unreachable(error.to_string()))?;
        if told.status != 200 {
            return Err(ModerationFault::Unreachable(format!("status {}", told.status)));
        }
        let malformed = |why: String| ModerationFault::Malformed(why);
        let answer: Answer =
            serde_json::from_slice(&told.body).map_err(|error| malformed(error.to_string()))?;
        // One judgement of all the texts will do, and one for each; anything else can't be told apart.
        if answer.results.len() != texts.len() && answer.results.len() != 1 {
            let (given, got) = (texts.len(), answer.results.len());
            return Err(malformed(format!("{got} results for {given} texts")));
        }
        Ok(answer.results)
    }

    async fn judge_all(&self, texts: &[String]) -> Result<Option<Flagged>, ModerationFault> {
        for call in calls(texts) {
            let results = self.ask(&call).await?;
            let flagged: Vec<(usize, &Judged)> =
                results.iter().enumerate().filter(|(_, one)| one.flagged).collect();
            if let Some((at, _)) = flagged.first() {
                let categories = flagged.iter().flat_map(|(_, one)| &one.categories);
                let found = categories.filter(|(_, found)| **found == Some(true));
                let reasons = found.map(|(name, _)| name.as_str());
                let text = call.get(*at).copied().unwrap_or_default();
                return Ok(Some(Flagged::new(reasons, text)));
            }
        }
        Ok(None)
    }
}

/// The texts in portions, long ones in parts.
fn calls(texts: &[String]) -> Vec<Vec<&str>> {
    let mut calls: Vec<Vec<&str>> = Vec::new();
    let mut bytes = 0_usize;
    for part in texts.iter().flat_map(|text| parts(text)) {
        let is_full = |call: &Vec<&str>| call.len() == MAX_TEXTS;
        bytes = bytes.saturating_add(part.len());
        match calls.last_mut().filter(|call| !is_full(call) && bytes <= MAX_CALL) {
            Some(call) => call.push(part),
            None => {
                calls.push(vec![part]);
                bytes = part.len();
            }
        }
    }
    calls
}

/// A text in parts that fit into a call, each beginning a little before the end of the one before it.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    const OVERLAP: usize = 1024;
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        if text.len() <= MAX_CALL {
            return rest.take();
        }
        let part = text.get(..text.floor_char_boundary(MAX_CALL))?;
        rest = text.get(text.floor_char_boundary(MAX_CALL.saturating_sub(OVERLAP))..);
        Some(part)
    })
}

impl Moderator for ModerationService {
    fn judge<'a>(&'a self, texts: &'a [String]) -> Judgement<'a> {
        Box::pin(self.judge_all(texts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_is_in_a_call_and_no_call_is_too_large() {
        let texts = vec!["é".repeat(400_000), "x".to_owned(), "y".repeat(MAX_CALL)];
        let texts = [texts, vec!["z".to_owned(); 100]].concat();
        let calls = calls(&texts);
        for call in &calls {
            assert!(call.len() <= MAX_TEXTS);
            assert!(call.iter().map(|text| text.len()).sum::<usize>() <= MAX_CALL);
        }
        let all: usize = calls.iter().flatten().map(|text| text.len()).sum();
        let least: usize = texts.iter().map(String::len).sum();
        assert!(all >= least && all < least + 10_000, "{all} of {least}");
        assert_eq!(calls.iter().flatten().filter(|text| **text == "z").count(), 100);
    }
}
