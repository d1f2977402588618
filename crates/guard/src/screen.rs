//! The filters of one caller, compiled, and the scan of a request's texts with them.

mod found;
mod seams;

use std::ops::Range;
use std::sync::Arc;

pub use found::{Detection, Found, Redaction, Stage, StageData, What};

use crate::allowlist::Allowlist;
use crate::entity::{self, Digits};
use crate::injection::{self, Disguises};
use crate::pattern::Pattern;
use crate::policy::{Layer, PolicyError, Source};
use crate::row::{Action, Builtin, CustomFilter, ScanScope};
use crate::tokens;

/// A text to scan.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The text.
    pub text: &'a str,
    /// Whether it is the user's own.
    pub from_user: bool,
}

/// A name of a person or a place that a recogniser found: patterns can't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Which of the texts that were given.
    pub text: usize,
    /// [`Builtin::PersonName`], or [`Builtin::Address`] for a place.
    pub what: Builtin,
    /// Bytes of the text.
    pub span: Range<usize>,
}

/// What a filter does, and which guardrail said so: an index into the screen's sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    action: Action,
    source: usize,
}

/// A custom filter.
#[derive(Debug)]
struct Custom {
    pattern: Arc<Pattern>,
    written: String,
    label: Option<String>,
    rule: Rule,
}

/// The filters of all guardrails that apply to a caller. Of several that look for the same, the
/// strictest counts (platform spec 7.3).
#[derive(Debug, Default)]
pub struct Screen {
    sources: Vec<Source>,
    /// By [`Builtin`], for texts of the user and for others.
    builtins: [[Option<Rule>; 2]; Builtin::ALL.len()],
    customs: Vec<Custom>,
    allowlist: Allowlist,
}

impl Screen {
    /// The screen of these guardrails; none when they have no filter.
    ///
    /// # Errors
    /// A pattern is not valid. Nothing can be said of requests then.
    pub fn compile(layers: &[Layer], allowlist: Allowlist) -> Result<Option<Self>, PolicyError> {
        let mut screen = Self { allowlist, ..Self::default() };
        for layer in layers {
            let builtins = layer.rules.content_filter_builtins.iter().flatten();
            let customs = layer.rules.content_filters.iter().flatten();
            let source = screen.sources.len();
            for filter in builtins {
                let rule = Rule { action: filter.action, source };
                let everybody = filter.slug != Builtin::RegexPromptInjection
                    || filter.scan_scope.unwrap_or_default() == ScanScope::AllMessages;
                if let Some([user, others]) = screen.builtins.get_mut(filter.slug as usize) {
                    tighten(user, rule);
                    if everybody {
                        tighten(others, rule);
                    }
                }
            }
            for filter in customs {
                let rule = Rule { action: filter.action, source };
                let same = screen.customs.iter_mut().find(|one| one.written == filter.pattern);
                match same {
                    Some(one) if one.rule.action < rule.action => {
                        one.rule = rule;
                        one.label = label(filter);
                    }
                    Some(_) => {}
                    None => screen.customs.push(Custom {
                        pattern: Pattern::shared(&filter.pattern)?,
                        written: filter.pattern.clone(),
                        label: label(filter),
                        rule,
                    }),
                }
            }
            screen.sources.push(Source { scope: layer.scope, id: layer.id.clone() });
        }
        let filters = screen.builtins.iter().flatten().any(Option::is_some);
        Ok((filters || !screen.customs.is_empty()).then_some(screen))
    }

