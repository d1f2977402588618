//! A guardrail with a budget, a list of models, zero data retention and a filter at once, by every door.

use serde_json::{Value, json};
use signalbox_platform::keys::hash_of;
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::doors::{DOORS, calls, patch, sent, told};

/// Each model at two providers: the cheaper one retains prompts.
fn offer() -> Offer {
    let pair = |speaks: &str, behaviour: &str, prices: [Value; 2]| {
        let [cheap, dear] = prices;
        let keeps = json!({"retains_prompts": true});
        [
            Stand::new(&format!("{speaks}-keeps"), behaviour)
                .with("pricing", cheap)
                .with("data_policy", keeps),
            Stand::new(&format!("{speaks}-forgets"), behaviour).with("pricing", dear),
        ]
    };
    let tokens = || {
        [
            json!({"prompt": "0.0000001", "completion": "0.0000002"}),
            json!({"prompt": "0.00001", "completion": "0.00002"}),
        ]
    };
    let units = [
        json!({"prompt": "0", "completion": "0", "search_unit": "0.0001"}),
        json!({"prompt": "0", "completion": "0", "search_unit": "0.002"}),
    ];
    let mut offer = Offer::new();
    for (speaks, dialect) in [
        ("chat", "openai-chat"),
        ("messages", "anthropic-messages"),
        ("responses", "openai-responses"),
    ] {
        offer = offer
            .speaking(&format!("{speaks}-keeps"), dialect)
            .speaking(&format!("{speaks}-forgets"), dialect)
            .model(&format!("acme/{speaks}"), pair(speaks, "tokens-5", tokens()));
    }
    offer.model_for("embeddings", "acme/e1", pair("e", "v1", tokens())).model_for(
        "rerank",
        "acme/r1",
        pair("r", "r1", units),
    )
}

#[tokio::test]
async fn a_budget_a_list_of_models_zdr_and_a_filter_hold_together_by_every_door() {
    let server = TestServer::start(offer()).await;
    let (manager, caller) = (server.manager(), server.caller());
    let wish = json!({"name": "all", "limit_usd": 50, "enforce_zdr": true,
        "allowed_models": ["acme/chat", "acme/messages", "acme/responses", "acme/e1", "acme/r1"],
        "content_filter_builtins": [{"slug": "email", "action": "redact"}]});
    let made = told(&manager.post("/api/v1/guardrails", &wish).await, 201);
    let path = format!("/api/v1/guardrails/{}", made["data"]["id"].as_str().unwrap());
    let keys = json!({"key_hashes": [hash_of(&server.owner.api_key)]});
    told(&manager.post(&format!("{path}/assignments/keys"), &keys).await, 200);
    for door in DOORS {
        for stream in door.manners() {
            let body = door.body("Write to jane@corp.example.", *stream);
            let reply = door.post(&caller, &body).await;
            assert_eq!(reply.status, 200, "{door:?}: {}", String::from_utf8_lossy(&reply.body));
            let row = server.generation(reply.header("x-generation-id").unwrap()).await;
            let provider = row.provider.unwrap();
            assert!(provider.ends_with("-forgets"), "{door:?}: {provider}");
            let sent = sent(&server);
            assert!(sent.contains("[EMAIL]") && !sent.contains("jane@"), "{door:?}: {sent}");
        }
    }
    // A model that is not in the list.
    patch(&manager, &path, json!({"allowed_models": ["acme/*-other"]})).await;
    let before = calls(&server);
    for door in DOORS {
        let reply = door.post(&caller, &door.body("Hello.", false)).await;
        let (message, _) = door.error(&reply, 404, "not_found");
        let expected = "No endpoints available matching your guardrail restrictions and data policy. \
                        Configure: ";
        assert!(message.starts_with(expected), "{door:?}: {message}");
        assert!(message.ends_with("/settings/privacy"), "{door:?}: {message}");
    }
    // A budget that is used up.
    patch(&manager, &path, json!({"allowed_models": null, "limit_usd": 0})).await;
    for door in DOORS {
        for stream in door.manners() {
            let caller = caller.with("X-OpenRouter-Metadata", "enabled");
            let reply = door.post(&caller, &door.body("Hello.", *stream)).await;
            let (message, _) = door.error(&reply, 403, "permission_denied");
            assert_eq!(
                message, "Guardrail lifetime budget of $0.00 exceeded. Contact your org admin.",
                "{door:?}"
            );
            assert!(reply.json()["openrouter_metadata"].is_null(), "{door:?}: no stages");
        }
    }
    assert_eq!(calls(&server), before, "no provider was asked");
    server.closes_clean().await;
}

#[tokio::test]
async fn what_is_hidden_in_parts_is_found_in_every_dialect() {
    let server = TestServer::start(crate::doors::offer(&[])).await;
    server.guard(json!({"content_filter_builtins": [{"slug": "email", "action": "redact"}]})).await;
    let text = |kind: &str, text: &str| json!({"type": kind, "text": text});
    let split = |kind: &str| json!([text(kind, "ask joe@corp"), text(kind, ".example now")]);
    let said = |content: Value| json!([{"role": "user", "content": content}]);
    let odd = json!([text("text", "hi"), {"type": "note", "note": {"to": "joe@corp.example"}}]);
    for (path, body) in [
        ("chat/completions", json!({"model": "acme/chat", "messages": said(split("text"))})),
        ("chat/completions", json!({"model": "acme/chat", "messages": said(odd)})),
        (
            "messages",
            json!({"model": "acme/messages", "max_tokens": 9, "messages": said(split("text"))}),
        ),
        (
            "messages",
            json!({"model": "acme/chat", "max_tokens": 9, "system": split("text"),
            "messages": said(json!("hi"))}),
        ),
        ("responses", json!({"model": "acme/responses", "input": said(split("input_text"))})),
    ] {
        told(&server.caller().post(&format!("/api/v1/{path}"), &body).await, 200);
        let sent = sent(&server);
        assert!(sent.contains("[EMAIL]") && !sent.contains("corp"), "{path}: {sent}");
    }
    server.closes_clean().await;
}
