//! Which models a request names, and what is wrong with some (inference spec 1.1, 6).

use serde_json::{Value, json};
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::speech::{Answered, ask, typed_error, with};

fn shop() -> Offer {
    Offer::new().model("acme/m", [Stand::new("a", "tokens-3")]).model_for(
        "embeddings",
        "acme/vectors",
        [Stand::new("a", "embed-3")],
    )
}

#[tokio::test]
async fn g05_without_a_model_and_without_a_default_one_the_request_is_wrong() {
    let server = TestServer::start(shop()).await;
    for model in [Value::Null, json!("")] {
        let body = with(ask("acme/m", false), "model", model);
        let error = typed_error(&server.caller().chat(&body).await, 400, "invalid_request");
        assert!(error["message"].as_str().unwrap().contains("model"), "{error}");
    }
    let body = with(with(ask("acme/m", false), "model", Value::Null), "models", json!(["acme/m"]));
    assert_eq!(Answered::read(&server.caller().chat(&body).await).model, "acme/m");
    server.closes_clean().await;
}

#[tokio::test]
async fn g06_an_unknown_slug_is_not_found_and_told_back() {
    let server = TestServer::start(shop()).await;
    for slug in ["acme/none", "none", "acme/m:", "~acme/m-latest", "acme/m/x"] {
        let reply = server.caller().chat(&ask(slug, false)).await;
        let error = typed_error(&reply, 400, "invalid_request");
        assert_eq!(error["availability"]["code"], "model_not_found", "{slug}");
        assert_eq!(error["availability"]["requested_models"], json!([slug]));
        assert!(error["message"].as_str().unwrap().contains("is not a valid model ID"), "{error}");
    }
    // In a list too, wherever it stands.
    let body = with(ask("acme/m", false), "models", json!(["acme/none"]));
    typed_error(&server.caller().chat(&body).await, 400, "invalid_request");
    server.closes_clean().await;
}

#[tokio::test]
async fn g07_a_chat_with_an_embedding_model_is_told_where_to_go() {
    let server = TestServer::start(shop()).await;
    let reply = server.caller().chat(&ask("acme/vectors", false)).await;
    let error = typed_error(&reply, 400, "invalid_request");
    assert_eq!(error["availability"]["code"], "wrong_endpoint");
    let detail = error["availability"]["constraint"]["detail"].as_str().unwrap();
    assert!(detail.contains("/embeddings"), "{detail}");
    server.closes_clean().await;
}

#[tokio::test]
async fn g32_fallbacks_of_messages_are_three_bare_models_and_exclude_models() {
    let server = TestServer::start(shop().model("acme/off", [Stand::new("b", "status-503")])).await;
    let base = json!({
        "model": "acme/off", "max_tokens": 20,
        "messages": [{"role": "user", "content": "Hi"}],
    });
    let send = async |body: &Value| server.caller().post("/api/v1/messages", body).await;
    let three = json!([{"model": "acme/off"}, {"model": "acme/off"}, {"model": "acme/m"}]);
    let reply = send(&with(base.clone(), "fallbacks", three)).await;
    assert_eq!((reply.status, reply.json()["model"].as_str()), (200, Some("acme/m")));
    let four = json!([{"model": "acme/m"}, {"model": "a/b"}, {"model": "a/c"}, {"model": "a/d"}]);
    let extra = json!([{"model": "acme/m", "max_tokens": 5}]);
    let both = with(base.clone(), "models", json!(["acme/m"]));
    for body in [
        with(base.clone(), "fallbacks", four),
        with(base.clone(), "fallbacks", extra),
        with(both, "fallbacks", json!([{"model": "acme/m"}])),
    ] {
        let reply = send(&body).await;
        assert_eq!(reply.status, 400, "{body}");
        let error = &reply.json()["error"];
        assert_eq!(error["type"], "invalid_request_error", "{error}");
        assert!(error["message"].as_str().unwrap().contains("fallbacks"), "{error}");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn a_list_of_models_has_a_limit() {
    let server = TestServer::start(shop()).await;
    let list = |count: usize| with(ask("acme/m", false), "models", json!(vec!["acme/m"; count]));
    assert_eq!(Answered::read(&server.caller().chat(&list(32)).await).model, "acme/m");
    typed_error(&server.caller().chat(&list(33)).await, 400, "invalid_request");
    for (route, status) in [("fallback", 200), ("sort", 200), ("random", 400)] {
        let body = with(ask("acme/m", false), "route", json!(route));
        assert_eq!(server.caller().chat(&body).await.status, status, "{route}");
    }
    server.closes_clean().await;
}
