//! JSON Schema Draft 7, as far as it judges values. `format`, like everything else that only
//! describes, is not looked at.

use serde_json::{Map, Value};

use super::budget::{Budget, Unjudged};
use super::compare::{compare, is_multiple, is_whole, same};
use super::pattern::Patterns;
use super::schema::{DEEPEST, Schema, count};

type Verdict = Result<bool, Unjudged>;

/// Whether the value fits the schema.
pub(super) fn fits(
    schema: &Schema<'_>,
    value: &Value,
    patterns: &Patterns,
    budget: &mut Budget,
) -> Verdict {
    Judge { schema, patterns, budget, depth: 0 }.fits(schema.root, value)
}

struct Judge<'j, 's> {
    schema: &'j Schema<'s>,
    patterns: &'j Patterns,
    budget: &'j mut Budget,
    depth: usize,
}

impl<'s> Judge<'_, 's> {
    fn fits(&mut self, schema: &'s Value, value: &Value) -> Verdict {
        self.budget.spend(1)?;
        let members = match schema {
            Value::Bool(all) => return Ok(*all),
            Value::Object(members) => members,
            _ => return Err(Unjudged),
        };
        // Twice as deep as a schema may be nested, for what goes round in it.
        if self.depth > 2 * DEEPEST {
            return Err(Unjudged);
        }
        self.depth = self.depth.saturating_add(1);
        let verdict = match members.get("$ref").and_then(Value::as_str) {
            // Beside a reference nothing counts.
            Some(reference) => {
                self.schema.target(reference).and_then(|target| self.fits(target, value))
            }
            None => self.members(members, value),
        };
        self.depth = self.depth.saturating_sub(1);
        verdict
    }

    fn members(&mut self, members: &'s Map<String, Value>, value: &Value) -> Verdict {
        for (key, wanted) in members {
            if !self.keyword(members, key, wanted, value)? {
                return Ok(false);
            }
        }
        Ok(match value {
            Value::Object(object) => self.properties(members, object)?,
            Value::Array(items) => self.items(members, items)?,
            _ => true,
        })
    }

    /// The keywords that stand on their own.
    fn keyword(
        &mut self,
        members: &'s Map<String, Value>,
        key: &str,
        wanted: &'s Value,
        value: &Value,
    ) -> Verdict {
        self.budget.spend(1)?;
        Ok(match key {
            "type" => match wanted {
                Value::Array(types) => types.iter().any(|one| is_of_type(value, one)),
                one => is_of_type(value, one),
            },
            "const" => same(wanted, value, self.budget)?,
            "enum" => {
                for one in wanted.as_array().into_iter().flatten() {
                    if same(one, value, self.budget)? {
                        return Ok(true);
                    }
                }
                false
            }
            "allOf" => self.matching(wanted, value)? == listed(wanted).len(),
            "anyOf" => self.any(wanted, value)?,
            "oneOf" => self.matching(wanted, value)? == 1,
            "not" => !self.fits(wanted, value)?,
            "if" => {
                let branch = if self.fits(wanted, value)? { "then" } else { "else" };
                match members.get(branch) {
                    Some(schema) => self.fits(schema, value)?,
                    None => true,
                }
            }
            _ => match value {
                Value::Number(_) => number_fits(key, wanted, value),
                Value::String(text) => self.text_fits(key, wanted, text)?,
                Value::Array(items) => list_fits(key, wanted, items, self.budget)?,
                Value::Object(object) => self.object_fits(key, wanted, object)?,
                Value::Null | Value::Bool(_) => true,
            },
        })
    }

    fn any(&mut self, list: &'s Value, value: &Value) -> Verdict {
        for one in listed(list) {
            if self.fits(one, value)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many of the schemas the value fits.
    fn matching(&mut self, list: &'s Value, value: &Value) -> Result<usize, Unjudged> {
        let mut matching: usize = 0;
        for one in listed(list) {
            matching = matching.saturating_add(usize::from(self.fits(one, value)?));
        }
        Ok(matching)
    }

    fn text_fits(&mut self, key: &str, wanted: &Value, text: &str) -> Verdict {
        let length = |budget: &mut Budget| {
            budget.spend(text.len() / 64)?;
            Ok(text.chars().count() as u64)
        };
        Ok(match (key, wanted) {
            ("maxLength", most) => length(self.budget)? <= count(most).unwrap_or(u64::MAX),
            ("minLength", least) => length(self.budget)? >= count(least).unwrap_or(0),
            ("pattern", Value::String(pattern)) => {
                self.patterns.occurs(pattern, text, self.budget)?
            }
            _ => true,
        })
    }

    fn object_fits(
        &mut self,
        key: &str,
        wanted: &'s Value,
        object: &Map<String, Value>,
    ) -> Verdict {
        match key {
            "maxProperties" => Ok(object.len() as u64 <= count(wanted).unwrap_or(u64::MAX)),
            "minProperties" => Ok(object.len() as u64 >= count(wanted).unwrap_or(0)),
            "required" => self.has_all(wanted, object),
            "propertyNames" => {
                for name in object.keys() {
                    if !self.fits(wanted, &Value::String(name.clone()))? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            "dependencies" => {
                for (name, needs) in wanted.as_object().into_iter().flatten() {
                    let fine = match needs {
                        _ if !object.contains_key(name) => true,
                        Value::Array(_) => self.has_all(needs, object)?,
                        schema => {
                            self.budget.spend(object.len())?;
                            self.fits(schema, &Value::Object(object.clone()))?
                        }
                    };
                    if !fine {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    fn has_all(&mut self, names: &Value, object: &Map<String, Value>) -> Verdict {
        let names = listed(names);
        self.budget.spend(names.len())?;
        Ok(names.iter().filter_map(Value::as_str).all(|name| object.contains_key(name)))
    }

    /// `properties`, `patternProperties` and `additionalProperties`.
    fn properties(
        &mut self,
        members: &'s Map<String, Value>,
        object: &Map<String, Value>,
    ) -> Verdict {
        let named = members.get("properties").and_then(Value::as_object);
        let patterns = members.get("patternProperties").and_then(Value::as_object);
        let rest = members.get("additionalProperties");
        if named.is_none() && patterns.is_none() && rest.is_none() {
            return Ok(true);
        }
        for (name, value) in object {
            self.budget.spend(1)?;
            let mut known = false;
            if let Some(schema) = named.and_then(|named| named.get(name)) {
                known = true;
                if !self.fits(schema, value)? {
                    return Ok(false);
                }
            }
            for (pattern, schema) in patterns.into_iter().flatten() {
                if self.patterns.occurs(pattern, name, self.budget)? {
                    known = true;
                    if !self.fits(schema, value)? {
                        return Ok(false);
                    }
                }
            }
            if let (false, Some(schema)) = (known, rest)
                && !self.fits(schema, value)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `items`, `additionalItems` and `contains`.
    fn items(&mut self, members: &'s Map<String, Value>, items: &[Value]) -> Verdict {
        let by_place = members.get("items").and_then(Value::as_array);
        let rest = match by_place {
            Some(_) => members.get("additionalItems"),
            None => members.get("items"),
        };
        let by_place = by_place.map_or(&[][..], Vec::as_slice);
        for (place, item) in items.iter().enumerate() {
            if let Some(schema) = by_place.get(place).or(rest)
                && !self.fits(schema, item)?
            {
                return Ok(false);
            }
        }
        let Some(wanted) = members.get("contains") else { return Ok(true) };
        for item in items {
            if self.fits(wanted, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn listed(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn is_of_type(value: &Value, name: &Value) -> bool {
    match (name.as_str(), value) {
        (Some("null"), Value::Null)
        | (Some("boolean"), Value::Bool(_))
        | (Some("object"), Value::Object(_))
        | (Some("array"), Value::Array(_))
        | (Some("number"), Value::Number(_))
        | (Some("string"), Value::String(_)) => true,
        (Some("integer"), Value::Number(number)) => is_whole(number),
        _ => false,
    }
}

fn number_fits(key: &str, wanted: &Value, value: &Value) -> bool {
    let (Value::Number(wanted), Value::Number(number)) = (wanted, value) else { return true };
    let Some(order) = compare(number, wanted) else { return true };
    match key {
        "maximum" => order.is_le(),
        "exclusiveMaximum" => order.is_lt(),
        "minimum" => order.is_ge(),
        "exclusiveMinimum" => order.is_gt(),
        "multipleOf" => is_multiple(number, wanted),
        _ => true,
    }
}

fn list_fits(key: &str, wanted: &Value, items: &[Value], budget: &mut Budget) -> Verdict {
    Ok(match key {
        "maxItems" => items.len() as u64 <= count(wanted).unwrap_or(u64::MAX),
        "minItems" => items.len() as u64 >= count(wanted).unwrap_or(0),
        "uniqueItems" if wanted == &Value::Bool(true) => {
            for (place, one) in items.iter().enumerate() {
                for other in items.iter().skip(place.saturating_add(1)) {
                    if same(one, other, budget)? {
                        return Ok(false);
                    }
                }
            }
            true
        }
        _ => true,
    })
}
