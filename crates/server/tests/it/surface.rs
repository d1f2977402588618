//! Headers, the frame of a stream, and the routes that only read.

use http::Method;
use serde_json::{Value, json};
use signalbox_testkit::{Caller, Offer, Stand, TestServer};

use crate::speech::{Answered, ask, tokens, typed_error, usd, with};

fn offer() -> Offer {
    Offer::new()
        .model("acme/one", [Stand::new("well", "tokens-5")])
        .model("acme/two", [Stand::new("sick", "status-503"), Stand::new("well", "tokens-5")])
        .model("acme/down", [Stand::new("sick", "status-503")])
        .model("acme/late", [Stand::new("well", "first-ms-6000+tokens-3")])
}

#[tokio::test]
async fn the_generation_id_is_the_same_in_header_body_and_store() {
    let server = TestServer::start(offer()).await;
    for stream in [true, false] {
        let reply = server.caller().chat(&ask("acme/one", stream)).await;
        let answer = Answered::read(&reply);
        assert!(answer.id.starts_with("gen-"), "{}", answer.id);
        assert_eq!(reply.header("x-generation-id"), Some(answer.id.as_str()));
        assert!(reply.header("x-ratelimit-limit").is_none(), "never on success");
        let row = server.generation(&answer.id).await;
        assert_eq!((row.streamed, row.model.as_str()), (stream, "acme/one"));
    }
}

