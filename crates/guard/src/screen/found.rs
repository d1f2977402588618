//! What a scan found, and what follows from it: the refusal, the spans that are replaced, the stages that
//! metadata tells (platform spec 7.5 to 7.10).

use std::ops::Range;

use serde::Serialize;
use serde_json::Value;
use signalbox_core::{ApiError, ErrorKind};

use super::{Rule, Screen};
use crate::row::{Action, Builtin};

/// Most matches that metadata lists of one kind.
const MAX_LISTED: usize = 32;
/// Longest match that metadata quotes, in characters.
const MAX_QUOTED: usize = 200;

/// The kind of a detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Sensitive information.
    Builtin(Builtin),
    /// One of the screen's custom filters.
    Custom(usize),
    /// A named pattern of the injection detector.
    Injection(&'static str),
    /// One of its detectors of disguises: the whole text is concerned.
    Disguise(&'static str),
}

/// One find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detection {
    /// Which text.
    pub text: usize,
    /// Bytes of it that matched.
    pub span: Range<usize>,
    /// What it is.
    pub what: What,
    /// What follows.
    pub action: Action,
    rule: Rule,
    /// The bytes that a redaction replaces.
    replaced: Range<usize>,
    /// What metadata quotes of it: never sensitive information.
    quote: Option<String>,
    /// Whether it is the rest of the find before it, which began in the text before.
    continues: bool,
}

/// A span to replace. Those of one text are in order and apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    /// Which text.
    pub text: usize,
    /// Bytes of it.
    pub span: Range<usize>,
    /// The placeholder.
    pub with: String,
}

/// A member of `openrouter_metadata.pipeline`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the members of the public object, platform spec 7.10")]
pub struct Stage {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guardrail_id: Option<String>,
    pub guardrail_scope: &'static str,
    pub summary: String,
    pub data: StageData,
    /// The names of what was found, each once, for records that must not quote: patterns, kinds of
    /// sensitive information, `custom`.
    #[serde(skip)]
    pub found: Vec<&'static str>,
}

/// Its `data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the members of the public object, platform spec 7.10")]
pub struct StageData {
    pub action: &'static str,
    pub detected: bool,
    pub engines: Vec<&'static str>,
    /// Matched texts of injections; labels of everything else.
    pub patterns: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub matched_entity_types: Vec<&'static str>,
}

/// Everything that a scan found.
#[derive(Debug)]
pub struct Found<'s> {
    screen: &'s Screen,
    detections: Vec<Detection>,
}

impl<'s> Found<'s> {
    pub(super) const fn new(screen: &'s Screen) -> Self {
        Self { screen, detections: Vec::new() }
    }

    pub(super) fn add(
        &mut self,
        index: usize,
        span: Range<usize>,
        what: What,
        rule: Rule,
        text: &str,
    ) {
        let quote = match what {
            What::Injection(_) => text.get(span.clone()).map(quoted),
            What::Disguise(name) => Some(name.to_owned()),
            What::Builtin(_) | What::Custom(_) => None,
        };
        let replaced = if matches!(what, What::Disguise(_)) { 0..text.len() } else { span.clone() };
        let action = rule.action;
        let continues = false;
        let text = index;
        self.detections.push(Detection {
            text,
            span,
            what,
            action,
            rule,
            replaced,
            quote,
            continues,
        });
    }

    /// A part of a find that several texts have together.
    pub(super) fn add_part(
        &mut self,
        one: &Detection,
        text: usize,
        span: Range<usize>,
        replaced: Range<usize>,
        continues: bool,
    ) {
        self.detections.push(Detection { text, span, replaced, continues, ..one.clone() });
    }

    /// The finds, each once.
    fn each(&self) -> impl Iterator<Item = &Detection> {
        self.detections.iter().filter(|one| !one.continues)
    }

