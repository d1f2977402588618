use serde::Deserialize;
use serde_json::{Value, json};
use signalbox_dialect::document::Edits;
use signalbox_dialect::patch::{Patch, Patches};

use super::document;

#[derive(Deserialize)]
struct Row {
    patches: Patches,
}

fn patched(rows: &str, body: &str) -> String {
    let row: Row = toml::from_str(&format!("patches = [{rows}]")).unwrap();
    let document = document(body);
    let mut edits = Edits::default();
    row.patches.apply(&document, &mut edits);
    String::from_utf8(document.edited(&edits).to_vec()).unwrap()
}

#[test]
fn every_word_does_what_it_says() {
    let cases = [
        (r#"{ rename = "/a", to = "b" }"#, r#"{"a":1.0}"#, r#"{"b":1.0}"#),
        (r#"{ rename = "/a", to = "b" }"#, r#"{"a":1,"b":2}"#, r#"{"b":2}"#),
        (
            r#"{ rename = "/m/*/a", to = "b" }"#,
            r#"{"m":[{"a":1},5,{"c":2}]}"#,
            r#"{"m":[{"b":1},5,{"c":2}]}"#,
        ),
        (r#"{ drop = "/a" }"#, r#"{"a":1,"b":2}"#, r#"{"b":2}"#),
        (r#"{ drop = "/a/b" }"#, r#"{"a":{"b":1,"c" : 2}}"#, r#"{"a":{"c" : 2}}"#),
        (r#"{ drop = "/a/b" }"#, r#"{"a":"text"}"#, r#"{"a":"text"}"#),
        (r#"{ set = "/a/b", value = 2 }"#, r#"{}"#, r#"{"a":{"b":2}}"#),
        (r#"{ set = "/a/b", value = [1] }"#, r#"{"a":{"b":1}}"#, r#"{"a":{"b":[1]}}"#),
        (
            r#"{ set = "/m/*/a", value = true }"#,
            r#"{"m":[{},{"a":0}]}"#,
            r#"{"m":[{"a":true},{"a":true}]}"#,
        ),
        (r#"{ default = "/a", value = 2 }"#, r#"{"a":null}"#, r#"{"a":2}"#),
        (r#"{ default = "/a", value = 2 }"#, r#"{"a":0}"#, r#"{"a":0}"#),
        (r#"{ clamp = "/t", min = 0, max = 1 }"#, r#"{"t":1.5}"#, r#"{"t":1}"#),
        (r#"{ clamp = "/t", min = 0.5 }"#, r#"{"t":0}"#, r#"{"t":0.5}"#),
        (r#"{ clamp = "/t", max = 1 }"#, r#"{"t":0.70}"#, r#"{"t":0.70}"#),
        (r#"{ clamp = "/t", max = 1 }"#, r#"{"t":"hot"}"#, r#"{"t":"hot"}"#),
        (
            r#"{ map = "/s", values = { auto = "default" } }"#,
            r#"{"s":"auto"}"#,
            r#"{"s":"default"}"#,
        ),
        (r#"{ map = "/s", values = { auto = "default" } }"#, r#"{"s":"flex"}"#, r#"{"s":"flex"}"#),
        (r#"{ wrap = "/stop" }"#, r#"{"stop":"a"}"#, r#"{"stop":["a"]}"#),
        (r#"{ wrap = "/stop" }"#, r#"{"stop":["a"]}"#, r#"{"stop":["a"]}"#),
        (r#"{ move = "/e", to = "/r/effort" }"#, r#"{"e":"low"}"#, r#"{"r":{"effort":"low"}}"#),
        (
            r#"{ move = "/e", to = "/r/effort" }"#,
            r#"{"e":"low","r":{"x":1}}"#,
            r#"{"r":{"x":1,"effort":"low"}}"#,
        ),
        (
            r#"{ move = "/e", to = "/r/effort" }"#,
            r#"{"e":"low","r":{"effort":"max"}}"#,
            r#"{"r":{"effort":"max"}}"#,
        ),
        (r#"{ move = "/e", to = "/r/effort" }"#, r#"{"e":"low","r":5}"#, r#"{"e":"low","r":5}"#),
        (
            r#"{ move = "/r/a", to = "/r/b/c" }"#,
            r#"{"r":{"a":1,"z":0}}"#,
            r#"{"r":{"z":0,"b":{"c":1}}}"#,
        ),
        (r#"{ move = "/r/a", to = "/t" }"#, r#"{"r":{"a":1}}"#, r#"{"r":{},"t":1}"#),
        (
            r#"{ set = "/a", value = 5 }, { rename = "/a", to = "b" }, { clamp = "/b", max = 3 }"#,
            r#"{}"#,
            r#"{"b":3}"#,
        ),
    ];
    for (rows, body, expected) in cases {
        assert_eq!(patched(rows, body), expected, "{rows} on {body}");
    }
}

#[test]
fn wrong_rows_are_refused_at_load() {
    let rows = [
        json!({}),
        json!({"drop":"/a","wrap":"/b"}),
        json!({"drop":"a"}),
        json!({"drop":"/"}),
        json!({"drop":"/*"}),
        json!({"drop":"/a/*"}),
        json!({"drop":"/a","value":1}),
        json!({"rename":"/a"}),
        json!({"rename":"/a","to":"b/c"}),
        json!({"set":"/a"}),
        json!({"clamp":"/a"}),
        json!({"clamp":"/a","min":2,"max":1}),
        json!({"map":"/a","values":{}}),
        json!({"move":"/a/*/b","to":"/c"}),
        json!({"move":"/a","to":"/a/b"}),
        json!({"drop":"/a","unknown":1}),
    ];
    for row in rows {
        assert!(serde_json::from_value::<Patch>(row.clone()).is_err(), "{row}");
    }
}

#[test]
fn escaped_pointers_reach_odd_keys() {
    let body: Value =
        serde_json::from_str(&patched(r#"{ drop = "/a~1b~0" }"#, r#"{"a/b~":1,"c":2}"#)).unwrap();
    assert_eq!(body, json!({"c":2}));
}
