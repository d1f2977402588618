//! Names of people and addresses, where a recogniser is configured (platform spec 7.6).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use signalbox_testkit::{Setup, TestServer};

use crate::doors::{DOORS, calls, offer, sent, told};
use crate::presidio::{PERSON, PLACE, Presidio};

async fn start(deadline: Duration) -> (TestServer, Arc<Presidio>) {
    let (presidio, recognition) = Presidio::start(deadline).await;
    let setup = Setup { recognition: Some(recognition), ..Setup::default() };
    (TestServer::start_as(offer(&[]), setup).await, presidio)
}

const PATIENT: Duration = Duration::from_secs(60);

fn rules(slug: &str, action: &str) -> Value {
    json!({"content_filter_builtins": [{"slug": slug, "action": action}]})
}

#[tokio::test]
async fn a_guardrail_may_ask_for_names_only_where_somebody_can_find_them() {
    let without = TestServer::start(offer(&[])).await;
    let (with, _) = start(PATIENT).await;
    for slug in ["person-name", "address"] {
        let mut wish = rules(slug, "redact");
        wish["name"] = "names".into();
        let refused = told(&without.manager().post("/api/v1/guardrails", &wish).await, 400);
        let text =
            format!("The content filter {slug} is not available: no recogniser is configured.");
        assert_eq!(refused["error"]["message"], text);
        assert_eq!(refused["error"]["error_type"], "invalid_request");
        told(&with.manager().post("/api/v1/guardrails", &wish).await, 201);
    }
}

#[tokio::test]
async fn names_are_replaced_flagged_or_refused_by_every_door() {
    let (server, presidio) = start(PATIENT).await;
    let text =
        format!("\u{1f600} Ask {PERSON}, who lives at 742 Evergreen Terrace, {PLACE}, about it.");
    let both = json!({"content_filter_builtins": [{"slug": "person-name", "action": "redact"},
        {"slug": "address", "action": "redact"}]});
    server.guard(both).await;
    for door in DOORS {
        for stream in door.manners() {
            let reply = door.post(&server.caller(), &door.body(&text, *stream)).await;
            assert_eq!(reply.status, 200, "{door:?}: {}", String::from_utf8_lossy(&reply.body));
            let sent = sent(&server);
            let expected = "\u{1f600} Ask [PERSON_NAME], who lives at [ADDRESS], about it.";
            assert!(sent.contains(expected), "{door:?}: {sent}");
        }
    }
    let asked = presidio.asked().pop().unwrap();
    assert_eq!(asked["entities"], json!(["PERSON", "LOCATION"]));
    assert_eq!((&asked["language"], &asked["score_threshold"]), (&json!("en"), &json!(0.5)));
    server.guard(rules("person-name", "block")).await;
    let before = calls(&server);
    for door in DOORS {
        let reply = door.post(&server.caller(), &door.body(&text, false)).await;
        let (message, metadata) = door.error(&reply, 403, "permission_denied");
        assert_eq!(message, "Blocked PII detected: PERSON", "{door:?}");
        assert_eq!(metadata["patterns"], json!(["[PERSON_NAME]"]), "{door:?}");
    }
    assert_eq!(calls(&server), before);
    server.guard(rules("address", "flag")).await;
    let caller = server.caller().with("X-OpenRouter-Metadata", "enabled");
    let reply = told(&DOORS[0].post(&caller, &DOORS[0].body(&text, false)).await, 200);
    let stage = &reply["openrouter_metadata"]["pipeline"][0];
    assert_eq!(stage["data"]["engines"], json!(["recognizer"]));
    assert_eq!(stage["data"]["matched_entity_types"], json!(["ADDRESS"]));
    // The dry run sees the same.
    server.guard(rules("person-name", "block")).await;
    let plan = server.caller().post("/api/v1/routing/plan", &DOORS[0].body(&text, false)).await;
    assert_eq!(told(&plan, 403)["error"]["message"], "Blocked PII detected: PERSON");
    server.closes_clean().await;
}

#[tokio::test]
async fn a_recogniser_that_is_late_or_fails_lets_the_request_through() {
    let (server, presidio) = start(Duration::from_millis(500)).await;
    server.guard(rules("person-name", "block")).await;
    let plain = DOORS[0].post(&server.caller(), &DOORS[0].body("Nobody is here.", false)).await;
    assert_eq!(plain.status, 200);
    for trouble in ["hang", "fail", "babble", "miss"] {
        let text = format!("{PERSON}: please {trouble}");
        let reply = DOORS[0].post(&server.caller(), &DOORS[0].body(&text, false)).await;
        assert_eq!(reply.status, 200, "{trouble}: {}", String::from_utf8_lossy(&reply.body));
        assert!(sent(&server).contains(PERSON), "{trouble}");
    }
    assert_eq!(presidio.asked().len(), 5);
    server.closes_clean().await;
}

#[tokio::test]
async fn nobody_is_asked_for_a_caller_without_these_filters() {
    let (server, presidio) = start(PATIENT).await;
    server.guard(rules("email", "redact")).await;
    told(&DOORS[0].post(&server.caller(), &DOORS[0].body(PERSON, false)).await, 200);
    assert!(presidio.asked().is_empty());
    server.closes_clean().await;
}

#[tokio::test]
async fn what_was_found_before_the_deadline_counts() {
    let (server, _) = start(Duration::from_secs(2)).await;
    server.guard(rules("person-name", "block")).await;
    // The second portion is never answered.
    let text = format!("{PERSON} {} please hang", "word ".repeat(20_000));
    let reply = DOORS[0].post(&server.caller(), &DOORS[0].body(&text, false)).await;
    assert_eq!(DOORS[0].error(&reply, 403, "permission_denied").0, "Blocked PII detected: PERSON");
    server.closes_clean().await;
}
