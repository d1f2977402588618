//! What the simulator really did.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::Write;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use signalbox_runtime::Clock;
use tokio::sync::watch;

use crate::control::Present;

/// Most entries that are kept in memory; the oldest go first. The file keeps all of them.
const MAX_ENTRIES: usize = 10_000;
/// Most bytes of request bodies that are kept in memory.
const MAX_KEPT_BYTES: usize = 64 * 1024 * 1024;
/// Largest request body that an entry keeps in parsed form.
pub(crate) const MAX_KEPT_BODY: usize = 64 * 1024;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It has not ended.
    Running,
    /// All that was planned was handed to the connection.
    Complete,
    /// An HTTP error was sent.
    Status(u16),
    /// The simulator closed the connection in the middle.
    Cut,
    /// The client left first.
    ClientGone,
}

/// One request.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Number of the request, from 1, in order of arrival.
    pub number: u64,
    /// Path of the request.
    pub path: String,
    /// The dialect's name in the product's rows, or `oauth-token`.
    pub dialect: &'static str,
    /// Headers that tests ask for: `anthropic-version`, `anthropic-beta`, `accept` and `x-amz-date` as
    /// sent, the scheme of `authorization`, and `present` for keys in `x-api-key`, `api-key`,
    /// `x-goog-api-key` and the query (`query-key`).
    pub headers: BTreeMap<String, String>,
    /// Id of the answer, `sim-...`.
    pub id: String,
    /// The body's `model`.
    pub model: String,
    /// Whether the body asked for a stream.
    pub stream: bool,
    /// SHA-256 of the body, in hex.
    pub body_sha256: String,
    /// Length of the body in bytes.
    pub body_bytes: usize,
    /// The body, unless it is larger than 64 KiB.
    pub body: Option<Value>,
    /// The `Authorization` header, else `api-key`; not written to the file.
    #[serde(skip)]
    pub authorization: Option<String>,
    /// Time of day of the arrival in microseconds since 1970.
    pub arrived_at: i64,
    /// Tokens handed to the connection. A token's index is its place in this count, from 0.
    pub tokens: u64,
    /// Usage that was sent, as sent; `None` when none left the house.
    pub usage: Option<Value>,
    /// Prompt tokens by the simulator's own count.
    pub prompt_tokens: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Time from the arrival to the end, in microseconds.
    pub ended_after: Option<u64>,
    /// Time from the arrival until the client was seen to have left, in microseconds.
    pub disconnected_after: Option<u64>,
}

struct Kept {
    entry: Entry,
    tokens: Arc<AtomicU64>,
}

#[derive(Default)]
struct Pages {
    entries: VecDeque<Kept>,
    kept_bytes: usize,
    forgotten: u64,
    arrived: u64,
}

struct Inner {
    clock: Clock,
    pages: Mutex<Pages>,
    file: Option<Mutex<File>>,
    changed: watch::Sender<u64>,
}

