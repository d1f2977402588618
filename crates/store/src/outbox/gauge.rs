//! How far the file is ahead of the database.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

/// Counts that writer, drain and callers share.
pub(crate) struct Gauge {
    entries: AtomicUsize,
    bytes: AtomicU64,
    /// Number of the last entry in the file.
    written: AtomicI64,
    /// Number of the last entry in the database.
    posted: watch::Sender<i64>,
    /// Whether the database takes nothing of this process any more.
    closed: AtomicBool,
    /// Wakes the drain.
    pub(super) news: Notify,
}

impl Default for Gauge {
    fn default() -> Self {
        Self {
            entries: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
            written: AtomicI64::new(0),
            posted: watch::Sender::new(0),
            closed: AtomicBool::new(false),
            news: Notify::new(),
        }
    }
}

impl Gauge {
    pub(super) fn queued(&self, entries: usize) {
        self.entries.fetch_add(entries, Ordering::Relaxed);
    }

    pub(super) fn written(&self, last: i64, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.written.store(last, Ordering::Release);
        self.news.notify_one();
    }

    pub(super) fn posted(&self, last: i64, entries: usize, bytes: u64) {
        let less = |now: usize| Some(now.saturating_sub(entries));
        let _ = self.entries.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        let less = |now: u64| Some(now.saturating_sub(bytes));
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        self.posted.send_replace(last);
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    pub(super) fn entries(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits until what is in the file now is in the database. Says whether it is.
    pub(crate) async fn caught_up(&self, longest: Duration) -> bool {
        let goal = self.written.load(Ordering::Acquire);
        let mut posted = self.posted.subscribe();
        let reached = posted.wait_for(|posted| *posted >= goal);
        matches!(tokio::time::timeout(longest, reached).await, Ok(Ok(_)))
    }
}
