//! Carrying out patches on raw JSON text.

use serde_json::Number;

use super::{Action, Patch, Pointer, Step, is_limit};
use crate::document::{Document, Edits, Kind, Raw, quoted, rewrite_elements, splice};

/// The members of one object, wherever it is, as far as a patch needs them.
trait Members {
    fn current(&self, key: &str) -> Option<Raw<'_>>;
}

struct Top<'a> {
    document: &'a Document,
    edits: &'a Edits,
}

impl Members for Top<'_> {
    fn current(&self, key: &str) -> Option<Raw<'_>> {
        self.edits.current(self.document, key).map(Raw::new)
    }
}

impl Members for Raw<'_> {
    fn current(&self, key: &str) -> Option<Raw<'_>> {
        self.get(key)
    }
}

pub(super) fn apply(patch: &Patch, document: &Document, edits: &mut Edits) {
    let changes = match &patch.action {
        Action::Move(to) => moved(&patch.at, to, &Top { document, edits }),
        action => changes(&Top { document, edits }, &patch.at.0, action),
    };
    for (key, value) in changes {
        match value {
            Some(raw) => edits.set(key, raw),
            None => edits.remove(key),
        }
    }
}

/// New raw texts for members; none means to leave the member out.
type Changes = Vec<(String, Option<String>)>;

/// What an action changes among the members of an object that the pointer starts from.
fn changes(members: &dyn Members, steps: &[Step], action: &Action) -> Changes {
    let Some((Step::Key(key), rest)) = steps.split_first() else { return Vec::new() };
    let current = members.current(key);
    if rest.is_empty() {
        return at_member(members, key, current, action);
    }
    let changed = match current.filter(|value| !value.is_null()) {
        Some(value) => inside(value, rest, action),
        None => created(rest, action),
    };
    changed.map(|text| (key.clone(), Some(text))).into_iter().collect()
}

/// The text of a value after an action on something inside it; none when nothing changes.
fn inside(value: Raw<'_>, steps: &[Step], action: &Action) -> Option<String> {
    match (steps.split_first()?, value.kind()) {
        ((Step::Each, rest), Kind::Array) => {
            rewrite_elements(value, |element| inside(element, rest, action))
        }
        ((Step::Key(_), _), Kind::Object) => {
            let mut edits = Edits::default();
            for (key, change) in changes(&value, steps, action) {
                match change {
                    Some(raw) => edits.set(key, raw),
                    None => edits.remove(key),
                }
            }
            (!edits.is_empty()).then(|| splice(value.text(), value.members(), &edits))
        }
        _ => None,
    }
}

/// A new value for a member that is absent, when the action makes one below it.
fn created(steps: &[Step], action: &Action) -> Option<String> {
    let (Action::Set(value) | Action::Default(value)) = action else { return None };
    nest(steps, value.to_string())
}

fn nest(steps: &[Step], innermost: String) -> Option<String> {
    steps.iter().rev().try_fold(innermost, |inner, step| match step {
        Step::Key(key) => Some(format!("{{{}:{inner}}}", quoted(key))),
        Step::Each => None,
    })
}

fn at_member(
    members: &dyn Members,
    key: &str,
    current: Option<Raw<'_>>,
    action: &Action,
) -> Changes {
    let one = |text: String| vec![(key.to_owned(), Some(text))];
    match (action, current) {
        (Action::Set(value), _) => one(value.to_string()),
        (Action::Default(value), current) if current.is_none_or(Raw::is_null) => {
            one(value.to_string())
        }
        (Action::Drop, Some(_)) => vec![(key.to_owned(), None)],
        (Action::Rename(to), Some(value)) if to != key => {
            let mut changes = vec![(key.to_owned(), None)];
            if members.current(to).is_none() || is_limit(key) {
                changes.push((to.clone(), Some(value.text().to_owned())));
            }
            changes
        }
        (Action::Clamp { min, max }, Some(value)) => {
            clamped(value, min.as_ref(), max.as_ref()).map(one).unwrap_or_default()
        }
        (Action::Map(values), Some(value)) => value
            .string()
            .and_then(|text| values.get(&*text))
            .map(|new| one(new.to_string()))
            .unwrap_or_default(),
        (Action::Wrap, Some(value))
            if matches!(value.kind(), Kind::String | Kind::Number | Kind::Bool) =>
        {
            one(format!("[{}]", value.text()))
        }
        _ => Vec::new(),
    }
}

fn clamped(value: Raw<'_>, min: Option<&Number>, max: Option<&Number>) -> Option<String> {
    let number = value.number()?;
    let below = min.filter(|min| min.as_f64().is_some_and(|min| number < min));
    let above = max.filter(|max| max.as_f64().is_some_and(|max| number > max));
    below.or(above).map(ToString::to_string)
}

/// A value taken out of one place and put into another, unless something is there.
fn moved(from: &Pointer, to: &Pointer, top: &Top<'_>) -> Changes {
    let Some(value) = find(top, &from.0).map(|value| value.text().to_owned()) else {
        return Vec::new();
    };
    let mut changed = changes(top, &from.0, &Action::Drop);
    let is_limit = matches!(from.0.as_slice(), [Step::Key(key)] if is_limit(key));
    if !is_limit && find(top, &to.0).is_some_and(|there| !there.is_null()) {
        return changed;
    }
    let (Some((Step::Key(first), rest)), Some((target, _))) = (
        to.0.split_first(),
        changed.iter().map(|(key, value)| (key.clone(), value.clone())).next(),
    ) else {
        return changed;
    };
    // Both places may be in the same top-level member: then the second change builds on the first.
    let base = match changed.first() {
        Some((_, Some(text))) if target == *first => Some(text.clone()),
        _ => top.current(first).map(|raw| raw.text().to_owned()),
    };
    let placed = match base.as_deref().map(Raw::new).filter(|raw| !raw.is_null()) {
        Some(raw) if !rest.is_empty() => put(raw, rest, &value),
        _ => nest(rest, value),
    };
    // With something in the way that is no object, the value stays where it was.
    let Some(text) = placed else { return Vec::new() };
    changed.retain(|(key, _)| key != first);
    changed.push((first.clone(), Some(text)));
    changed
}

fn find<'a>(top: &'a Top<'_>, steps: &[Step]) -> Option<Raw<'a>> {
    let (Step::Key(first), rest) = steps.split_first()? else { return None };
    rest.iter().try_fold(top.current(first)?, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Each => None,
    })
}

/// An object with a value put at a place below it; none when something there is no object.
fn put(object: Raw<'_>, steps: &[Step], value: &str) -> Option<String> {
    let (Step::Key(key), rest) = steps.split_first()? else { return None };
    if object.kind() != Kind::Object {
        return None;
    }
    let text = match object.get(key).filter(|inner| !inner.is_null()) {
        Some(inner) if !rest.is_empty() => put(inner, rest, value)?,
        _ => nest(rest, value.to_owned())?,
    };
    let mut edits = Edits::default();
    edits.set(key.clone(), text);
    Some(splice(object.text(), object.members(), &edits))
}
