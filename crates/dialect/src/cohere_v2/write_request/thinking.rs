//! `thinking` (inference spec 9.2): on or off, and a budget in tokens.

use super::Target;
use crate::compose::ObjectText;
use crate::loss::Lost;
use crate::reasoning::Wish;

/// The member's value; `None` leaves the model to itself.
pub(super) fn config(target: &mut Target<'_>) -> Option<String> {
    let wish = target.out.asking.wish(target.conversation.reasoning);
    if !target.thinks() {
        if matches!(wish, Wish::Effort(_) | Wish::Budget(_)) {
            target.lose(Lost::Parameter, "reasoning");
        }
        return None;
    }
    let budget = match wish {
        Wish::Nothing => return None,
        Wish::Off => return Some(ObjectText::typed("disabled").finish()),
        Wish::Budget(budget) => Some(budget),
        Wish::Effort(effort) => target.limit().map(|limit| effort.share(limit)),
    };
    let mut thinking = ObjectText::typed("enabled");
    if let Some(budget) = budget {
        thinking.json("token_budget", &budget.max(1).to_string());
    }
    Some(thinking.finish())
}
