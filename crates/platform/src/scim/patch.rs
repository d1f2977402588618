//! Patches (RFC 7644, section 3.5.2), also in the shapes that directories send beside it: `Replace` with a
//! capital, values without a path, paths as names of members, members to be removed as values.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::ScimError;
use super::filter::{Attribute, Comparison, Literal, Path, path};

/// Most operations of one patch.
const MOST: usize = 2_000;
/// What one patch may cost, in values that are looked at and in what is copied: a small body says much.
const MOST_WORK: usize = 10_000_000;
/// So many values are looked for one by one.
const FEW: usize = 16;
/// Attributes that only this side changes; what is said of them is passed over.
const READ_ONLY: [&str; 4] = ["id", "meta", "schemas", "groups"];
/// The schemas whose attributes need no prefix.
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

/// What is left of [`MOST_WORK`].
struct Budget(usize);

impl Budget {
    fn spend(&mut self, work: usize) -> Result<(), ScimError> {
        let left = self.0.checked_sub(work);
        self.0 = left.ok_or_else(|| ScimError::new(413, "The patch is too much work"))?;
        Ok(())
    }
}

/// What a copy of it takes.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len().saturating_add(1),
        Value::Array(values) => values.iter().map(weight).fold(1, usize::saturating_add),
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| name.len().saturating_add(weight(value));
            members.iter().map(member).fold(1, usize::saturating_add)
        }
        _ => 1,
    }
}

fn syntax(detail: &str) -> ScimError {
    ScimError::invalid("invalidSyntax", detail)
}

/// The same with the names of all members in lower case: names have no case. Of two that differ in case
/// alone the last one counts.
#[must_use]
pub fn lowered(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let lower =
                |(name, value): (String, Value)| (name.to_ascii_lowercase(), lowered(value));
            Value::Object(members.into_iter().map(lower).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(lowered).collect()),
        plain => plain,
    }
}

/// Applies a patch to a resource, whose names are in lower case, in order. After an error the resource is
/// good for nothing.
///
/// # Errors
/// `invalidSyntax`, `invalidPath`, `invalidFilter`, `noTarget`.
pub fn apply(resource: &mut Map<String, Value>, patch: Value) -> Result<(), ScimError> {
    let Value::Object(mut patch) = lowered(patch) else {
        return Err(syntax("A patch is an object"));
    };
    let Some(Value::Array(operations)) = patch.remove("operations") else {
        return Err(syntax("A patch has Operations"));
    };
    if operations.len() > MOST {
        return Err(ScimError::new(413, format!("A patch has at most {MOST} operations")));
    }
    let mut budget = Budget(MOST_WORK);
    operations.into_iter().try_for_each(|operation| one(resource, operation, &mut budget))
}

fn one(
    resource: &mut Map<String, Value>,
    operation: Value,
    budget: &mut Budget,
) -> Result<(), ScimError> {
    let Value::Object(mut operation) = operation else {
        return Err(syntax("An operation is an object"));
    };
    let verb = operation.get("op").and_then(Value::as_str).unwrap_or_default();
    let verb = match verb.to_ascii_lowercase().as_str() {
        "add" => Verb::Add,
        "replace" => Verb::Replace,
        "remove" => Verb::Remove,
        _ => return Err(syntax("op: add, replace or remove")),
    };
    let value = operation.remove("value");
    match operation.remove("path") {
        Some(Value::String(text)) => at(resource, verb, &path(&text)?, value, budget),
        None | Some(Value::Null) if verb == Verb::Remove => {
            Err(ScimError::invalid("noTarget", "What is removed needs a path"))
        }
        None | Some(Value::Null) => {
            let Some(Value::Object(members)) = value else {
                return Err(syntax("Without a path the value is an object"));
            };
            // Some directories send paths as names. A name that is none is not known here.
            members.into_iter().try_for_each(|(name, value)| match path(&name) {
                Ok(path) => at(resource, verb, &path, Some(value), budget),
                Err(_) => Ok(()),
            })
        }
        Some(_) => Err(ScimError::invalid("invalidPath", "The path is a text")),
    }
}

/// Whether it is an attribute that is kept here.
fn is_known(attribute: &Attribute) -> bool {
    let core = attribute.schema.as_ref().is_none_or(|schema| schema.starts_with(CORE));
    core && !READ_ONLY.contains(&attribute.name.as_str())
}

fn at(
    resource: &mut Map<String, Value>,
    verb: Verb,
    path: &Path,
    value: Option<Value>,
    budget: &mut Budget,
) -> Result<(), ScimError> {
    if !is_known(&path.attribute) {
        return Ok(());
    }
    if verb != Verb::Remove && value.is_none() {
        return Err(syntax("The operation has no value"));
    }
    let name = path.attribute.name.as_str();
    match (&path.select, &path.attribute.sub) {
        (Some(select), sub) => {
            let place = (name, sub.as_deref());
            selected(resource, verb, place, select, value, budget)
        }
        (None, Some(sub)) => below(resource, verb, name, sub, value),
        (None, None) => whole(resource, verb, name, value, budget),
    }
}

/// What tells a value of an attribute with several from the others: its `value`, or all of it.
fn key(value: &Value) -> &Value {
    value.get("value").unwrap_or(value)
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        one => vec![one],
    }
}

