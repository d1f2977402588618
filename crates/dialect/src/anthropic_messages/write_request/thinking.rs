//! How thinking is asked for: by budget or by effort (inference spec 9.2 and 9.4).

use signalbox_core::Parameter;

use super::Target;
use crate::compose::ObjectText;
use crate::conversation::{Message, PartBody, Role};
use crate::loss::Lost;
use crate::openai_chat::survey::{Effort, ReasoningRequest};
use crate::outbound::ReasoningStyle;
use crate::reasoning::Wish;

/// The smallest budget that is accepted.
pub(in crate::anthropic_messages) const LEAST_BUDGET: u64 = 1024;
/// The largest budget that an effort stands for.
const MOST_BUDGET: u64 = 128_000;

/// What to write.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The `thinking` member.
    pub(super) thinking: Option<String>,
    /// The `effort` of `output_config`.
    pub(super) effort: Option<&'static str>,
    /// Whether thinking was switched on.
    pub(super) is_on: bool,
}

/// Decides. `forced` is a forced tool call, with which thinking is refused.
pub(super) fn plan(target: &mut Target<'_>, forced: bool) -> Plan {
    let request = target.conversation.reasoning;
    let mut wish = target.out.asking.wish(request);
    let style = target.out.reasoning;
    let budgeted = match style {
        ReasoningStyle::Budget => true,
        ReasoningStyle::AdaptiveOrBudget => matches!(wish, Wish::Budget(_)),
        ReasoningStyle::AdaptiveEffort => false,
        ReasoningStyle::Effort
        | ReasoningStyle::Object
        | ReasoningStyle::Switch
        | ReasoningStyle::Fixed
        | ReasoningStyle::None => {
            if matches!(wish, Wish::Effort(_) | Wish::Budget(_)) {
                target.lose(Lost::Parameter, "reasoning");
            }
            return Plan { effort: verbosity(target, true, None), ..Plan::default() };
        }
    };
    let can_t = forced || is_unfinished(target.conversation.messages.as_slice(), budgeted);
    if matches!(wish, Wish::Effort(_) | Wish::Budget(_)) && can_t {
        target.lose(Lost::Parameter, "reasoning");
        wish = if target.out.asking.mandatory { Wish::Nothing } else { Wish::Off };
    }
    if budgeted { by_budget(target, wish) } else { by_effort(target, wish, request, can_t) }
}

/// Whether thinking can't begin here: the model is to go on with an answer of its own, or, with a
/// budget, with a turn that called tools without having thought.
fn is_unfinished(messages: &[Message], budgeted: bool) -> bool {
    let Some(last) = messages.last() else { return false };
    if last.role == Role::Assistant {
        return true;
    }
    let answers = last.parts.iter().any(|part| matches!(part.body, PartBody::ToolResult { .. }));
    let turn: Vec<_> = messages
        .iter()
        .rev()
        .skip_while(|message| message.role != Role::Assistant)
        .take_while(|message| message.role == Role::Assistant)
        .flat_map(|message| &message.parts)
        .collect();
    let thought = turn.iter().any(|part| super::block::is_ours(&part.body));
    budgeted && answers && !thought
}

/// A budget, always below the limit on output. A limit too small for any budget means no thinking.
fn by_budget(target: &mut Target<'_>, wish: Wish) -> Plan {
    let limit = target.max_tokens();
    let wanted = match wish {
        Wish::Nothing | Wish::Off => None,
        Wish::Budget(budget) => Some(budget),
        Wish::Effort(effort) => Some(effort.share(limit).min(MOST_BUDGET)),
    };
    let mut plan = Plan { effort: verbosity(target, true, None), ..Plan::default() };
    match wanted.map(|budget| budget.max(LEAST_BUDGET).min(limit.saturating_sub(1))) {
        Some(budget) if budget >= LEAST_BUDGET => {
            plan.thinking = Some(format!("{{\"type\":\"enabled\",\"budget_tokens\":{budget}}}"));
            plan.is_on = true;
        }
        Some(_) => target.lose(Lost::Parameter, "reasoning"),
        None => {}
    }
    plan
}

/// Adaptive thinking. Some models think unless told not to, so that is said, and said too that they
/// are to show it.
fn by_effort(
    target: &mut Target<'_>,
    wish: Wish,
    request: Option<ReasoningRequest>,
    can_t: bool,
) -> Plan {
    let older = target.out.reasoning == ReasoningStyle::AdaptiveOrBudget;
    let by_default = target.out.asking.default_enabled;
    let thinks = by_default == Some(true) || target.out.asking.mandatory;
    let effort = match wish {
        Wish::Nothing if thinks && !can_t => None,
        Wish::Nothing => return Plan { effort: verbosity(target, older, None), ..Plan::default() },
        Wish::Off => {
            let quiet = older || by_default == Some(false);
            let thinking = (!quiet).then(|| "{\"type\":\"disabled\"}".to_owned());
            // The highest efforts are refused without thinking.
            let effort =
                verbosity(target, true, None).map(|word| if word == "max" { "high" } else { word });
            return Plan { thinking, effort, is_on: false };
        }
        Wish::Budget(_) => {
            // The model decides for itself how much that is (inference spec 9.4).
            target.lose(Lost::Property, "reasoning.max_tokens");
            None
        }
        Wish::Effort(effort) => Some(effort),
    };
    // Without a wish for its display these models keep their thoughts to themselves.
    let shown =
        if request.is_some_and(|request| request.exclude) { "omitted" } else { "summarized" };
    let mut thinking = ObjectText::typed("adaptive");
    thinking.text("display", shown);
    let effort = verbosity(target, older, effort);
    Plan { thinking: Some(thinking.finish()), effort, is_on: true }
}

/// The effort to write: the wish for verbosity wins over that for reasoning.
fn verbosity(target: &mut Target<'_>, older: bool, effort: Option<Effort>) -> Option<&'static str> {
    let sent =
        target.conversation.verbosity.as_deref().filter(|_| target.supports(Parameter::Verbosity));
    let word = effort_word(sent.or(effort.map(Effort::name))?, older, target.out.reasoning);
    if word.is_none() {
        target.lose(Lost::Parameter, "verbosity");
    }
    word
}

/// An effort in the words of a model. `older` models know no `xhigh`, and of them those with budgets
/// no `max`.
pub(in crate::anthropic_messages) fn effort_word(
    word: &str,
    older: bool,
    style: ReasoningStyle,
) -> Option<&'static str> {
    Some(match word {
        "minimal" | "low" => "low",
        "medium" => "medium",
        "xhigh" if !older => "xhigh",
        "max" if style != ReasoningStyle::Budget => "max",
        "high" | "xhigh" | "max" => "high",
        _ => return None,
    })
}
