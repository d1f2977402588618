//! Where a provider of a known dialect puts what the dialect has another place for.
//!
//! It is data of a provider's row: JSON pointers into a message of its stream, or into its whole
//! answer. Codecs know the common places themselves; what is said here is looked at besides.

use serde::Deserialize;

use crate::document::{Kind, Raw};

/// A pointer such as `/x/usage`, split at its slashes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Place(Vec<String>);

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(pointer: String) -> Result<Self, String> {
        let steps: Vec<String> = pointer.split('/').skip(1).map(str::to_owned).collect();
        let lawful = pointer.starts_with('/') && steps.iter().all(|step| !step.is_empty());
        if lawful { Ok(Self(steps)) } else { Err(format!("`{pointer}` is no pointer")) }
    }
}

/// What is looked for, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    /// The text of reasoning, in a delta or a message.
    pub reasoning: Vec<Place>,
    /// An error: an object or a text, or a number that is not zero, beside which the text is.
    pub error: Vec<Place>,
    /// A `usage` object.
    pub usage: Vec<Place>,
    /// A list of sources beside the choices: addresses, or objects with a `url` and a `title`.
    pub sources: Vec<Place>,
}

/// What was found in a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen<'a> {
    /// What was consumed, as JSON.
    Usage(&'a str),
    /// What went wrong, as JSON.
    Error(&'a str),
    /// Sources of the answer, as a JSON list.
    Sources(&'a str),
    /// Nothing this time, but nothing for the client either.
    Nothing,
}

impl Watch {
    /// Whether a member of a delta is reasoning.
    pub(crate) fn is_reasoning(&self, name: &str) -> bool {
        self.reasoning.iter().any(|place| matches!(place.0.as_slice(), [one] if one == name))
    }

    /// What a member beside the choices holds; `None` when the row says nothing about it.
    pub(crate) fn member<'a>(&self, name: &str, json: &'a str) -> Option<Seen<'a>> {
        let about = |places: &[Place]| places.iter().any(|place| place.begins(name));
        if !about(&self.usage) && !about(&self.error) && !about(&self.sources) {
            return None;
        }
        let found = |places: &'_ [Place], wanted: fn(Raw<'a>, Raw<'a>) -> Option<Raw<'a>>| {
            let mut places = places.iter().filter(|place| place.begins(name));
            places.find_map(|place| place.inside(Raw::new(json), wanted))
        };
        if let Some(error) = found(&self.error, error) {
            return Some(Seen::Error(error.text()));
        }
        let list = |_, value: Raw<'a>| (value.kind() == Kind::Array).then_some(value);
        let sources = found(&self.sources, list);
        if let Some(sources) = sources {
            return Some(Seen::Sources(sources.text()));
        }
        let usage = found(&self.usage, |_, value| (value.kind() == Kind::Object).then_some(value));
        Some(usage.map_or(Seen::Nothing, |usage| Seen::Usage(usage.text())))
    }
}

/// The error that a value stands for; its parent holds the text beside a number.
fn error<'a>(parent: Raw<'a>, value: Raw<'a>) -> Option<Raw<'a>> {
    match value.kind() {
        Kind::Object => Some(value),
        Kind::String => value.string().is_some_and(|text| !text.is_empty()).then_some(value),
        Kind::Number => value.integer().is_some_and(|code| code != 0).then_some(parent),
        _ => None,
    }
}

impl Place {
    fn begins(&self, name: &str) -> bool {
        self.0.first().is_some_and(|step| step == name)
    }

    /// Follows the steps after the first, and judges the value there together with its parent.
    fn inside<'a>(
        &self,
        member: Raw<'a>,
        judge: fn(Raw<'a>, Raw<'a>) -> Option<Raw<'a>>,
    ) -> Option<Raw<'a>> {
        let (mut parent, mut value) = (member, member);
        for step in self.0.iter().skip(1) {
            parent = value;
            value = value.get(step)?;
        }
        judge(parent, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_read_and_wrong_ones_refused() {
        for wrong in ["", "x", "/", "/a//b", "a/b"] {
            assert!(Place::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        assert_eq!(Place::try_from("/a/b".to_owned()).unwrap().0, ["a", "b"]);
    }

    #[test]
    fn what_a_row_names_is_found() {
        let row = r#"{"error":["/base/code","/fault"],"usage":["/x/usage"],"reasoning":["/mind"]}"#;
        let watch: Watch = serde_json::from_str(row).unwrap();
        let seen = |name, json| watch.member(name, json);
        assert_eq!(seen("other", "{}"), None);
        assert_eq!(seen("base", r#"{"code":0,"text":"fine"}"#), Some(Seen::Nothing));
        let failed = r#"{"code":1002,"text":"slow down"}"#;
        assert_eq!(seen("base", failed), Some(Seen::Error(failed)));
        assert_eq!(seen("fault", r#""gone""#), Some(Seen::Error(r#""gone""#)));
        assert_eq!(seen("fault", "null"), Some(Seen::Nothing));
        assert_eq!(seen("x", r#"{"usage":{"a":1}}"#), Some(Seen::Usage(r#"{"a":1}"#)));
        assert_eq!(seen("x", r#"{"usage":3}"#), Some(Seen::Nothing));
        assert_eq!(seen("x", "[7]"), Some(Seen::Nothing));
        assert!(watch.is_reasoning("mind") && !watch.is_reasoning("base"));
    }
}
