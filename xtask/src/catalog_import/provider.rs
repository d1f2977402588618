//! Provider facts and what is known besides to provider files.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use signalbox_catalog::{DataPolicy, ProviderRow};

use super::endpoint::policy;
use super::facts::{Facts, ProviderFacts};

/// What is known of providers beyond the facts: public base URLs, key names, dialects.
const KNOWN: &str = include_str!("provider_rows.toml");

/// One entry of the file above. `speaks` is TOML text that is copied as it stands.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Known {
    base_url: Option<String>,
    /// Why the base URL of the facts can't be used; then one must be configured.
    base_url_required: Option<String>,
    region: Option<String>,
    hosts: BTreeMap<String, String>,
    key_env: Option<Vec<String>>,
    /// What the row rests on, when it was looked up.
    source: Option<String>,
    /// Whether it was looked up in the provider's own documentation.
    verified_by_docs: bool,
    speaks: Option<String>,
}

/// The provider files as (slug, text), by slug. Each is read back before it is returned.
pub fn files(facts: &Facts) -> Result<Vec<(String, String)>> {
    let mut known: BTreeMap<String, Known> = toml::from_str(KNOWN).context("provider_rows.toml")?;
    let mut files = Vec::new();
    for row in &facts.providers {
        let text = file(row, &known.remove(&row.slug).unwrap_or_default())?;
        let parsed: ProviderRow =
            toml::from_str(&text).with_context(|| format!("provider {}", row.slug))?;
        parsed.apply(None)?;
        files.push((row.slug.clone(), text));
    }
    if let Some(slug) = known.keys().next() {
        anyhow::bail!("provider_rows.toml: no provider {slug:?} in the facts");
    }
    files.sort();
    Ok(files)
}

fn file(row: &ProviderFacts, known: &Known) -> Result<String> {
    let mut text = String::new();
    let out = &mut text;
    pair(out, "slug", &row.slug)?;
    pair(out, "name", &row.name)?;
    pair(out, "display_name", &row.display_name)?;
    match (&known.base_url_required, known.base_url.as_ref().or(row.base_url.as_ref())) {
        (Some(why), _) => writeln!(out, "# {why}\nbase_url_required = true")?,
        (None, Some(url)) => pair(out, "base_url", url.trim_end_matches('/'))?,
        (None, None) => anyhow::bail!("provider {}: no base URL and no reason", row.slug),
    }
    if let Some(region) = &known.region {
        pair(out, "region", region)?;
    }
    if !known.hosts.is_empty() {
        let hosts = known.hosts.iter();
        let hosts: Vec<String> =
            hosts.map(|(region, host)| format!("{region} = {host:?}")).collect();
        writeln!(out, "hosts = {{ {} }}", hosts.join(", "))?;
    }
    let usual = vec![format!("{}_API_KEY", row.slug.to_uppercase().replace('-', "_"))];
    list(out, "key_env", known.key_env.as_ref().unwrap_or(&usual))?;
    for (key, value) in [
        ("headquarters", &row.headquarters),
        ("terms_url", &row.terms_url),
        ("privacy_url", &row.privacy_url),
        ("status_page", &row.status_url),
    ] {
        if let Some(value) = value {
            pair(out, key, value)?;
        }
    }
    if !row.datacenters.is_empty() {
        list(out, "datacenters", &row.datacenters)?;
    }
    writeln!(out, "can_abort = {}", row.abortable)?;
    writeln!(out, "moderation_required = {}", row.moderation_required)?;
    writeln!(out, "byok = {}", row.byok)?;
    pair(out, "source", known.source.as_deref().unwrap_or("public catalogue, August 2026"))?;
    pair(out, "verified", if known.verified_by_docs { "docs" } else { "none" })?;
    if known.speaks.as_deref().map(str::trim) == Some("") {
        // An empty list has to stand before the tables.
        writeln!(out, "# Only a protocol of its own.\nspeaks = []")?;
    }
    data_policy(out, policy(&row.data_policy))?;
    match known.speaks.as_deref().map(str::trim) {
        Some("") => {}
        Some(speaks) => writeln!(out, "\n{speaks}")?,
        None => writeln!(out, "\n[[speaks]]\ndialect = \"openai-chat\"")?,
    }
    Ok(text)
}

fn data_policy(out: &mut String, policy: DataPolicy) -> Result<()> {
    writeln!(out, "\n[data_policy]\ntraining = {}", policy.training)?;
    writeln!(out, "retains_prompts = {}", policy.retains_prompts)?;
    if let Some(days) = policy.retention_days {
        writeln!(out, "retention_days = {days}")?;
    }
    writeln!(out, "can_publish = {}", policy.can_publish)?;
    writeln!(out, "requires_user_ids = {}", policy.requires_user_ids)?;
    writeln!(out, "zdr = {}", policy.zdr)?;
    Ok(())
}

fn pair(out: &mut String, key: &str, value: &str) -> Result<()> {
    // A JSON string without escapes beyond the usual is a TOML string too.
    Ok(writeln!(out, "{key} = {}", serde_json::to_string(value)?)?)
}

fn list(out: &mut String, key: &str, values: &[String]) -> Result<()> {
    let quoted: Vec<String> = values.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    Ok(writeln!(out, "{key} = [{}]", quoted.join(", "))?)
}

/// The Rust file that embeds the provider files.
pub fn index<'a>(slugs: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from(
        "//! Written by `cargo xtask catalog-import`: the provider files, by slug.\n\n\
         /// Slug and text of every provider file.\n#[rustfmt::skip]\n\
         pub(super) const PROVIDER_FILES: &[(&str, &str)] = &[\n",
    );
    for slug in slugs {
        let path = format!("../../data/providers/{slug}.toml");
        text.push_str(&format!("    ({slug:?}, include_str!({path:?})),\n"));
    }
    text.push_str("];\n");
    text
}
