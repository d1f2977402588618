//! A first file for a provider that has none. From then on the file is kept by hand: what is known of
//! a provider is in its file and nowhere else.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use signalbox_catalog::{DataPolicy, Provider};

use super::endpoint::policy;
use super::facts::ProviderFacts;

/// The text of the first file, which says that nothing was looked up yet: openai-chat with a bearer
/// key, at the base URL of the facts. It is read back before it is returned.
pub fn first_file(row: &ProviderFacts) -> Result<String> {
    let text = file(row)?;
    Provider::from_file(&row.slug, &text).with_context(|| format!("provider {}", row.slug))?;
    Ok(text)
}

fn file(row: &ProviderFacts) -> Result<String> {
    let mut text = String::new();
    let out = &mut text;
    pair(out, "slug", &row.slug)?;
    pair(out, "name", &row.name)?;
    pair(out, "display_name", &row.display_name)?;
    match &row.base_url {
        Some(url) => pair(out, "base_url", url.trim_end_matches('/'))?,
        None => writeln!(out, "base_url_required = true")?,
    }
    list(out, "key_env", &[format!("{}_API_KEY", row.slug.to_uppercase().replace('-', "_"))])?;
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
    pair(out, "source", "public catalogue")?;
    pair(out, "verified", "none")?;
    data_policy(out, policy(&row.data_policy))?;
    writeln!(out, "\n[[speaks]]\ndialect = \"openai-chat\"")?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_file_is_read_back_and_claims_nothing() {
        let facts = r#"{"slug": "new-one", "name": "New \"One\"", "display_name": "New One",
            "base_url": "https://api.new.example/v1/", "data_policy": {}, "abortable": true,
            "moderation_required": false, "byok": true}"#;
        let text = first_file(&serde_json::from_str(facts).unwrap()).unwrap();
        let provider = Provider::from_file("new-one", &text).unwrap();
        assert_eq!(provider.name, "New \"One\"");
        assert_eq!(provider.base_url.as_deref(), Some("https://api.new.example/v1"));
        assert_eq!(provider.key_env, ["NEW_ONE_API_KEY"]);
        assert_eq!(provider.verified, signalbox_catalog::Verified::None);
    }
}
