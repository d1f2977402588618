//! Every way out of a generation gives the reservation back, each taken fifty times.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_gateway::Exit;
use signalbox_gateway::failpoint::{Failpoint, arm};
use signalbox_runtime::task;
use signalbox_testkit::{Caller, Offer, Reply, Stand, TestServer, eventually, refused};

use crate::speech::{Answered, ask, with};

/// How often each way is taken.
const TIMES: usize = 50;
/// How many take it at once.
const AT_ONCE: usize = 10;
/// What is held is free again within this time (reliability design, test 9).
const FREE_WITHIN: Duration = Duration::from_secs(5);

/// What the client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    /// Reads a stream to its end.
    Streams,
    /// Waits for an answer in one piece.
    Waits,
    /// By turns.
    Both,
    /// Leaves a stream once the provider is called.
    LeavesStream,
    /// Leaves an answer in one piece once the provider is called.
    LeavesWhole,
    /// Leaves a stream when this is there.
    LeavesAt(&'static str),
}

/// One way out.
#[derive(Debug, Clone, Copy)]
struct Row {
    name: &'static str,
    /// What each provider in turn does; `nobody` is one that refuses connections.
    providers: &'static [&'static str],
    client: Client,
    panics: Option<Failpoint>,
    /// What the client is told: 0 is an error inside the stream.
    told: u16,
}

