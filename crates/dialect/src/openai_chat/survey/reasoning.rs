//! The three ways to ask for reasoning, as one request (inference spec 9.1).

use signalbox_core::ApiError;

use super::field::{self, Path};
use super::sampling;
use crate::document::Raw;

/// How much to reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is its own name on the wire")]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

impl Effort {
    const NAMES: [&'static str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    pub(crate) const ALL: [Self; 7] =
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::Xhigh, Self::Max];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The effort of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.name() == name)
    }

    /// The share of the output limit that goes to reasoning, in per cent (inference spec 9.2).
    #[must_use]
    pub const fn percent(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Minimal => 10,
            Self::Low => 20,
            Self::Medium => 50,
            Self::High => 80,
            Self::Xhigh | Self::Max => 95,
        }
    }

    /// Its share of a limit.
    pub(crate) fn share(self, limit: u64) -> u64 {
        let share = u128::from(limit).saturating_mul(u128::from(self.percent())) / 100;
        u64::try_from(share).unwrap_or(u64::MAX)
    }

    /// The effort whose share comes closest to a budget, for endpoints that know efforts only; the
    /// lower of two. Without an output limit there is no share: then it is medium, as the bare
    /// `enabled`.
    #[must_use]
    pub fn from_budget(budget: u64, max_output: Option<u64>) -> Self {
        let Some(limit) = max_output.filter(|limit| *limit > 0) else { return Self::Medium };
        let (budget, limit) = (u128::from(budget), u128::from(limit));
        let wanted = budget.saturating_mul(100) / limit;
        [Self::Minimal, Self::Low, Self::Medium, Self::High, Self::Xhigh]
            .into_iter()
            .min_by_key(|effort| u128::from(effort.percent()).abs_diff(wanted))
            .unwrap_or(Self::Medium)
    }
}

/// What was asked about reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReasoningRequest {
    /// The effort, never together with `max_tokens`.
    pub effort: Option<Effort>,
    /// The budget in tokens; 0 switches reasoning off.
    pub max_tokens: Option<u64>,
    /// Reason, but leave it out of the answer.
    pub exclude: bool,
    /// Switched on or off. `effort: none` is off.
    pub enabled: Option<bool>,
}

impl ReasoningRequest {
    /// Whether it asks for no reasoning.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.enabled == Some(false)
            || self.effort == Some(Effort::None)
            || self.max_tokens == Some(0)
    }
}

/// Reads one effort word.
pub(crate) fn effort(path: &Path<'_>, raw: Raw<'_>) -> Result<Effort, ApiError> {
    let name = field::word(path, raw, &Effort::NAMES)?;
    Effort::from_name(&name).ok_or_else(|| field::wrong(path, "an effort"))
}

/// Reads the `reasoning` object. Members that are not named here pass through.
pub(super) fn read(path: &Path<'_>, raw: Raw<'_>) -> Result<ReasoningRequest, ApiError> {
    field::object(path, raw)?;
    let mut request = ReasoningRequest::default();
    for entry in raw.members().filter(|entry| !entry.value.is_null()) {
        let inside = path.member(&entry.key);
        match &*entry.key {
            "effort" => request.effort = Some(effort(&inside, entry.value)?),
            "max_tokens" => request.max_tokens = Some(sampling::budget(&inside, entry.value)?),
            "exclude" => request.exclude = field::boolean(&inside, entry.value)?,
            "enabled" => request.enabled = Some(field::boolean(&inside, entry.value)?),
            _ => {}
        }
    }
    Ok(request)
}

/// One request out of `reasoning`, `reasoning_effort` and `include_reasoning`. The object wins over
/// `include_reasoning`; the two efforts must agree.
pub(super) fn merged(
    object: Option<ReasoningRequest>,
    shorthand: Option<Effort>,
    include: Option<bool>,
) -> Result<Option<ReasoningRequest>, ApiError> {
    if object.is_none() && shorthand.is_none() && include.is_none() {
        return Ok(None);
    }
    let exclude = object.is_none() && include == Some(false);
    let mut request = object.unwrap_or(ReasoningRequest { exclude, ..Default::default() });
    if let (Some(effort), Some(short)) = (request.effort, shorthand)
        && effort != short
    {
        return Err(ApiError::invalid(format!(
            "`reasoning_effort` is {} but `reasoning.effort` is {}; send one of them, or the same in both.",
            short.name(),
            effort.name(),
        )));
    }
    request.effort = request.effort.or(shorthand);
    if request.effort.is_some() && request.max_tokens.is_some() {
        return Err(ApiError::invalid(
            "Only one of `reasoning.effort` and `reasoning.max_tokens` can be sent.",
        ));
    }
    if request.effort == Some(Effort::None) {
        request.enabled = Some(false);
    }
    Ok(Some(request))
}
