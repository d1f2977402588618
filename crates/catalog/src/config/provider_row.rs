//! A provider as it is written: in the configuration file and in the built-in provider files.

use std::collections::BTreeMap;

use serde::Deserialize;
use signalbox_core::TimeoutsRow;

use super::speaks_row::{SpeaksRow, is_host};
use crate::provider::RESOURCE;
use crate::{CatalogueError, DataPolicy, Dialect, Provider, Resource, Verified, placeholder};

/// One `[[providers]]` row, or one provider file.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `Provider`, as they are written")]
pub struct ProviderRow {
    pub slug: String,
    /// Left out: the slug.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub display_name: Option<String>,
    #[serde(default)]
    pub base_url: Option<String>,
    /// The built-in row knows no public base URL: one must be configured.
    #[serde(default)]
    pub base_url_required: bool,
    #[serde(default)]
    pub region: Option<String>,
    /// Left out beside a `base_url`: none.
    #[serde(default)]
    pub hosts: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub resources: Option<Vec<Resource>>,
    #[serde(default)]
    pub project: Option<String>,
    #[serde(default)]
    pub api_version: Option<String>,
    /// As written: a literal, `env:NAME` or `file:PATH`. Read by the binary, never kept here.
    #[serde(default)]
    pub api_key: Option<WrittenKey>,
    #[serde(default)]
    pub key_env: Option<Vec<String>>,
    /// For the dialects that name no transport of their own.
    #[serde(default)]
    pub transport: Option<String>,
    #[serde(default)]
    pub headquarters: Option<String>,
    #[serde(default)]
    pub datacenters: Option<Vec<String>>,
    #[serde(default)]
    pub terms_url: Option<String>,
    #[serde(default)]
    pub privacy_url: Option<String>,
    #[serde(default)]
    pub status_page: Option<String>,
    #[serde(default)]
    pub data_policy: Option<DataPolicyRow>,
    #[serde(default)]
    pub can_abort: Option<bool>,
    #[serde(default)]
    pub moderation_required: Option<bool>,
    #[serde(default)]
    pub byok: Option<bool>,
    #[serde(default)]
    pub source: Option<String>,
    #[serde(default)]
    pub verified: Option<Verified>,
    #[serde(default)]
    pub timeouts: Option<TimeoutsRow>,
    /// Left out: `openai-chat`, and `openai-embeddings` and `rerank` for models that are for these.
    #[serde(default)]
    pub speaks: Option<Vec<SpeaksRow>>,
}

/// A key as it is written, which may be the key itself: it does not print.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct WrittenKey(String);

