//! No provider's name in shared code, and no module named after nothing.

use std::path::Path;

use super::{Breach, File};

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "common", "misc", "manager", "types"];
/// Slugs that are also plain words of the code.
const PLAIN_WORDS: &[&str] = &["meta", "seed", "together", "modal", "wafer", "openai"];
/// Shared code: here a provider's name is a mistake. Dialects named after their inventor are words
/// of the architecture, so whole literals are compared, not parts of them.
const SHARED: &[&str] = &[
    "crates/dialect/src",
    "crates/policy/src",
    "crates/upstream/src",
    "crates/gateway/src",
    "crates/server/src",
    "crates/store/src",
    "crates/platform/src",
];

pub(super) fn check(root: &Path, files: &[File]) -> anyhow::Result<Vec<Breach>> {
    let mut found = Vec::new();
    let mut slugs = Vec::new();
    for path in super::entries(&root.join("crates/catalog/data/providers"))? {
        if let Some(stem) = path.file_stem() {
            slugs.push(stem.to_string_lossy().into_owned());
        }
    }
    for file in files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if name == "mod.rs" {
            found.push(format!("{}: use foo.rs beside foo/, not mod.rs", file.path));
        }
        let parts = file.path.split('/').map(|part| part.trim_end_matches(".rs"));
        for part in parts.filter(|part| EMPTY_NAMES.contains(part)) {
            found.push(format!("{}: {part} names nothing", file.path));
        }
        if SHARED.iter().any(|shared| file.path.starts_with(shared)) {
            found.extend(provider_names(file, &slugs));
        }
    }
    Ok(found)
}

fn provider_names(file: &File, slugs: &[String]) -> Vec<Breach> {
    let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
    let named = |slug: &&String| {
        !PLAIN_WORDS.contains(&slug.as_str()) && code.contains(&format!("\"{slug}\""))
    };
    let breach = |slug| format!("{}: names the provider {slug}; use a row of data", file.path);
    slugs.iter().filter(named).map(breach).collect()
}
