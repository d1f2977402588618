//! Why a candidate stands where it stands: values for a program, a sentence for a person.

use std::fmt::Write as _;

use crate::preferences::SortBy;

/// Which part of the plan a candidate belongs to. The parts follow each other in this order whatever
/// happens inside them (inference spec 5.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Section {
    /// The caller's own keys that come before shared capacity.
    OwnKeys,
    /// The operator's keys.
    #[default]
    Shared,
    /// The caller's own keys that come after shared capacity.
    FallbackKeys,
}

/// What the order inside a section is made by.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Basis {
    /// Nothing: it was named, not chosen.
    #[default]
    Named,
    /// A draw with weight 1 / price² (inference spec 5.3).
    Drawn {
        /// Its chance to be drawn first among those that stand as well as it does, 0 to 1.
        share: f64,
    },
    /// A metric, best first (inference spec 5.4).
    Sorted {
        /// Which.
        by: SortBy,
        /// USD for the expected request, tokens per second or milliseconds; `None` when nothing is
        /// known, which is last.
        value: Option<f64>,
    },
    /// How well it does with tools, then a draw (inference spec 5.7).
    Exacto {
        /// The tier.
        tier: Proof,
        /// Its chance to be drawn first in its tier, 0 to 1.
        share: f64,
    },
}

/// What is known of an endpoint's quality. Lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// Enough traffic, and nothing against it.
    Proven,
    /// Too little traffic to tell.
    Thin {
        /// Requests in 30 minutes.
        requests: u32,
        /// Tool requests in 2 hours.
        tool_requests: u32,
    },
    /// A signal far below the others'.
    Poor(Signal),
}

/// What Auto Exacto looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Output tokens per second.
    Throughput,
    /// The share of tool requests without a bad call.
    ToolCalls,
    /// Scores of benchmarks, pinned to the endpoint.
    Benchmark,
}

impl Signal {
    /// For a person.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::ToolCalls => "tool-call success",
            Self::Benchmark => "benchmark score",
        }
    }
}

/// A reason to stand behind the others of the section, mildest first. A candidate with a graver one
/// stands behind all with milder ones (inference spec, appendix B).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Demotion {
    /// Misses a performance threshold of the request.
    Slow = 1,
    /// The catalogue puts it behind the others.
    Deranked = 2,
    /// Uptime below 95 %.
    Degraded = 4,
    /// Uptime below 80 %.
    Down = 8,
    /// A significant outage within the last 30 s.
    Outage = 16,
    /// Failed so often that it is only the last resort.
    Ejected = 32,
}

impl Demotion {
    /// All of them, gravest first.
    pub const ALL: [Self; 6] =
        [Self::Ejected, Self::Outage, Self::Down, Self::Degraded, Self::Deranked, Self::Slow];

    /// The name in a plan.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Deranked => "deranked",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Outage => "outage",
            Self::Ejected => "ejected",
        }
    }

    /// For a person.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Slow => "it misses a performance threshold of the request",
            Self::Deranked => "the catalogue puts it behind the others",
            Self::Degraded => "its uptime is below 95 %",
            Self::Down => "its uptime is below 80 %",
            Self::Outage => "it had an outage within the last 30 s",
            Self::Ejected => "it failed too often and is the last resort",
        }
    }
}

/// A set of demotions. The larger, the farther back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Demotions(u8);

impl Demotions {
    /// Adds one.
    pub fn insert(&mut self, one: Demotion) {
        self.0 |= one as u8;
    }

    /// Whether it is in.
    #[must_use]
    pub const fn contains(self, one: Demotion) -> bool {
        self.0 & one as u8 != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    /// Those that are in, gravest first.
    pub fn iter(self) -> impl Iterator<Item = Demotion> {
        Demotion::ALL.into_iter().filter(move |one| self.contains(*one))
    }
}

/// A median, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The median.
    pub value: f64,
    /// Whether this process measured it; else it is the catalogue's.
    pub live: bool,
}

/// What the planner knew of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// USD that the expected request costs here now. For ranking only.
    pub price: f64,
    /// Milliseconds to the first token.
    pub latency_ms: Option<Measured>,
    /// Output tokens per second.
    pub throughput: Option<Measured>,
    /// Percent of recent requests that it answered, over the shortest window with enough of them.
    pub uptime: Option<f32>,
}