    /// The filters that only a recogniser can do.
    pub fn named(&self) -> impl Iterator<Item = Builtin> + '_ {
        let wanted = |what: &Builtin| what.needs_recognizer() && self.rule(*what, true).is_some();
        Builtin::ALL.into_iter().filter(wanted)
    }

    fn rule(&self, what: Builtin, from_user: bool) -> Option<Rule> {
        let [user, others] = self.builtins.get(what as usize)?;
        if from_user { *user } else { *others }
    }

    /// Scans texts. `named` is what a recogniser found in them, nothing where there is none or it had no
    /// answer: the request goes on then. A place becomes an address with its street line (platform spec 7.6).
    #[must_use]
    pub fn scan(&self, samples: &[Sample<'_>], named: &[Named]) -> Found<'_> {
        let mut found = Found::new(self);
        for (index, sample) in samples.iter().enumerate() {
            self.scan_one(index, sample, &mut found);
        }
        for one in named.iter().filter(|one| one.what.needs_recognizer()) {
            if let (Some(rule), Some(sample)) = (self.rule(one.what, true), samples.get(one.text))
                && let Some(span) = within(sample.text, one.span.clone())
            {
                let span = match one.what {
                    Builtin::Address => entity::with_street(sample.text, span),
                    _ => span,
                };
                found.add(one.text, span, What::Builtin(one.what), rule, sample.text);
            }
        }
        found
    }

    fn scan_one(&self, index: usize, sample: &Sample<'_>, found: &mut Found<'_>) {
        let Sample { text, from_user } = *sample;
        let rule = |what| self.rule(what, from_user);
        let wants = |kinds: &[Builtin]| kinds.iter().any(|kind| rule(*kind).is_some());
        {
            let mut take = |what: Builtin, span: Range<usize>| {
                if let Some(rule) = rule(what) {
                    found.add(index, span, What::Builtin(what), rule, text);
                }
            };
            if wants(&[Builtin::Email, Builtin::IpAddress]) {
                entity::around_marks(text, &mut take);
            }
        }
        let numbers =
            wants(&[Builtin::Phone, Builtin::Ssn, Builtin::CreditCard, Builtin::IpAddress]);
        let injection = rule(Builtin::RegexPromptInjection);
        if numbers || injection.is_some() {
            self.scan_tokens(index, sample, numbers, injection, found);
        }
        for (place, custom) in self.customs.iter().enumerate() {
            for span in custom.pattern.find(text) {
                found.add(index, span, What::Custom(place), custom.rule, text);
            }
        }
    }

    /// One walk over the words and numbers of a text.
    fn scan_tokens(
        &self,
        index: usize,
        sample: &Sample<'_>,
        numbers: bool,
        injection: Option<Rule>,
        found: &mut Found<'_>,
    ) {
        let Sample { text, from_user } = *sample;
        let bytes = text.as_bytes();
        let (mut digits, mut disguises) = (Digits::default(), Disguises::default());
        let mut patterns: Vec<(&'static str, Range<usize>)> = Vec::new();
        let mut take = |what: Builtin, span: Range<usize>| {
            if let Some(rule) = self.rule(what, from_user) {
                found.add(index, span, What::Builtin(what), rule, text);
            }
        };
        let table = injection::words::table();
        match injection {
            None => tokens::each(bytes, |start, end| digits.token(bytes, start, end, &mut take)),
            Some(_) => tokens::each(bytes, |start, end| {
                if numbers {
                    digits.token(bytes, start, end, &mut take);
                }
                let of_word = table.look(bytes, start, end);
                if of_word != 0 {
                    let mut take = |name, span| patterns.push((name, span));
                    injection::at_word(text, start..end, of_word, &mut take);
                }
                disguises.token(text, start, end);
            }),
        }
        let Some(rule) = injection else { return };
        disguises.finish(text);
        if !patterns.is_empty() && !self.allowlist.is_empty() {
            patterns.clear();
            let masked = self.allowlist.masked(text);
            injection::find_plain(&masked, &mut |name, span| patterns.push((name, span)));
        }
        for (name, span) in patterns {
            found.add(index, span, What::Injection(name), rule, text);
        }
        for (name, span) in disguises.found {
            found.add(index, span, What::Disguise(name), rule, text);
        }
    }
}

/// What a filter calls its finds, if it says so.
fn label(filter: &CustomFilter) -> Option<String> {
    filter.label.clone().filter(|label| !label.is_empty())
}

fn tighten(slot: &mut Option<Rule>, rule: Rule) {
    if slot.is_none_or(|old| old.action < rule.action) {
        *slot = Some(rule);
    }
}

/// A span of a text, on the borders of its characters.
fn within(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    let start = (0..=span.start.min(text.len())).rev().find(|at| text.is_char_boundary(*at))?;
    let end = (span.end.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at))?;
    (start < end).then_some(start..end)
}
