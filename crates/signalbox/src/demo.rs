//! Demo mode: a simulated provider, named as such, so that a newcomer's first request succeeds.

use serde_json::json;
use signalbox_catalog::ConfiguredCatalogue;

use crate::exit::Stop;
use crate::local::row;

/// The models on offer: the simulator's name for each, and what it does.
const MODELS: [(&str, &str); 4] = [
    ("echo", "repeats what it is told"),
    ("reason", "thinks aloud first"),
    ("tools", "calls the tools it is offered"),
    ("tokens-50+slow-ms-20", "streams slowly"),
];

/// Adds the simulated provider at this base URL and its models.
pub(crate) fn offer(base_url: &str, into: &mut ConfiguredCatalogue) -> Result<(), Stop> {
    into.providers.push(row(json!({
        "slug": "simulated", "name": "Simulated (demo, not a real model)",
        "base_url": base_url, "transport": "none",
    }))?);
    for (name, does) in MODELS {
        let short = name.split('-').next().unwrap_or(name);
        let id = format!("simulated/{short}");
        let title = format!("Simulated: {does} (demo, not a real model)");
        into.models.push(row(json!({"id": id, "name": title, "context_length": 32_768}))?);
        into.endpoints.push(row(json!({
            "model": id, "provider": "simulated", "provider_model_id": name,
            "pricing": {"prompt": "0.000001", "completion": "0.000002"},
        }))?);
    }
    Ok(())
}
