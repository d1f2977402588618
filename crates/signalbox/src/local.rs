//! Model servers on this machine as catalogue rows: `local/<model>`, free of charge.

use serde_json::json;
use signalbox_catalog::ConfiguredCatalogue;
use signalbox_upstream::discover::LocalServer;

use crate::exit::Stop;

/// What a context is taken to hold when the server does not say.
const CONTEXT: u64 = 8192;

/// Seconds that a server on this machine may take to begin.
const PATIENCE: u32 = 600;

/// Adds a provider for each server and a model for each of its models. A model id that two servers
/// have gets two endpoints.
pub(crate) fn offer(servers: &[LocalServer], into: &mut ConfiguredCatalogue) -> Result<(), Stop> {
    for server in servers {
        let slug = format!("local-{}", server.name);
        let provider = json!({
            "slug": slug, "name": format!("Local ({})", server.name),
            "base_url": server.base_url, "transport": "none",
            // A machine without a graphics card reads a long prompt for minutes, in silence.
            "timeouts": {"headers": PATIENCE, "first_content": PATIENCE, "idle": PATIENCE},
        });
        into.providers.push(row(provider)?);
        for model in &server.models {
            let id = format!("local/{}", plain(model));
            if !into.models.iter().any(|one| one.id == id) {
                let name = format!("Local: {model}");
                into.models.push(row(json!({"id": id, "name": name, "context_length": CONTEXT}))?);
            }
            let pricing = json!({"prompt": "0", "completion": "0"});
            into.endpoints.push(row(json!({
                "model": id, "provider": slug, "provider_model_id": model, "pricing": pricing,
            }))?);
        }
    }
    Ok(())
}

/// A model's name as a slug: what a slug can't have becomes a dash.
fn plain(name: &str) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.chars().map(|c| if keep(c) { c } else { '-' }).collect()
}

/// A catalogue row from JSON.
pub(crate) fn row<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T, Stop> {
    serde_json::from_value(value).map_err(|error| Stop::failed(format!("catalogue row: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_server_becomes_rows() {
        let server = LocalServer {
            name: "ollama",
            base_url: "http://127.0.0.1:11434/v1".into(),
            models: vec!["llama3.2:1b".into(), "hf.co/a/b".into()],
        };
        let mut rows = ConfiguredCatalogue::default();
        offer(&[server], &mut rows).unwrap();
        let ids: Vec<_> = rows.models.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["local/llama3.2-1b", "local/hf.co-a-b"]);
        assert_eq!(rows.endpoints.len(), 2);
    }
}
