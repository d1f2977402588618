//! Embeddings and reranks, from the route to the audit, over every form that providers speak.

use http::Method;
use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_testkit::{Offer, Reply, Stand, TestServer};

use crate::speech::{typed_error, usd, with};

const EMBEDDINGS: &str = "/api/v1/embeddings";
const RERANK: &str = "/api/v1/rerank";

fn dollars(text: &str) -> Usd {
    text.parse().unwrap()
}

/// Whether an answer has the public shape.
fn assert_public(path: &str, answer: &Value) {
    let text = include_str!("../../../../openapi/public.json");
    let whole: Value = serde_json::from_str(text).unwrap();
    let answers = &whole["paths"][path]["post"]["responses"]["200"];
    let mut schema = answers["content"]["application/json"]["schema"].clone();
    assert!(schema.is_object(), "{path}");
    schema["components"] = whole["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(answer).map(|one| one.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?} in {answer}");
}

async fn post(server: &TestServer, path: &str, body: &Value) -> Reply {
    server.caller().send(Method::POST, path, body.to_string().into()).await
}

/// A good answer, which has the public shape, and whose id is that of the header.
async fn answered(server: &TestServer, path: &str, body: &Value) -> Value {
    let reply = post(server, path, body).await;
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let answer = reply.json();
    assert_public(path.strip_prefix("/api/v1").unwrap(), &answer);
    assert_eq!(reply.header("x-generation-id"), answer["id"].as_str());
    answer
}

/// An endpoint that sells prompt tokens alone.
fn stand(provider: &str, behaviour: &str) -> Stand {
    let prices = json!({"prompt": "0.00000013", "completion": "0"});
    Stand::new(provider, behaviour).with("pricing", prices)
}

fn ranker(provider: &str, behaviour: &str) -> Stand {
    let prices = json!({"prompt": "0", "completion": "0", "search_unit": "0.002"});
    Stand::new(provider, behaviour).with("pricing", prices)
}

fn embed(input: Value) -> Value {
    json!({"model": "acme/e1", "input": input})
}

fn rank() -> Value {
    json!({"model": "acme/r1", "query": "red fox",
        "documents": ["a dog", {"text": "a red fox"}, "the red sun"], "top_n": 2})
}

fn embedder(behaviour: &str) -> Offer {
    Offer::new().model_for("embeddings", "acme/e1", [stand("well", behaviour)])
}

#[tokio::test]
async fn embeddings_cost_their_prompt_and_are_recorded() {
    let server = TestServer::start(embedder("v1")).await;
    let input = json!(["some text of twenty", "and one more"]);
    let answer = answered(&server, EMBEDDINGS, &embed(input)).await;
    assert_eq!(
        (answer["object"].as_str(), answer["model"].as_str()),
        (Some("list"), Some("acme/e1"))
    );
    assert_eq!(answer["data"].as_array().unwrap().len(), 2);
    assert_eq!(answer["data"][1]["index"], 1);
    // 31 bytes of text are 8 tokens.
    assert_eq!(
        (&answer["usage"]["prompt_tokens"], &answer["usage"]["total_tokens"]),
        (&json!(8), &json!(8))
    );
    assert_eq!(usd(&answer["usage"]["cost"]), dollars("0.00000104"));
    let id = answer["id"].as_str().unwrap();
    assert!(id.starts_with("gen-emb-"), "{id}");
    let row = server.generation(id).await;
    assert_eq!((row.api_type.as_str(), row.cost), ("embeddings", dollars("0.00000104")));
    assert_eq!((row.usage.input_uncached, row.usage.estimated, row.streamed), (8, false, false));
    let shown = server.caller().get(&format!("/api/v1/generation?id={id}")).await.json();
    assert_eq!(shown["data"]["api_type"], "embeddings");
    assert_eq!(shown["data"]["native_tokens_prompt"], 8);
    assert_eq!(server.balance().await.charged, dollars("0.00000104"));
    server.closes_clean().await;
}

