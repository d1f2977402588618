//! Who is alive. A process holds an exclusive lock on a file of its own; the kernel lets go of it
//! when the process ends, however it ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signalbox_runtime::entropy;

use crate::error::{StoreError, one_line};
use crate::sql::{Row, query};
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

/// The processes that have ended, besides this one.
pub(crate) async fn dead(store: &Store, own: &Holder) -> Result<Vec<Arc<str>>, StoreError> {
    let rows = query("SELECT id FROM holders WHERE id <> $1")
        .bind(own.id.clone())
        .fetch_all(store.readers())
        .await?;
    let mut dead = Vec::new();
    for row in rows {
        let id: String = row.try_get(0)?;
        if is_dead(&folder(store).join(&id))? {
            dead.push(id.into());
        }
    }
    Ok(dead)
}

/// Removes the lock file of a process that was buried.
pub(crate) fn forget(store: &Store, id: &str) {
    drop(std::fs::remove_file(folder(store).join(id)));
}
