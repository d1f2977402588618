//! How endpoints are asked for reasoning (inference spec 9): what the client wishes, what a row of
//! data says of the endpoint, and what comes of both in a body.
//!
//! The wish is the same in every dialect. Dialects with a vocabulary of their own (Messages, Gemini,
//! Responses, Cohere) write it themselves; everything else is written by `members`, on top of any
//! body, at the places that the row names.

pub(crate) mod members;
mod row;

use crate::conversation::WireDialect;
pub use crate::openai_chat::survey::Effort;
use crate::openai_chat::survey::ReasoningRequest;
use crate::patch::Pointer;

/// How an endpoint wants to be asked for reasoning.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningStyle {
    /// As `reasoning_effort`. A budget in tokens becomes the nearest effort.
    #[default]
    Effort,
    /// As the `reasoning` object: an effort, or whether at all.
    Object,
    /// As a member that switches it on or off, with an effort or a budget beside it where the row
    /// has a place for them.
    Switch,
    /// As a budget of thinking tokens (Messages; inference spec 9.2).
    Budget,
    /// As an effort of adaptive thinking, but as a budget when tokens were asked for (Messages).
    AdaptiveOrBudget,
    /// As an effort of adaptive thinking, always (Messages).
    AdaptiveEffort,
    /// It reasons whatever is sent, so nothing is.
    Fixed,
    /// Not at all: what was asked is left out.
    None,
}

impl ReasoningStyle {
    /// Whether a body of this dialect can say it.
    #[must_use]
    pub const fn fits(self, dialect: WireDialect) -> bool {
        match self {
            Self::Fixed | Self::None => true,
            Self::Effort => {
                !matches!(dialect, WireDialect::AnthropicMessages | WireDialect::OpenaiCompletions)
            }
            Self::Object => matches!(dialect, WireDialect::OpenaiChat),
            Self::Switch => {
                matches!(dialect, WireDialect::OpenaiChat | WireDialect::BedrockConverse)
            }
            Self::Budget => matches!(
                dialect,
                WireDialect::AnthropicMessages
                    | WireDialect::BedrockConverse
                    | WireDialect::CohereV2
            ),
            Self::AdaptiveOrBudget | Self::AdaptiveEffort => {
                matches!(dialect, WireDialect::AnthropicMessages | WireDialect::BedrockConverse)
            }
        }
    }
}

/// A set of efforts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Efforts(u8);

impl Efforts {
    /// The efforts of these names; `None` when one of them is no effort.
    #[must_use]
    pub fn from_names<S: AsRef<str>>(names: &[S]) -> Option<Self> {
        names.iter().try_fold(Self::default(), |mut set, name| {
            set.0 |= Self::bit(Effort::from_name(name.as_ref())?);
            Some(set)
        })
    }

    const fn bit(effort: Effort) -> u8 {
        1 << effort as u8
    }

    /// Whether it is one of them.
    #[must_use]
    pub const fn contains(self, effort: Effort) -> bool {
        self.0 & Self::bit(effort) != 0
    }

    /// All but `none`, from the lowest up.
    fn levels(self) -> impl Iterator<Item = Effort> {
        let levels = Effort::ALL.into_iter().filter(|effort| *effort != Effort::None);
        levels.filter(move |effort| self.contains(*effort))
    }

    /// The nearest of them, by the share of the output that an effort stands for; of two that are as
    /// near the higher. An effort stays as it is where there are none.
    #[must_use]
    pub fn nearest(self, wanted: Effort) -> Effort {
        if self.contains(wanted) {
            return wanted;
        }
        let distance = |effort: &Effort| effort.percent().abs_diff(wanted.percent());
        let best = self.levels().min_by_key(|one| (distance(one), std::cmp::Reverse(*one)));
        best.unwrap_or(wanted)
    }

    /// The lowest of them but `none`.
    #[must_use]
    pub fn lowest(self) -> Option<Effort> {
        self.levels().next()
    }
}

/// How an endpoint is asked, as a row of data says it.
#[derive(Debug, Clone, PartialEq, Default, serde::Deserialize)]
#[serde(try_from = "row::Row")]
pub struct Ask {
    /// The way.
    pub style: ReasoningStyle,
    /// The efforts that it knows, `none` among them when it can be switched off so.
    pub efforts: Option<Efforts>,
    /// Where the effort is written, when not in the dialect's own place.
    effort_at: Option<Pointer>,
    /// The member that switches.
    switch: Option<Switch>,
    /// Where a budget is written.
    budget: Option<Budget>,
}

