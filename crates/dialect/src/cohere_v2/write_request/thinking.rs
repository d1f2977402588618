//! `thinking` (inference spec 9.2): on or off, and a budget in tokens.

use super::Target;
use crate::compose::ObjectText;
use crate::loss::Lost;
use crate::openai_chat::survey::Effort;

/// The member's value; `None` leaves the model to itself.
pub(super) fn config(target: &mut Target<'_>) -> Option<String> {
    let request = target.conversation.reasoning?;
    let is_off = request.enabled == Some(false);
    if !target.thinks() {
        if !is_off {
            target.lose(Lost::Parameter, "reasoning");
        }
        return None;
    }
    if is_off {
        return Some(ObjectText::typed("disabled").finish());
    }
    let effort =
        request.effort.or_else(|| (request.enabled == Some(true)).then_some(Effort::Medium));
    let share = |effort: Effort| Some(target.limit()?.saturating_mul(effort.percent()) / 100);
    let asked = request.max_tokens.is_some() || effort.is_some();
    let budget = request.max_tokens.or_else(|| share(effort?));
    asked.then(|| {
        let mut thinking = ObjectText::typed("enabled");
        if let Some(budget) = budget {
            thinking.json("token_budget", &budget.max(1).to_string());
        }
        thinking.finish()
    })
}
