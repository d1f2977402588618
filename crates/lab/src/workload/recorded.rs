//! A recorded workload: one JSON object a line.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use signalbox_catalog::Snapshot;
use signalbox_policy::ProviderPreferences;

use super::{Ask, MAX_REQUESTS, Workload, find, moment};
use crate::LabError;

/// Most tokens of a prompt or an answer that are believed.
const MAX_TOKENS: u64 = 100_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    time: f64,
    model: String,
    prompt_tokens: u64,
    completion_tokens: u64,
    #[serde(default = "yes")]
    stream: bool,
    #[serde(default)]
    tools: bool,
    #[serde(borrow, default)]
    provider: Option<&'a RawValue>,
}

const fn yes() -> bool {
    true
}

pub(super) fn read(text: &str, catalog: &Snapshot) -> Result<Workload, LabError> {
    let mut workload = Workload { models: Vec::new(), asks: Vec::new() };
    let mut places = HashMap::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let fail = |problem: String| LabError::Line {
            file: "workload",
            line: at.saturating_add(1),
            problem,
        };
        let row: Line<'_> = serde_json::from_str(line).map_err(|error| fail(error.to_string()))?;
        let arrives = moment(row.time)
            .ok_or_else(|| fail("time: expected seconds from the start, up to 366 days".into()))?;
        if row.prompt_tokens.max(row.completion_tokens) > MAX_TOKENS {
            return Err(fail("tokens: expected at most 100,000,000".into()));
        }
        let model = if let Some(place) = places.get(&row.model) {
            *place
        } else {
            let model = find(catalog, &row.model).map_err(|error| fail(error.to_string()))?;
            workload.models.push(model);
            let place = workload.models.len().saturating_sub(1);
            places.insert(row.model, place);
            place
        };
        let provider = ProviderPreferences::from_json(row.provider.map(RawValue::get))
            .map_err(|error| fail(error.message))?;
        if workload.asks.len() >= MAX_REQUESTS {
            return Err(fail("expected at most 5,000,000 requests".into()));
        }
        workload.asks.push(Ask {
            at: arrives,
            model,
            prompt: row.prompt_tokens.max(1),
            completion: row.completion_tokens.max(1),
            streamed: row.stream,
            tools: row.tools,
            provider: row.provider.is_some().then(|| Box::new(provider)),
        });
    }
    if workload.asks.is_empty() {
        return Err(LabError::setting("--workload", "the file has no requests"));
    }
    workload.asks.sort_by_key(|ask| ask.at);
    Ok(workload)
}
