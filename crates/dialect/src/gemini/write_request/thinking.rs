//! `thinkingConfig` (inference spec 9.2 and 9.4).

use super::{Target, ThinkingStyle};
use crate::compose::ObjectText;
use crate::loss::Lost;
use crate::reasoning::{Effort, Wish};

/// The budget that lets the model decide.
const DYNAMIC: &str = "-1";

/// The member's value; `None` leaves the model to itself. Thoughts are shown unless the client does
/// not want them.
pub(super) fn config(target: &mut Target<'_>) -> Option<String> {
    let request = target.conversation.reasoning;
    let wish = target.out.asking.wish(request);
    let mut config = ObjectText::new();
    match target.traits.thinking {
        ThinkingStyle::None => return None,
        ThinkingStyle::Budget { least, most, can_disable } => {
            if wish == Wish::Off && !can_disable {
                target.lose(Lost::Parameter, "reasoning");
            }
            let bounded = |budget: u64| budget.min(most).max(least).to_string();
            let budget = match wish {
                Wish::Nothing => None,
                Wish::Off => Some(if can_disable { 0 } else { least }.to_string()),
                Wish::Budget(budget) => Some(bounded(budget)),
                // Without a limit there is nothing to take a share of.
                Wish::Effort(effort) => Some(
                    target
                        .limit()
                        .map_or_else(|| DYNAMIC.to_owned(), |limit| bounded(effort.share(limit))),
                ),
            };
            config.optional_json("thinkingBudget", budget.as_deref());
        }
        ThinkingStyle::Level => match wish {
            Wish::Nothing => {}
            Wish::Off => {
                target.lose(Lost::Parameter, "reasoning");
                config.text("thinkingLevel", level(target.out.asking.lowest()));
            }
            Wish::Budget(budget) => config.json("thinkingBudget", &budget.to_string()),
            Wish::Effort(effort) => {
                config.text("thinkingLevel", level(target.out.asking.nearest(effort)));
            }
        },
    }
    if wish != Wish::Off && !request.is_some_and(|request| request.exclude) {
        config.json("includeThoughts", "true");
    }
    (!config.is_empty()).then(|| config.finish())
}

const fn level(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::Xhigh | Effort::Max => "high",
    }
}
