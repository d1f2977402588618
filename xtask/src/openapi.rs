//! `cargo xtask openapi --from FILE`: the shapes of the public API, without its prose.
//!
//! Keeps paths, operation ids, parameters, statuses and schemas; drops descriptions, summaries,
//! examples, titles, tags and extensions. The result judges our answers in tests.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

/// Prose and extensions, wherever they are not the name of a property.
const DROPPED: [&str; 9] = [
    "description",
    "summary",
    "example",
    "examples",
    "title",
    "tags",
    "externalDocs",
    "deprecated",
    "contact",
];
/// Members whose own keys are names chosen by the API and never keywords.
const NAMED: [&str; 9] = [
    "properties",
    "patternProperties",
    "schemas",
    "paths",
    "responses",
    "parameters",
    "securitySchemes",
    "headers",
    "mapping",
];

/// Reads the whole description as JSON from `from` and writes `openapi/public.json`.
pub fn run(from: &Path, root: &Path) -> Result<()> {
    let text = fs::read_to_string(from).with_context(|| format!("reading {}", from.display()))?;
    let whole: Value = serde_json::from_str(&text)
        .context("expected JSON; convert the YAML file first, with any YAML reader")?;
    let mut kept = Map::new();
    for key in ["openapi", "paths", "components"] {
        let value = whole.get(key).with_context(|| format!("no {key:?} in the description"))?;
        let named = NAMED.contains(&key);
        kept.insert(key.to_owned(), strip(value, named));
    }
    let folder = root.join("openapi");
    fs::create_dir_all(&folder)?;
    let mut out = serde_json::to_string(&Value::Object(kept))?;
    out.push('\n');
    fs::write(folder.join("public.json"), out)?;
    Ok(())
}

/// A copy without prose. `named` says that the keys of `value` are names, not keywords.
fn strip(value: &Value, named: bool) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(key, _)| {
                named || !(DROPPED.contains(&key.as_str()) || key.starts_with("x-"))
            });
            let copies = kept.map(|(key, value)| {
                let literal = !named && matches!(key.as_str(), "enum" | "const" | "default");
                let copy = if literal {
                    value.clone()
                } else {
                    strip(value, !named && NAMED.contains(&key.as_str()))
                };
                (key.clone(), copy)
            });
            Value::Object(copies.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| strip(item, false)).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_goes_and_properties_named_like_prose_stay() {
        let schema = serde_json::json!({
            "description": "words",
            "x-speakeasy": 1,
            "properties": { "title": { "type": "string", "example": "words" } },
            "required": ["title"],
            "enum": [{ "title": 1 }]
        });
        let expected = serde_json::json!({
            "properties": { "title": { "type": "string" } },
            "required": ["title"],
            "enum": [{ "title": 1 }]
        });
        assert_eq!(strip(&schema, false), expected);
    }
}
