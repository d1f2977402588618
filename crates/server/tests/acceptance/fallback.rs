//! Model fallback (inference spec 6).

use serde_json::json;
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::speech::{Answered, ask, tokens, typed_error, with};

fn message(fallbacks: serde_json::Value) -> serde_json::Value {
    with(ask("acme/first", false), "fallbacks", fallbacks)
}

#[tokio::test]
async fn g30_every_context_error_of_a_model_leads_to_the_next_which_is_billed() {
    let server = TestServer::start(
        Offer::new()
            .model(
                "acme/short",
                [Stand::new("a", "status-400-context"), Stand::new("b", "status-400-context")],
            )
            .model(
                "acme/long",
                [Stand::new("c", "tokens-5")
                    .with("pricing", json!({"prompt": "0.000004", "completion": "0.000008"}))],
            ),
    )
    .await;
    for stream in [false, true] {
        let body = with(ask("acme/short", stream), "models", json!(["acme/long"]));
        let answer = Answered::read(&server.caller().chat(&body).await);
        assert_eq!((answer.text, answer.model.as_str()), (tokens(5), "acme/long"));
        let row = server.generation(&answer.id).await;
        let prompt = i64::try_from(row.tokens_prompt).unwrap();
        assert_eq!(row.model, "acme/long");
        assert_eq!(
            row.cost.nanos(),
            prompt * 4_000 + 5 * 8_000,
            "billed at the answering model's price"
        );
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn g31_when_the_last_model_fails_its_error_is_told() {
    let server = TestServer::start(
        Offer::new()
            .model("acme/first", [Stand::new("a", "status-503")])
            .model("acme/last", [Stand::new("b", "status-400-policy")]),
    )
    .await;
    let body = with(ask("acme/first", false), "models", json!(["acme/last"]));
    typed_error(&server.caller().chat(&body).await, 400, "content_policy_violation");
    server.closes_clean().await;
}

#[tokio::test]
async fn g32_fallbacks_of_messages_are_three_with_nothing_but_a_model_and_not_beside_models() {
    let server = TestServer::start(
        Offer::new()
            .model("acme/first", [Stand::new("a", "status-503")])
            .model("acme/last", [Stand::new("b", "tokens-5")]),
    )
    .await;
    let path = "/api/v1/messages";
    let one = json!({"model": "acme/last"});
    let extra = json!({"model": "acme/last", "max_tokens": 5});
    for body in [
        message(json!([one, one, one, one])),
        message(json!([extra])),
        with(message(json!([one])), "models", json!(["acme/last"])),
    ] {
        let reply = server.caller().post(path, &body).await;
        assert_eq!(reply.status, 400, "{}", reply.json());
        assert_eq!(reply.json()["error"]["type"], "invalid_request_error");
    }
    assert_eq!(server.counted().arrived, 0, "nobody was asked");
    let reply = server.caller().post(path, &message(json!([one]))).await;
    assert_eq!((reply.status, &reply.json()["model"]), (200, &json!("acme/last")));
    server.closes_clean().await;
}

#[tokio::test]
async fn g33_after_the_first_token_there_is_no_failover() {
    let stands = [Stand::new("sick", "tokens-9+cut-after-3"), Stand::new("well", "tokens-5")];
    let server = TestServer::start(Offer::new().model("acme/m", stands)).await;
    let body = with(ask("acme/m", true), "provider", json!({"order": ["sick", "well"]}));
    let reply = server.caller().chat(&with(body, "models", json!(["acme/m"]))).await;
    let events = reply.events();
    assert_eq!((reply.status, reply.ended, events.text()), (200, true, tokens(3)));
    assert_eq!((events.errors().len(), events.finishes()), (1, vec!["error".to_owned()]));
    assert_eq!(server.count("tokens-5").arrived, 0);
    server.closes_clean().await;
}

#[tokio::test]
async fn g34_a_stream_whose_first_provider_fails_at_once_is_served_by_the_second() {
    let stands = [Stand::new("sick", "status-500"), Stand::new("well", "tokens-5")];
    let server = TestServer::start(Offer::new().model("acme/m", stands)).await;
    let body = with(ask("acme/m", true), "provider", json!({"order": ["sick", "well"]}));
    let answer = Answered::read(&server.caller().chat(&body).await);
    assert_eq!((answer.text, answer.provider.as_str()), (tokens(5), "Provider well"));
    server.closes_clean().await;
}

#[tokio::test]
async fn g52_when_all_ask_for_patience_the_shortest_wait_is_told() {
    let stands = [Stand::new("a", "status-429-retry-40"), Stand::new("b", "status-429-retry-90")];
    let server = TestServer::start(Offer::new().model("acme/busy", stands)).await;
    let reply = server.caller().chat(&ask("acme/busy", true)).await;
    let error = typed_error(&reply, 429, "rate_limit_exceeded");
    assert_eq!(reply.header("retry-after"), Some("40"));
    assert_eq!(error["availability"]["retry_after"], 40);
    server.closes_clean().await;
}