impl std::ops::Deref for WrittenKey {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for WrittenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// A data policy as it is written; what is left out is no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `DataPolicy`, as they are written")]
pub struct DataPolicyRow {
    #[serde(default)]
    pub training: bool,
    #[serde(default)]
    pub retains_prompts: bool,
    #[serde(default)]
    pub retention_days: Option<u32>,
    #[serde(default)]
    pub can_publish: bool,
    #[serde(default)]
    pub requires_user_ids: bool,
    /// Left out: neither trains nor retains.
    #[serde(default)]
    pub zdr: Option<bool>,
}

impl From<DataPolicyRow> for DataPolicy {
    fn from(row: DataPolicyRow) -> Self {
        Self {
            training: row.training,
            retains_prompts: row.retains_prompts,
            retention_days: row.retention_days,
            can_publish: row.can_publish,
            requires_user_ids: row.requires_user_ids,
            zdr: row.zdr.unwrap_or(!row.training && !row.retains_prompts),
        }
    }
}

impl ProviderRow {
    /// The provider that this row makes, on top of a built-in one if there is one with the slug.
    pub fn apply(&self, base: Option<&Provider>) -> Result<Provider, CatalogueError> {
        let fail = |key: &str, problem: &str| {
            CatalogueError::new(format!("provider {:?}", self.slug), key, problem)
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if self.slug.is_empty() || !self.slug.chars().all(plain) {
            return Err(fail("slug", "expected letters, digits, '-', '_' and '.'"));
        }
        let mut provider = base.cloned().unwrap_or_else(|| self.fresh());
        let set = |slot: &mut String, given: &Option<String>| {
            if let Some(given) = given {
                slot.clone_from(given);
            }
        };
        if let Some(name) = &self.name {
            provider.name.clone_from(name);
            provider.display_name.clone_from(name);
        }
        set(&mut provider.display_name, &self.display_name);
        set(&mut provider.source, &self.source);
        self.locate(&mut provider).map_err(|(key, problem)| fail(key, problem))?;
        for (slot, given) in [
            (&mut provider.headquarters, &self.headquarters),
            (&mut provider.terms_url, &self.terms_url),
            (&mut provider.privacy_url, &self.privacy_url),
            (&mut provider.status_page, &self.status_page),
        ] {
            if given.is_some() {
                slot.clone_from(given);
            }
        }
        for (slot, given) in
            [(&mut provider.key_env, &self.key_env), (&mut provider.datacenters, &self.datacenters)]
        {
            if let Some(given) = given {
                slot.clone_from(given);
            }
        }
        provider.data_policy = self.data_policy.map_or(provider.data_policy, DataPolicy::from);
        provider.can_abort = self.can_abort.unwrap_or(provider.can_abort);
        provider.byok = self.byok.unwrap_or(provider.byok);
        provider.verified = self.verified.unwrap_or(provider.verified);
        provider.timeouts = self.timeouts.unwrap_or(provider.timeouts);
        provider.moderation_required =
            self.moderation_required.unwrap_or(provider.moderation_required);
        if let Some(rows) = self.speaks_rows(base.is_some()) {
            provider.speaks = rows
                .iter()
                .map(|row| row.read(self.transport.as_deref()))
                .collect::<Result<_, _>>()
                .map_err(|(key, problem)| fail(&format!("speaks.{key}"), &problem))?;
        }
        Ok(provider)
    }

    /// Sets where the API is and what its addresses need. An error names the key.
    fn locate(&self, provider: &mut Provider) -> Result<(), (&'static str, &'static str)> {
        if let Some(url) = &self.base_url {
            provider.base_url = Some(base_url(url).map_err(|problem| ("base_url", problem))?);
            // The hosts of a built-in row belong to its own address.
            provider.hosts.clear();
        }
        if let Some(hosts) = &self.hosts {
            if !hosts.iter().all(|(region, host)| is_plain(region) && is_host(host)) {
                return Err(("hosts", "expected a host for each region"));
            }
            provider.hosts.clone_from(hosts);
        }
        if let Some(resources) = &self.resources {
            for one in resources {
                let named = one.base_url.replace(RESOURCE, "r");
                if named == one.base_url || base_url(&named).is_err() {
                    return Err(("resources", "expected URLs with {resource}"));
                }
            }
            provider.resources.clone_from(resources);
        }
        for (key, slot, given) in [
            ("region", &mut provider.region, &self.region),
            ("project", &mut provider.project, &self.project),
            ("api_version", &mut provider.api_version, &self.api_version),
        ] {
            if let Some(given) = given {
                if !is_plain(given) {
                    return Err((key, "expected letters, digits, '-', '_', '.' and ':'"));
                }
                *slot = Some(given.clone());
            }
        }
        Ok(())
    }

    /// A provider that has nothing but this slug. Closing the connection is taken to stop it, as
    /// OpenAI-compatible servers do.
    fn fresh(&self) -> Provider {
        Provider {
            slug: self.slug.clone(),
            name: self.slug.clone(),
            display_name: self.slug.clone(),
            base_url: None,
            region: None,
            hosts: BTreeMap::new(),
            resources: Vec::new(),
            project: None,
            api_version: None,
            key_env: Vec::new(),
            headquarters: None,
            datacenters: Vec::new(),
            terms_url: None,
            privacy_url: None,
            status_page: None,
            data_policy: DataPolicy::NOTHING_KEPT,
            can_abort: true,
            moderation_required: false,
            byok: true,
            source: String::from("configuration"),
            verified: Verified::None,
            timeouts: TimeoutsRow::default(),
            speaks: Vec::new(),
        }
    }

    fn speaks_rows(&self, overrides: bool) -> Option<Vec<SpeaksRow>> {
        if let Some(rows) = &self.speaks {
            return Some(rows.clone());
        }
        if overrides && self.transport.is_none() {
            return None;
        }
        let usual = [Dialect::OpenaiChat, Dialect::OpenaiEmbeddings, Dialect::Rerank];
        Some(usual.map(SpeaksRow::plain).to_vec())
    }
}

/// Checks a base URL as far as text goes and takes slashes off its end.
fn base_url(url: &str) -> Result<String, &'static str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or("expected a URL that starts with http:// or https://")?;
    let host = rest.split('/').next().unwrap_or("");
    if host.is_empty() || host.contains('@') {
        return Err("expected a host, without a user or password");
    }
    if placeholder::pieces(url).is_err() {
        return Err("expected braces only around model, region, project or api_version");
    }
    if url.contains(['?', '#']) || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("expected a URL without query, fragment and spaces");
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// Whether a value can stand in an address as it is.
fn is_plain(value: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    !value.is_empty() && value.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transport;

    fn row(text: &str) -> ProviderRow {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_provider_with_a_slug_and_a_url_speaks_openai_chat() {
        let row = row("slug = 'acme'\nbase_url = 'http://127.0.0.1:9001/v1/'");
        let provider = row.apply(None).unwrap();
        assert_eq!(provider.base_url.as_deref(), Some("http://127.0.0.1:9001/v1"));
        assert_eq!(provider.name, "acme");
        let speaks = provider.in_dialect(Dialect::OpenaiChat).unwrap();
        assert_eq!((speaks.path(), &speaks.transport), ("/chat/completions", &Transport::Bearer));
        assert!(!provider.data_policy.training && !provider.data_policy.retains_prompts);
    }

    #[test]
    fn a_key_does_not_print() {
        let row = row("slug = 'a'\napi_key = 'sk-123'");
        assert_eq!(row.api_key.as_deref(), Some("sk-123"));
        assert!(!format!("{row:?}").contains("sk-123"));
    }

    #[test]
    fn an_override_keeps_what_it_does_not_name() {
        let row_a = row(
            "slug = 'a'\nname = 'A'\nbase_url = 'https://a.example/v1'\n[[speaks]]\ndialect = 'anthropic-messages'",
        );
        let first = row_a.apply(None).unwrap();
        let second =
            row("slug = 'a'\nbase_url = 'http://localhost:1'").apply(Some(&first)).unwrap();
        assert_eq!(second.name, "A");
        assert_eq!(second.base_url.as_deref(), Some("http://localhost:1"));
        let transport = &second.in_dialect(Dialect::AnthropicMessages).unwrap().transport;
        assert_eq!(transport, &Transport::HeaderKey { header: "x-api-key".into() });
    }

    #[test]
    fn bad_rows_name_their_key() {
        for (text, key) in [
            ("slug = 'a b'", "slug"),
            ("slug = 'a'\nbase_url = 'ftp://x'", "base_url"),
            ("slug = 'a'\nbase_url = 'https://u:p@x/v1'", "base_url"),
            ("slug = 'a'\nbase_url = 'https://x/{account}'", "base_url"),
            ("slug = 'a'\nregion = 'us/east'", "region"),
            ("slug = 'a'\nhosts = { us = 'a.example/x' }", "hosts"),
            ("slug = 'a'\nresources = [{ kind = 'k', base_url = 'https://x' }]", "resources"),
            ("slug = 'a'\ntransport = 'pigeon'", "speaks.transport"),
            (
                "slug = 'a'\n[[speaks]]\ndialect='openai-chat'\ntransport='header-key'",
                "speaks.header",
            ),
            ("slug = 'a'\n[[speaks]]\ndialect='openai-chat'\npath='chat'", "speaks.path"),
        ] {
            let error = row(text).apply(None).unwrap_err();
            assert_eq!(error.key, key, "{text}: {error}");
        }
        assert!(toml::from_str::<ProviderRow>("slug = 'a'\nbase_ulr = 'x'").is_err());
    }
}