/// Adds values to others. The same one twice is the later one.
fn merge(present: &mut Vec<Value>, new: Vec<Value>) {
    if new.len() <= FEW {
        for one in new {
            match present.iter_mut().find(|old| key(old) == key(&one)) {
                Some(old) => *old = one,
                None => present.push(one),
            }
        }
        return;
    }
    let places = present.iter().enumerate().map(|(at, one)| (key(one).clone(), at));
    let mut places: HashMap<Value, usize> = places.collect();
    for one in new {
        let end = present.len();
        let at = *places.entry(key(&one).clone()).or_insert(end);
        match present.get_mut(at) {
            Some(old) => *old = one,
            None => present.push(one),
        }
    }
}

fn whole(
    resource: &mut Map<String, Value>,
    verb: Verb,
    name: &str,
    value: Option<Value>,
    budget: &mut Budget,
) -> Result<(), ScimError> {
    match (verb, resource.get_mut(name), value) {
        (Verb::Remove, Some(Value::Array(present)), Some(value)) if !value.is_null() => {
            budget.spend(present.len())?;
            let leaving = listed(value);
            let leaving: HashSet<&Value> = leaving.iter().map(key).collect();
            present.retain(|one| !leaving.contains(key(one)));
        }
        (Verb::Remove, ..) | (_, _, None) => drop(resource.remove(name)),
        (Verb::Add, Some(Value::Array(present)), Some(value)) => {
            let new = listed(value);
            budget.spend(present.len().saturating_mul(new.len().min(FEW)))?;
            merge(present, new);
        }
        (_, Some(Value::Object(present)), Some(Value::Object(value))) => present.extend(value),
        (_, _, Some(value)) => drop(resource.insert(name.to_owned(), value)),
    }
    Ok(())
}

fn below(
    resource: &mut Map<String, Value>,
    verb: Verb,
    name: &str,
    sub: &str,
    value: Option<Value>,
) -> Result<(), ScimError> {
    let target = match (verb, resource.get_mut(name)) {
        (Verb::Remove, None | Some(Value::Null)) => return Ok(()),
        (_, None | Some(Value::Null)) => {
            resource.insert(name.to_owned(), Value::Object(Map::new()));
            resource.get_mut(name)
        }
        (_, there) => there,
    };
    let Some(Value::Object(target)) = target else {
        return Err(ScimError::invalid("invalidPath", format!("{name} has no {sub} of its own")));
    };
    match value {
        Some(value) if verb != Verb::Remove => drop(target.insert(sub.to_owned(), value)),
        _ => drop(target.remove(sub)),
    }
    Ok(())
}

fn literal(literal: &Literal) -> Value {
    match literal {
        Literal::Text(text) => json!(text),
        Literal::Truth(truth) => json!(truth),
        Literal::Null => Value::Null,
        Literal::Number(number) => serde_json::from_str(number).unwrap_or(Value::Null),
    }
}

fn holds(value: &Value, comparison: &Comparison) -> bool {
    let found = match &comparison.attribute.sub {
        None if value.is_object() => value.get(&comparison.attribute.name),
        // A plain value is its own `value`.
        None => (comparison.attribute.name == "value").then_some(value),
        Some(_) => None,
    };
    match (found, &comparison.literal) {
        (Some(Value::String(found)), Literal::Text(text)) => found.eq_ignore_ascii_case(text),
        (Some(Value::String(found)), Literal::Truth(truth)) => {
            found.eq_ignore_ascii_case(if *truth { "true" } else { "false" })
        }
        (Some(found), wanted) => *found == literal(wanted),
        (None, wanted) => *wanted == Literal::Null,
    }
}

/// What would fulfil the comparisons.
fn described(select: &[Comparison]) -> Map<String, Value> {
    select.iter().map(|one| (one.attribute.name.clone(), literal(&one.literal))).collect()
}

fn selected(
    resource: &mut Map<String, Value>,
    verb: Verb,
    (name, sub): (&str, Option<&str>),
    select: &[Comparison],
    value: Option<Value>,
    budget: &mut Budget,
) -> Result<(), ScimError> {
    let fits = |one: &Value| select.iter().all(|comparison| holds(one, comparison));
    let present = resource.entry(name).or_insert_with(|| json!([]));
    if present.is_null() {
        *present = json!([]);
    }
    let Value::Array(present) = present else {
        return Err(ScimError::invalid("invalidPath", format!("{name} has not several values")));
    };
    budget.spend(present.len().saturating_mul(select.len()))?;
    let Some(value) = value.filter(|_| verb != Verb::Remove) else {
        match sub {
            None => present.retain(|one| !fits(one)),
            Some(sub) => {
                for one in present.iter_mut().filter(|one| fits(one)) {
                    one.as_object_mut().map(|one| one.remove(sub));
                }
            }
        }
        return Ok(());
    };
    if !present.iter().any(fits) {
        // Directories replace what is not there yet, such as the address of the kind "work".
        present.push(Value::Object(described(select)));
    }
    let places: Vec<&mut Value> = present.iter_mut().filter(|one| fits(one)).collect();
    budget.spend(places.len().saturating_mul(weight(&value)))?;
    for place in places {
        match (sub, &value, place.as_object_mut()) {
            (Some(sub), value, Some(one)) => drop(one.insert(sub.to_owned(), value.clone())),
            (None, Value::Object(value), Some(one)) => one.extend(value.clone()),
            _ => return Err(syntax("The value does not fit the path")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
