use proptest::prelude::*;
use serde_json::json;

use super::*;

fn tools() -> Offered {
    Offered::read(&json!([
        {"type": "function", "function": {"name": "weather", "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "pattern": "^[A-Z]\\w+$"},
                "days": {"$ref": "#/$defs/days"},
                "unit": {"enum": ["c", "f"]},
            },
            "required": ["city"],
            "additionalProperties": false,
            "$defs": {"days": {"type": "integer", "minimum": 1, "maximum": 14}},
        }}},
        {"type": "function", "function": {"name": "now"}},
        {"name": "read_file", "input_schema": {"type": "object", "required": ["path"]}},
        {"type": "function", "name": "flat", "parameters": {"type": "object", "required": ["x"]}},
        {"type": "custom", "name": "patch", "format": {"type": "grammar"}},
        {"type": "function", "function": {"name": "broken", "parameters": {"type": "strnig"}}},
        {"type": "function", "function": {"name": "remote", "parameters": {"$ref": "https://example.com/s.json"}}},
        {"type": "function", "function": {"name": "file", "parameters": {"$ref": "file:///etc/passwd"}}},
        {"type": "function", "function": {"name": "bad_pattern", "parameters": {
            "required": ["x"], "properties": {"x": {"pattern": "("}}}}},
    ]))
}

fn judged(name: &str, arguments: &str) -> Option<BadCall> {
    tools().judge(std::iter::once((name, arguments))).pop().unwrap()
}

