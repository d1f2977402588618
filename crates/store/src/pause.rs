//! Holding back what is written, to see what waits for it.

use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::store::Store;
use crate::writer::Durability;

/// Nothing is written for as long as it lives; what comes meanwhile waits in its order.
#[derive(Debug)]
pub struct Pause(Option<oneshot::Sender<()>>);

impl Drop for Pause {
    fn drop(&mut self) {
        if let Some(go_on) = self.0.take() {
            // A store that is gone writes nothing anyway.
            let _ = go_on.send(());
        }
    }
}

impl Store {
    /// Stops the writer, inside a transaction of its own, until the guard is dropped. For tests.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn pause(&self) -> Result<Pause, StoreError> {
        let (go_on, wait) = oneshot::channel::<()>();
        let (stopped, is_stopped) = oneshot::channel::<()>();
        let store = self.clone();
        let held = async move {
            store
                .write(Durability::Process, move |_connection| {
                    Box::pin(async move {
                        let _ = stopped.send(());
                        // Dropped or sent, both say to go on.
                        drop(wait.await);
                        Ok(())
                    })
                })
                .await
        };
        drop(signalbox_runtime::task::spawn("pause", held));
        is_stopped.await.map_err(|_| StoreError::Closed)?;
        Ok(Pause(Some(go_on)))
    }
}
