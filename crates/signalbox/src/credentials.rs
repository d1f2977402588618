//! Which providers have a key: from the configuration, or under its usual name in the environment.

use std::collections::{HashMap, HashSet};

use signalbox_catalog::{Catalogue, ConfiguredCatalogue, Provider, Transport};
use signalbox_core::Secret;

use crate::config::{secret, variable};
use crate::exit::Stop;

/// The variables that hold what signs requests, and the member of a credential that each is.
const SIGNING: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "access_key_id"),
    ("AWS_SECRET_ACCESS_KEY", "secret_access_key"),
    ("AWS_SESSION_TOKEN", "session_token"),
];
/// The variables that name the region of a signed service, the first that is set.
const REGION: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// A look at the environment.
type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The credential of each provider that has one, by slug. The configuration wins.
///
/// # Errors
/// A credential that is configured but can't be had, or a provider row that is no row.
pub(crate) fn collect(
    built_in: &Catalogue,
    configured: &ConfiguredCatalogue,
) -> Result<HashMap<String, Secret<String>>, Stop> {
    let mut found = HashMap::new();
    let mut placed = HashSet::new();
    let named = built_in.providers.iter().map(|provider| (provider.slug.clone(), provider.clone()));
    let mut providers: HashMap<String, Provider> = named.collect();
    for row in &configured.providers {
        let provider = row.apply(providers.get(&row.slug));
        let provider = provider.map_err(|error| Stop::usage(error.to_string()))?;
        if let Some(written) = &row.api_key {
            let owner = format!("providers.{}.api_key", row.slug);
            let key = secret(written, &owner)?;
            found.insert(row.slug.clone(), read_file(&provider, key, &owner)?);
        }
        if row.region.is_some() {
            placed.insert(row.slug.clone());
        }
        providers.insert(row.slug.clone(), provider);
    }
    for (slug, provider) in providers {
        if !found.contains_key(&slug)
            && let Some(key) = usual(&provider, placed.contains(&slug), &variable)?
        {
            found.insert(slug, key);
        }
    }
    Ok(found)
}

/// What the environment has for a provider under the usual names. The environment's region counts
/// unless the configuration has placed the provider.
fn usual(
    provider: &Provider,
    placed: bool,
    variable: Variable<'_>,
) -> Result<Option<Secret<String>>, Stop> {
    let named = provider.key_env.iter().find_map(|name| Some((name, variable(name)?)));
    let signs = |one: &Transport| matches!(one, Transport::Sigv4 | Transport::BedrockInvoke);
    let signs = provider.speaks.iter().any(|speaks| signs(&speaks.transport));
    let mut object = serde_json::Map::new();
    match named {
        Some((name, value)) if !signs || value.starts_with('{') => {
            return read_file(provider, Secret::new(value), name).map(Some);
        }
        Some((_, value)) => {
            object.insert("api_key".to_owned(), value.into());
        }
        None if signs => {
            for (name, member) in SIGNING {
                if let Some(value) = variable(name) {
                    object.insert(member.to_owned(), value.into());
                }
            }
            let [(_, id), (_, key), _] = SIGNING;
            if !object.contains_key(id) || !object.contains_key(key) {
                return Ok(None);
            }
        }
        None => return Ok(None),
    }
    let region = REGION.iter().find_map(|name| variable(name));
    if let Some(region) = region.filter(|_| !placed) {
        object.insert("region".to_owned(), region.into());
    }
    Ok(Some(Secret::new(serde_json::Value::Object(object).to_string())))
}

/// A credential that names the file it is in, as is usual with clouds that hand out files.
fn read_file(
    provider: &Provider,
    key: Secret<String>,
    owner: &str,
) -> Result<Secret<String>, Stop> {
    let text = key.expose();
    let cloud = provider.speaks.iter().any(|speaks| speaks.transport == Transport::Vertex);
    let path = text.contains(['/', '\\']) || text.ends_with(".json");
    if !cloud || !path || text.starts_with('{') {
        return Ok(key);
    }
    secret(&format!("file:{text}"), owner)
}

#[cfg(test)]
mod tests {
    use signalbox_catalog::{ProviderRow, Snapshot};