/// Why a candidate stands where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Place {
    /// Which part of the plan it is in.
    pub section: Section,
    /// What puts it behind the others of its section.
    pub demotions: Demotions,
    /// Its number in `provider.order`, from 1.
    pub listed: Option<usize>,
    /// Whether it is of the tier that `service_tier` asks for, which comes first.
    pub wished_tier: bool,
    /// Whether the conversation stays with it.
    pub sticky: bool,
    /// Whether one request at a time finds out if it is back after an ejection.
    pub half_open: bool,
    /// What orders it among those that are equal so far.
    pub basis: Basis,
    /// What was known of it.
    pub figures: Figures,
}

impl Place {
    /// Why it stands here, for a person.
    #[must_use]
    pub fn text(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        match self.section {
            Section::OwnKeys => parts.push("the caller's own key, before shared capacity".into()),
            Section::Shared => {}
            Section::FallbackKeys => {
                parts.push("the caller's own key, after shared capacity".into());
            }
        }
        if let Some(number) = self.listed {
            parts.push(format!("number {number} in provider.order"));
        }
        if self.wished_tier {
            parts.push("of the service tier that is asked for".into());
        }
        if self.sticky {
            parts.push("the conversation stays with it".into());
        }
        parts.extend(self.basis.text());
        if self.half_open {
            parts.push("one request at a time finds out whether it is back".into());
        }
        let mut text = parts.join("; ");
        let mut behind = self.demotions.iter().map(Demotion::text);
        if let Some(first) = behind.next() {
            let lead = if text.is_empty() { "" } else { "; " };
            let _ = write!(text, "{lead}behind the others: {first}");
            for more in behind {
                let _ = write!(text, ", {more}");
            }
        }
        text
    }
}

impl Basis {
    fn text(&self) -> Option<String> {
        Some(match self {
            Self::Named => return None,
            Self::Drawn { share } => {
                format!("drawn by price, first in {} of draws", percent(*share))
            }
            Self::Sorted { by, value: None } => {
                format!("sorted by {}: no figure, so behind those that have one", by.name())
            }
            Self::Sorted { by, value: Some(value) } => match by {
                SortBy::Price => format!("sorted by price: ${value:.9} for this request"),
                SortBy::Throughput => format!("sorted by throughput: {value:.1} tokens/s"),
                SortBy::Latency => format!("sorted by latency: {value:.0} ms to the first token"),
                SortBy::Exacto => "sorted by quality".to_owned(),
            },
            Self::Exacto { tier, share } => {
                format!("{}; first in {} of its tier's draws", tier.text(), percent(*share))
            }
        })
    }
}

impl Proof {
    /// The name in a plan.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proven => "good",
            Self::Thin { .. } => "insufficient_data",
            Self::Poor(_) => "deprioritized",
        }
    }

    /// For a person.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Proven => "proven".to_owned(),
            Self::Thin { requests, tool_requests } => format!(
                "not proven yet: {requests} requests in 30 min, {tool_requests} with tools in 2 h"
            ),
            Self::Poor(signal) => format!("its {} is far below the median", signal.name()),
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_everything_that_put_it_there() {
        let mut place = Place {
            listed: Some(2),
            basis: Basis::Drawn { share: 0.25 },
            half_open: true,
            ..Place::default()
        };
        place.demotions.insert(Demotion::Slow);
        place.demotions.insert(Demotion::Outage);
        assert_eq!(
            place.text(),
            "number 2 in provider.order; drawn by price, first in 25.0 % of draws; one request at a \
             time finds out whether it is back; behind the others: it had an outage within the last \
             30 s, it misses a performance threshold of the request"
        );
        assert_eq!(Place::default().text(), "");
    }

    #[test]
    fn a_graver_demotion_weighs_more_than_all_milder_ones() {
        for (at, gravest) in Demotion::ALL.into_iter().enumerate() {
            let (mut alone, mut milder) = (Demotions::default(), Demotions::default());
            alone.insert(gravest);
            Demotion::ALL.into_iter().skip(at + 1).for_each(|one| milder.insert(one));
            assert!(alone > milder, "{gravest:?}");
        }
    }
}
