//! Thinking and effort for the model that gets them (inference spec 9.4).
//!
//! What fits the model stays byte for byte. What does not is decided as for any other client.

use signalbox_core::{ApiError, Parameter};

use crate::anthropic_messages::read_request::read_request;
use crate::anthropic_messages::write_request::{
    LEAST_BUDGET, effort_word, max_tokens, thinking_plan,
};
use crate::document::{Document, Edits, Kind, Raw, quoted, splice};
use crate::openai_chat::survey::Survey;
use crate::outbound::{Outbound, ReasoningStyle};

/// Brings `thinking` and `output_config` into a form that fits. With `interleaved` thinking the
/// budget is that of a whole turn and may exceed the limit on output.
pub(super) fn ask(
    document: &Document,
    survey: &Survey,
    out: &Outbound<'_>,
    interleaved: bool,
    edits: &mut Edits,
) -> Result<(), ApiError> {
    let sent = document.get("thinking").map(Raw::new).filter(|raw| !raw.is_null());
    let limit = max_tokens(out, survey.max_output);
    let kind = sent.and_then(|sent| sent.get("type")?.string()).unwrap_or_default();
    let fits = match (&*kind, out.reasoning) {
        ("", _) => true,
        (
            _,
            ReasoningStyle::Effort
            | ReasoningStyle::Object
            | ReasoningStyle::Switch
            | ReasoningStyle::Fixed
            | ReasoningStyle::None,
        ) => false,
        ("disabled", _) => !out.asking.mandatory,
        ("adaptive", style) => style != ReasoningStyle::Budget,
        ("enabled", ReasoningStyle::Budget | ReasoningStyle::AdaptiveOrBudget) => {
            let budget = survey.reasoning.and_then(|request| request.max_tokens).unwrap_or(0);
            budget >= LEAST_BUDGET && (budget < limit || interleaved)
        }
        ("enabled", _) => false,
        _ => true,
    };
    let config = document.get("output_config").map(Raw::new);
    let config = config.filter(|raw| raw.kind() == Kind::Object);
    let effort = config.and_then(|config| config.get("effort")?.string());
    if let Some(shown) = sent.filter(|_| fits).and_then(|sent| shown(sent, &kind)) {
        edits.set("thinking", shown);
    }
    let effort = match sent.filter(|_| !fits) {
        None => effort.filter(|_| passes(&kind, out)).and_then(|word| {
            let off = kind == "disabled";
            let older = off || out.reasoning != ReasoningStyle::AdaptiveEffort;
            // The highest efforts are refused without thinking.
            effort_word(&word, older, out.reasoning)
                .map(|word| if off && word == "max" { "high" } else { word })
        }),
        Some(sent) => {
            let conversation = read_request(document, survey)?;
            let choice = document.get("tool_choice").map(Raw::new);
            let choice = choice.and_then(|choice| choice.get("type")?.string());
            let forced = matches!(choice.as_deref(), Some("any" | "tool"));
            let (thinking, effort) = thinking_plan(&conversation, out, forced);
            match thinking {
                Some(thinking) => edits.set("thinking", merged(sent, Raw::new(&thinking))),
                None => edits.remove("thinking"),
            }
            effort
        }
    };
    output_config(config, effort, out, edits);
    Ok(())
}

/// Thinking with its display named: these models show none of it unless told to (inference spec 9.4).
fn shown(sent: Raw<'_>, kind: &str) -> Option<String> {
    let named = sent.get("display").is_some_and(|display| !display.is_null());
    (kind == "adaptive" && !named).then(|| {
        let mut edits = Edits::default();
        edits.set("display", quoted("summarized"));
        splice(sent.text(), sent.members(), &edits)
    })
}

/// Whether an effort may be sent: as a wish for verbosity, or for how much to think.
fn passes(kind: &str, out: &Outbound<'_>) -> bool {
    !out.unsupported.contains(Parameter::Verbosity) || kind == "adaptive"
}

/// What was decided, on top of what was sent: members that nobody knows stay, and so does the
/// client's choice of display.
fn merged(sent: Raw<'_>, decided: Raw<'_>) -> String {
    let mut edits = Edits::default();
    edits.remove("budget_tokens");
    for entry in decided.members() {
        if entry.key != "display" || sent.get("display").is_none_or(Raw::is_null) {
            edits.set(entry.key.into_owned(), entry.value.text().to_owned());
        }
    }
    if decided.get("type").and_then(Raw::string).as_deref() == Some("disabled") {
        edits.remove("display");
    }
    splice(sent.text(), sent.members(), &edits)
}

/// Effort and format of the output; the rest stays.
fn output_config(
    sent: Option<Raw<'_>>,
    effort: Option<&str>,
    out: &Outbound<'_>,
    edits: &mut Edits,
) {
    let mut inside = Edits::default();
    let before = sent.and_then(|sent| sent.get("effort"));
    match effort {
        Some(effort) if before.and_then(Raw::string).as_deref() == Some(effort) => {}
        Some(effort) => inside.set("effort", quoted(effort)),
        None if before.is_some() => inside.remove("effort"),
        None => {}
    }
    if out.unsupported.contains(Parameter::ResponseFormat)
        && sent.is_some_and(|sent| sent.get("format").is_some())
    {
        inside.remove("format");
    }
    if inside.is_empty() {
        return;
    }
    let sent = sent.unwrap_or(Raw::new("{}"));
    let text = splice(sent.text(), sent.members(), &inside);
    if Raw::new(&text).members().next().is_some() {
        edits.set("output_config", text);
    } else {
        edits.remove("output_config");
    }
}
