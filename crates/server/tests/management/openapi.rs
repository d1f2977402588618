//! `openapi/signalbox.json` describes every route of the server, and `docs/coverage.md` says which
//! operations of the public reference are here. Both are written again with `SIGNALBOX_WRITE=1`.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use signalbox_server::routes;

use crate::described::{document, method, published};
use crate::reference::REFERENCE;

/// How many operations of the reference may be missing. It only ever gets smaller.
const MISSING: usize = 29;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// Panics when a file says something else, or writes it.
#[allow(clippy::disallowed_methods, reason = "a switch for whoever changes the API")]
fn agrees(name: &str, text: &str) {
    if std::env::var_os("SIGNALBOX_WRITE").is_some() {
        fs::write(file(name), text).unwrap();
    }
    let kept = fs::read_to_string(file(name)).unwrap_or_default();
    assert!(
        kept == text,
        "{name} is not what the routes say: write it with \
         `SIGNALBOX_WRITE=1 cargo nextest run -p signalbox-server openapi` and look at the change"
    );
}

#[test]
fn the_openapi_file_describes_every_route() {
    let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    agrees("openapi/signalbox.json", &text);
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let mut seen = HashSet::new();
    for (path, operations) in document()["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            assert!(!id.is_empty() && seen.insert(id.clone()), "{method} {path}: {id}");
        }
    }
    assert_eq!(seen.len(), routes().filter(|route| route.is_api).count());
}

/// The operations of the reference, and whether a route is each.
fn coverage() -> BTreeMap<(String, String), bool> {
    let here: HashSet<*const Value> =
        routes().filter_map(published).map(std::ptr::from_ref).collect();
    let mut all = BTreeMap::new();
    for (path, operations) in REFERENCE["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if matches!(method.as_str(), "get" | "post" | "put" | "patch" | "delete") {
                let row = (path.clone(), method.to_uppercase());
                all.insert(row, here.contains(&std::ptr::from_ref(operation)));
            }
        }
    }
    all
}

#[test]
fn the_table_of_coverage_says_what_is_here() {
    let all = coverage();
    assert_eq!(all.len(), 97);
    let missing = all.values().filter(|here| !**here).count();
    assert!(missing <= MISSING, "{missing} operations are missing: no more than {MISSING} may be");
    let mut text = format!(
        "# Coverage of the public API\n\n\
         {} of the {} operations of the public reference are here. This table is made of the register\n\
         of routes (`crates/server/tests/management/openapi.rs`); what is missing only gets less.\n\n\
         | operation | here |\n| --- | --- |\n",
        all.len() - missing,
        all.len(),
    );
    for ((path, method), here) in all {
        writeln!(text, "| `{method} {path}` | {} |", if here { "yes" } else { "not yet" }).unwrap();
    }
    let own: Vec<_> = routes().filter(|route| route.is_api && published(route).is_none()).collect();
    writeln!(text, "\nBesides, {} routes of our own:\n", own.len()).unwrap();
    for route in own {
        writeln!(text, "- `{} {}`", method(route).to_uppercase(), route.path).unwrap();
    }
    agrees("docs/coverage.md", &text);
}
