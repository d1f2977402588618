//! The built-in rows, with a key for everybody and an endpoint for every dialect.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use serde_json::{Value, json};
use signalbox_catalog::{ConfiguredCatalogue, Endpoint, Snapshot, Task};
use signalbox_core::{ApiError, Secret, Timestamp};
use signalbox_gateway::preview::{Preview, preview};
use signalbox_gateway::{Inbound, RequestHead, Surface, World};

/// A model for what no built-in endpoint speaks.
pub const MADE_UP: &str = "made-up";

/// A key of the form that a provider wants.
fn credential(slug: &str) -> String {
    if slug == "google-vertex" {
        return json!({"access_token": "key", "project_id": "my-project"}).to_string();
    }
    "key".to_owned()
}

/// The rows with an address for every provider, and an endpoint for every dialect.
pub fn world() -> World {
    let rows = Snapshot::embedded().unwrap();
    let slugs: HashSet<String> = rows.providers.iter().map(|one| one.slug.clone()).collect();
    let mut providers = Vec::new();
    for one in &rows.providers {
        let mut row = json!({"slug": one.slug, "project": "my-project"});
        if one.base_url.is_none() {
            row["base_url"] = json!(format!("https://{}.example", one.slug));
        }
        if one.region.is_none() {
            row["region"] = json!("my-region");
        }
        providers.push(row);
    }
    let mut endpoints = Vec::new();
    for provider in &rows.providers {
        for dialect in provider.speaks.iter().map(|speaks| speaks.dialect) {
            endpoints.push(json!({
                "model": made_up(dialect.task()), "provider": provider.slug, "dialect": dialect,
                "id": format!("{MADE_UP} {} {}", provider.slug, dialect.name()),
                "tag": format!("{}/{}", provider.slug, dialect.name()),
                "provider_model_id": "model-1", "max_output": 8192, "free": true,
            }));
        }
    }
    let model = |task: Task, writes: Value| {
        json!({"id": made_up(task), "context_length": 32768, "output_modalities": writes,
            "input_modalities": ["text", "image"]})
    };
    let models = [
        model(Task::Chat, json!(["text"])),
        model(Task::Embeddings, json!(["embeddings"])),
        model(Task::Rerank, json!(["rerank"])),
    ];
    let configured = json!({"providers": providers, "models": models, "endpoints": endpoints});
    let configured: ConfiguredCatalogue = serde_json::from_value(configured).unwrap();
    let snapshot = Snapshot::build(rows, configured, &slugs).unwrap();
    let secrets = slugs.iter().map(|slug| (slug.clone(), Secret::new(credential(slug))));
    World::new(snapshot, &secrets.collect::<HashMap<_, _>>()).unwrap()
}

fn made_up(task: Task) -> &'static str {
    match task {
        Task::Chat => "made-up/chat",
        Task::Embeddings => "made-up/embeddings",
        Task::Rerank => "made-up/rerank",
    }
}

/// What an endpoint would be sent; the model is filled in.
pub fn ask(
    world: &World,
    endpoint: &Endpoint,
    surface: Surface,
    mut body: Value,
) -> Result<Preview, ApiError> {
    if body.get("model").is_none() {
        body["model"] = json!(endpoint.model);
    }
    let inbound = Inbound {
        surface,
        head: RequestHead::default(),
        body: Bytes::from(body.to_string()),
        id: None,
    };
    preview(world, inbound, &endpoint.id, Timestamp::from_seconds(1_780_000_000))
}
