//! `cargo xtask catalog-import --from DIR`: facts in, committed catalogue data out.
//!
//! The same facts give the same bytes: rows are sorted, maps are ordered, prices are exact decimals.

mod endpoint;
mod facts;
mod model;
mod provider;
mod tier;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use signalbox_catalog::{Endpoint, Model};

use facts::Facts;

/// Reads the facts in `from` and writes `crates/catalog/data` and the index of provider files.
pub fn run(from: &Path, root: &Path) -> Result<()> {
    let facts = Facts::read(from)?;
    let catalog = root.join("crates/catalog");
    let data = catalog.join("data");

    let mut models: Vec<Model> =
        facts.models.iter().map(|row| model::convert(row, &facts)).collect::<Result<_>>()?;
    models.sort_by(|a, b| a.id.cmp(&b.id));

    let mut endpoints: Vec<Endpoint> = Vec::new();
    for row in &facts.endpoints {
        let base = endpoint::convert(row, &facts)?;
        let tiers =
            tier::endpoints(row, &base).with_context(|| format!("tiers of endpoint {}", row.id))?;
        endpoints.push(base);
        endpoints.extend(tiers);
    }
    endpoints.sort_by(|a, b| (&a.model, &a.tag, &a.id).cmp(&(&b.model, &b.tag, &b.id)));

    fs::create_dir_all(data.join("providers"))?;
    fs::write(data.join("models.jsonl"), lines(&models)?)?;
    fs::write(data.join("endpoints.jsonl"), lines(&endpoints)?)?;
    fs::write(data.join("legacy.jsonl"), lines(&model::legacy(&models))?)?;
    let files = provider::files(&facts)?;
    for (slug, text) in &files {
        fs::write(data.join(format!("providers/{slug}.toml")), text)?;
    }
    let index = catalog.join("src/embedded/provider_files.rs");
    fs::write(index, provider::index(files.iter().map(|(slug, _)| slug.as_str())))?;
    Ok(())
}

/// One compact JSON object per line.
fn lines<T: Serialize>(rows: &[T]) -> Result<String> {
    let mut text = String::new();
    for row in rows {
        text.push_str(&serde_json::to_string(row)?);
        text.push('\n');
    }
    Ok(text)
}

/// Maps a key of each row to the row.
fn by<T>(rows: Vec<T>, key: impl Fn(&T) -> String) -> HashMap<String, T> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}
