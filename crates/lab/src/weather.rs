//! What goes wrong when: outages with a beginning and an end.

use serde::Deserialize;
use signalbox_core::Timestamp;

mod recorded;
mod seeded;

pub(crate) use recorded::{Recorded, Row, Whom};

/// Where the outages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weather {
    /// Nothing ever goes wrong.
    None,
    /// Ordinary failures, and an outage now and then.
    Light,
    /// Ordinary failures, and outages all the time.
    Heavy,
    /// The text of a recorded file, one JSON object a line; see docs/laboratory.md.
    Recorded(String),
}

impl Weather {
    /// The name in reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Light => "light",
            Self::Heavy => "heavy",
            Self::Recorded(_) => "recorded",
        }
    }

    /// Whether endpoints have the ordinary failures that nobody publishes.
    pub(crate) const fn has_ordinary_failures(&self) -> bool {
        matches!(self, Self::Light | Self::Heavy)
    }
}

/// What an outage does to the requests that it touches.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// A server error, at once.
    Errors,
    /// No answer at all.
    Hang,
    /// Everything takes so many times as long.
    Slow,
    /// Too many requests.
    RateLimit,
    /// The answer breaks off after its first content.
    Breaks,
}

/// One outage of one endpoint.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outage {
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub until: Timestamp,
    /// What it does.
    pub fault: Fault,
    /// The share of requests that it does it to, 0 to 1.
    pub share: f64,
    /// The status of the errors.
    pub status: u16,
    /// Seconds that a 429 asks for; `None` says nothing.
    pub retry_after: Option<u64>,
    /// How many times as long a slow one takes.
    pub factor: f64,
    /// Flapping: seconds on and seconds off, by turns.
    pub flapping: Option<(f64, f64)>,
}

impl Outage {
    /// Whether it is going on at this moment.
    pub(crate) fn is_on(&self, now: Timestamp) -> bool {
        if now < self.from || now >= self.until {
            return false;
        }
        let Some((on, off)) = self.flapping else { return true };
        #[expect(clippy::cast_precision_loss, reason = "a year has fewer than 2⁵³ microseconds")]
        let seconds = now.micros().saturating_sub(self.from.micros()) as f64 / 1e6;
        seconds % (on + off) < on
    }
}

impl Weather {
    /// The outages of one endpoint by chance, until `end`.
    pub(crate) fn of(
        &self,
        chance: crate::chance::Chance,
        endpoint: &signalbox_catalog::Endpoint,
        end: Timestamp,
    ) -> Vec<Outage> {
        match self {
            Self::None | Self::Recorded(_) => Vec::new(),
            Self::Light => seeded::outages(&seeded::LIGHT, chance, endpoint, end),
            Self::Heavy => seeded::outages(&seeded::HEAVY, chance, endpoint, end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flapping_outage_is_on_and_off_by_turns() {
        let at = Timestamp::from_seconds;
        let outage = Outage {
            from: at(100),
            until: at(160),
            fault: Fault::Errors,
            share: 1.0,
            status: 503,
            retry_after: None,
            factor: 1.0,
            flapping: Some((10.0, 20.0)),
        };
        let on: Vec<i64> = (90..170).filter(|second| outage.is_on(at(*second))).collect();
        let wanted: Vec<i64> = (100..110).chain(130..140).collect();
        assert_eq!(on, wanted);
        let steady = Outage { flapping: None, ..outage };
        assert!(!steady.is_on(at(99)) && steady.is_on(at(100)) && steady.is_on(at(159)));
        assert!(!steady.is_on(at(160)));
    }
}
