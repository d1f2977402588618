//! A crate imports only lower floors, and the pure floors name nothing that does IO.

use std::path::Path;

use anyhow::Context;

use super::Breach;

/// The house: each crate with its floor.
const FLOORS: &[(&str, u8)] = &[
    ("core", 0),
    ("dialect", 1),
    ("catalog", 1),
    ("classifier", 1),
    ("guard", 1),
    ("ledger", 1),
    ("auditor", 1),
    ("vault", 1),
    ("policy", 2),
    ("runtime", 2),
    ("store", 3),
    ("upstream", 3),
    ("gateway", 4),
    ("platform", 4),
    ("server", 5),
    ("signalbox", 6),
    // Beside the house: they may be used by the binary and by tests, and use the runtime.
    ("simulator", 3),
    ("lab", 3),
    ("pgserver", 3),
    ("testkit", 6),
    ("bench", 6),
];
/// Crates that know no clock, no socket, no database and no task.
const PURE: &[&str] = &[
    "core",
    "dialect",
    "catalog",
    "classifier",
    "guard",
    "ledger",
    "auditor",
    "vault",
    "policy",
    "lab",
];
/// What the pure crates may not depend on.
const IMPURE: &[&str] = &[
    "tokio",
    "tokio-util",
    "sqlx",
    "hyper",
    "hyper-util",
    "axum",
    "tracing",
    "getrandom",
    "signalbox-runtime",
];
/// The auditor shares no arithmetic with what it audits.
const AUDITOR_MAY: &[&str] = &["signalbox-core"];

fn floor(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(one, _)| *one == name).map(|(_, floor)| *floor)
}

pub(super) fn check(root: &Path) -> anyhow::Result<Vec<Breach>> {
    let mut found = Vec::new();
    for path in super::entries(&root.join("crates"))? {
        let manifest = path.join("Cargo.toml");
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            continue;
        };
        let text =
            std::fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
        let manifest: toml::Table = toml::from_str(&text).with_context(|| name.clone())?;
        let Some(own) = floor(&name) else {
            found.push(format!("crates/{name}: has no floor in xtask/src/tidy/floors.rs"));
            continue;
        };
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
        for dependency in dependencies.into_iter().flat_map(toml::Table::keys) {
            found.extend(judge(&name, own, dependency));
        }
    }
    Ok(found)
}

fn judge(name: &str, own: u8, dependency: &str) -> Option<Breach> {
    if PURE.contains(&name) && IMPURE.contains(&dependency) {
        return Some(format!("crates/{name}: a pure crate can't depend on {dependency}"));
    }
    let lower = dependency.strip_prefix("signalbox-")?;
    if name == "auditor" && !AUDITOR_MAY.contains(&dependency) {
        return Some(format!("crates/auditor: must not share code with {dependency}"));
    }
    match floor(lower) {
        Some(floor) if floor < own => None,
        Some(_) => Some(format!("crates/{name}: {dependency} is not on a lower floor")),
        None => Some(format!("crates/{name}: {dependency} has no floor")),
    }
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn a_breach_of_the_floors_is_seen() {
        assert!(judge("core", 0, "tokio").is_some());
        assert!(judge("policy", 2, "signalbox-gateway").is_some());
        assert!(judge("gateway", 4, "signalbox-platform").is_some(), "same floor");
        assert!(judge("auditor", 1, "signalbox-ledger").is_some());
        assert!(judge("gateway", 4, "signalbox-policy").is_none());
    }
}
