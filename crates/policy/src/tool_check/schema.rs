//! A schema that was found sound, as far as Draft 7 looks at it.

use std::collections::HashSet;

use serde_json::{Map, Number, Value};

use super::budget::{Budget, Unjudged};
use super::pattern::Patterns;

/// Deepest nesting of a schema, references included.
pub(super) const DEEPEST: usize = 64;

/// The types of Draft 7.
const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "string", "integer"];

/// A sound schema.
#[derive(Debug)]
pub(super) struct Schema<'s> {
    pub root: &'s Value,
}

impl<'s> Schema<'s> {
    /// Looks the whole schema through: every keyword of Draft 7 has its type, patterns compile and
    /// references lead somewhere inside it. Keywords of later drafts are not looked at.
    pub(super) fn compile(
        root: &'s Value,
        patterns: &mut Patterns,
        budget: &mut Budget,
    ) -> Result<Self, Unjudged> {
        let schema = Self { root };
        let mut check = Check { schema: &schema, patterns, budget, seen: Vec::new() };
        check.subschema(root, 0)?;
        Ok(schema)
    }

    /// What a reference leads to. Only those into the schema itself are followed.
    pub(super) fn target(&self, reference: &str) -> Result<&'s Value, Unjudged> {
        let pointer = reference.strip_prefix('#').ok_or(Unjudged)?;
        let pointer = unescaped(pointer).ok_or(Unjudged)?;
        self.root.pointer(&pointer).ok_or(Unjudged)
    }
}

/// A URI fragment without its percent signs.
fn unescaped(fragment: &str) -> Option<String> {
    if !fragment.contains('%') {
        return Some(fragment.to_owned());
    }
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

struct Check<'c, 's> {
    schema: &'c Schema<'s>,
    patterns: &'c mut Patterns,
    budget: &'c mut Budget,
    /// Targets of references that were looked at.
    seen: Vec<&'s str>,
}

impl<'s> Check<'_, 's> {
    fn subschema(&mut self, schema: &'s Value, depth: usize) -> Result<(), Unjudged> {
        self.budget.spend(1)?;
        let members = match schema {
            Value::Bool(_) => return Ok(()),
            Value::Object(members) if depth <= DEEPEST => members,
            _ => return Err(Unjudged),
        };
        if let Some(reference) = members.get("$ref") {
            let reference = reference.as_str().ok_or(Unjudged)?;
            self.budget.spend(self.seen.len())?;
            if !self.seen.contains(&reference) {
                self.seen.push(reference);
                let target = self.schema.target(reference)?;
                self.subschema(target, depth.saturating_add(1))?;
            }
            return Ok(());
        }
        for (key, value) in members {
            self.budget.spend(1)?;
            self.keyword(key, value, depth)?;
        }
        Ok(())
    }

    fn keyword(&mut self, key: &str, value: &'s Value, depth: usize) -> Result<(), Unjudged> {
        let depth = depth.saturating_add(1);
        let sound = match key {
            "additionalItems"
            | "contains"
            | "additionalProperties"
            | "propertyNames"
            | "if"
            | "then"
            | "else"
            | "not" => return self.subschema(value, depth),
            "items" if !value.is_array() => return self.subschema(value, depth),
            "items" => return self.list(value, depth),
            "allOf" | "anyOf" | "oneOf" => {
                self.list(value, depth)?;
                value.as_array().is_some_and(|list| !list.is_empty())
            }
            "properties" | "definitions" => return self.map(value, depth).map(drop),
            "patternProperties" => {
                for pattern in self.map(value, depth)?.keys() {
                    self.patterns.compile(pattern, self.budget)?;
                }
                true
            }
            "dependencies" => {
                for one in value.as_object().ok_or(Unjudged)?.values() {
                    if !is_strings(one) {
                        self.subschema(one, depth)?;
                    }
                }
                true
            }
            "pattern" => {
                return self.patterns.compile(value.as_str().ok_or(Unjudged)?, self.budget);
            }
            "type" => match value {
                Value::Array(types) => {
                    !types.is_empty() && types.iter().all(is_type) && is_strings(value)
                }
                one => is_type(one),
            },
            "enum" => value.is_array(),
            "required" => is_strings(value),
            "uniqueItems" => value.is_boolean(),
            "multipleOf" => value.as_f64().is_some_and(|number| number > 0.0),
            "maximum" | "exclusiveMaximum" | "minimum" | "exclusiveMinimum" => value.is_number(),
            "maxLength" | "minLength" | "maxItems" | "minItems" | "maxProperties"
            | "minProperties" => count(value).is_some(),
            _ => true,
        };
        if sound { Ok(()) } else { Err(Unjudged) }
    }

    fn list(&mut self, value: &'s Value, depth: usize) -> Result<(), Unjudged> {
        let list = value.as_array().ok_or(Unjudged)?;
        list.iter().try_for_each(|one| self.subschema(one, depth))
    }

    fn map(&mut self, value: &'s Value, depth: usize) -> Result<&'s Map<String, Value>, Unjudged> {
        let map = value.as_object().ok_or(Unjudged)?;
        map.values().try_for_each(|one| self.subschema(one, depth))?;
        Ok(map)
    }
}

fn is_type(value: &Value) -> bool {
    value.as_str().is_some_and(|name| TYPES.contains(&name))
}

/// A list of strings, each there once.
fn is_strings(value: &Value) -> bool {
    let mut seen = HashSet::new();
    let is_new =
        |one: &'_ Value| one.as_str().map(str::to_owned).is_some_and(|one| seen.insert(one));
    value.as_array().is_some_and(|list| list.iter().all(is_new))
}

/// A limit on a count: a whole number from zero, also as `2.0`.
pub(super) fn count(value: &Value) -> Option<u64> {
    let whole = |number: &Number| {
        let value = number.as_f64().filter(|value| *value >= 0.0 && value.fract() == 0.0)?;
        // Larger than any count there is.
        Some(value as u64)
    };
    value.as_u64().or_else(|| value.as_number().and_then(whole))
}
