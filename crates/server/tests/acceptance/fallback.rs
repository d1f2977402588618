//! Model fallback (inference spec 6).

use serde_json::json;
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::speech::{Answered, ask, tokens, typed_error, with};

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
