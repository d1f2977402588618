//! A batch in SQLite: one statement, which is its own transaction.

use signalbox_core::FastSet;

use super::Commit;
use super::intake::{Line, Statements};
use super::posting::{Head, Links, Sums, json, trace};
use crate::error::StoreError;
use crate::grants;
use crate::ledger::entry::{Entry, Step};
use crate::sql::{Connection, query};

/// Keeps the texts of the statements and remembers the end of the chain.
#[derive(Default)]
pub(crate) struct Scribe {
    statements: Statements,
    /// The end of the chain as this process wrote it; another may have appended since.
    head: Option<Head>,
}

impl Scribe {
    /// The scribe at work on the writing connection.
    pub fn on<'c>(&'c mut self, connection: &'c mut Connection) -> ScribeOn<'c> {
        ScribeOn { scribe: self, connection }
    }
}

/// See [`Scribe::on`].
pub(crate) struct ScribeOn<'c> {
    scribe: &'c mut Scribe,
    connection: &'c mut Connection,
}

impl Commit for ScribeOn<'_> {
    /// Tries one statement that is its own transaction, linked to the transfer that was the last
    /// when this process wrote. Where that fails, for whatever reason, the same statement runs after
    /// a look at the chain under the write lock, and the error of that attempt counts.
    async fn commit(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let Self { scribe, connection } = self;
        let traces: Vec<_> = entries.iter().filter_map(trace).collect();
        if traces.is_empty()
            && let Some(head) = scribe.head.take()
            && scribe.fill(connection, entries, head).await.is_ok()
        {
            return Ok(());
        }
        query("BEGIN IMMEDIATE").execute(&mut **connection).await?;
        let mut done = match grants::head(connection).await {
            Ok(head) => scribe.fill(connection, entries, head).await,
            Err(error) => Err(error),
        };
        if done.is_ok() && !traces.is_empty() {
            done = write_traces(connection, &traces).await;
        }
        if done.is_ok() {
            done = query("COMMIT").execute(&mut **connection).await.map(|_| ());
        }
        if done.is_err() {
            scribe.head = None;
            // Fails when SQLite has rolled back by itself, which is what is wanted.
            drop(query("ROLLBACK").execute(&mut **connection).await);
        }
        done
    }
}

/// The traces of a batch, which has a transaction: they are in no row of the one statement.
async fn write_traces(
    connection: &mut Connection,
    traces: &[(&str, &str, &str)],
) -> Result<(), StoreError> {
    let insert = query(
        "INSERT INTO traces (generation, account_id, trace) \
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($1)",
    );
    insert.bind(json(traces)).execute(connection).await?;
    Ok(())
}

impl Scribe {
    /// Writes the entries behind `head` and remembers the new head.
    async fn fill(
        &mut self,
        connection: &mut Connection,
        entries: &[Entry],
        mut head: Head,
    ) -> Result<(), StoreError> {
        let ended: FastSet<&str> = entries
            .iter()
            .filter(|entry| entry.end().is_some())
            .map(|entry| entry.reservation.generation.as_str())
            .collect();
        let mut sums = Some(Sums::of(entries));
        let mut lines = Vec::with_capacity(entries.len());
        for entry in entries {
            let ends = matches!(entry.step, Step::End(_));
            if !ends && ended.contains(entry.reservation.generation.as_str()) {
                continue;
            }
            let links = entry.end().map(|end| Links::append(&mut head, entry, end));
            // The sums of the whole batch come with its first end.
            let sums = if ends { sums.take() } else { None };
            lines.push(Line { entry, links, sums });
        }
        self.statements.run(connection.sqlite()?, lines).await?;
        self.head = Some(head);
        Ok(())
    }
}