/// The list of requests, shared by all clones.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Journal {
    pub(crate) fn new(file: Option<File>) -> Self {
        Self(Arc::new(Inner {
            clock: Clock::system(),
            pages: Mutex::default(),
            file: file.map(Mutex::new),
            changed: watch::Sender::new(0),
        }))
    }

    /// All requests that are still remembered, in order of arrival.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let pages = lock(&self.0.pages);
        pages.entries.iter().map(Kept::read).collect()
    }

    /// The requests for one model.
    #[must_use]
    pub fn of_model(&self, model: &str) -> Vec<Entry> {
        let pages = lock(&self.0.pages);
        pages.entries.iter().filter(|k| k.entry.model == model).map(Kept::read).collect()
    }

    /// Requests that memory no longer holds.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        lock(&self.0.pages).forgotten
    }

    /// Forgets every entry.
    pub fn clear(&self) {
        let mut pages = lock(&self.0.pages);
        *pages = Pages { arrived: pages.arrived, ..Pages::default() };
    }

    /// Waits until the entries satisfy a condition, and returns them. It is asked again whenever a
    /// request arrives or ends, and so does not see single tokens.
    pub async fn until(&self, mut ready: impl FnMut(&[Entry]) -> bool) -> Vec<Entry> {
        let mut changed = self.0.changed.subscribe();
        loop {
            let entries = self.entries();
            if ready(&entries) || changed.changed().await.is_err() {
                return entries;
            }
        }
    }

    /// Waits until no request is running.
    pub async fn settled(&self) -> Vec<Entry> {
        self.until(|all| all.iter().all(|e| e.outcome != Outcome::Running)).await
    }

    pub(crate) fn arrived_at(&self) -> (i64, Duration) {
        (self.0.clock.now().micros(), self.0.clock.monotonic())
    }

    /// Adds an entry and gives it its number.
    pub(crate) fn open(&self, mut entry: Entry, arrived: Duration) -> Page {
        let tokens = Arc::new(AtomicU64::new(0));
        let mut pages = lock(&self.0.pages);
        pages.arrived = pages.arrived.saturating_add(1);
        let number = pages.arrived;
        entry.number = number;
        pages.kept_bytes = pages.kept_bytes.saturating_add(entry.weight());
        pages.entries.push_back(Kept { entry, tokens: Arc::clone(&tokens) });
        while pages.entries.len() > MAX_ENTRIES || pages.kept_bytes > MAX_KEPT_BYTES {
            let Some(old) = pages.entries.pop_front() else { break };
            pages.kept_bytes = pages.kept_bytes.saturating_sub(old.entry.weight());
            pages.forgotten = pages.forgotten.saturating_add(1);
        }
        drop(pages);
        self.0.changed.send_modify(|n| *n = n.wrapping_add(1));
        Page { journal: Some(self.clone()), number, tokens, arrived, closed: false, present: None }
    }

    fn edit(&self, number: u64, change: impl FnOnce(&mut Entry)) -> Option<Entry> {
        let mut pages = lock(&self.0.pages);
        let found = pages.entries.binary_search_by_key(&number, |k| k.entry.number).ok()?;
        let kept = pages.entries.get_mut(found)?;
        change(&mut kept.entry);
        Some(kept.read())
    }

    fn close(&self, number: u64, outcome: Outcome, after: Duration) {
        let after = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        let entry = self.edit(number, |entry| {
            entry.outcome = outcome;
            entry.ended_after = Some(after);
            if outcome == Outcome::ClientGone {
                entry.disconnected_after = Some(after);
            }
        });
        if let (Some(entry), Some(file)) = (entry, &self.0.file)
            && let Ok(mut line) = serde_json::to_vec(&entry)
        {
            line.push(b'\n');
            // A full disk loses journal lines, not answers.
            let _ = lock(file).write_all(&line);
        }
        self.0.changed.send_modify(|n| *n = n.wrapping_add(1));
    }
}

impl Kept {
    fn read(&self) -> Entry {
        Entry { tokens: self.tokens.load(Ordering::Acquire), ..self.entry.clone() }
    }
}

impl Entry {
    fn weight(&self) -> usize {
        if self.body.is_some() { self.body_bytes } else { 0 }
    }
}

/// The open entry of one request. Dropped before it was closed, it says that the client has gone.
pub(crate) struct Page {
    journal: Option<Journal>,
    number: u64,
    tokens: Arc<AtomicU64>,
    arrived: Duration,
    closed: bool,
    present: Option<Present>,
}

impl Page {
    /// A page that is written nowhere.
    pub(crate) fn blank() -> Self {
        let tokens = Arc::new(AtomicU64::new(0));
        let arrived = Duration::ZERO;
        Self { journal: None, number: 0, tokens, arrived, closed: false, present: None }
    }

    /// The page of a request that is counted.
    pub(crate) fn of(mut self, present: Present) -> Self {
        self.present = Some(present);
        self
    }

    /// Waits until the model's answers are let on; a page of nobody has none.
    pub(crate) fn halt(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let passing = self.present.as_ref()?.passing();
        Some(Box::pin(passing))
    }

    pub(crate) fn emitted(&self, tokens: u64) {
        if tokens > 0 {
            self.tokens.fetch_add(tokens, Ordering::AcqRel);
        }
    }

    pub(crate) fn sent_usage(&self, usage: &Value) {
        if let Some(journal) = &self.journal {
            let _ = journal.edit(self.number, |entry| entry.usage = Some(usage.clone()));
        }
    }

    pub(crate) fn close(&mut self, outcome: Outcome) {
        if let (false, Some(journal)) = (self.closed, &self.journal) {
            let after = journal.0.clock.monotonic().saturating_sub(self.arrived);
            journal.close(self.number, outcome, after);
        }
        self.closed = true;
        self.present = None;
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.close(Outcome::ClientGone);
    }
}
