//! `cargo xtask providers`: the table of provider rows in `docs/providers.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;
use signalbox_catalog::{Provider, Snapshot, Verified};

const TABLE: &str = "docs/providers.md";

/// Writes the table.
pub fn run(root: &Path) -> Result<()> {
    let providers = Snapshot::embedded()?.providers;
    Ok(fs::write(root.join(TABLE), table(&providers)?)?)
}

/// How many rows are verified how, in one sentence. It stands in the README too.
fn summary(providers: &[Provider]) -> String {
    let count = |wanted: Verified| providers.iter().filter(|one| one.verified == wanted).count();
    let required = providers.iter().filter(|one| one.base_url.is_none()).count();
    format!(
        "Of {} rows, {} were checked against the provider's public documentation or its own SDK (`docs`), {} \
         against recorded answers, {} against the real service, and {} rest on public data sets and on what \
         others call (`none`); {required} have no shared public address and need a `base_url` of your own.",
        providers.len(),
        count(Verified::Docs),
        count(Verified::Recording),
        count(Verified::Live),
        count(Verified::None),
    )
}

fn table(providers: &[Provider]) -> Result<String> {
    let mut text = String::from(
        "# Providers\n\nWritten by `cargo xtask providers` from `crates/catalog/data/providers`. Patches, headers, how \
         each wants to be asked to reason, and what is not known stand in the files. What is sent for \
         them is in `crates/gateway/tests/golden/rows`, which proves nothing about a provider.\n\n",
    );
    writeln!(text, "{}\n", summary(providers))?;
    text.push_str("| provider | dialects | transport | stops on cancel | verified | source |\n");
    text.push_str("|---|---|---|---|---|---|\n");
    for one in providers {
        let dialects = listed(one.speaks.iter().map(|speaks| speaks.dialect.name()));
        let transports = listed(one.speaks.iter().map(|speaks| speaks.transport.name()));
        let slug = &one.slug;
        writeln!(
            text,
            "| [{slug}](../crates/catalog/data/providers/{slug}.toml) | {dialects} | {transports} | {} | {} | {} |",
            if one.can_abort { "yes" } else { "no" },
            verified(one.verified),
            one.source.replace('|', "\\|"),
        )?;
    }
    Ok(text)
}

/// Each name once, in order.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    if seen.is_empty() { String::from("its own") } else { seen.join(", ") }
}

const fn verified(how: Verified) -> &'static str {
    match how {
        Verified::None => "none",
        Verified::Docs => "docs",
        Verified::Recording => "recording",
        Verified::Live => "live",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> String {
        fs::read_to_string(crate::root().join(path)).unwrap()
    }

    #[test]
    fn the_table_is_in_step_with_the_files() {
        let providers = Snapshot::embedded().unwrap().providers;
        assert!(read(TABLE) == table(&providers).unwrap(), "run `cargo xtask providers`");
    }

    #[test]
    fn the_readme_says_how_many_rows_are_verified_how() {
        let unwrapped = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let summary = summary(&Snapshot::embedded().unwrap().providers);
        assert!(unwrapped(read("README.md")).contains(&summary), "README.md lacks: {summary}");
    }
}