impl Ask {
    /// A way that needs no more to be said.
    #[must_use]
    pub const fn of(style: ReasoningStyle) -> Self {
        Self { style, efforts: None, effort_at: None, switch: None, budget: None }
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Switch {
    at: Pointer,
    on: Option<serde_json::Value>,
    off: Option<serde_json::Value>,
}

#[derive(Debug, Clone, PartialEq)]
struct Budget {
    at: Pointer,
    least: u64,
    most: u64,
}

/// What is known when one endpoint is asked: its row, and what its model can be told (inference spec
/// 9.3).
#[derive(Debug, Clone, Copy, Default)]
pub struct Asking<'a> {
    /// The row; without one, the style is all there is to know.
    pub row: Option<&'a Ask>,
    /// The efforts of the model; `None` is all.
    pub efforts: Option<Efforts>,
    /// Whether it can't be switched off.
    pub mandatory: bool,
    /// Whether it reasons when it is told nothing.
    pub default_enabled: Option<bool>,
}

/// What the client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Nothing,
    Off,
    Effort(Effort),
    Budget(u64),
}

impl Asking<'_> {
    fn own(&self) -> Option<Efforts> {
        self.row.and_then(|row| row.efforts)
    }

    /// The wish. Where reasoning can't be switched off, switching it off becomes the lowest effort
    /// (inference spec 8.6); that a concrete model refuses it is decided before.
    pub(crate) fn wish(&self, request: Option<ReasoningRequest>) -> Wish {
        let Some(request) = request else { return Wish::Nothing };
        if request.is_off() && self.mandatory {
            // No tokens at all are dropped: what stays is that it reasons.
            let zero = request.max_tokens == Some(0) && request.enabled != Some(false);
            return Wish::Effort(if zero { Effort::Medium } else { self.lowest() });
        }
        match request {
            request if request.is_off() => Wish::Off,
            ReasoningRequest { effort: Some(effort), .. } => Wish::Effort(effort),
            ReasoningRequest { max_tokens: Some(budget), .. } => Wish::Budget(budget),
            ReasoningRequest { enabled: Some(true), .. } => Wish::Effort(Effort::Medium),
            _ => Wish::Nothing,
        }
    }

    /// The lowest effort that means reasoning.
    pub(crate) fn lowest(&self) -> Effort {
        let known = self.own().or(self.efforts);
        known.and_then(Efforts::lowest).unwrap_or(Effort::Minimal)
    }

    /// The nearest effort that the endpoint knows; its own row tells better than its model's.
    pub(crate) fn nearest(&self, effort: Effort) -> Effort {
        self.own().or(self.efforts).map_or(effort, |known| known.nearest(effort))
    }

    /// A wish where only efforts are known; `None` leaves it unsaid. What can't be switched off so
    /// gets the lowest effort.
    pub(crate) fn level(&self, wish: Wish, max_output: Option<u64>) -> Option<Effort> {
        match wish {
            Wish::Nothing => None,
            Wish::Off if self.own().is_none_or(|own| own.contains(Effort::None)) => {
                Some(Effort::None)
            }
            Wish::Off => Some(self.lowest()),
            Wish::Effort(effort) => Some(self.nearest(effort)),
            Wish::Budget(budget) => Some(self.nearest(Effort::from_budget(budget, max_output))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Effort::{High, Low, Max, Medium, Minimal, None, Xhigh};
    use super::*;

    #[test]
    fn an_effort_that_is_not_known_becomes_the_nearest() {
        for (names, wanted, expected) in [
            (&["low", "medium", "high"][..], Xhigh, High),
            (&["low", "medium", "high"], Max, High),
            (&["low", "medium", "high"], Minimal, Low),
            (&["low", "high", "max"], Medium, High),
            (&["low", "high", "max"], Xhigh, Max),
            (&["high", "max"], Low, High),
            (&["low", "medium", "xhigh"], High, Xhigh),
            (&["none", "high"], Minimal, High),
            (&["none", "high"], None, None),
            (&["none"], Low, Low),
            (&[], Low, Low),
        ] {
            let known = Efforts::from_names(names).unwrap();
            assert_eq!(known.nearest(wanted), expected, "{names:?} {wanted:?}");
        }
        assert_eq!(Efforts::from_names(&["high", "huge"]), Option::None);
    }

    #[test]
    fn what_must_reason_gets_its_lowest_effort() {
        let mut asking = Asking {
            efforts: Efforts::from_names(&["high", "low"]),
            mandatory: true,
            ..Asking::default()
        };
        let off = ReasoningRequest { enabled: Some(false), ..Default::default() };
        let zero = ReasoningRequest { max_tokens: Some(0), ..Default::default() };
        let none = ReasoningRequest { effort: Some(None), ..off };
        let wishes = |asking: &Asking<'_>| [off, none, zero].map(|one| asking.wish(Some(one)));
        assert_eq!(wishes(&asking), [Low, Low, Medium].map(Wish::Effort));
        asking.mandatory = false;
        assert_eq!(wishes(&asking), [Wish::Off; 3]);
    }
}