    use super::*;

    fn provider(transport: &str, key_env: &str) -> Provider {
        let text = format!("slug = 'a'\ntransport = '{transport}'\nkey_env = ['{key_env}']");
        toml::from_str::<ProviderRow>(&text).unwrap().apply(None).unwrap()
    }

    fn found(provider: &Provider, placed: bool, set: &[(&str, &str)]) -> Option<String> {
        let variable = |name: &str| {
            let value = set.iter().find(|(one, _)| *one == name);
            value.map(|(_, value)| (*value).to_owned())
        };
        usual(provider, placed, &variable).unwrap().map(|key| key.expose().clone())
    }

    #[test]
    fn a_key_has_its_usual_name() {
        let plain = provider("bearer", "A_KEY");
        assert_eq!(found(&plain, false, &[("A_KEY", "k/1.json")]).as_deref(), Some("k/1.json"));
        assert_eq!(found(&plain, false, &[("AWS_ACCESS_KEY_ID", "id")]), None);
    }

    /// Whether the configuration places the provider, what is set, and what comes of it.
    type Case<'a> = (bool, &'a [(&'a str, &'a str)], Option<&'a str>);

    #[test]
    fn what_signs_is_put_together() {
        let cloud = provider("sigv4", "A_KEY");
        let id = ("AWS_ACCESS_KEY_ID", "id");
        let key = ("AWS_SECRET_ACCESS_KEY", "s");
        let region = ("AWS_DEFAULT_REGION", "eu-west-1");
        let (token, bearer) = (("AWS_SESSION_TOKEN", "t"), ("A_KEY", "b"));
        let cases: &[Case<'_>] = &[
            (false, &[id], None),
            (false, &[region], None),
            (false, &[id, key], Some(r#"{"access_key_id":"id","secret_access_key":"s"}"#)),
            (
                false,
                &[id, key, token, region, ("AWS_REGION", "us-1")],
                Some(
                    r#"{"access_key_id":"id","region":"us-1","secret_access_key":"s","session_token":"t"}"#,
                ),
            ),
            (true, &[id, key, region], Some(r#"{"access_key_id":"id","secret_access_key":"s"}"#)),
            (false, &[id, key, bearer], Some(r#"{"api_key":"b"}"#)),
            (false, &[bearer, region], Some(r#"{"api_key":"b","region":"eu-west-1"}"#)),
            (false, &[("A_KEY", "{\"api_key\":\"x\"}"), region], Some("{\"api_key\":\"x\"}")),
        ];
        for (placed, set, expected) in cases {
            let found = found(&cloud, *placed, set);
            let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(found.as_deref().map(read), expected.map(read), "{set:?}");
        }
    }

    #[test]
    fn a_clouds_file_is_read_where_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("account.json");
        std::fs::write(&path, "{\"type\":\"service_account\"}\n").unwrap();
        let path = path.to_str().unwrap();
        let cloud = provider("vertex", "A_FILE");
        let read = |value: &str| found(&cloud, false, &[("A_FILE", value)]).unwrap();
        assert_eq!(read(path), "{\"type\":\"service_account\"}");
        assert_eq!(read("ya29.token"), "ya29.token");
        assert_eq!(read("{\"a\":\"b/c\"}"), "{\"a\":\"b/c\"}");
        let gone = |_: &str| Some("/no/such/file.json".to_owned());
        let stop = usual(&cloud, false, &gone).unwrap_err().to_string();
        assert!(stop.contains("A_FILE") && !stop.contains('\n'), "{stop}");
    }

    #[test]
    fn the_configuration_wins() {
        let text = "[[providers]]\nslug = 'openai'\napi_key = 'mine'\n\
                    [[providers]]\nslug = 'acme'\nbase_url = 'http://x'\napi_key = 'yours'";
        let configured = toml::from_str::<ConfiguredCatalogue>(text).unwrap();
        let keys = collect(&Snapshot::embedded().unwrap(), &configured).unwrap();
        assert_eq!(
            (keys["openai"].expose().as_str(), keys["acme"].expose().as_str()),
            ("mine", "yours")
        );
    }
}