const fn row(name: &'static str, providers: &'static [&'static str], told: u16) -> Row {
    Row { name, providers, client: Client::Both, panics: None, told }
}

impl Row {
    const fn by(self, client: Client) -> Self {
        Self { client, ..self }
    }

    const fn panics(self, point: Failpoint) -> Self {
        Self { panics: Some(point), ..self }
    }

    fn model(&self, visit: usize) -> String {
        format!("exit/{}-{visit}", self.name)
    }

    /// Whether this visit asks for a stream.
    fn streams(&self, visit: usize) -> bool {
        match self.client {
            Client::Both => visit.is_multiple_of(2),
            Client::Waits | Client::LeavesWhole => false,
            Client::Streams | Client::LeavesStream | Client::LeavesAt(_) => true,
        }
    }
}

/// The rows of an exit. A new exit has none until somebody writes them here: until then this does not
/// compile.
fn rows(exit: Exit) -> Vec<Row> {
    use Client::{LeavesAt, LeavesStream, LeavesWhole, Streams, Waits};
    match exit {
        Exit::Answered => vec![
            row("answered", &["tokens-5"], 200),
            row("no-usage", &["tokens-5+no-usage"], 200),
            row("usage-huge", &["tokens-5+usage-huge"], 200),
            row("fallback", &["status-503", "tokens-5"], 200),
            // Nobody waits for it any more, and it is paid all the same.
            row("whole-left", &["tokens-5+first-ms-150"], 200).by(LeavesWhole),
        ],
        Exit::Exhausted => vec![
            row("upstream-400", &["status-400"], 400),
            row("upstream-401", &["status-401"], 503),
            row("upstream-429", &["status-429"], 429),
            row("upstream-500", &["status-500"], 503),
            row("connect-fail", &["nobody"], 503),
            row("first-content-timeout", &["hang"], 503).by(Streams),
            row("parse-error", &["garbage"], 503),
            row("parse-error-midway", &["tokens-9+truncated-json"], 503).by(Waits),
            row("in-band-error-at-once", &["tokens-9+error-inband-0"], 503),
            row("empty", &["blank"], 503),
            row("failover-exhausted", &["status-503", "garbage", "nobody"], 503),
        ],
        Exit::Abandoned => vec![row("abort", &["first-ms-9000"], 200).by(LeavesStream)],
        Exit::Left => {
            vec![row("abort-midway", &["tokens-9+hang-after-3"], 200).by(LeavesAt("t2 "))]
        }
        Exit::InBand => vec![row("in-band-error", &["tokens-9+error-inband-3"], 0).by(Streams)],
        Exit::Malformed => vec![row("half-a-chunk", &["tokens-9+truncated-json"], 0).by(Streams)],
        Exit::BrokeOff => vec![row("cut", &["tokens-9+slow-ms-20+cut-after-3"], 0).by(Streams)],
        Exit::TimedOut => vec![row("idle-timeout", &["tokens-9+hang-after-3"], 0).by(Streams)],
        Exit::Orphaned => vec![
            row("panic-in-request-writer", &["tokens-5"], 500).panics(Failpoint::Prepare),
            row("panic-in-translator", &["tokens-5"], 500).panics(Failpoint::Translate),
            row("panic-in-relay", &["tokens-5+slow-ms-5"], 0).panics(Failpoint::Relay).by(Streams),
            row("panic-in-encoder", &["tokens-5+slow-ms-2"], 0)
                .panics(Failpoint::Encode)
                .by(Streams),
            row("panic-in-document-writer", &["tokens-5"], 500).panics(Failpoint::Encode).by(Waits),
            row("panic-before-settlement", &["tokens-5"], 500)
                .panics(Failpoint::BeforeSettle)
                .by(Waits),
        ],
        Exit::Screened => vec![row("guardrail", &["tokens-5"], 403)],
        // Tests of their own, below: the first ends the process, the second asks nobody.
        Exit::Stopping | Exit::Replayed => Vec::new(),
        // No request and no provider brings it about: the prices of a candidate are usable, and a
        // ledger that can't write is the matter of the tests with whole processes.
        Exit::Unsettled => Vec::new(),
    }
}

/// A model, and a provider, for each visit: who failed a moment ago is not asked first, and perhaps
/// not at all.
fn offered(mut offer: Offer, row: &Row, nobody: &str) -> Offer {
    for visit in 0..TIMES {
        let stands = row.providers.iter().enumerate().map(|(index, behaviour)| {
            let slug = format!("{}-{visit}-{index}", row.name);
            (slug, *behaviour)
        });
        let stands: Vec<_> = stands.collect();
        for (slug, behaviour) in &stands {
            // Only who is silent is left early.
            let timeouts = match *behaviour {
                "hang" => json!({"first_content": 0.25}),
                "tokens-9+hang-after-3" if row.told == 0 => json!({"idle": 0.25}),
                _ => json!({}),
            };
            let members = json!({"name": slug, "transport": "none", "timeouts": timeouts});
            offer = offer.provider(slug, members);
            if *behaviour == "nobody" {
                offer = offer.provider_at(slug, nobody);
            }
        }
        let stands = stands.iter().map(|(slug, behaviour)| {
            Stand::new(slug, &format!("{}-{visit}+{behaviour}", row.name))
        });
        offer = offer.model(&row.model(visit), stands);
        if let Some(point) = row.panics {
            arm(point, &row.model(visit));
        }
    }
    offer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reservation_leak_paths() {
    quiet_failpoints();
    let nobody = refused().await;
    let mut taken = 0;
    for exit in Exit::ALL {
        for row in rows(exit) {
            let server = TestServer::start(offered(Offer::new(), &row, &nobody)).await;
            if exit == Exit::Screened {
                let filter = json!({"pattern": "please", "action": "block"});
                server.guard(json!({"content_filters": [filter]})).await;
            }
            for batch in 0..TIMES / AT_ONCE {
                let visits: Vec<_> = (batch * AT_ONCE..(batch + 1) * AT_ONCE)
                    .map(|visit| task::spawn("visit", visit_once(server.caller(), row, visit)))
                    .collect();
                if matches!(row.client, Client::LeavesStream | Client::LeavesWhole) {
                    let called = async || {
                        (server.counted().arrived == ((batch + 1) * AT_ONCE) as u64).then_some(())
                    };
                    eventually(FREE_WITHIN, "the calls of a batch", called).await;
                    visits.iter().for_each(tokio::task::JoinHandle::abort);
                }
                for visit in visits {
                    match visit.await {
                        Ok(visited) => visited.unwrap_or_else(|| panic!("{row:?}")),
                        Err(aborted) => assert!(aborted.is_cancelled()),
                    }
                }
            }
            all_free(&server, &row).await;
            assert_eq!(server.ended(exit), TIMES as u64, "{row:?}: that it ends as {exit:?}");
            let free = exit != Exit::Answered && exit != Exit::Left;
            let charged = server.balance().await.charged;
            assert_eq!(charged == Usd::ZERO, free, "{row:?}: {charged}");
            server.audit().await;
            taken += TIMES;
        }
    }
    eprintln!("{taken} visits took {} ways out; nothing is held", taken / TIMES);
}

/// Panics that are meant say nothing.
fn quiet_failpoints() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let text = info.payload_as_str().unwrap_or_default();
        if !text.contains("failpoint") {
            usual(info);
        }
    }));
}

/// Nothing is held of the owner's credit within five seconds.
async fn all_free(server: &TestServer, row: &Row) {
    let free = async || (server.ledger.open_count() == 0).then_some(());
    eventually(FREE_WITHIN, row.name, free).await;
    server.settled().await;
    let available = server.ledger.available(&server.owner.account_id);
    assert_eq!(available, Some(server.balance().await.posted()), "{row:?}");
}

