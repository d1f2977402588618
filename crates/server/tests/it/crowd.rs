//! Many clients at once, some of whom leave; afterwards every cent has its place.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_runtime::task;
use signalbox_simulator::Outcome;
use signalbox_store::audit::GenerationFact;
use signalbox_testkit::{Caller, Leave, Offer, Reply, Stand, TestServer};
use tokio::sync::Semaphore;

use crate::speech::{ask, usd, with};

const REQUESTS: u64 = 2_000;
/// Most requests at a time.
const AT_ONCE: usize = 64;
const SEED: u64 = 0x5eed_0001;

/// The models of the crowd: each is a list of endpoints, all of which may be tried.
const MODELS: &[(&str, &[&str])] = &[
    ("plain", &["tokens-20"]),
    ("slow", &["tokens-30+slow-ms-2"]),
    ("slow-drained", &["tokens-30+slow-ms-2"]),
    ("late", &["first-ms-40+tokens-10"]),
    ("flaky", &["flaky-40+tokens-12", "flaky-40+tokens-13", "tokens-14"]),
    ("dead", &["status-503", "status-500"]),
    ("busy", &["status-429-retry-1", "tokens-8"]),
    ("torn", &["tokens-20+cut-after-7"]),
    ("inband", &["tokens-20+error-inband-5"]),
    ("tools", &["tools"]),
    ("thinks", &["reason+tokens-9+cached"]),
    ("silent", &["tokens-15+no-usage"]),
    ("negative", &["tokens-15+usage-negative"]),
    ("huge", &["tokens-15+usage-huge"]),
    ("text", &["tokens-15+usage-string"]),
    ("twice", &["tokens-15+usage-twice"]),
    ("over", &["tokens-300+over-max"]),
    ("empty", &["empty"]),
    ("blank", &["blank", "blank+no-done"]),
    ("garbage", &["garbage", "tokens-6"]),
    ("big", &["big-64kb"]),
];

/// Random numbers that a seed decides (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % most
    }
}

fn offer() -> Offer {
    let mut offer = Offer::new();
    for (name, behaviours) in MODELS {
        let stands = behaviours.iter().enumerate().map(|(index, behaviour)| {
            let stand = Stand::new(&format!("p{index}"), behaviour);
            stand.with("can_abort", json!(!name.ends_with("drained")))
        });
        offer = offer.model(&format!("crowd/{name}"), stands);
    }
    offer
}

fn request(dice: &mut Dice) -> (Value, Leave) {
    let (name, _) = MODELS[usize::try_from(dice.below(MODELS.len() as u64)).unwrap()];
    let mut body = ask(&format!("crowd/{name}"), dice.below(3) > 0);
    if name == "tools" {
        let function = json!({"name": "look_up", "parameters": {"type": "object",
            "properties": {"word": {"type": "string"}}, "required": ["word"]}});
        body = with(body, "tools", json!([{"type": "function", "function": function}]));
    }
    if dice.below(4) == 0 {
        body = with(body, "models", json!(["crowd/plain"]));
    }
    if dice.below(10) == 0 {
        body = with(body, "n", json!(2));
    }
    let leave = match dice.below(10) {
        0..=5 => Leave::Never,
        6 => Leave::AfterBytes(usize::try_from(dice.below(4_000)).unwrap()),
        7 => Leave::AfterEvents(usize::try_from(dice.below(20)).unwrap()),
        _ => Leave::After(Duration::from_micros(dice.below(120_000))),
    };
    (body, leave)
}

/// Whether the client saw the end, and the id and cost that it was told.
fn told(reply: &Reply) -> Option<(String, Option<Usd>)> {
    if !reply.ended || reply.status != 200 {
        return None;
    }
    if !reply.is_stream() {
        let body = reply.json();
        return Some((body["id"].as_str()?.to_owned(), Some(usd(&body["usage"]["cost"]))));
    }
    let events = reply.events();
    assert!(events.done, "a proper end: {events:?}");
    let (usages, errors) = (events.usages(), events.errors());
    assert_eq!(usages.len() + errors.len(), 1, "one end: {events:?}");
    Some((events.id(), usages.first().map(|usage| usd(&usage["cost"]))))
}

