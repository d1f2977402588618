//! Clients that leave: 4 languages, streamed and not, providers that can be told to stop and others,
//! 6 moments.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use signalbox_core::Usd;
use signalbox_runtime::Clock;
use signalbox_simulator::{Entry, Outcome};
use signalbox_store::GenerationRow;
use signalbox_testkit::{Offer, Stand, TestServer, eventually};

use crate::tongue::Tongue;

/// A provider that can be told to stop hears it within this time (reliability design, target 12).
const STRICT: Duration = Duration::from_millis(250);
/// The same on a busy machine.
const PATIENCE: Duration = Duration::from_millis(750);
/// Longest wait for what has to happen.
const SOON: Duration = Duration::from_secs(5);
/// Tokens of a whole answer.
const TOKENS: u64 = 20;

/// When the client leaves, by what the provider has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    BeforeHeaders,
    NoToken,
    OneToken,
    Middle,
    AfterFinish,
    AfterUsage,
}

/// What is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bill {
    Nothing,
    /// What came, estimated: a little less than it was, never more.
    Emitted,
    /// By the provider's own counts.
    Full,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    tongue: Tongue,
    stream: bool,
    can_cancel: bool,
    cut: Cut,
}

impl Cut {
    const ALL: [Self; 6] = [
        Self::BeforeHeaders,
        Self::NoToken,
        Self::OneToken,
        Self::Middle,
        Self::AfterFinish,
        Self::AfterUsage,
    ];

    const fn halt(self) -> &'static str {
        match self {
            Self::BeforeHeaders => "halt-headers",
            Self::NoToken => "halt-body",
            Self::OneToken => "halt-1",
            Self::Middle => "halt-10",
            Self::AfterFinish => "halt-usage",
            Self::AfterUsage => "halt-done",
        }
    }

    /// The tokens that a stream has sent by then.
    const fn sent(self) -> u64 {
        match self {
            Self::BeforeHeaders | Self::NoToken => 0,
            Self::OneToken => 1,
            Self::Middle => 10,
            Self::AfterFinish | Self::AfterUsage => TOKENS,
        }
    }
}

/// What a stream of a provider that can be told to stop is charged, cut by cut. In two languages the
/// finish reason and the usage are one event, so that nothing is finished before the usage is there.
const CANCELLED: [(Tongue, [Bill; 6]); 4] = {
    use Bill::{Emitted, Full, Nothing};
    [
        (Tongue::Chat, [Nothing, Nothing, Emitted, Emitted, Full, Full]),
        (Tongue::Completions, [Nothing, Nothing, Emitted, Emitted, Full, Full]),
        (Tongue::Messages, [Nothing, Nothing, Emitted, Emitted, Emitted, Full]),
        (Tongue::Responses, [Nothing, Nothing, Emitted, Emitted, Emitted, Full]),
    ]
};

impl Cell {
    fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for tongue in Tongue::ALL {
            for stream in [true, false] {
                for can_cancel in [true, false] {
                    for cut in Cut::ALL {
                        cells.push(Self { tongue, stream, can_cancel, cut });
                    }
                }
            }
        }
        cells
    }

    fn name(&self) -> String {
        let Self { tongue, stream, can_cancel, cut } = self;
        let manner = if *stream { "stream" } else { "whole" };
        let stops = if *can_cancel { "stops" } else { "goes-on" };
        format!("{}-{manner}-{stops}-{}", tongue.provider(), cut.halt())
    }

    fn sold_as(&self) -> String {
        format!("{}+tokens-{TOKENS}+{}", self.name(), self.cut.halt())
    }

    /// Whoever can't be told to stop is read to the end, and so is an answer in one piece.
    fn bill(&self) -> Bill {
        if !self.stream || !self.can_cancel {
            return Bill::Full;
        }
        let (_, bills) = CANCELLED.iter().find(|(tongue, _)| *tongue == self.tongue).unwrap();
        bills[Cut::ALL.iter().position(|one| *one == self.cut).unwrap()]
    }

    /// Whether the provider's connection is closed while the provider waits.
    fn is_closed(&self) -> bool {
        let counted = self.cut == Cut::AfterUsage;
        self.stream && (counted || self.can_cancel && self.bill() != Bill::Full)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disconnect_matrix() {
    let cells = Cell::all();
    assert_eq!(cells.len(), 96);
    let mut offer = Tongue::providers(Offer::new());
    for cell in &cells {
        let stand = Stand::new(cell.tongue.provider(), &cell.sold_as());
        let stand = stand.with("can_abort", json!(cell.can_cancel));
        offer = offer.model(&format!("cell/{}", cell.name()), [stand]);
    }
    let server = TestServer::start(offer).await;
    let mut seen = HashSet::new();
    let mut charged = Usd::ZERO;
    let mut slowest = Duration::ZERO;
    for cell in &cells {
        let closed = leave(&server, cell).await;
        if closed > Some(STRICT) {
            eprintln!("{}: closed after {closed:?}", cell.name());
        }
        slowest = slowest.max(closed.unwrap_or_default());
        server.settled().await;
        let entries = server.journal().settled().await;
        let entry = entries.iter().find(|one| one.model == cell.sold_as()).unwrap();
        let row = fresh(&server, &mut seen).await;
        assert_eq!(row.model, format!("cell/{}", cell.name()));
        check(cell, &row, entry);
        charged = charged.checked_add(row.cost).unwrap();
    }
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged, charged);
    let strict = if slowest <= STRICT { "within" } else { "above" };
    eprintln!("96 cells; the slowest provider was closed after {slowest:?}, {strict} {STRICT:?}");
    assert!(slowest <= PATIENCE, "{slowest:?}");
}

