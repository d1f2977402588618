//! Scanning any text with all filters gives spans of it, in order and apart.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use signalbox_guard::{
    Action, Allowlist, Builtin, BuiltinFilter, Guardrail, Layer, Sample, Scope, Screen,
};

static SCREEN: LazyLock<Screen> = LazyLock::new(|| {
    let filter = |slug| BuiltinFilter { slug, action: Action::Redact, scan_scope: None };
    let filters = Builtin::ALL.map(filter).to_vec();
    let rules = Guardrail { content_filter_builtins: Some(filters), ..Guardrail::default() };
    let layer = Layer { scope: Scope::ApiKey, id: None, rules };
    let allowlist = Allowlist::new(["previous", "é", "system:"]).unwrap();
    Screen::compile(&[layer], allowlist).unwrap().unwrap()
});

fuzz_target!(|text: &str| {
    let found = SCREEN.scan(&[Sample { text, from_user: true }], &[]);
    let mut end = 0;
    for one in found.redactions() {
        assert!(one.span.start >= end && !text[one.span.clone()].is_empty());
        end = one.span.end;
    }
    assert!(found.refusal().is_none());
    assert_eq!(found.stages().is_empty(), found.is_empty());
});
