//! Patches (RFC 7644, section 3.5.2), also in the shapes that directories send beside it: `Replace` with a
//! capital, values without a path, paths as names of members, members to be removed as values.

use serde_json::{Map, Value, json};

use super::ScimError;
use super::filter::{Attribute, Comparison, Literal, Path, path};

/// Most operations of one patch.
const MOST: usize = 2_000;
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
    operations.into_iter().try_for_each(|operation| one(resource, operation))
}

fn one(resource: &mut Map<String, Value>, operation: Value) -> Result<(), ScimError> {
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
        Some(Value::String(text)) => at(resource, verb, &path(&text)?, value),
        None | Some(Value::Null) if verb == Verb::Remove => {
            Err(ScimError::invalid("noTarget", "What is removed needs a path"))
        }
        None | Some(Value::Null) => {
            let Some(Value::Object(members)) = value else {
                return Err(syntax("Without a path the value is an object"));
            };
            // Some directories send paths as names. A name that is none is not known here.
            members.into_iter().try_for_each(|(name, value)| match path(&name) {
                Ok(path) => at(resource, verb, &path, Some(value)),
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
            selected(resource, verb, name, select, sub.as_deref(), value)?;
        }
        (None, Some(sub)) => below(resource, verb, name, sub, value)?,
        (None, None) => whole(resource, verb, name, value),
    }
    Ok(())
}

/// Whether two values of an attribute with several are the same one.
fn is_same(one: &Value, other: &Value) -> bool {
    let of = |value: &Value| value.get("value").cloned();
    match (of(one), of(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        one => vec![one],
    }
}

fn whole(resource: &mut Map<String, Value>, verb: Verb, name: &str, value: Option<Value>) {
    match (verb, resource.get_mut(name), value) {
        (Verb::Remove, Some(Value::Array(present)), Some(value)) if !value.is_null() => {
            let leaving = listed(value);
            present.retain(|one| !leaving.iter().any(|gone| is_same(one, gone)));
        }
        (Verb::Remove, ..) | (_, _, None) => drop(resource.remove(name)),
        (Verb::Add, Some(Value::Array(present)), Some(value)) => {
            for new in listed(value) {
                match present.iter_mut().find(|one| is_same(one, &new)) {
                    Some(old) => *old = new,
                    None => present.push(new),
                }
            }
        }
        (_, Some(Value::Object(present)), Some(Value::Object(value))) => present.extend(value),
        (_, _, Some(value)) => drop(resource.insert(name.to_owned(), value)),
    }
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
    name: &str,
    select: &[Comparison],
    sub: Option<&str>,
    value: Option<Value>,
) -> Result<(), ScimError> {
    let fits = |one: &Value| select.iter().all(|comparison| holds(one, comparison));
    let present = resource.entry(name).or_insert_with(|| json!([]));
    if present.is_null() {
        *present = json!([]);
    }
    let Value::Array(present) = present else {
        return Err(ScimError::invalid("invalidPath", format!("{name} has not several values")));
    };
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
    for one in present.iter_mut().filter(|one| fits(one)) {
        match (sub, &value, one.as_object_mut()) {
            (Some(sub), value, Some(one)) => drop(one.insert(sub.to_owned(), value.clone())),
            (None, Value::Object(value), Some(one)) => one.extend(value.clone()),
            _ => return Err(syntax("The value does not fit the path")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
