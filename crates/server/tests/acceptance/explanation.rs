//! The dry run, router metadata and the generation row: every endpoint has a reason that a person
//! understands, and it is the same everywhere.

use serde_json::{Value, json};
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::speech::{Answered, ask, typed_error, with};

fn offer() -> Offer {
    let dear = json!({"prompt": "0.00001", "completion": "0.00002"});
    Offer::new().model(
        "acme/m",
        [
            Stand::new("a", "tokens-3"),
            Stand::new("b", "tokens-3").with("quantization", json!("fp8")),
            Stand::new("c", "tokens-3").with("pricing", dear),
            Stand::new("d", "tokens-3")
                .with("data_policy", json!({"training": false, "retains_prompts": true})),
            Stand::new("e", "tokens-3").with("max_output", json!(50)),
        ],
    )
}

async fn planned(server: &TestServer, body: &Value, query: &str) -> Value {
    let reply = server.caller().post(&format!("/api/v1/routing/plan{query}"), body).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    reply.json()["data"].clone()
}

fn tags(plan: &Value) -> Vec<String> {
    let candidates = plan["candidates"].as_array().unwrap();
    candidates.iter().map(|one| one["tag"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_endpoint_of_a_dry_run_is_a_candidate_or_has_a_reason() {
    let server = TestServer::start(offer()).await;
    let body = with(
        ask("acme/m", false),
        "provider",
        json!({"quantizations": ["unknown"], "data_collection": "deny",
               "max_price": {"prompt": 2}, "ignore": ["nobody"]}),
    );
    let plan = planned(&server, &body, "").await;
    assert_eq!(tags(&plan), ["a"]);
    assert_eq!(plan["error"], Value::Null);
    let one = &plan["candidates"][0];
    assert_eq!(
        (one["rank"].as_u64(), one["pricing"]["prompt"].as_str()),
        (Some(1), Some("0.000001"))
    );
    assert_eq!(one["why"], "drawn by price, first in 100.0 % of draws");
    assert!(one["expected_cost"].as_f64().unwrap() > 0.0004, "{one}");
    let excluded = plan["excluded"].as_array().unwrap();
    let by = |tag: &str| excluded.iter().find(|one| one["tag"] == tag).unwrap().clone();
    for (tag, excluded_by, word) in [
        ("b", "quantization", "fp8"),
        ("c", "max_price", "0.00001"),
        ("d", "data_policy:training", "retained"),
        ("e", "context_length", "50"),
    ] {
        let verdict = by(tag);
        assert_eq!(verdict["excluded_by"], excluded_by, "{verdict}");
        let reason = verdict["reason"].as_str().unwrap();
        assert!(reason.contains(word) && reason.contains(' '), "{reason}");
    }
    assert_eq!(excluded.len(), 4);
    assert!(server.journal().entries().is_empty(), "nothing was sent");
    server.closes_clean().await;
}

#[tokio::test]
async fn the_reason_of_a_dry_run_is_the_reason_of_the_error() {
    let server = TestServer::start(offer()).await;
    for preferences in [
        json!({"max_price": {"prompt": "0.5"}}),
        json!({"zdr": true, "only": ["d"]}),
        json!({"only": ["nobody"]}),
        json!({"quantizations": ["int4"]}),
    ] {
        let body = with(ask("acme/m", false), "provider", preferences);
        let plan = planned(&server, &body, "").await;
        assert_eq!(tags(&plan), Vec::<String>::new());
        let told = &plan["error"];
        let error = typed_error(
            &server.caller().chat(&body).await,
            u16::try_from(told["code"].as_u64().unwrap()).unwrap(),
            told["error_type"].as_str().unwrap(),
        );
        assert_eq!(error["message"], told["message"]);
        let (seen, dry) = (&error["availability"], &told["availability"]);
        for member in ["code", "excluded_by", "affected_providers"] {
            assert_eq!(seen[member], dry[member], "{member}: {error}");
        }
        let reasons: Vec<&str> = plan["excluded"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["reason"].as_str().unwrap())
            .collect();
        let detail = seen["constraint"]["detail"].as_str().unwrap();
        assert!(reasons.contains(&detail), "{detail} is none of {reasons:?}");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn the_same_dice_give_a_dry_run_and_a_request_the_same_plan() {
    let server = TestServer::start(offer()).await;
    let body = ask("acme/m", false);
    let answer = Answered::read(&server.caller().chat(&body).await);
    let row = server.generation(&answer.id).await;
    let routing: Value = serde_json::from_str(&row.routing.unwrap()).unwrap();
    let dice = routing["dice"].as_str().unwrap();
    let again = planned(&server, &body, &format!("?dice={dice}")).await;
    assert_eq!(again["dice"], dice);
    let ids = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap();
        list.iter().map(|one| one["endpoint_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&again["candidates"]), ids(&routing["candidates"]));
    assert_eq!(again["candidates"][0]["endpoint_id"], row.endpoint_id.unwrap());
    let excluded = &routing["excluded"];
    assert_eq!(excluded["max_output"], json!(["e"]), "{routing}");
    server.closes_clean().await;
}

#[tokio::test]
async fn g49_metadata_comes_when_it_is_enabled_in_any_case_and_only_then() {
    let server = TestServer::start(offer()).await;
    for (value, shown) in [("Enabled", true), ("enabled", true), ("yes", false), ("true", false)] {
        let caller = server.caller().with("X-OpenRouter-Metadata", value);
        let whole = caller.chat(&ask("acme/m", false)).await.json();
        let stream = caller.chat(&ask("acme/m", true)).await;
        let chunks = stream.events().data;
        let last = chunks.last().unwrap();
        for seen in [&whole["openrouter_metadata"], &last["openrouter_metadata"]] {
            assert_eq!(seen.is_object(), shown, "{value}: {seen}");
        }
        if shown {
            let endpoints = &last["openrouter_metadata"]["endpoints"];
            assert_eq!(endpoints["total"], 5);
            let winner: Vec<&Value> = endpoints["available"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|one| one["selected"] == true)
                .collect();
            assert_eq!(winner.len(), 1, "{endpoints}");
            let why = winner[0]["reason"].as_str().unwrap();
            assert!(why.starts_with("drawn by price"), "{why}");
            assert_eq!(endpoints["excluded"][0]["reason"], "max_tokens is 200, its limit is 50");
        }
        let before = &chunks[..chunks.len() - 1];
        assert!(before.iter().all(|chunk| chunk.get("openrouter_metadata").is_none()));
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn a_dry_run_takes_the_body_of_every_route_and_refuses_nonsense() {
    let server = TestServer::start(offer()).await;
    let user = json!([{"role": "user", "content": "Hello"}]);
    for body in [
        json!({"model": "acme/m", "messages": user}),
        json!({"model": "acme/m", "messages": user, "system": "Be brief.", "max_tokens": 9}),
        json!({"model": "acme/m", "input": "Hello"}),
        json!({"model": "acme/m", "prompt": "Hello"}),
    ] {
        assert_eq!(tags(&planned(&server, &body, "").await).len(), 5, "{body}");
    }
    let path = "/api/v1/routing/plan";
    let caller = server.caller();
    let ok = ask("acme/m", false);
    for (query, body, status, word) in [
        ("?dice=many", ok.clone(), 400, "dice"),
        ("?surface=images", ok.clone(), 400, "surface"),
        ("", json!([]), 400, "object"),
        ("", json!({"messages": user}), 400, "model"),
        ("", ask("acme/nothing", false), 400, "acme/nothing"),
        ("", with(ok.clone(), "provider", json!({"sort": 7})), 400, "provider.sort"),
    ] {
        let reply = caller.post(&format!("{path}{query}"), &body).await;
        assert_eq!(reply.status, status, "{query} {body}");
        let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(word), "{message}");
    }
    let stranger = caller.without("authorization").post(path, &ok).await;
    assert_eq!(stranger.status, 401);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_dry_run_knows_where_the_conversation_stays() {
    let cheap_reads = json!({
        "prompt": "0.000001", "completion": "0.000002", "input_cache_read": "0.0000001",
    });
    let stand =
        |provider: &str| Stand::new(provider, "tokens-3").with("pricing", cheap_reads.clone());
    let server =
        TestServer::start(Offer::new().model("acme/m", ["a", "b", "c", "d"].map(stand))).await;
    let body = with(ask("acme/m", false), "session_id", json!("talk"));
    let answer = Answered::read(&server.caller().chat(&body).await);
    let row = server.generation(&answer.id).await;
    for dice in 0..8 {
        let plan = planned(&server, &body, &format!("?dice={dice}")).await;
        let first = &plan["candidates"][0];
        assert_eq!(first["endpoint_id"], row.endpoint_id.clone().unwrap());
        assert!(first["why"].as_str().unwrap().starts_with("the conversation stays with it"));
    }
    server.closes_clean().await;
}
