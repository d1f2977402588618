//! `thinkingConfig` (inference spec 9.2 and 9.4).

use super::{Target, ThinkingStyle};
use crate::compose::ObjectText;
use crate::loss::Lost;
use crate::openai_chat::survey::{Effort, ReasoningRequest};

/// The budget that lets the model decide.
const DYNAMIC: &str = "-1";

/// The member's value; `None` leaves the model to itself. Thoughts are shown unless the client does
/// not want them.
pub(super) fn config(target: &mut Target<'_>) -> Option<String> {
    let request = target.conversation.reasoning.unwrap_or_default();
    let mut config = ObjectText::new();
    let is_off = request.enabled == Some(false);
    match target.traits.thinking {
        ThinkingStyle::None => return None,
        ThinkingStyle::Budget { least, most, can_disable } => {
            if is_off && !can_disable {
                target.lose(Lost::Parameter, "reasoning");
            }
            if is_off {
                let none = if can_disable { 0 } else { least };
                config.json("thinkingBudget", &none.to_string());
            } else {
                let budget = budget(request, target.limit(), least, most);
                config.optional_json("thinkingBudget", budget.as_deref());
            }
        }
        ThinkingStyle::Level if is_off => {
            target.lose(Lost::Parameter, "reasoning");
            config.text("thinkingLevel", "minimal");
        }
        ThinkingStyle::Level => match (request.max_tokens, effort(request)) {
            (Some(budget), _) => config.json("thinkingBudget", &budget.to_string()),
            (None, Some(effort)) => config.text("thinkingLevel", level(effort)),
            (None, None) => {}
        },
    }
    if !is_off && !request.exclude {
        config.json("includeThoughts", "true");
    }
    (!config.is_empty()).then(|| config.finish())
}

/// The effort that was asked for; switched on and nothing more is medium.
fn effort(request: ReasoningRequest) -> Option<Effort> {
    request.effort.or_else(|| (request.enabled == Some(true)).then_some(Effort::Medium))
}

fn budget(request: ReasoningRequest, limit: Option<u64>, least: u64, most: u64) -> Option<String> {
    let bounded = |budget: u64| budget.min(most).max(least).to_string();
    if let Some(budget) = request.max_tokens {
        return Some(bounded(budget));
    }
    let effort = effort(request)?;
    // Without a limit there is nothing to take a share of.
    Some(limit.map_or_else(
        || DYNAMIC.to_owned(),
        |limit| bounded(limit.saturating_mul(effort.percent()) / 100),
    ))
}

const fn level(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::Xhigh | Effort::Max => "high",
    }
}
