//! Reading a patch from a row of data, with every check that can be made at load.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Number, Value};

use super::{Action, Patch, PatchError, Pointer, Step};

/// A row as written, such as `{ rename = "/max_tokens", to = "max_completion_tokens" }`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Row {
    rename: Option<String>,
    drop: Option<String>,
    set: Option<String>,
    default: Option<String>,
    clamp: Option<String>,
    map: Option<String>,
    wrap: Option<String>,
    #[serde(rename = "move")]
    move_from: Option<String>,
    to: Option<String>,
    value: Option<Value>,
    values: Option<BTreeMap<String, Value>>,
    min: Option<Number>,
    max: Option<Number>,
}

impl TryFrom<Row> for Patch {
    type Error = PatchError;

    fn try_from(mut row: Row) -> Result<Self, PatchError> {
        let mut words = [
            ("rename", row.rename.take()),
            ("drop", row.drop.take()),
            ("set", row.set.take()),
            ("default", row.default.take()),
            ("clamp", row.clamp.take()),
            ("map", row.map.take()),
            ("wrap", row.wrap.take()),
            ("move", row.move_from.take()),
        ]
        .into_iter()
        .filter_map(|(word, at)| at.map(|at| (word, at)));
        let (Some((word, at)), None) = (words.next(), words.next()) else {
            return Err(PatchError::Word);
        };
        let at = Pointer::parse(&at)?;
        let action = row.action(word, &at)?;
        if row.to.is_some()
            || row.value.is_some()
            || row.values.is_some()
            || row.min.is_some()
            || row.max.is_some()
        {
            return Err(PatchError::Members { word, problem: "has a member that is not its own" });
        }
        Ok(Self { at, action })
    }
}

impl Row {
    /// Takes out what belongs to the word; what is left is too much.
    fn action(&mut self, word: &'static str, at: &Pointer) -> Result<Action, PatchError> {
        let lacks = |problem: &'static str| PatchError::Members { word, problem };
        Ok(match word {
            "rename" => {
                let to = self.to.take().ok_or_else(|| lacks("needs `to`"))?;
                let to = to.strip_prefix('/').unwrap_or(&to);
                if to.is_empty() || to.contains(['/', '*', '~']) {
                    return Err(lacks("needs a bare key in `to`; use `move` for another object"));
                }
                Action::Rename(to.to_owned())
            }
            "drop" => Action::Drop,
            "set" => Action::Set(self.value.take().ok_or_else(|| lacks("needs `value`"))?),
            "default" => Action::Default(self.value.take().ok_or_else(|| lacks("needs `value`"))?),
            "clamp" => {
                let (min, max) = (self.min.take(), self.max.take());
                let number = |side: &Option<Number>| side.as_ref().and_then(Number::as_f64);
                match (number(&min), number(&max)) {
                    (None, None) => return Err(lacks("needs `min` or `max`")),
                    (Some(low), Some(high)) if low > high => {
                        return Err(lacks("has a `min` above its `max`"));
                    }
                    _ => Action::Clamp { min, max },
                }
            }
            "map" => {
                let values = self.values.take().filter(|values| !values.is_empty());
                Action::Map(values.ok_or_else(|| lacks("needs `values`"))?)
            }
            "wrap" => Action::Wrap,
            _ => {
                let to = Pointer::parse(&self.to.take().ok_or_else(|| lacks("needs `to`"))?)?;
                if at.has_each() || to.has_each() {
                    return Err(lacks("cannot have `*` in its pointers"));
                }
                if to.0.starts_with(&at.0) || at.0.starts_with(&to.0) {
                    return Err(lacks("cannot put a value inside itself or over its own object"));
                }
                Action::Move(to)
            }
        })
    }
}

impl Pointer {
    pub(super) fn parse(text: &str) -> Result<Self, PatchError> {
        let wrong = |problem| PatchError::Pointer { pointer: text.to_owned(), problem };
        let rest = text.strip_prefix('/').ok_or_else(|| wrong("it must begin with a slash"))?;
        let steps: Vec<Step> = rest
            .split('/')
            .map(|step| match step {
                "*" => Step::Each,
                key => Step::Key(key.replace("~1", "/").replace("~0", "~")),
            })
            .collect();
        if steps.iter().any(|step| matches!(step, Step::Key(key) if key.is_empty())) {
            return Err(wrong("it has an empty step"));
        }
        if steps.first() == Some(&Step::Each) {
            return Err(wrong("the body is an object, so it must begin with a key"));
        }
        if steps.last() == Some(&Step::Each) {
            return Err(wrong("it must end with a key"));
        }
        Ok(Self(steps))
    }

    fn has_each(&self) -> bool {
        self.0.contains(&Step::Each)
    }
}
