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

/// Reads the facts in `from` and writes `crates/catalog/data`. Of providers, only files that are not
/// there yet: the others are kept by hand.
pub fn run(from: &Path, root: &Path) -> Result<()> {
    let facts = Facts::read(from)?;
    let data = root.join("crates/catalog/data");

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
    for row in &facts.providers {
        let file = data.join(format!("providers/{}.toml", row.slug));
        if !file.try_exists()? {
            fs::write(file, provider::first_file(row)?)?;
        }
    }
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
