//! Writing to a server: one connection, one transaction at a time, each under the write lock.
//!
//! The lock makes all writers of all processes take turns, as they do with a file. So the hash chain
//! has one end, and the rows of `changes` appear in the order of their numbers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{Command, Work};
use crate::error::StoreError;
use crate::sql::{Connection, Remote, query, silent};

/// Longest time for a transaction. What takes longer has lost its server.
const LONGEST: Duration = Duration::from_secs(20);
/// Longest wait for BEGIN and the lock, which others hold for milliseconds.
const TURN: Duration = Duration::from_secs(12);
const BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(1397178968, 2)";

pub(super) async fn run(remote: Remote, mut commands: mpsc::UnboundedReceiver<Command>) {
    let mut kept = None;
    while let Some(command) = commands.recv().await {
        let job = match command {
            Command::Job(job) => job,
            Command::Entry(entry) => {
                entry.answer(Err(StoreError::Closed));
                continue;
            }
            Command::Flush(done) => {
                let _ = done.send(());
                continue;
            }
        };
        if job.given_up.load(Ordering::Acquire) {
            continue;
        }
        match begin(&remote, kept.take()).await {
            Err(error) => drop((job.run)(Err(error)).await),
            Ok(mut connection) => {
                if job.given_up.load(Ordering::Acquire) {
                    // What has begun ends with the connection.
                    continue;
                }
                if (job.run)(Ok(&mut connection)).await {
                    kept = Some(connection);
                }
            }
        }
    }
}

/// Begins a transaction: on the connection that was kept or, if that is broken, on a new one.
async fn begin(remote: &Remote, kept: Option<Connection>) -> Result<Connection, StoreError> {
    if let Some(mut connection) = kept
        && take_turn(&mut connection).await.is_ok()
    {
        return Ok(connection);
    }
    let mut connection = remote.connect().await?;
    take_turn(&mut connection).await?;
    Ok(connection)
}

async fn take_turn(connection: &mut Connection) -> Result<(), StoreError> {
    let turn = tokio::time::timeout(TURN, connection.script(BEGIN)).await;
    turn.unwrap_or_else(|_| Err(silent()))
}

/// Runs `work` in the transaction that has begun and commits it; anything that fails rolls all of it
/// back. Also says whether the connection can be used again.
pub(super) async fn transaction<T, F>(
    connection: &mut Connection,
    work: F,
) -> (Result<T, StoreError>, bool)
where
    F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T>,
{
    let all = async {
        let done = work(&mut *connection).await?;
        query("COMMIT").execute(&mut *connection).await?;
        Ok(done)
    };
    match tokio::time::timeout(LONGEST, all).await {
        Ok(Ok(done)) => (Ok(done), true),
        Ok(Err(error)) => {
            let back = tokio::time::timeout(LONGEST, connection.script("ROLLBACK")).await;
            (Err(error), matches!(back, Ok(Ok(()))))
        }
        Err(_) => (Err(silent()), false),
    }
}