#[test]
fn each_call_falls_into_its_class() {
    use BadCall::{InvalidJson, SchemaMismatch, UnknownName};
    let table = [
        ("weather", r#"{"city":"Paris"}"#, None),
        ("weather", r#"{"city":"Paris","days":3,"unit":"c"}"#, None),
        ("weather", r#"{"city":"Paris","days":3.0}"#, None),
        ("weather", r#"{"city":"paris"}"#, Some(SchemaMismatch)),
        ("weather", r#"{"city":"Paris","days":15}"#, Some(SchemaMismatch)),
        ("weather", r#"{"city":"Paris","unit":"k"}"#, Some(SchemaMismatch)),
        ("weather", r#"{"city":"Paris","wind":1}"#, Some(SchemaMismatch)),
        ("weather", "{}", Some(SchemaMismatch)),
        ("weather", "[]", Some(SchemaMismatch)),
        ("weather", "", Some(SchemaMismatch)),
        ("weather", r#"{"city":"Par"#, Some(InvalidJson)),
        ("weather", r#"{"city":"Paris"}}"#, Some(InvalidJson)),
        ("weather", "{'city':'Paris'}", Some(InvalidJson)),
        ("weahter", r#"{"city":"Paris"}"#, Some(UnknownName)),
        ("weahter", "{", Some(InvalidJson)),
        ("", "{}", Some(UnknownName)),
        ("now", "", None),
        ("now", r#"{"anything":1}"#, None),
        ("now", "{", Some(InvalidJson)),
        ("read_file", r#"{"path":"a"}"#, None),
        ("read_file", "{}", Some(SchemaMismatch)),
        ("flat", "{}", Some(SchemaMismatch)),
        ("patch", "*** Begin Patch", None),
        ("broken", "{}", None),
        ("remote", "{}", None),
        ("file", "{}", None),
        ("bad_pattern", "{}", None),
    ];
    for (name, arguments, wanted) in table {
        assert_eq!(judged(name, arguments), wanted, "{name} {arguments}");
    }
}

#[test]
fn hosted_tools_have_names_that_are_not_told() {
    let offered = Offered::read(&json!([{"type": "web_search"}]));
    assert_eq!(offered.judge(std::iter::once(("web_search", "{}"))), [None]);
    assert!(Offered::read(&json!("none")).tools.is_empty());
}

#[test]
fn what_json_permits_and_the_reader_does_not_is_no_fault() {
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    for arguments in [deep.as_str(), r#"{"x":"\ud800"}"#, &" ".repeat(300 * 1024)] {
        assert_eq!(judged("read_file", arguments), None);
    }
}

#[test]
fn patterns_are_those_of_ecmascript() {
    let fits = |pattern: &str, text: &str| {
        fits(&json!({"pattern": pattern}), &json!(text), &mut Budget::default())
    };
    assert_eq!(fits(r"^\d+$", "12"), Some(true));
    assert_eq!(fits(r"^\d+$", "१२"), Some(false), "digits are ASCII");
    assert_eq!(fits(r"^(?!x)\w+$", "xa"), Some(false));
    assert_eq!(fits(r"^a\/b$", "a/b"), Some(true));
    assert_eq!(fits(r"b", "abc"), Some(true), "a pattern may occur anywhere");
}

#[test]
fn no_schema_takes_for_ever() {
    for (schema, value) in hostile() {
        let mut budget = Budget::default();
        // Either verdict is fine; what counts is that there is one soon.
        let _ = fits(&schema, &value, &mut budget);
    }
}

/// Schemas that make a validator without a budget run for ages, or out of its stack.
fn hostile() -> Vec<(Value, Value)> {
    let mut doubling = json!({"definitions": {"d0": {"type": "object"}}});
    for level in 1..40 {
        let below = json!({"$ref": format!("#/definitions/d{}", level - 1)});
        doubling["definitions"][format!("d{level}")] = json!({"allOf": [below, below]});
    }
    doubling["allOf"] = json!([{"$ref": "#/definitions/d39"}]);
    let again = json!({"properties": {"a": {"$ref": "#"}}});
    let branching = json!({"anyOf": [again, again, again, {"not": again}]});
    let mut nested = json!({});
    (0..100).for_each(|_| nested = json!({"a": nested.clone()}));
    let mut deep = json!({"type": "object"});
    (0..100).for_each(|_| deep = json!({"not": deep.clone()}));
    let many: Vec<Value> = (0..20_000).map(|one| json!(one)).collect();
    vec![
        (json!({"$ref": "#"}), json!({})),
        (json!({"allOf": [{"$ref": "#"}]}), json!({})),
        (json!({"properties": {"a": {"$ref": "#"}}, "not": {"$ref": "#"}}), nested.clone()),
        (doubling, json!({})),
        (branching, nested),
        (deep, json!({})),
        (json!({"uniqueItems": true}), json!(many)),
        (json!({"pattern": "^(a+)+$"}), json!(format!("{}!", "a".repeat(5000)))),
        (json!({"pattern": "^(?=(a+)+b)(a|aa)+$"}), json!("a".repeat(5000))),
        (json!({"pattern": "((a{1,1000}){1,1000}){1,1000}"}), json!("a")),
        (json!({"pattern": "(?:".repeat(500)}), json!("a")),
        (json!({"enum": many}), json!("x")),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..6).prop_map(Value::from),
        (-3.0_f64..6.0).prop_map(|one| Value::from((one * 2.0).round() / 2.0)),
        "[ab]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn keyword() -> impl Strategy<Value = (String, Value)> {
    let types = prop::sample::select(schema_types());
    let count = (0_u64..4).prop_map(Value::from);
    let number = (-3_i64..6).prop_map(Value::from);
    let counts = prop::sample::select(vec![
        "maxLength",
        "minLength",
        "maxItems",
        "minItems",
        "maxProperties",
        "minProperties",
    ]);
    let limits =
        prop::sample::select(vec!["maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"]);
    prop_oneof![
        types.prop_map(|one| ("type".to_owned(), json!(one))),
        (counts, count).prop_map(|(key, one)| (key.to_owned(), one)),
        (limits, number).prop_map(|(key, one)| (key.to_owned(), one)),
        (1_u64..4).prop_map(|one| ("multipleOf".to_owned(), json!(one))),
        value().prop_map(|one| ("const".to_owned(), one)),
        prop::collection::vec(value(), 1..3).prop_map(|one| ("enum".to_owned(), json!(one))),
        any::<bool>().prop_map(|one| ("uniqueItems".to_owned(), json!(one))),
        prop::collection::vec("[abc]", 0..3).prop_map(|one| ("required".to_owned(), json!(one))),
        prop::sample::select(vec!["^a", "b$", "[^a]", "^(?!a)"])
            .prop_map(|one| ("pattern".to_owned(), json!(one))),
    ]
}

fn schema_types() -> Vec<&'static str> {
    vec!["null", "boolean", "object", "array", "number", "string", "integer"]
}

fn schema() -> impl Strategy<Value = Value> {
    let object = |members: Vec<(String, Value)>| Value::Object(members.into_iter().collect());
    let leaf = prop_oneof![
        8 => prop::collection::vec(keyword(), 0..4).prop_map(object),
        1 => any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 3, move |inner| {
        let single = prop::sample::select(vec![
            "not",
            "items",
            "additionalItems",
            "contains",
            "additionalProperties",
            "propertyNames",
            "if",
            "then",
            "else",
        ]);
        let list = prop::sample::select(vec!["allOf", "anyOf", "oneOf", "items"]);
        let map = prop::sample::select(vec![
            ("properties", "[abc]"),
            ("patternProperties", "\\^?[abc]"),
            ("dependencies", "[abc]"),
        ]);
        let applied = prop_oneof![
            (single, inner.clone()).prop_map(|(key, one)| (key.to_owned(), one)),
            (list, prop::collection::vec(inner.clone(), 1..3))
                .prop_map(|(key, one)| (key.to_owned(), json!(one))),
            map.prop_flat_map(move |(key, names)| {
                prop::collection::btree_map(names, inner.clone(), 0..3)
                    .prop_map(move |one| (key.to_owned(), json!(one)))
            }),
        ];
        prop::collection::vec(prop_oneof![applied, keyword()], 1..5)
            .prop_map(|members| Value::Object(members.into_iter().collect()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]
    #[test]
    fn the_verdict_is_that_of_a_general_validator(schema in schema(), value in value()) {
        let ours = fits(&schema, &value, &mut Budget::default());
        let theirs = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft7)
            .should_validate_formats(false)
            .build(&schema);
        prop_assert_eq!(ours, theirs.ok().map(|one| one.is_valid(&value)));
    }

    #[test]
    fn whatever_a_schema_and_the_arguments_are_there_is_a_verdict(
        schema in value(), name in ".{0,10}", arguments in ".{0,100}", tools in value(),
    ) {
        let offered = Offered::read(&json!([{"name": name, "parameters": schema}, tools]));
        let calls = [(name.as_str(), arguments.as_str()), (arguments.as_str(), name.as_str())];
        prop_assert_eq!(offered.judge(calls.into_iter()).len(), 2);
    }
}