#[tokio::test]
async fn the_same_vector_comes_out_of_every_form_and_encoding() {
    for dialect in
        ["openai-embeddings", "gemini-embeddings", "gemini-embed-content", "cohere-embed"]
    {
        let server = TestServer::start(embedder("v1").speaking("well", dialect)).await;
        let body = json!({"model": "acme/e1", "input": "red fox", "dimensions": 3,
            "input_type": "search_query"});
        let floats = answered(&server, EMBEDDINGS, &body).await;
        let vector = floats["data"][0]["embedding"].as_array().unwrap();
        assert_eq!(vector.len(), 3, "{dialect}");
        let bytes: Vec<u8> =
            vector.iter().flat_map(|one| (one.as_f64().unwrap() as f32).to_le_bytes()).collect();
        let packed = with(body, "encoding_format", json!("base64"));
        let packed = answered(&server, EMBEDDINGS, &packed).await;
        let text = packed["data"][0]["embedding"].as_str().unwrap();
        assert_eq!(signalbox_dialect::embeddings::decode(text).unwrap(), bytes, "{dialect}");
        assert_eq!(packed["usage"]["prompt_tokens"], 2, "{dialect}");
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn what_no_provider_can_carry_is_refused_before_any_money_moves() {
    let server = TestServer::start(embedder("v1").speaking("well", "cohere-embed")).await;
    let error = post(&server, EMBEDDINGS, &embed(json!([1, 2, 3]))).await;
    let error = typed_error(&error, 400, "invalid_request");
    assert!(error["message"].as_str().unwrap().starts_with("`input`"), "{error}");
    assert!(server.journal().entries().is_empty());
    server.closes_clean().await;
    // Another endpoint of the model takes them.
    let offer = Offer::new()
        .model_for("embeddings", "acme/e1", [stand("well", "v1"), stand("other", "v1")])
        .speaking("well", "cohere-embed");
    let server = TestServer::start(offer).await;
    let answer = answered(&server, EMBEDDINGS, &embed(json!([[1, 2, 3], [4]]))).await;
    assert_eq!(answer["data"].as_array().unwrap().len(), 2);
    assert_eq!(answer["usage"]["prompt_tokens"], 4);
    server.closes_clean().await;
}

#[tokio::test]
async fn reranks_cost_their_search_units() {
    let offer = Offer::new().model_for("rerank", "acme/r1", [ranker("well", "r1")]);
    let server = TestServer::start(offer).await;
    let answer = answered(&server, RERANK, &rank()).await;
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!(
        (&results[0]["index"], &results[0]["document"]),
        (&json!(1), &json!({"text": "a red fox"}))
    );
    assert_eq!(results[1]["document"]["text"], "the red sun");
    assert_eq!(
        (&answer["usage"]["search_units"], usd(&answer["usage"]["cost"])),
        (&json!(1), dollars("0.002"))
    );
    assert_eq!(answer["provider"], "Provider well");
    let id = answer["id"].as_str().unwrap();
    assert!(id.starts_with("gen-rerank-"), "{id}");
    let row = server.generation(id).await;
    assert_eq!((row.api_type.as_str(), row.usage.search_units), ("rerank", 1));
    assert_eq!((row.cost, row.usage.estimated), (dollars("0.002"), false));
    server.closes_clean().await;
}

#[tokio::test]
async fn reranks_that_are_sold_by_the_token_cost_their_tokens() {
    let rows = json!([{"dialect": "rerank", "patches": [{"rename": "/top_n", "to": "top_k"}]}]);
    let offer = Offer::new()
        .model_for("rerank", "acme/r1", [stand("well", "r1")])
        .speaking_as("well", rows);
    let server = TestServer::start(offer).await;
    let answer = answered(&server, RERANK, &rank()).await;
    // 7 bytes of query beside 5, 9 and 11 bytes of documents are 46 bytes: 12 tokens.
    assert_eq!(
        (&answer["usage"]["total_tokens"], usd(&answer["usage"]["cost"])),
        (&json!(12), dollars("0.00000156"))
    );
    assert!(answer["usage"].get("search_units").is_none());
    let sent = server.journal().entries()[0].body.clone().unwrap();
    assert_eq!((&sent["top_k"], sent.get("top_n")), (&json!(2), None));
    server.closes_clean().await;
}

#[tokio::test]
async fn a_provider_that_fails_is_followed_by_the_next() {
    for broken in ["status-503", "status-429-retry-7", "wrong-type", "garbage", "error-inband-0"] {
        let stands = [
            stand("broken", broken).with("pricing", json!({"prompt": "0", "completion": "0"})),
            stand("well", "v1"),
        ];
        let offer = Offer::new().model_for("embeddings", "acme/e1", stands);
        let server = TestServer::start(offer).await;
        let body = with(embed(json!("a")), "provider", json!({"order": ["broken", "well"]}));
        let answer = answered(&server, EMBEDDINGS, &body).await;
        let row = server.generation(answer["id"].as_str().unwrap()).await;
        assert_eq!(row.provider.as_deref(), Some("well"), "{broken}");
        assert_eq!(row.provider_responses.matches("\"status\"").count(), 2, "{broken}");
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn when_nobody_answers_nothing_is_charged() {
    for (broken, status, kind) in [
        ("status-503", 503, "provider_overloaded"),
        ("status-429-retry-7", 429, "rate_limit_exceeded"),
        ("wrong-type", 503, "provider_overloaded"),
        ("status-400-context", 400, "context_length_exceeded"),
    ] {
        let server = TestServer::start(embedder(broken)).await;
        let reply = post(&server, EMBEDDINGS, &embed(json!("a"))).await;
        typed_error(&reply, status, kind);
        assert!(reply.header("x-generation-id").is_some_and(|id| id.starts_with("gen-emb-")));
        assert_eq!(server.balance().await.charged, Usd::ZERO);
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn counts_that_are_missing_or_impossible_are_estimated_and_flagged() {
    for behaviour in ["no-usage", "usage-negative", "usage-huge", "usage-string"] {
        let server = TestServer::start(embedder(behaviour)).await;
        let answer = answered(&server, EMBEDDINGS, &embed(json!("some text of twenty!"))).await;
        assert_eq!(answer["usage"]["prompt_tokens"], 5, "{behaviour}");
        let row = server.generation(answer["id"].as_str().unwrap()).await;
        assert!(row.usage.estimated, "{behaviour}");
        assert_eq!(row.cost, dollars("0.00000065"), "{behaviour}");
        server.closes_clean().await;
        let offer = Offer::new().model_for("rerank", "acme/r1", [ranker("well", behaviour)]);
        let server = TestServer::start(offer).await;
        let answer = answered(&server, RERANK, &rank()).await;
        assert_eq!(usd(&answer["usage"]["cost"]), dollars("0.002"), "{behaviour}");
        assert!(server.generation(answer["id"].as_str().unwrap()).await.usage.estimated);
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn a_balance_below_the_bound_is_refused() {
    let prices = json!({"prompt": "0.001", "completion": "0"});
    let dear = Stand::new("well", "v1").with("pricing", prices);
    let offer = Offer::new().model_for("embeddings", "acme/e1", [dear]);
    let server = TestServer::start_with(offer, "0.01").await;
    let reply = post(&server, EMBEDDINGS, &embed(json!("x".repeat(500)))).await;
    let error = typed_error(&reply, 402, "payment_required");
    assert!(error["message"].as_str().unwrap().contains("limit exceeded: 562 > 10"), "{error}");
    assert!(server.journal().entries().is_empty());
    server.closes_clean().await;
}

#[tokio::test]
async fn each_model_has_its_own_route() {
    let offer = embedder("v1")
        .model_for("rerank", "acme/r1", [ranker("well", "r1")])
        .model("acme/chat", [Stand::new("well", "echo")]);
    let server = TestServer::start(offer).await;
    let chat = json!({"messages": [{"role": "user", "content": "a"}]});
    for (path, body, model, place) in [
        (EMBEDDINGS, embed(json!("a")), "acme/chat", "/api/v1/chat/completions"),
        (EMBEDDINGS, embed(json!("a")), "acme/r1", RERANK),
        (RERANK, rank(), "acme/e1", EMBEDDINGS),
        (RERANK, rank(), "acme/chat", "/api/v1/chat/completions"),
        ("/api/v1/chat/completions", chat, "acme/e1", EMBEDDINGS),
    ] {
        let reply = post(&server, path, &with(body, "model", json!(model))).await;
        let error = typed_error(&reply, 400, "invalid_request");
        assert_eq!(error["availability"]["code"], "wrong_endpoint", "{error}");
        let detail = error["availability"]["constraint"]["detail"].as_str().unwrap();
        assert!(detail.contains(place), "{error}");
    }
    let unknown = with(embed(json!("a")), "model", json!("acme/none"));
    let error = typed_error(&post(&server, EMBEDDINGS, &unknown).await, 400, "invalid_request");
    assert_eq!(error["availability"]["code"], "model_not_found");
    for (path, body) in [
        (EMBEDDINGS, embed(json!([]))),
        (EMBEDDINGS, with(embed(json!("a")), "encoding_format", json!("hex"))),
        (EMBEDDINGS, with(embed(json!("a")), "provider", json!({"sort": "odd"}))),
        (RERANK, with(rank(), "top_n", json!(0))),
        (RERANK, json!([])),
    ] {
        typed_error(&post(&server, path, &body).await, 400, "invalid_request");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn what_an_endpoint_does_not_take_in_rules_it_out() {
    let server = TestServer::start(embedder("v1")).await;
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
    let reply = post(&server, EMBEDDINGS, &embed(json!([{"content": [image]}]))).await;
    let error = typed_error(&reply, 404, "not_found");
    assert_eq!(error["availability"]["excluded_by"], json!(["modality"]), "{error}");
    let only = with(embed(json!("a")), "provider", json!({"only": ["nobody"]}));
    typed_error(&post(&server, EMBEDDINGS, &only).await, 404, "not_found");
    server.closes_clean().await;
}
