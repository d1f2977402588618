//! A small value that satisfies a JSON schema.

use serde_json::{Map, Value, json};

const MAX_DEPTH: usize = 16;
const MAX_ITEMS: u64 = 8;
const MAX_STRING: u64 = 1024;

/// A value for the schema: every property filled, the first of every choice. `pattern` and `format`
/// are not understood.
pub(crate) fn instance(schema: &Value) -> Value {
    fill(schema, schema, 0)
}

fn fill(root: &Value, schema: &Value, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let found = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return found.map_or(Value::Null, |found| fill(root, found, depth + 1));
    }
    if let Some(value) = schema.get("const").or_else(|| schema.get("default")) {
        return value.clone();
    }
    let first = |key: &str| schema.get(key).and_then(Value::as_array).and_then(|all| all.first());
    if let Some(value) = first("enum") {
        return value.clone();
    }
    if let Some(option) = first("anyOf").or_else(|| first("oneOf")).or_else(|| first("allOf")) {
        return fill(root, option, depth + 1);
    }
    let kind = schema.get("type");
    let kind = kind.and_then(Value::as_str).or_else(|| first("type").and_then(Value::as_str));
    // One dialect writes the types in capitals.
    match kind.map(str::to_ascii_lowercase).as_deref() {
        Some("string") => text(schema),
        Some("integer") => integer(schema),
        Some("number") => schema.get("minimum").cloned().unwrap_or(json!(1.5)),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some("array") => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            let count = number(schema, "minItems").unwrap_or(1).min(MAX_ITEMS);
            Value::Array((0..count).map(|_| fill(root, items, depth + 1)).collect())
        }
        _ => object(root, schema, depth),
    }
}

fn object(root: &Value, schema: &Value, depth: usize) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let filled: Map<String, Value> =
        properties.map(|(key, value)| (key.clone(), fill(root, value, depth + 1))).collect();
    Value::Object(filled)
}

fn number(schema: &Value, key: &str) -> Option<u64> {
    schema.get(key).and_then(Value::as_u64)
}

fn text(schema: &Value) -> Value {
    let mut text = String::from("sim");
    while (text.len() as u64) < number(schema, "minLength").unwrap_or(0).min(MAX_STRING) {
        text.push('x');
    }
    if let Some(most) = number(schema, "maxLength").and_then(|n| usize::try_from(n).ok()) {
        text.truncate(most);
    }
    Value::String(text)
}

fn integer(schema: &Value) -> Value {
    let bound = |key: &str| schema.get(key).and_then(Value::as_i64);
    let least = bound("minimum").or_else(|| bound("exclusiveMinimum")?.checked_add(1));
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum")?.checked_sub(1));
    let value = 7_i64.max(least.unwrap_or(7)).min(most.unwrap_or(i64::MAX));
    json!(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_gets_every_property() {
        let schema = json!({"type": "object", "properties": {
            "city": {"type": "string", "minLength": 5},
            "unit": {"enum": ["c", "f"]},
            "days": {"type": "array", "items": {"$ref": "#/$defs/day"}, "minItems": 2},
            "note": {"type": ["string", "null"]},
            "n": {"type": "integer", "maximum": 3},
        }, "$defs": {"day": {"type": "integer", "minimum": 9}}});
        let value = instance(&schema);
        assert_eq!(
            value,
            json!({"city": "simxx", "unit": "c", "days": [9, 9], "note": "sim", "n": 3})
        );
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({"properties": {"next": {"$ref": "#"}}});
        assert!(instance(&schema).is_object());
        assert_eq!(instance(&json!({"$ref": "#"})), Value::Null);
        assert_eq!(instance(&Value::Null), json!({}));
    }
}
