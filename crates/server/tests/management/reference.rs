//! The public description of the API as a judge.

use std::sync::LazyLock;

use serde_json::Value;

static REFERENCE: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../../../openapi/public.json");
    serde_json::from_str(text).expect("the public description")
});

/// Panics unless the description of this operation has such an answer.
pub fn conforms(method: &str, path: &str, status: u16, body: &Value) {
    let operation = &REFERENCE["paths"][path][method.to_lowercase()];
    let answer = &operation["responses"][status.to_string()];
    let mut schema = answer["content"]["application/json"]["schema"].clone();
    assert!(schema.is_object(), "{method} {path} has no described {status}");
    schema["components"] = REFERENCE["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let faults: Vec<String> = validator
        .iter_errors(body)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{method} {path} {status}: {faults:#?} in {body}");
}
