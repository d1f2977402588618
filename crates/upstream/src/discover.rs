//! Model servers on this machine, found on the ports where they usually are.

use std::net::SocketAddr;
use std::time::Duration;

use crate::client::Client;
use crate::transport::Target;

/// A local server's answer has to come at once; a silent port must not delay the start.
const PATIENCE: Duration = Duration::from_millis(300);
/// Most models taken from one server.
const MAX_MODELS: usize = 50;

/// The usual ports: Ollama, LM Studio, vLLM, llama.cpp.
const PORTS: [(&str, u16); 4] =
    [("ollama", 11_434), ("lm-studio", 1234), ("vllm", 8000), ("llama-cpp", 8080)];

/// A server that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalServer {
    /// The kind of server that usually has this port.
    pub name: &'static str,
    /// Its OpenAI-compatible base URL.
    pub base_url: String,
    /// The ids of its models.
    pub models: Vec<String>,
}

/// Asks the usual ports, all at the same time, but never our own.
pub async fn local_servers(client: &Client, own: SocketAddr) -> Vec<LocalServer> {
    let mut asked = Vec::new();
    for (name, port) in PORTS.into_iter().filter(|(_, port)| *port != own.port()) {
        let client = client.clone();
        asked.push(signalbox_runtime::task::spawn("local server", async move {
            let base_url = format!("http://127.0.0.1:{port}/v1");
            let target = Target::plain(&format!("{base_url}/models")).ok()?;
            let answer = client.get(&target, PATIENCE).await.ok()?;
            let models = model_ids(&answer);
            (!models.is_empty()).then_some(LocalServer { name, base_url, models })
        }));
    }
    let mut found = Vec::new();
    for task in asked {
        if let Ok(Some(Some(server))) = task.await {
            found.push(server);
        }
    }
    found
}

/// The ids in an OpenAI list of models; whatever else comes counts as none.
fn model_ids(answer: &[u8]) -> Vec<String> {
    let Ok(answer) = serde_json::from_slice::<serde_json::Value>(answer) else {
        return Vec::new();
    };
    let entries = answer.get("data").and_then(serde_json::Value::as_array);
    entries
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.get("id")?.as_str())
        .filter(|id| !id.is_empty() && id.len() <= 200)
        .take(MAX_MODELS)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_list_of_models_counts() {
        let list = br#"{"object":"list","data":[{"id":"a:1b"},{"id":7},{"name":"x"},{"id":"b"}]}"#;
        assert_eq!(model_ids(list), ["a:1b", "b"]);
        for other in [&b"<html>"[..], b"[]", b"{\"data\":3}", b""] {
            assert!(model_ids(other).is_empty());
        }
    }
}
