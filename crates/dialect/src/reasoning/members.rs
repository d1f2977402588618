//! Asking by members that a row of data names: in the chat dialect, and wherever one model of a
//! dialect has a word that the dialect itself has not.

use super::{Asking, Effort, ReasoningStyle, Wish};
use crate::compose::ObjectText;
use crate::document::{Document, Edits, Raw, quoted, splice};
use crate::loss::{Loss, Lost, report};
use crate::openai_chat::survey::ReasoningRequest;
use crate::outbound::Outbound;
use crate::patch::Pointer;

/// The wish, with what there is to know when it is written.
pub(crate) struct Writer<'a> {
    pub(crate) out: &'a Outbound<'a>,
    pub(crate) request: Option<ReasoningRequest>,
    /// The limit on output, of which a budget is a share.
    pub(crate) limit: Option<u64>,
    /// Where the dialect has efforts.
    pub(crate) effort_at: &'static [&'static str],
}

impl Writer<'_> {
    /// Writes the wish into a body, on top of edits that are already decided.
    pub(crate) fn write(&self, document: &Document, edits: &mut Edits, losses: &mut Vec<Loss>) {
        let asking = &self.out.asking;
        let wish = asking.wish(self.request);
        match self.out.reasoning {
            ReasoningStyle::Effort => {
                if let Some(level) = asking.level(wish, self.limit) {
                    self.effort(level, document, edits);
                }
            }
            ReasoningStyle::Object => self.object(asking, wish, document, edits),
            ReasoningStyle::Switch => self.switch(asking, wish, document, edits, losses),
            ReasoningStyle::Fixed => match wish {
                Wish::Nothing => {}
                Wish::Off => report(losses, Lost::Parameter, "reasoning"),
                Wish::Effort(_) | Wish::Budget(_) => {
                    report(losses, Lost::Property, "reasoning.effort");
                }
            },
            ReasoningStyle::Budget
            | ReasoningStyle::AdaptiveOrBudget
            | ReasoningStyle::AdaptiveEffort
            | ReasoningStyle::None => {
                if matches!(wish, Wish::Effort(_) | Wish::Budget(_)) {
                    report(losses, Lost::Parameter, "reasoning");
                }
            }
        }
    }

    fn effort(&self, level: Effort, document: &Document, edits: &mut Edits) {
        match self.out.asking.row.and_then(|row| row.effort_at.as_ref()) {
            Some(at) => at.set(level.name().into(), document, edits),
            None => Pointer::of(self.effort_at).set(level.name().into(), document, edits),
        }
    }

    /// The `reasoning` object. A row with efforts means an endpoint that knows nothing else; without
    /// one, everything that was sent goes along.
    fn object(&self, asking: &Asking<'_>, wish: Wish, document: &Document, edits: &mut Edits) {
        let known = asking.own();
        let text = match (wish, known) {
            (Wish::Off, Some(known)) if !known.contains(Effort::None) => {
                "{\"enabled\":false}".to_owned()
            }
            (_, Some(_)) => match asking.level(wish, self.limit) {
                Some(level) => format!("{{\"effort\":\"{}\"}}", level.name()),
                None => return,
            },
            (_, None) => {
                let Some(mut request) = self.request else { return };
                if request.is_off() && asking.mandatory {
                    request.effort = Some(asking.lowest());
                    (request.enabled, request.max_tokens) = (None, None);
                    edits.set("reasoning", object(request));
                    return;
                }
                let sent = document.get("reasoning").map(Raw::new).filter(|raw| !raw.is_null());
                sent.map_or_else(|| object(request), |sent| with_effort(sent, request))
            }
        };
        edits.set("reasoning", text);
    }

    fn switch(
        &self,
        asking: &Asking<'_>,
        wish: Wish,
        document: &Document,
        edits: &mut Edits,
        losses: &mut Vec<Loss>,
    ) {
        let Some((row, switch)) = asking.row.and_then(|row| Some((row, row.switch.as_ref()?)))
        else {
            return;
        };
        let value = match wish {
            // What must reason is told so: the same model may be sold without.
            Wish::Nothing if asking.mandatory => &switch.on,
            Wish::Nothing => return,
            Wish::Off => {
                // Nothing said is off, unless the model reasons by itself.
                if switch.off.is_none() && asking.default_enabled == Some(true) {
                    report(losses, Lost::Parameter, "reasoning");
                }
                &switch.off
            }
            Wish::Effort(_) | Wish::Budget(_) => &switch.on,
        };
        if let Some(value) = value {
            switch.at.set(value.clone(), document, edits);
        }
        let budget = match wish {
            Wish::Nothing | Wish::Off => return,
            Wish::Budget(budget) if row.budget.is_some() => Some(budget),
            _ if row.efforts.is_some() => None,
            Wish::Effort(effort) => self.limit.map(|limit| effort.share(limit)),
            Wish::Budget(_) => None,
        };
        match (&row.budget, budget) {
            (Some(place), Some(budget)) => {
                place.at.set(budget.clamp(place.least, place.most).into(), document, edits);
            }
            _ if row.efforts.is_some() => {
                if let Some(level) = asking.level(wish, self.limit) {
                    self.effort(level, document, edits);
                }
            }
            // More or less of it can't be said here, with or without a limit.
            _ => {
                if row.budget.is_none() {
                    report(losses, Lost::Property, "reasoning.effort");
                }
            }
        }
    }
}

/// The object as sent, with the effort of `reasoning_effort` when it has none of its own.
fn with_effort(object: Raw<'_>, request: ReasoningRequest) -> String {
    let own = object.get("effort").is_some_and(|sent| !sent.is_null());
    match request.effort.filter(|_| !own) {
        Some(effort) => {
            let mut edits = Edits::default();
            edits.set("effort", quoted(effort.name()));
            splice(object.text(), object.members(), &edits)
        }
        None => object.text().to_owned(),
    }
}

/// An object for what was asked in other ways.
fn object(request: ReasoningRequest) -> String {
    let mut object = ObjectText::new();
    object.optional_text("effort", request.effort.map(Effort::name));
    if let Some(budget) = request.max_tokens {
        object.json("max_tokens", &budget.to_string());
    }
    if let (None, Some(enabled)) = (request.effort, request.enabled) {
        object.json("enabled", if enabled { "true" } else { "false" });
    }
    if request.exclude {
        object.json("exclude", "true");
    }
    object.finish()
}
