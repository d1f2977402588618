//! The documentation lists what can't be, and nothing else.

use crate::table::{Cell, Inbound, LIMITS, Limit, Outbound, Shown};

const DOCUMENT: &str = include_str!("../../../../docs/dialects.md");

/// The document's line for a limit.
fn line(limit: &Limit) -> String {
    let names = |all: Vec<&str>| if all.is_empty() { "any".to_owned() } else { all.join(", ") };
    let seen = match limit.shown {
        Shown::Refused(status, kind) => format!("error {status} `{kind}`"),
        Shown::Lost(kind, detail) => format!("loss `{kind}`: `{detail}`"),
    };
    let inbound = names(limit.inbound.iter().copied().map(Inbound::name).collect());
    let outbound = names(limit.outbound.iter().copied().map(Outbound::name).collect());
    let features: Vec<&str> = limit.features.iter().map(|feature| feature.name()).collect();
    format!("| {inbound} | {outbound} | {} | {seen} | {} |", features.join(", "), limit.reason)
}

#[test]
fn the_document_lists_every_cell_that_can_t_be_and_no_other() {
    let rows = DOCUMENT.lines().skip_while(|line| !line.starts_with("| client |"));
    let written: Vec<&str> = rows.skip(2).take_while(|line| line.starts_with('|')).collect();
    let expected: Vec<String> = LIMITS.iter().map(line).collect();
    assert_eq!(written, expected, "docs/dialects.md should say:\n{}", expected.join("\n"));
}

#[test]
fn no_limit_is_idle_or_hidden_behind_another() {
    for limit in LIMITS {
        let decides = |cell: &Cell| cell.limit().is_some_and(|one| std::ptr::eq(one, limit));
        assert!(Cell::all().iter().any(decides), "{limit:?} decides nothing");
    }
}
