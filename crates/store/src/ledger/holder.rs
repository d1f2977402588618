//! Who is alive. A process holds an exclusive lock on a file of its own; the kernel lets go of it
//! when the process ends, however it ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signalbox_core::Timestamp;
use signalbox_core::id::AccountId;
use signalbox_runtime::entropy;

use crate::changes::{Change, announce};
use crate::error::{StoreError, one_line};
use crate::sql::{Connection, Row, query};
use crate::store::Store;
use crate::writer::Durability;

/// This process's entry among the holders.
pub(crate) struct Holder {
    id: Arc<str>,
    path: PathBuf,
    /// Keeps the lock for as long as it lives.
    _lock: File,
    retired: AtomicBool,
}

impl Drop for Holder {
    fn drop(&mut self) {
        if self.retired.load(Ordering::Relaxed) {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

fn folder(store: &Store) -> PathBuf {
    let mut name = store.path().as_os_str().to_owned();
    name.push("-holders");
    PathBuf::from(name)
}

fn failed(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Unwritable { path: path.to_owned(), reason: one_line(&error.to_string()) }
}

impl Holder {
    /// Takes a new identity: first the lock, then the row that others see.
    pub async fn register(store: &Store) -> Result<Self, StoreError> {
        let folder = folder(store);
        std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        let id: Arc<str> = hex::encode(entropy::bytes()).into();
        let path = folder.join(&*id);
        let lock = File::create(&path).map_err(|error| failed(&path, &error))?;
        lock.lock().map_err(|error| failed(&path, &error))?;
        let now = store.clock().now();
        let row = id.clone();
        store
            .write(Durability::Process, move |connection| {
                Box::pin(async move {
                    query("INSERT INTO holders (id, started_at) VALUES ($1, $2)")
                        .bind(row)
                        .bind(now.micros())
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await?;
        Ok(Self { id, path, _lock: lock, retired: AtomicBool::new(false) })
    }

    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Removes the file when this value goes: its row is gone already.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }
}

/// Whether the process with this lock file has ended.
fn is_dead(path: &Path) -> Result<bool, StoreError> {
    match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(failed(path, &error)),
        Ok(file) => Ok(file.try_lock().is_ok()),
    }
}

/// Gives back what dead processes held; answers whether living ones are there besides us.
pub(crate) async fn bury_the_dead(store: &Store, own: &Holder) -> Result<bool, StoreError> {
    let rows = query("SELECT id FROM holders WHERE id <> $1")
        .bind(own.id.clone())
        .fetch_all(store.readers())
        .await?;
    let mut others = false;
    for row in rows {
        let id: String = row.try_get(0)?;
        let path = folder(store).join(&id);
        if is_dead(&path)? {
            bury(store, &id.into()).await?;
            drop(std::fs::remove_file(path));
        } else {
            others = true;
        }
    }
    Ok(others)
}

/// Ends a holder: its open reservations end as recovered, in the customer's favour, and its leases
/// are free again.
pub(crate) async fn bury(store: &Store, id: &Arc<str>) -> Result<(), StoreError> {
    let (id, now) = (id.clone(), store.clock().now());
    store
        .write(Durability::Process, move |connection| Box::pin(give_back(connection, id, now)))
        .await
}

async fn give_back(
    connection: &mut Connection,
    id: Arc<str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ended = query(
        "UPDATE reservations SET ended_at = $1, outcome = 'recovered' \
         WHERE holder = $2 AND ended_at IS NULL",
    )
    .bind(now.micros())
    .bind(id.clone())
    .execute(&mut *connection)
    .await?
    .rows_affected();
    let leases = query("DELETE FROM leases WHERE holder = $1 RETURNING account_id, amount")
        .bind(id.clone())
        .fetch_all(&mut *connection)
        .await?;
    for lease in &leases {
        if lease.try_get::<i64, _>(1)? > 0 {
            let account = AccountId::new(lease.try_get::<String, _>(0)?);
            announce(connection, &Change::Account(account), now).await?;
        }
    }
    query("DELETE FROM holders WHERE id = $1").bind(id).execute(connection).await?;
    if ended > 0 {
        tracing::warn!(
            reservations = ended,
            "open reservations of an ended process are given back"
        );
    }
    Ok(())
}
