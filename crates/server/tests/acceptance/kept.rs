//! What the response cache keeps: complete answers, whatever is in them, and nothing else.

use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_simulator::Simulator;
use signalbox_testkit::{Leave, Offer, Stand, TestServer};

use crate::cache::{counts, keeping, told};
use crate::speech::{Answered, ask, tokens, typed_error, with};

const STATUS: &str = "x-openrouter-cache-status";

async fn selling(behaviour: &str) -> TestServer {
    TestServer::start(Offer::new().model("acme/one", [Stand::new("well", behaviour)])).await
}

#[tokio::test]
async fn errors_and_broken_answers_are_not_kept() {
    for (behaviour, whole) in [
        ("status-503", true),
        ("status-400", true),
        ("tokens-9+error-inband-3", false),
        ("tokens-9+cut-after-3", false),
    ] {
        let server = selling(behaviour).await;
        let caller = keeping(server.caller());
        for stream in [false, true] {
            if !stream && !whole {
                continue;
            }
            let body = ask("acme/one", stream);
            for times in 1..=2 {
                let reply = caller.chat(&body).await;
                assert_ne!(reply.header(STATUS), Some("HIT"), "{behaviour}");
                let failed = reply.status != 200 || !reply.events().errors().is_empty();
                assert!(failed, "{behaviour}: {}", String::from_utf8_lossy(&reply.body));
                let asked = server.journal().entries().len();
                let streams = if stream && whole { 2 } else { 0 };
                assert!(asked >= times + streams, "{behaviour}: each time anew");
            }
        }
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn an_answer_that_its_client_left_is_not_kept() {
    let server = selling("tokens-40+slow-ms-5").await;
    let caller = keeping(server.caller());
    let body = ask("acme/one", true);
    let left = caller.chat_until(&body, Leave::AfterEvents(3)).await;
    assert!(!left.ended);
    server.settled().await;
    told(&caller.chat(&body).await, "MISS");
    let hit = told(&caller.chat(&body).await, "HIT");
    assert_eq!(hit.text, tokens(40));
    server.closes_clean().await;
}

#[tokio::test]
async fn an_answer_that_was_cut_to_its_limit_is_complete() {
    let server = selling("tokens-40").await;
    let caller = keeping(server.caller());
    for stream in [false, true] {
        let body = with(ask("acme/one", stream), "max_tokens", json!(7));
        told(&caller.chat(&body).await, "MISS");
        let hit = told(&caller.chat(&body).await, "HIT");
        assert_eq!((hit.finish.as_str(), hit.text), ("length", tokens(7)));
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn calls_of_tools_are_given_again() {
    let server = selling("tools").await;
    let caller = keeping(server.caller());
    let function = json!({"name": "weather", "parameters": {"type": "object",
        "properties": {"town": {"type": "string"}}, "required": ["town"]}});
    for stream in [false, true] {
        let tools = json!([{"type": "function", "function": function}]);
        let body = with(ask("acme/one", stream), "tools", tools);
        let (first, again) = (caller.chat(&body).await, caller.chat(&body).await);
        let (first_told, again_told) = (told(&first, "MISS"), told(&again, "HIT"));
        assert_eq!((&*first_told.finish, &*again_told.finish), ("tool_calls", "tool_calls"));
        let said = |reply: &signalbox_testkit::Reply| -> Vec<Value> {
            let choice = |answer: &Value| answer["choices"][0].clone();
            if reply.is_stream() {
                reply.events().data.iter().map(choice).collect()
            } else {
                vec![choice(&reply.json())]
            }
        };
        assert_eq!(said(&first), said(&again), "the same chunks");
        assert!(said(&again).iter().any(|one| one.to_string().contains("weather")));
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn embeddings_are_given_again() {
    let stand = Stand::new("well", "v1")
        .with("pricing", json!({"prompt": "0.00000013", "completion": "0"}));
    for dialect in ["openai-embeddings", "gemini-embeddings", "cohere-embed"] {
        let offer = Offer::new().model_for("embeddings", "acme/e1", [stand.clone()]);
        let server = TestServer::start(offer.speaking("well", dialect)).await;
        let caller = keeping(server.caller());
        for format in ["float", "base64"] {
            let body =
                json!({"model": "acme/e1", "input": ["red", "fox"], "encoding_format": format});
            let first = caller.post("/api/v1/embeddings", &body).await;
            let again = caller.post("/api/v1/embeddings", &body).await;
            let statuses = (first.header(STATUS), again.header(STATUS));
            assert_eq!(statuses, (Some("MISS"), Some("HIT")), "{}", first.json());
            let (one, two) = (first.json(), again.json());
            assert_eq!(one["data"], two["data"]);
            assert_eq!(one["data"].as_array().unwrap().len(), 2);
            assert_ne!(one["id"], two["id"]);
            assert!(two["id"].as_str().unwrap().starts_with("gen-emb-"), "{}", two["id"]);
            assert_eq!(again.header("x-generation-id"), two["id"].as_str());
            assert!(counts(&again).iter().all(|count| *count == 0), "{two}");
            assert!(counts(&first).iter().any(|count| *count > 0));
            let row = server.generation(two["id"].as_str().unwrap()).await;
            assert_eq!((row.cost, row.api_type.as_str()), (Usd::ZERO, "embeddings"));
        }
        assert_eq!(server.journal().entries().len(), 2);
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn what_is_kept_outlives_its_provider() {
    // Its connections end with its runtime.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    let started = runtime.spawn(signalbox_simulator::start(Simulator::new()));
    let provider = started.await.unwrap().unwrap();
    let offer = Offer::new()
        .model("acme/one", [Stand::new("mortal", "tokens-5")])
        .provider_at("mortal", &provider.address().to_string());
    let server = TestServer::start(offer).await;
    let caller = keeping(server.caller());
    for stream in [false, true] {
        told(&caller.chat(&ask("acme/one", stream)).await, "MISS");
    }
    drop(provider);
    runtime.shutdown_background();
    for stream in [false, true] {
        let other = with(ask("acme/one", stream), "seed", json!(1));
        typed_error(&caller.chat(&other).await, 503, "provider_overloaded");
        assert_eq!(told(&caller.chat(&ask("acme/one", stream)).await, "HIT").text, tokens(5));
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn large_bodies_have_their_place_and_large_answers_none() {
    let offer = Offer::new()
        .model_with(
            "acme/one",
            json!({"context_length": 8_000_000}),
            [Stand::new("well", "tokens-5").with("context_length", json!(8_000_000))],
        )
        .model("acme/big", [Stand::new("well", "big-5000kb")]);
    let server = TestServer::start(offer).await;
    let caller = keeping(server.caller());
    let mut body = ask("acme/one", false);
    body["messages"][0]["content"] = json!("long \"text\" ".repeat(300_000));
    told(&caller.chat(&body).await, "MISS");
    told(&caller.chat(&body).await, "HIT");
    body["messages"][0]["content"] = json!("long \"text\" ".repeat(300_000) + ".");
    told(&caller.chat(&body).await, "MISS");
    for stream in [false, true] {
        let mut body = ask("acme/big", stream);
        body.as_object_mut().unwrap().remove("max_tokens");
        for _ in 0..2 {
            let reply = caller.chat(&body).await;
            assert!(reply.body.len() > 5_000_000, "{}", reply.body.len());
            told(&reply, "MISS");
        }
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn members_given_twice_are_told_apart_or_refused() {
    let server = selling("tokens-5").await;
    let caller = keeping(server.caller());
    let body = |inside: &str| {
        format!(
            r#"{{"model":"acme/one","messages":[{{"role":"user","content":"a"}}],"metadata":{inside}}}"#
        )
    };
    for inside in [r#"{"a":"1","a":"2"}"#, r#"{"a":"2","a":"1"}"#, r#"{"a":"2"}"#] {
        let caller = |_: ()| caller.chat_bytes(body(inside));
        let first = caller(()).await;
        if first.status == 200 {
            told(&first, "MISS");
            told(&caller(()).await, "HIT");
        } else {
            typed_error(&first, 400, "invalid_request");
        }
    }
    let twice = body(r#"{},"model":"acme/one""#);
    for _ in 0..2 {
        typed_error(&caller.chat_bytes(twice.clone()).await, 400, "invalid_request");
    }
    let broken = "{\"model\":\"acme/one\",";
    typed_error(&caller.chat_bytes(broken).await, 400, "invalid_request");
    server.closes_clean().await;
}

#[tokio::test]
async fn a_client_that_leaves_a_replay_is_recorded_and_pays_nothing() {
    let server = selling("big-2000kb").await;
    let caller = keeping(server.caller());
    let mut body = ask("acme/one", true);
    body.as_object_mut().unwrap().remove("max_tokens");
    told(&caller.chat(&body).await, "MISS");
    let charged = server.balance().await.charged;
    let left = caller.chat_until(&body, Leave::AfterBytes(2_000)).await;
    assert_eq!((left.status, left.ended), (200, false));
    let id = left.header("x-generation-id").unwrap().to_owned();
    let row =
        signalbox_testkit::eventually(std::time::Duration::from_secs(5), "its row", async || {
            let id = signalbox_core::id::GenerationId::new(id.as_str());
            let store = server.platform.store();
            store.generation(&server.owner.account_id, &id).await.unwrap()
        })
        .await;
    assert_eq!((row.cost, row.tokens_completion), (Usd::ZERO, 0));
    assert!(row.response_cache_source_id.is_some());
    assert_eq!(server.balance().await.charged, charged);
    told(&caller.chat(&body).await, "HIT");
    let plain = Answered::read(&server.caller().chat(&body).await);
    assert!(plain.cost() > Usd::ZERO);
    server.closes_clean().await;
}