#[tokio::test]
async fn a_stream_has_its_frame_and_usage_once_at_the_end() {
    let server = TestServer::start(offer()).await;
    for options in [json!(null), json!({"include_usage": false}), json!({"include_usage": true})] {
        let body = with(ask("acme/one", true), "stream_options", options);
        let reply = server.caller().chat(&body).await;
        assert_eq!(reply.header("content-type"), Some("text/event-stream"));
        assert_eq!(reply.header("cache-control"), Some("no-cache, private, no-store"));
        Answered::read(&reply);
        let events = reply.events();
        for event in &events.data {
            assert_eq!(event["object"], "chat.completion.chunk");
            assert_eq!(
                (&event["model"], &event["provider"]),
                (&json!("acme/one"), &json!("Provider well"))
            );
            assert!(event["created"].is_i64());
        }
        let last = events.data.last().unwrap();
        assert_eq!(last["choices"], json!([]));
        assert!(last["usage"]["cost_details"].is_object(), "{last}");
        assert_eq!(events.finishes(), ["stop"]);
        assert!(events.comments.is_empty(), "the answer was quick");
        let sent = server.journal().entries().last().unwrap().body.clone().unwrap();
        assert_eq!(sent["stream_options"]["include_usage"], true, "we always ask for usage");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn a_slow_first_token_is_bridged_by_comments() {
    let server = TestServer::start(offer()).await;
    let reply = server.caller().chat(&ask("acme/late", true)).await;
    assert_eq!(reply.events().comments, ["SIGNALBOX PROCESSING"]);
    assert_eq!(Answered::read(&reply).text, tokens(3));
    server.closes_clean().await;
}

#[tokio::test]
async fn a_provider_gets_what_the_client_sent_and_nothing_of_ours() {
    let server = TestServer::start(offer()).await;
    let mut body = ask("acme/one", false);
    for (member, value) in [
        ("temperature", json!(1.0)),
        ("seed", json!(7)),
        ("models", json!(["acme/two"])),
        ("provider", json!({"order": ["well"]})),
        ("session_id", json!("s1")),
        ("user", json!("ann@example.com")),
        ("metadata", json!({"a": "b"})),
        ("usage", json!({"include": true})),
    ] {
        body[member] = value;
    }
    Answered::read(&server.caller().chat(&body).await);
    let entry = server.journal().entries()[0].clone();
    let sent = entry.body.unwrap();
    let mut names: Vec<&String> = sent.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["max_tokens", "messages", "model", "seed", "stream", "temperature", "user"]);
    assert_eq!((&sent["model"], &sent["messages"]), (&json!("tokens-5"), &body["messages"]));
    assert_ne!(sent["user"], body["user"], "the end user's name stays with us");
    assert_eq!(entry.authorization, None, "our client's key is not the provider's");
}

fn metadata_of(reply: &signalbox_testkit::Reply) -> Value {
    if !reply.is_stream() {
        return reply.json()["openrouter_metadata"].clone();
    }
    let events = reply.events();
    let with: Vec<_> = events.data.iter().filter(|e| !e["openrouter_metadata"].is_null()).collect();
    assert!(with.len() <= 1, "once");
    events.data.last().unwrap()["openrouter_metadata"].clone()
}

#[tokio::test]
async fn router_metadata_comes_when_it_is_asked_for() {
    let server = TestServer::start(offer()).await;
    let asking = |value: &str| server.caller().with("x-openrouter-metadata", value);
    for stream in [true, false] {
        for value in ["yes", "disabled", "1"] {
            let reply = asking(value).chat(&ask("acme/one", stream)).await;
            assert!(metadata_of(&reply).is_null(), "{value}");
        }
        let body = with(ask("acme/two", stream), "provider", json!({"order": ["sick", "well"]}));
        let metadata = metadata_of(&asking("Enabled").chat(&body).await);
        assert_eq!(metadata["requested"], "acme/two");
        assert_eq!(metadata["strategy"], "direct");
        assert_eq!(metadata["endpoints"]["total"], 2);
        let selected: Vec<_> = metadata["endpoints"]["available"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["selected"] == true)
            .map(|one| one["provider"].clone())
            .collect();
        assert_eq!(selected, [json!("Provider well")]);
        let body = with(ask("acme/down", stream), "models", json!(["acme/one"]));
        let metadata = metadata_of(&asking("enabled").chat(&body).await);
        assert_eq!((&metadata["strategy"], &metadata["attempt"]), (&json!("fallback"), &json!(2)));
        // With an error it stands beside it, and nobody was selected.
        let reply = asking("enabled").chat(&ask("acme/down", stream)).await;
        typed_error(&reply, 503, "provider_overloaded");
        let metadata = reply.json()["openrouter_metadata"].clone();
        assert_eq!(metadata["endpoints"]["available"][0]["selected"], false, "{metadata}");
        assert_eq!(metadata["attempts"][0]["status"], 503, "{metadata}");
        // Before routing there is nothing to tell.
        let reply = asking("enabled").chat(&ask("acme/none", stream)).await;
        assert!(reply.json()["openrouter_metadata"].is_null());
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn a_key_may_come_as_x_api_key_and_prompts_are_served_as_ever() {
    let server = TestServer::start(offer()).await;
    let caller = server.caller().without("authorization").with("x-api-key", &server.owner.api_key);
    Answered::read(&caller.chat(&ask("acme/one", true)).await);
    let body = json!({"model": "acme/one", "prompt": "Say something."});
    let reply = caller.send(Method::POST, "/api/v1/completions", body.to_string().into()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["choices"][0]["text"], tokens(5));
    let body = with(body, "stream", json!(true));
    let reply = caller.send(Method::POST, "/api/v1/completions", body.to_string().into()).await;
    let events = reply.events();
    assert_eq!((events.text(), events.usages().len(), events.done), (tokens(5), 1, true));
    assert_eq!(reply.header("x-generation-id"), Some(events.id().as_str()));
    server.closes_clean().await;
}

async fn read(caller: &Caller, path: &str) -> Value {
    let reply = caller.get(path).await;
    assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
    assert_eq!(reply.header("content-type"), Some("application/json"), "{path}");
    reply.json()
}

#[tokio::test]
async fn the_catalogue_is_open_to_everybody() {
    let server = TestServer::start(offer()).await;
    let nobody = server.caller().without("authorization");
    let models = read(&nobody, "/api/v1/models").await;
    let ids: Vec<_> = models["data"].as_array().unwrap().iter().map(|m| m["id"].clone()).collect();
    assert!(ids.contains(&json!("acme/one")), "{ids:?}");
    assert_eq!(models["data"][0]["pricing"]["prompt"], "0.000001");
    assert_eq!(read(&nobody, "/api/v1/models/count").await["data"]["count"], 4);
    assert_eq!(read(&nobody, "/api/v1/model/acme/one").await["data"]["id"], "acme/one");
    let found = read(&nobody, "/api/v1/models/acme/two/endpoints").await;
    assert_eq!(found["data"]["endpoints"].as_array().unwrap().len(), 2, "{found}");
    let providers = read(&nobody, "/api/v1/providers").await;
    assert_eq!(providers["data"].as_array().unwrap().len(), 2, "{providers}");
    read(&nobody, "/api/v1/endpoints/zdr").await;
    read(&nobody, "/api/v1/embeddings/models").await;
    for path in ["/api/v1/model/acme/none", "/api/v1/models/acme/none/endpoints"] {
        typed_error(&nobody.get(path).await, 404, "not_found");
    }
    let wrong = server.caller().with_key("sk-sb-v1-wrong");
    let reply = wrong.get("/api/v1/models/acme/two/endpoints").await;
    typed_error(&reply, 401, "authentication");
}

#[tokio::test]
async fn an_account_sees_its_own_and_nothing_else() {
    let server = TestServer::start(offer()).await;
    let answer = Answered::read(&server.caller().chat(&ask("acme/one", true)).await);
    // Credits are for management keys.
    let credits = read(&server.manager(), "/api/v1/credits").await;
    assert_eq!(usd(&credits["data"]["total_credits"]), "100".parse().unwrap());
    assert_eq!(usd(&credits["data"]["total_usage"]), answer.cost());
    typed_error(&server.caller().get("/api/v1/credits").await, 403, "permission_denied");
    let nobody = server.caller().without("authorization");
    for path in ["/api/v1/credits", "/api/v1/key", "/api/v1/generation?id=x"] {
        typed_error(&nobody.get(path).await, 401, "authentication");
    }
    let key = read(&server.caller(), "/api/v1/key").await;
    assert_eq!(usd(&key["data"]["usage"]), answer.cost());
    assert_eq!(key["data"]["is_management_key"], false);
    assert_eq!(read(&server.manager(), "/api/v1/key").await["data"]["is_management_key"], true);

    let path = format!("/api/v1/generation?id={}", answer.id);
    let generation = read(&server.caller(), &path).await["data"].clone();
    assert_eq!(generation["id"], answer.id);
    assert_eq!(usd(&generation["total_cost"]), answer.cost());
    assert_eq!(generation["native_tokens_completion"], 5);
    assert_eq!((&generation["streamed"], &generation["cancelled"]), (&json!(true), &json!(false)));
    assert_eq!(generation["provider_name"], "Provider well");
    let other = server.account("bob@example.com", "1").await;
    for key in [&other.api_key, &other.management_key] {
        let reply = server.caller().with_key(key).get(&path).await;
        typed_error(&reply, 404, "not_found");
    }
    typed_error(&server.caller().get("/api/v1/generation?id=gen-1-x").await, 404, "not_found");
    typed_error(&server.caller().get("/api/v1/generation").await, 400, "invalid_request");
}

#[tokio::test]
async fn wrong_paths_and_methods_get_json() {
    let server = TestServer::start(offer()).await;
    let caller = server.caller();
    for path in ["/nowhere", "/api/v1", "/api/v1/nothing", "/api/v1/chat", "/api/v2/models"] {
        typed_error(&caller.get(path).await, 404, "not_found");
    }
    let reply = caller.get("/api/v1/chat/completions").await;
    typed_error(&reply, 405, "invalid_request");
    assert_eq!(reply.header("allow"), Some("POST"));
    let reply = caller.send(Method::DELETE, "/api/v1/models", "".into()).await;
    typed_error(&reply, 405, "invalid_request");
    let page = caller.with("origin", "https://page.example");
    let reply = page.send(Method::OPTIONS, "/api/v1/chat/completions", "".into()).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, Some("*")));
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(caller.get(path).await.status, 200, "{path}");
    }
}