/// Asks, leaves when it is time, and lets the provider go on. Answers how long its connection lived
/// on, where it is closed while it waits.
async fn leave(server: &TestServer, cell: &Cell) -> Option<Duration> {
    let clock = Clock::system();
    let (caller, sold_as) = (server.caller(), cell.sold_as());
    let body = cell.tongue.ask(&format!("cell/{}", cell.name()), cell.stream);
    let waiting = async || (server.halted(&sold_as) == 1).then_some(());
    if cell.stream && cell.cut.sent() > 0 {
        let mut opened = caller.post_open(cell.tongue.path(), &body).await;
        assert_eq!(opened.status(), 200, "{cell:?}");
        opened.until(&format!("t{} ", cell.cut.sent() - 1)).await;
        eventually(SOON, "a provider that halts", waiting).await;
        // What the provider has sent is where it has to be.
        others(server).await;
        drop(opened);
    } else {
        tokio::select! {
            _ = caller.post_open(cell.tongue.path(), &body) => panic!("{cell:?}: an answer"),
            () = eventually(SOON, "a provider that halts", waiting) => {}
        }
    }
    let left_at = clock.monotonic();
    let closed = async || (server.halted(&sold_as) == 0).then_some(());
    if cell.is_closed() {
        eventually(SOON, "the end of the provider's connection", closed).await;
        return Some(clock.monotonic().saturating_sub(left_at));
    }
    if cell.stream {
        let draining = async || (server.draining() == 1).then_some(());
        eventually(SOON, "somebody who reads on", draining).await;
    } else {
        // The server hears of it before it hears of what comes later.
        others(server).await;
    }
    assert_eq!(server.halted(&sold_as), 1, "{cell:?}: nobody closed it");
    server.go_on(&sold_as);
    None
}

/// Requests of others, which come after what came before.
async fn others(server: &TestServer) {
    for _ in 0..3 {
        assert_eq!(server.caller().get("/api/v1/key").await.status, 200);
    }
}

/// The generation that is new.
async fn fresh(server: &TestServer, seen: &mut HashSet<String>) -> GenerationRow {
    let facts = server.platform.store().facts().await.unwrap();
    let new: Vec<_> = facts.generations.iter().filter(|one| seen.insert(one.id.clone())).collect();
    assert_eq!(new.len(), 1, "one generation");
    server.generation(&new[0].id).await
}

fn check(cell: &Cell, row: &GenerationRow, entry: &Entry) {
    let usage = &row.usage;
    let nanos = usage.prompt() * 1_000 + usage.output * 2_000;
    assert_eq!(row.cost, Usd::from_nanos(i64::try_from(nanos).unwrap()), "{cell:?}: {usage:?}");
    // In one language the event with the usage is the end: the answer was not left.
    let ended = cell.tongue == Tongue::Responses && cell.cut == Cut::AfterUsage;
    assert!(ended || row.cancelled == cell.stream, "{cell:?}: a leaving is noted");
    let gone = if cell.is_closed() { Outcome::ClientGone } else { Outcome::Complete };
    assert_eq!(entry.outcome, gone, "{cell:?}");
    match cell.bill() {
        Bill::Nothing => {
            assert_eq!((row.cost, entry.tokens), (Usd::ZERO, 0), "{cell:?}: {usage:?}");
        }
        Bill::Emitted => {
            assert_eq!(entry.tokens, cell.cut.sent(), "{cell:?}");
            let fair = entry.tokens * 3 / 4..=entry.tokens;
            assert!(usage.output > 0 && fair.contains(&usage.output), "{cell:?}: {usage:?}");
            // An estimate of a prompt counts the marks around its messages, too.
            let fair = entry.prompt_tokens..=entry.prompt_tokens * 2;
            assert!(fair.contains(&usage.prompt()), "{cell:?}: {usage:?}");
        }
        Bill::Full => {
            let counts = (usage.prompt(), usage.output, usage.estimated);
            assert_eq!(counts, (entry.prompt_tokens, TOKENS, false), "{cell:?}");
        }
    }
}