    /// Whether there is nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.detections.is_empty()
    }

    /// Each find.
    #[must_use]
    pub fn detections(&self) -> &[Detection] {
        &self.detections
    }

    /// The strictest action that follows.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        self.detections.iter().map(|one| one.action).max()
    }

    /// The refusal, when something blocks: 403 with the matched patterns in its metadata.
    #[must_use]
    pub fn refusal(&self) -> Option<ApiError> {
        let blocking = || self.each().filter(|one| one.action == Action::Block);
        let first = blocking().min_by_key(|one| rank(one.what))?;
        let message = match first.what {
            What::Injection(_) | What::Disguise(_) => {
                "Request blocked: prompt injection patterns detected".to_owned()
            }
            What::Builtin(what) if what.needs_recognizer() => {
                format!("Blocked PII detected: {}", what.entity())
            }
            _ => format!("Request blocked by content filter: {}", self.label(first, "[BLOCKED]")),
        };
        let patterns = listed(blocking().map(|one| self.pattern(one)));
        let error = ApiError::new(ErrorKind::PermissionDenied, message);
        Some(error.with_metadata("patterns", Value::from(patterns)))
    }

    /// What is to be replaced. Finds that overlap become one span with the placeholder of the first.
    #[must_use]
    pub fn redactions(&self) -> Vec<Redaction> {
        let mut redacted: Vec<&Detection> =
            self.detections.iter().filter(|one| one.action == Action::Redact).collect();
        redacted.sort_by_key(|one| {
            (one.text, one.replaced.start, std::cmp::Reverse(one.replaced.end), rank(one.what))
        });
        let mut joined: Vec<Redaction> = Vec::new();
        for one in redacted {
            match joined.last_mut() {
                Some(last) if last.text == one.text && one.replaced.start < last.span.end => {
                    last.span.end = last.span.end.max(one.replaced.end);
                }
                _ => joined.push(Redaction {
                    text: one.text,
                    span: one.replaced.clone(),
                    with: self.label(one, "[REDACTED]"),
                }),
            }
        }
        joined
    }

    /// The stages of the pipeline, one for each guardrail, kind of filter and action.
    #[must_use]
    pub fn stages(&self) -> Vec<Stage> {
        let key = |one: &Detection| (rank(one.what) > 1, one.rule.source, one.action);
        let mut sorted: Vec<&Detection> = self.each().collect();
        sorted.sort_by_key(|one| key(one));
        let groups = sorted.chunk_by(|one, other| key(one) == key(other));
        groups.filter_map(|group| self.stage(group)).collect()
    }

    fn stage(&self, group: &[&Detection]) -> Option<Stage> {
        let first = group.first()?;
        let source = self.screen.sources.get(first.rule.source)?;
        let is_injection = rank(first.what) < 2;
        let patterns = listed(group.iter().map(|one| self.pattern(one)));
        let (mut types, mut names): (Vec<&'static str>, Vec<&'static str>) = Default::default();
        let mut engines = Vec::new();
        for one in group {
            let named = matches!(one.what, What::Builtin(what) if what.needs_recognizer());
            let engine = if named { "recognizer" } else { "regex" };
            if !engines.contains(&engine) {
                engines.push(engine);
            }
            let (name, is_type) = match one.what {
                What::Builtin(what) => (what.entity(), true),
                What::Injection(name) | What::Disguise(name) => (name, false),
                What::Custom(_) => ("custom", false),
            };
            if !names.contains(&name) {
                names.push(name);
                types.extend(is_type.then_some(name));
            }
        }
        let action = first.action.done();
        let (count, plural) = (group.len(), if group.len() == 1 { "" } else { "s" });
        let verb = match first.action {
            Action::Flag => "Flagged",
            Action::Redact => "Redacted",
            Action::Block => "Blocked",
        };
        let summary = if is_injection {
            format!("{verb}: prompt injection detected ({count} pattern{plural} matched)")
        } else {
            format!(
                "{verb}: {} ({count} match{})",
                patterns.join(", "),
                if count == 1 { "" } else { "es" }
            )
        };
        Some(Stage {
            kind: "guardrail",
            name: if is_injection { "regex_pi_detection" } else { "content-filter" },
            guardrail_id: source.id.clone(),
            guardrail_scope: source.scope.name(),
            summary,
            data: StageData {
                action,
                detected: true,
                engines,
                patterns,
                matched_entity_types: types,
            },
            found: names,
        })
    }

    /// The label of a filter; of a custom one without a label, `unnamed`.
    fn label(&self, one: &Detection, unnamed: &str) -> String {
        match one.what {
            What::Builtin(what) => what.label().to_owned(),
            What::Injection(_) | What::Disguise(_) => {
                Builtin::RegexPromptInjection.label().to_owned()
            }
            What::Custom(place) => {
                let custom = self.screen.customs.get(place);
                let label = custom.and_then(|custom| custom.label.clone());
                label.unwrap_or_else(|| unnamed.to_owned())
            }
        }
    }

    fn pattern(&self, one: &Detection) -> String {
        let unnamed = if one.action == Action::Block { "[BLOCKED]" } else { "[REDACTED]" };
        one.quote.clone().unwrap_or_else(|| self.label(one, unnamed))
    }
}

/// Which find an error speaks of: injections first, then what filters found in the order of the table.
const fn rank(what: What) -> usize {
    match what {
        What::Injection(_) => 0,
        What::Disguise(_) => 1,
        What::Builtin(what) => 2 + what as usize,
        What::Custom(place) => 100 + place,
    }
}

/// Each text once, and not too many.
fn listed(patterns: impl Iterator<Item = String>) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for pattern in patterns {
        if list.len() == MAX_LISTED {
            break;
        }
        if !list.contains(&pattern) {
            list.push(pattern);
        }
    }
    list
}

fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}
