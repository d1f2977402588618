//! The public description of the API as a judge, and our own description for what is not in it.

use std::sync::LazyLock;

use serde_json::Value;

use crate::described::document;

/// The public description.
pub static REFERENCE: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../../../openapi/public.json");
    serde_json::from_str(text).expect("the public description")
});

static OWN: LazyLock<Value> = LazyLock::new(document);

/// Panics unless the description of this operation has such an answer. The path is what comes after
/// `/api/v1`.
pub fn conforms(method: &str, path: &str, status: u16, body: &Value) {
    let published = &REFERENCE["paths"][path][method.to_lowercase()];
    let (whole, operation) = if published.is_object() {
        (&*REFERENCE, published)
    } else {
        (&*OWN, &OWN["paths"][format!("/api/v1{path}")][method.to_lowercase()])
    };
    let answer = &operation["responses"][status.to_string()];
    let mut schema = answer["content"]["application/json"]["schema"].clone();
    assert!(schema.is_object(), "{method} {path} has no described {status}");
    schema["components"] = whole["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let faults: Vec<String> = validator
        .iter_errors(body)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{method} {path} {status}: {faults:#?} in {body}");
}