async fn visit_once(caller: Caller, row: Row, visit: usize) {
    let stream = row.streams(visit);
    let mut body = ask(&row.model(visit), stream);
    if row.providers.len() > 1 {
        let order = (0..row.providers.len()).map(|index| format!("{}-{visit}-{index}", row.name));
        body = with(body, "provider", json!({"order": order.collect::<Vec<_>>()}));
    }
    if let Client::LeavesAt(text) = row.client {
        let mut opened = caller.chat_open(&body).await;
        opened.until(text).await;
        return;
    }
    told(&row, &caller.chat(&body).await, stream);
}

/// Whoever reads on is told how it ended: by a status and an error object, or inside the stream.
fn told(row: &Row, reply: &Reply, stream: bool) {
    let said = String::from_utf8_lossy(&reply.body);
    assert!(reply.ended, "{row:?}: {said}");
    // A task may panic before the first piece is on its way.
    let told = if row.panics.is_some() && reply.status == 500 { 500 } else { row.told };
    match told {
        0 => {
            assert!(stream && reply.status == 200, "{row:?}: {} {said}", reply.status);
            let events = reply.events();
            let [error] = &events.errors()[..] else { panic!("{row:?}: {said}") };
            typed(row, &error["error"]);
            assert!(events.usages().is_empty() && events.done, "{row:?}: {said}");
        }
        200 => drop(Answered::read(reply)),
        status => {
            assert_eq!(reply.status, status, "{row:?}: {said}");
            typed(row, &reply.json()["error"]);
        }
    }
}

fn typed(row: &Row, error: &Value) {
    assert!(error["code"].is_u64(), "{row:?}: {error}");
    assert!(error["metadata"]["error_type"].is_string(), "{row:?}: {error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reservation_leak_paths_of_a_process_that_stops() {
    let behaviour = "tokens-9+halt-3";
    let server =
        TestServer::start(Offer::new().model("acme/one", [Stand::new("one", behaviour)])).await;
    let mut open = Vec::new();
    for _ in 0..TIMES {
        let mut opened = server.caller().chat_open(&ask("acme/one", true)).await;
        opened.until("t2 ").await;
        open.push(opened);
    }
    assert_eq!(server.ledger.open_count(), TIMES);
    server.stop_within(Duration::ZERO).await;
    assert_eq!(server.ledger.open_count(), 0);
    assert_eq!(server.ended(Exit::Stopping), TIMES as u64);
    for opened in open {
        let reply = opened.rest().await;
        let events = reply.events();
        assert_eq!((events.errors().len(), events.usages().len()), (1, 0), "{:?}", events.data);
        assert_eq!(events.errors()[0]["error"]["code"], 503);
    }
    server.audit().await;
    assert_eq!(server.balance().await.charged, Usd::ZERO, "the cut was ours");
}

#[tokio::test]
async fn reservation_leak_paths_of_kept_answers() {
    let stands = [Stand::new("one", "tokens-5")];
    let server = TestServer::start(Offer::new().model("acme/one", stands)).await;
    let caller = server.caller().with("X-OpenRouter-Cache", "true");
    for stream in [true, false] {
        let first = Answered::read(&caller.chat(&ask("acme/one", stream)).await);
        assert!(first.cost() > Usd::ZERO);
        for _ in 0..TIMES / 2 {
            let kept = Answered::read(&caller.chat(&ask("acme/one", stream)).await);
            assert_eq!((kept.cost(), kept.text), (Usd::ZERO, first.text.clone()));
        }
    }
    server.closes_clean().await;
    assert_eq!(server.ended(Exit::Replayed), TIMES as u64);
    assert_eq!(server.ended(Exit::Answered), 2);
    let available = server.ledger.available(&server.owner.account_id);
    assert_eq!(available, Some(server.balance().await.posted()));
}

#[tokio::test]
async fn what_was_charged_stays_charged_when_the_task_panics_after_it() {
    quiet_failpoints();
    let stands = [Stand::new("one", "tokens-5")];
    let server = TestServer::start(Offer::new().model("acme/one", stands)).await;
    arm(Failpoint::AfterSettle, "acme/one");
    let reply = server.caller().chat(&ask("acme/one", false)).await;
    assert_eq!(reply.status, 500);
    server.closes_clean().await;
    let balance = server.balance().await;
    assert_eq!(balance.charged, "0.000016".parse().unwrap());
    assert_eq!(server.ledger.available(&server.owner.account_id), Some(balance.posted()));
}
