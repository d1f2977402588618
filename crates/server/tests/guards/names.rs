//! Names of people and addresses, where a recogniser is configured (platform spec 7.6).

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use signalbox_gateway::Recognition;
use signalbox_guard::{Builtin, Named, Recognizer, RecognizerFault};
use signalbox_testkit::{Setup, TestServer};

use crate::doors::{DOORS, calls, offer, sent, told};

/// Knows one person and one address, and does as a text says.
#[derive(Debug)]
struct Tiny {
    /// Who waits here is let go at the end of the test.
    gate: Mutex<Receiver<()>>,
}

const PERSON: &str = "Ada Byron";
const ADDRESS: &str = "12 St James Square";

impl Recognizer for Tiny {
    fn recognize(&self, texts: &[&str], wanted: &[Builtin]) -> Result<Vec<Named>, RecognizerFault> {
        let mut found = Vec::new();
        for (text, words) in texts.iter().enumerate() {
            if words.contains("please hang") {
                let _ = self.gate.lock().unwrap().recv();
            }
            assert!(!words.contains("please panic"), "as was asked for");
            if words.contains("please fail") {
                return Err(RecognizerFault::Failed);
            }
            for (what, name) in [(Builtin::PersonName, PERSON), (Builtin::Address, ADDRESS)] {
                if let Some(at) = words.find(name).filter(|_| wanted.contains(&what)) {
                    found.push(Named { text, what, span: at..at + name.len() });
                }
            }
        }
        Ok(found)
    }
}

async fn start(deadline: Duration) -> (TestServer, Sender<()>) {
    let (sender, receiver) = channel();
    let tiny = Arc::new(Tiny { gate: Mutex::new(receiver) });
    let recognition = Some(Recognition::new(tiny, deadline));
    let setup = Setup { recognition, ..Setup::default() };
    (TestServer::start_as(offer(&[]), setup).await, sender)
}

const PATIENT: Duration = Duration::from_secs(60);

fn rules(slug: &str, action: &str) -> Value {
    json!({"content_filter_builtins": [{"slug": slug, "action": action}]})
}

#[tokio::test]
async fn a_guardrail_may_ask_for_names_only_where_somebody_can_find_them() {
    let without = TestServer::start(offer(&[])).await;
    let (with, _gate) = start(PATIENT).await;
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
    let (server, _gate) = start(PATIENT).await;
    let text = format!("Ask {PERSON}, who lives at {ADDRESS}, about it.");
    let both = json!({"content_filter_builtins": [{"slug": "person-name", "action": "redact"},
        {"slug": "address", "action": "redact"}]});
    server.guard(both).await;
    for door in DOORS {
        for stream in door.manners() {
            let reply = door.post(&server.caller(), &door.body(&text, *stream)).await;
            assert_eq!(reply.status, 200, "{door:?}: {}", String::from_utf8_lossy(&reply.body));
            let sent = sent(&server);
            let expected = "Ask [PERSON_NAME], who lives at [ADDRESS], about it.";
            assert!(sent.contains(expected), "{door:?}: {sent}");
        }
    }
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
async fn a_recogniser_that_is_late_fails_or_panics_lets_the_request_through() {
    let (server, gate) = start(Duration::from_millis(100)).await;
    server.guard(rules("person-name", "block")).await;
    for trouble in ["hang", "fail", "panic"] {
        let text = format!("{PERSON}: please {trouble}");
        let reply = DOORS[0].post(&server.caller(), &DOORS[0].body(&text, false)).await;
        assert_eq!(reply.status, 200, "{trouble}: {}", String::from_utf8_lossy(&reply.body));
        assert!(sent(&server).contains(PERSON), "{trouble}");
    }
    drop(gate);
    server.closes_clean().await;
}
