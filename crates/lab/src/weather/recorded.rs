//! Recorded behaviour: outages, price changes and speeds, one JSON object a line.

use serde::Deserialize;
use signalbox_catalog::prices::FlatPrices;
use signalbox_catalog::{Endpoint, Percentiles};
use signalbox_core::Timestamp;

use super::{Fault, Outage};
use crate::LabError;
use crate::behaviour::Rates;
use crate::workload::moment;

/// Most lines of a file.
const MAX_ROWS: usize = 100_000;
/// Most different moments at which prices change: each makes a catalogue of its own.
const MAX_PRICE_CHANGES: usize = 1_000;

/// Which endpoints a row is about: all that fit every member that is given.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Whom {
    model: Option<String>,
    /// The tag.
    endpoint: Option<String>,
    provider: Option<String>,
}

impl Whom {
    /// Whether the row is about this endpoint.
    pub(crate) fn names(&self, endpoint: &Endpoint) -> bool {
        let fits = |wish: &Option<String>, is: &str| wish.as_ref().is_none_or(|wish| wish == is);
        fits(&self.model, &endpoint.model)
            && fits(&self.endpoint, &endpoint.tag)
            && fits(&self.provider, &endpoint.provider)
    }
}

/// One row, checked.
#[derive(Debug, Clone)]
pub(crate) enum Row {
    /// An outage.
    Outage(Outage),
    /// New prices from this moment on; kinds that are not named keep theirs.
    Price { from: Timestamp, prices: Box<FlatPrices> },
    /// How it behaves all the time.
    Behaviour(Box<Recording>),
}

/// What was measured of an endpoint. What is left out stays as published.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recording {
    pub latency: Option<Percentiles>,
    pub throughput: Option<Percentiles>,
    pub rates: Rates,
    pub per_minute: Option<u64>,
    pub tokens_per_minute: Option<u64>,
}

/// All rows of a file, in its order.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub rows: Vec<(usize, Whom, Row)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    kind: Kind,
    model: Option<String>,
    endpoint: Option<String>,
    provider: Option<String>,
    from: Option<f64>,
    until: Option<f64>,
    fault: Option<Fault>,
    share: Option<f64>,
    status: Option<u16>,
    retry_after: Option<u64>,
    factor: Option<f64>,
    on: Option<f64>,
    off: Option<f64>,
    prices: Option<FlatPrices>,
    latency_ms: Option<Percentiles>,
    throughput: Option<Percentiles>,
    #[serde(default)]
    rates: Rates,
    requests_per_minute: Option<u64>,
    tokens_per_minute: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Outage,
    Price,
    Behaviour,
}

impl Recorded {
    /// Reads a file.
    ///
    /// # Errors
    /// The first line that can't be read, with its number.
    pub(crate) fn read(text: &str) -> Result<Self, LabError> {
        let mut rows = Vec::new();
        let mut moments = 0_usize;
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let number = at.saturating_add(1);
            let (whom, row) = serde_json::from_str::<Line>(line)
                .map_err(|error| error.to_string())
                .and_then(Line::check)
                .map_err(|problem| LabError::Line { file: "outages", line: number, problem })?;
            moments = moments.saturating_add(usize::from(matches!(row, Row::Price { .. })));
            if rows.len() >= MAX_ROWS || moments > MAX_PRICE_CHANGES {
                let problem = "expected at most 100,000 lines and 1,000 price changes".to_owned();
                return Err(LabError::Line { file: "outages", line: number, problem });
            }
            rows.push((number, whom, row));
        }
        Ok(Self { rows })
    }
}

impl Line {
    fn check(self) -> Result<(Whom, Row), String> {
        let at = |key: &str, seconds: Option<f64>| {
            let seconds = seconds.ok_or_else(|| format!("{key}: required"))?;
            moment(seconds)
                .ok_or_else(|| format!("{key}: expected seconds from the start, up to 366 days"))
        };
        let row = match self.kind {
            Kind::Outage => {
                let (from, until) = (at("from", self.from)?, at("until", self.until)?);
                Row::Outage(self.outage(from, until)?)
            }
            Kind::Price => Row::Price {
                from: at("from", self.from)?,
                prices: Box::new(self.prices.ok_or("prices: required")?),
            },
            Kind::Behaviour => {
                if !self.rates.are_shares() {
                    return Err("rates: expected shares from 0 to 1, together at most 1".into());
                }
                Row::Behaviour(Box::new(Recording {
                    latency: self.latency_ms,
                    throughput: self.throughput,
                    rates: self.rates,
                    per_minute: self.requests_per_minute,
                    tokens_per_minute: self.tokens_per_minute,
                }))
            }
        };
        let whom = Whom { model: self.model, endpoint: self.endpoint, provider: self.provider };
        Ok((whom, row))
    }

    fn outage(&self, from: Timestamp, until: Timestamp) -> Result<Outage, String> {
        if until <= from {
            return Err("until: expected a moment after `from`".into());
        }
        let share = self.share.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&share) {
            return Err("share: expected 0 to 1".into());
        }
        let factor = self.factor.unwrap_or(8.0);
        if !(1.0..=1e6).contains(&factor) {
            return Err("factor: expected 1 to 1,000,000".into());
        }
        let status = self.status.unwrap_or(503);
        if !(500..=599).contains(&status) && !matches!(status, 401..=404) {
            return Err("status: expected 401 to 404 or 500 to 599".into());
        }
        if self.retry_after.is_some_and(|seconds| seconds > 86_400) {
            return Err("retry_after: expected at most 86,400 seconds".into());
        }
        let turn = |value: f64| (0.001..=1e6).contains(&value);
        let flapping = match (self.on, self.off) {
            (None, None) => None,
            (Some(on), Some(off)) if turn(on) && turn(off) => Some((on, off)),
            _ => return Err("on, off: expected both, in seconds above 0".into()),
        };
        Ok(Outage {
            from,
            until,
            fault: self.fault.ok_or("fault: required")?,
            share,
            status,
            retry_after: self.retry_after,
            factor,
            flapping,
        })
    }
}
