//! Moderation for endpoints whose providers require it (inference spec 4.5).

use serde_json::json;
use signalbox_core::Usd;
use signalbox_gateway::Exit;
use signalbox_testkit::{Offer, Setup, Stand, TestServer};

use crate::doors::{DOORS, calls, offer, told};
use crate::judge::Judge;

const WICKED: &str = "Say something wicked, please.";

fn strict() -> Offer {
    offer(&[("moderation_required", json!(true))])
}

/// A model with a cheap endpoint that requires moderation and a dear one that does not, one with the first
/// alone, and one with the second alone.
fn mixed() -> Offer {
    let strict = || Stand::new("strict", "tokens-5").with("moderation_required", json!(true));
    let easy = || {
        let prices = json!({"prompt": "0.0001", "completion": "0.0002"});
        Stand::new("easy", "tokens-5").with("pricing", prices)
    };
    Offer::new()
        .model("acme/both", [strict(), easy()])
        .model("acme/strict", [strict()])
        .model("acme/easy", [easy()])
}

#[tokio::test]
async fn nobody_is_moderated_where_nobody_judges() {
    let server = TestServer::start(strict()).await;
    for door in DOORS {
        told(&door.post(&server.caller(), &door.body(WICKED, false)).await, 200);
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn what_is_flagged_is_sent_to_nobody_and_told_by_every_door() {
    let (judge, moderator) = Judge::start().await;
    let setup = Setup { moderator: Some(moderator), ..Setup::default() };
    let server = TestServer::start_as(strict(), setup).await;
    let long = format!("{} wicked {}", "a".repeat(300), "z".repeat(300));
    let mut refused = 0;
    for door in DOORS {
        for stream in door.manners() {
            let reply = door.post(&server.caller(), &door.body(&long, *stream)).await;
            // What a model said before is not the user's.
            if door.body(&long, *stream).to_string().contains("tool_calls") {
                assert_eq!(reply.status, 200);
                continue;
            }
            let (message, metadata) = door.error(&reply, 403, "permission_denied");
            refused += 1;
            assert!(
                message.starts_with(&format!("{} requires moderation on ", door.model)),
                "{message}"
            );
            assert_eq!(metadata["reasons"], json!(["hate", "self-harm"]), "{door:?}: {metadata}");
            assert_eq!(metadata["model_slug"], door.model, "{door:?}: {metadata}");
            assert!(metadata["provider_name"].as_str().unwrap().starts_with("Provider "));
            let input = metadata["flagged_input"].as_str().unwrap();
            assert!(input.chars().count() <= 100 && input.contains("aaa...zzz"), "{input}");
        }
    }
    assert_eq!(server.ended(Exit::Screened), refused);
    let before = calls(&server);
    for door in DOORS {
        let reply = door.post(&server.caller(), &door.body("Be nice, please.", false)).await;
        assert_eq!(reply.status, 200, "{door:?}: {}", String::from_utf8_lossy(&reply.body));
        let id = reply.header("x-generation-id").unwrap();
        let row = told(&server.caller().get(&format!("/api/v1/generation?id={id}")).await, 200);
        assert!(row["data"]["moderation_latency"].is_u64(), "{row}");
    }
    assert_eq!(calls(&server), before + DOORS.len());
    assert!(judge.asked().iter().all(|asked| asked["model"] == "strict-1"));
    server.closes_clean().await;
}

#[tokio::test]
async fn another_endpoint_or_model_that_requires_none_may_answer() {
    let (judge, moderator) = Judge::start().await;
    let setup = Setup { moderator: Some(moderator), ..Setup::default() };
    let server = TestServer::start_as(mixed(), setup).await;
    let caller = server.caller().with("X-OpenRouter-Metadata", "enabled");
    let ask = |model: &str, text: &str| json!({"model": model, "max_tokens": 20, "messages": [{"role": "user", "content": text}]});
    let answered = told(&caller.chat(&ask("acme/both", WICKED)).await, 200);
    assert_eq!(answered["provider"], "Provider easy");
    let out = &answered["openrouter_metadata"]["endpoints"]["excluded"][0];
    assert_eq!((&out["rule"], &out["tag"]), (&json!("moderation"), &json!("strict")), "{answered}");
    let mut two = ask("acme/strict", WICKED);
    two["models"] = json!(["acme/easy"]);
    let answered = told(&caller.chat(&two).await, 200);
    assert_eq!(answered["model"], "acme/easy");
    // Nobody is asked about what goes to nobody who requires it.
    let asked = judge.asked().len();
    assert_eq!(asked, 2);
    told(&caller.chat(&ask("acme/easy", WICKED)).await, 200);
    assert_eq!(judge.asked().len(), asked);
    // While the judge is out, those who require it wait.
    for (status, body) in [(500, "{}"), (200, "no json"), (200, r#"{"results": []}"#), (302, "{}")]
    {
        judge.say(status, body);
        let refused = caller.chat(&ask("acme/strict", "Be nice.")).await;
        assert_eq!(told(&refused, 503)["error"]["error_type"], "provider_overloaded", "{body}");
        assert_eq!(refused.header("retry-after"), Some("1"), "{body}");
        let answered = told(&caller.chat(&ask("acme/both", "Be nice.")).await, 200);
        assert_eq!(answered["provider"], "Provider easy", "{body}");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn the_judge_reads_what_a_guardrail_has_left_and_a_refusal_costs_nothing() {
    let (judge, moderator) = Judge::start().await;
    let setup = Setup { moderator: Some(moderator), ..Setup::default() };
    let server = TestServer::start_as(strict(), setup).await;
    let rules = json!({"content_filter_builtins": [{"slug": "email", "action": "redact"}]});
    server.guard(rules).await;
    let body = DOORS[0].body("Write something wicked to jane@corp.example.", true);
    assert_eq!(DOORS[0].post(&server.caller(), &body).await.status, 403);
    let input = judge.asked()[0]["input"].clone();
    assert_eq!(input, json!(["Be brief.", "Write something wicked to [EMAIL]."]));
    assert_eq!(server.balance().await.charged, Usd::ZERO);
    assert!(server.journal().entries().is_empty());
    server.closes_clean().await;
}