async fn visit(caller: Caller, body: Value, leave: Leave) -> Option<(String, Option<Usd>)> {
    let reply = caller.chat_until(&body, leave).await;
    if reply.ended && reply.status != 200 {
        let error = reply.json();
        assert!([502, 503].contains(&reply.status), "{body} got {error}");
        assert_eq!(error["error"]["code"], reply.status);
    }
    told(&reply)
}

/// Billed output is at most what the provider really emitted. Tool calls and the big block are left
/// out: an estimate by bytes may see more tokens in them than the simulator does.
async fn nothing_is_billed_that_was_not_said(server: &TestServer) {
    let entries = server.journal().entries();
    assert_eq!(server.journal().forgotten(), 0);
    let left = entries.iter().filter(|one| one.outcome == Outcome::ClientGone).count();
    assert!(left > 5, "some providers were told to stop: {left}");
    let said: HashMap<_, _> = entries.iter().map(|one| (one.id.as_str(), one)).collect();
    let facts = server.platform.store().facts().await.unwrap();
    let mut billed = 0;
    for fact in &facts.generations {
        let row = server.generation(&fact.id).await;
        let Some(entry) = row.upstream_id.as_deref().and_then(|id| said.get(id)) else {
            assert_eq!(row.cost, Usd::ZERO, "{}: nobody said anything", row.id);
            continue;
        };
        if row.cost > Usd::ZERO && entry.model != "tools" && !entry.model.starts_with("big") {
            let (output, tokens) = (row.usage.output, entry.tokens);
            assert!(output <= tokens, "{}: {output} of {tokens} of {}", row.id, entry.model);
            billed += 1;
        }
    }
    assert!(billed > 500, "{billed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_mixed_requests_with_clients_that_leave_are_paid_to_the_nano_dollar() {
    let server = TestServer::start_with(offer(), "1000").await;
    let before = server.balance().await;
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut dice = Dice(SEED);
    let mut visits = Vec::new();
    for _ in 0..REQUESTS {
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        let (body, leave) = request(&mut dice);
        let caller = server.caller();
        visits.push(task::spawn("visit", async move {
            let seen = visit(caller, body, leave).await;
            drop(place);
            seen
        }));
    }
    let mut seen = Vec::new();
    for visit in visits {
        // A visit that panicked said why on stderr.
        seen.extend(visit.await.unwrap().expect("a visit without a complaint"));
    }
    server.settled().await;
    server.audit().await;

    let facts = server.platform.store().facts().await.unwrap();
    let costs = facts.generations.iter().map(|one: &GenerationFact| (one.id.clone(), one.cost));
    let costs: HashMap<String, i64> = costs.collect();
    let sum: i64 = costs.values().sum();
    let after = server.balance().await;
    assert_eq!(after.credited, before.credited);
    assert_eq!(
        after.charged.nanos() - before.charged.nanos(),
        sum,
        "the balance fell by the costs"
    );
    assert!(seen.len() > 900, "most clients stayed: {}", seen.len());
    for (id, cost) in &seen {
        let stored = costs.get(id).unwrap_or_else(|| panic!("{id} is not stored"));
        let told = cost.map_or(0, Usd::nanos);
        assert_eq!(told, *stored, "{id}: what the client was told is what is stored");
    }
    let open = facts.reservations.iter().filter(|one| one.ended_at.is_none()).count();
    assert_eq!(open, 0, "no reservation is left");
    nothing_is_billed_that_was_not_said(&server).await;
    // The same after a stop.
    server.stop().await;
    server.audit().await;
    assert_eq!(server.balance().await, after);
}
