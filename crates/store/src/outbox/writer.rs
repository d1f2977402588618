//! The task that writes to the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::OutboxFile;
use super::gauge::Gauge;
use super::post::Run;
use crate::error::StoreError;
use crate::ledger::batch::{self, Commit};
use crate::ledger::entry::Entry;

#[expect(clippy::large_enum_variant, reason = "nearly all of them are entries")]
pub(super) enum Command {
    /// One entry; those that wait together are written in one commit.
    Entry(Entry),
    /// The database has everything up to the end of this run, but for what it refused.
    Posted { run: Arc<Run>, refused: Vec<(i64, String)>, bytes: u64 },
    /// Answers when everything before it is in the file.
    Flush(oneshot::Sender<()>),
    /// Forgets who this process was, of which nothing is left, and closes the file.
    Retire(oneshot::Sender<Result<(), StoreError>>),
}

/// The file as the place that batches go to.
struct Append<'f> {
    file: &'f mut OutboxFile,
    gauge: &'f Gauge,
}

impl Commit for Append<'_> {
    async fn commit(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let (last, bytes) = self.file.append(entries).await?;
        self.gauge.written(last, bytes);
        Ok(())
    }
}

pub(super) async fn run(
    mut file: OutboxFile,
    mut commands: mpsc::UnboundedReceiver<Command>,
    gauge: Arc<Gauge>,
) {
    let waiting = Arc::new(AtomicUsize::new(0));
    let mut queued = Vec::with_capacity(batch::LARGEST);
    let mut entries = Vec::with_capacity(batch::LARGEST);
    while commands.recv_many(&mut queued, batch::LARGEST).await > 0 {
        for command in queued.drain(..) {
            if let Command::Entry(entry) = command {
                waiting.fetch_add(1, Ordering::Relaxed);
                entries.push(entry);
                continue;
            }
            let mut append = Append { file: &mut file, gauge: &gauge };
            batch::write(&mut append, &mut entries, &waiting).await;
            if let Command::Retire(done) = command {
                let forgotten = file.name(None).await;
                // The next process may have the file once this is known.
                drop(file);
                drop(done.send(forgotten));
                return;
            }
            obey(&mut file, &gauge, command).await;
        }
        let mut append = Append { file: &mut file, gauge: &gauge };
        batch::write(&mut append, &mut entries, &waiting).await;
    }
}

async fn obey(file: &mut OutboxFile, gauge: &Gauge, command: Command) {
    match command {
        Command::Entry(_) | Command::Retire(_) => {}
        Command::Posted { run, refused, bytes } => {
            if let Err(error) = forget(file, &run, &refused).await {
                // It stays in the file; the database knows that it has it.
                tracing::error!(%error, "what was posted could not be taken out of the outbox");
            }
            gauge.posted(run.last(), run.entries.len(), bytes);
        }
        Command::Flush(done) => drop(done.send(())),
    }
}

/// Takes a run out of the file and puts aside what the database refused of it.
pub(super) async fn forget(
    file: &mut OutboxFile,
    run: &Run,
    refused: &[(i64, String)],
) -> Result<(), StoreError> {
    for (number, reason) in refused {
        let index = usize::try_from(number.saturating_sub(run.first)).unwrap_or(usize::MAX);
        let Some(entry) = run.entries.get(index) else { continue };
        let generation = &entry.reservation.generation;
        tracing::error!(%generation, number, reason, "the database refused an entry of the outbox");
        file.refuse(*number, entry, reason).await?;
    }
    file.posted(run.last()).await
}
