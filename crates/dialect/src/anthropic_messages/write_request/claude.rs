//! What Claude wants, whatever dialect carries the request: how thinking is asked for, which sampling
//! goes with it, and which reasoning is its own.

use signalbox_core::Parameter;

use super::{Target, block, sampling, thinking};
use crate::conversation::{Conversation, PartBody};
use crate::loss::Loss;
use crate::outbound::{Outbound, ReasoningStyle};

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    /// The `thinking` member.
    pub(crate) thinking: Option<String>,
    /// The effort.
    pub(crate) effort: Option<&'static str>,
    /// The limit on output, where it must be told because a budget of thinking is part of it.
    pub(crate) limit: Option<u64>,
    /// Temperature, top_p and top_k, as JSON.
    pub(crate) sampling: Vec<(Parameter, &'a str)>,
}

/// Whether an endpoint that is asked for reasoning in this way serves a Claude model.
pub(crate) const fn is_claudes(style: ReasoningStyle) -> bool {
    matches!(
        style,
        ReasoningStyle::Budget | ReasoningStyle::AdaptiveOrBudget | ReasoningStyle::AdaptiveEffort
    )
}

/// Decides. `forced` is a forced tool call, with which thinking is refused.
pub(crate) fn ask<'a>(
    conversation: &'a Conversation,
    out: &'a Outbound<'a>,
    forced: bool,
    losses: &mut Vec<Loss>,
) -> Asked<'a> {
    let told = std::mem::take(losses);
    let mut target = Target { conversation, out, same_dialect: false, losses: told };
    let plan = thinking::plan(&mut target, forced);
    let sampling = sampling(&mut target, plan.is_on);
    let budgeted = plan.thinking.as_deref().is_some_and(|json| json.contains("budget_tokens"));
    let limit = budgeted.then(|| target.max_tokens());
    *losses = target.losses;
    Asked { thinking: plan.thinking, effort: plan.effort, limit, sampling }
}

/// Whether a part is reasoning that Claude wrote and signed.
pub(crate) fn wrote(body: &PartBody) -> bool {
    block::is_ours(body)
}

/// Whether reasoning of this format is Claude's: it is when nobody said otherwise.
pub(crate) fn is_own_format(format: Option<&str>) -> bool {
    block::is_claudes(format)
}
