//! What the file says about moderation, about the recogniser of names, and about hosts whose requests stay in
//! a region.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use signalbox_catalog::listing::Region;
use signalbox_core::Secret;
use signalbox_gateway::{Analyzer, ModerationService, Moderator, Recognition, Regions};

use crate::config::secret;
use crate::exit::Stop;

/// Who judges prompts for endpoints that require it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModerationRow {
    /// The base URL that comes before `/moderations`.
    url: String,
    /// `env:NAME`, `file:PATH`, or the credential itself; absent where none is needed.
    key: Option<String>,
    /// The model; absent for the service's own.
    model: Option<String>,
    /// Seconds that a judgement may take.
    timeout: Option<u64>,
}

/// Seconds that a judgement may take when nothing else is said.
const PATIENCE: u64 = 10;

/// The moderator.
///
/// # Errors
/// A line that names the key.
pub(crate) fn moderator(row: Option<ModerationRow>) -> Result<Option<Arc<dyn Moderator>>, Stop> {
    let Some(row) = row else { return Ok(None) };
    let seconds = row.timeout.unwrap_or(PATIENCE);
    if !(1..=60).contains(&seconds) {
        return Err(Stop::usage("moderation.timeout: 1 to 60 seconds"));
    }
    let key: Option<Secret<String>> =
        row.key.as_deref().map(|key| secret(key, "moderation.key")).transpose()?;
    let timeout = Duration::from_secs(seconds);
    let service = ModerationService::new(&row.url, key.as_ref(), row.model, timeout);
    let malformed = |_| {
        Stop::usage(
            "moderation: url is https://..., or http:// on this machine; key has to fit a header",
        )
    };
    Ok(Some(Arc::new(service.map_err(malformed)?)))
}

/// Who finds names of people and addresses for the filters `person-name` and `address`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecognitionRow {
    /// The base URL that comes before `/analyze`.
    url: String,
    /// `env:NAME`, `file:PATH`, or the credential itself; absent where none is needed.
    key: Option<String>,
    /// The language of the texts, as the service names it.
    language: Option<String>,
    /// The least score of a find that counts, 0 to 1.
    min_score: Option<f64>,
    /// Milliseconds that a request waits.
    deadline_ms: Option<u64>,
}

/// Milliseconds that a request waits for the recogniser when nothing else is said.
const RECOGNITION_MS: u64 = 1_000;
/// The least score that counts when nothing else is said.
const MIN_SCORE: f64 = 0.5;

/// The recogniser.
///
/// # Errors
/// A line that names the key.
pub(crate) fn recognition(row: Option<RecognitionRow>) -> Result<Option<Recognition>, Stop> {
    let Some(row) = row else { return Ok(None) };
    let deadline = row.deadline_ms.unwrap_or(RECOGNITION_MS);
    if !(10..=60_000).contains(&deadline) {
        return Err(Stop::usage("recognition.deadline_ms: 10 to 60000 milliseconds"));
    }
    let min_score = row.min_score.unwrap_or(MIN_SCORE);
    if !(0.0..=1.0).contains(&min_score) {
        return Err(Stop::usage("recognition.min_score: 0 to 1"));
    }
    let key: Option<Secret<String>> =
        row.key.as_deref().map(|key| secret(key, "recognition.key")).transpose()?;
    let deadline = Duration::from_millis(deadline);
    let language = row.language.unwrap_or_else(|| "en".to_owned());
    let analyzer = Analyzer::new(&row.url, key.as_ref(), language, min_score, deadline);
    let malformed = |_| {
        Stop::usage(
            "recognition: url is https:// or http://; with a key https://, or on this machine",
        )
    };
    Ok(Some(Recognition::new(analyzer.map_err(malformed)?, deadline)))
}

/// The hosts and their regions.
///
/// # Errors
/// A line that names the host.
pub(crate) fn regions(rows: &BTreeMap<String, String>) -> Result<Regions, Stop> {
    let mut hosts = Vec::with_capacity(rows.len());
    for (host, region) in rows {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        if host.is_empty() || host.ends_with('.') || !host.bytes().all(letter) {
            return Err(Stop::usage(format!("regions: {host:?} is not the name of a host")));
        }
        let region = Region::from_name(region)
            .ok_or_else(|| Stop::usage(format!("regions.{host}: \"eu\" or \"us\"")))?;
        hosts.push((host.clone(), region));
    }
    Ok(Regions::new(hosts))
}
