//! What the file says about moderation, and about hosts whose requests stay in a region.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use signalbox_catalog::listing::Region;
use signalbox_core::Secret;
use signalbox_gateway::{ModerationService, Moderator, Regions};

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
