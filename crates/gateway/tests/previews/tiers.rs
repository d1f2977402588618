//! How a service tier, and speed, are named to each provider: as it documents, and to nobody else.

use serde_json::{Value, json};
use signalbox_gateway::Surface;

use super::world::{ask, world};

fn chat() -> Value {
    json!({"messages": [{"role": "user", "content": "Hi"}], "service_tier": "flex", "speed": "fast"})
}

#[test]
fn only_a_tier_endpoint_is_told_a_tier_and_in_its_own_words() {
    let world = world();
    let mut seen = 0;
    for endpoint in world.catalog.models().flat_map(|one| world.catalog.endpoints(&one.id)) {
        if world.road(endpoint).is_none() || !endpoint.chat {
            continue;
        }
        let Ok(preview) = ask(&world, endpoint, Surface::Chat, chat()) else { continue };
        let body: Value = serde_json::from_slice(&preview.body).unwrap();
        let header = preview.headers.iter().find(|(name, _)| name.contains("shared-request-type"));
        let told = ["service_tier", "serviceTier"].iter().find_map(|key| body.get(key));
        let told = told.and_then(Value::as_str).or(header.map(|(_, value)| value.as_str()));
        assert_eq!(told, endpoint.tier.as_deref(), "{}: {body}", endpoint.name);
        let fast = endpoint.model.starts_with("anthropic/") && endpoint.model.ends_with("-fast");
        assert_eq!(body.get("speed"), fast.then(|| json!("fast")).as_ref(), "{}", endpoint.name);
        seen += usize::from(endpoint.tier.is_some());
    }
    assert!(seen > 50, "{seen} tier endpoints");
}

#[test]
fn a_fast_twin_is_asked_for_by_member_and_beta_feature() {
    let world = world();
    let endpoints = world.catalog.endpoints("anthropic/claude-opus-5-fast");
    let own = world.catalog.endpoints("anthropic/claude-opus-5");
    for surface in [Surface::Chat, Surface::Messages] {
        let mut body = chat();
        body["max_tokens"] = json!(100);
        let fast = ask(&world, &endpoints[0], surface, body.clone()).unwrap();
        let beta = fast.headers.iter().find(|(name, _)| name == "anthropic-beta").unwrap();
        assert!(beta.1.contains("fast-mode-2026-02-01"), "{beta:?}");
        assert!(String::from_utf8_lossy(&fast.body).contains("\"speed\":\"fast\""));
        let slow = own.iter().find(|one| one.provider == endpoints[0].provider).unwrap();
        let slow = ask(&world, slow, surface, body).unwrap();
        assert!(!slow.headers.iter().any(|(_, value)| value.contains("fast-mode")));
        assert!(!String::from_utf8_lossy(&slow.body).contains("\"speed\""));
    }
}
