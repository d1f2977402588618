//! The apps that call, as their requests name them (inference spec 20). They are written down beside
//! the requests: nobody waits for it, and what can't be written is written another time.

use moka::future::Cache;
use signalbox_core::attribution::{app_url, is_local};
use signalbox_runtime::{Clock, task};
use signalbox_store::Store;
use tokio::sync::mpsc;

use crate::inbound::RequestHead;
use crate::limit::Window;

/// Most apps that are remembered as written.
const REMEMBERED: u64 = 10_000;
/// Apps that wait to be written.
const WAITING: usize = 256;
/// Apps that are written in a minute: what a request says of itself may not fill the database.
const A_MINUTE: u32 = 60;

/// What a request says of its app.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    title: Option<String>,
    categories: Vec<&'static str>,
}

/// The apps that are known to be written down.
#[derive(Debug)]
pub(crate) struct Apps {
    known: Cache<String, Said>,
    window: Window,
    queue: mpsc::Sender<(String, Said)>,
}

impl Apps {
    pub(crate) fn new(store: &Store) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        drop(task::spawn("apps", write(store.clone(), waiting)));
        let known = Cache::builder().max_capacity(REMEMBERED).build();
        Self { known, window: Window::default(), queue }
    }

    /// Notes the app of a request, if it names one. One on its user's own machine needs a title.
    pub(crate) async fn note(&self, head: &RequestHead, clock: &Clock) {
        let Some(url) = head.referer.as_deref().and_then(app_url) else { return };
        if head.title.is_none() && is_local(&url) {
            return;
        }
        let said = Said { title: head.title.clone(), categories: head.categories.clone() };
        if self.known.get(&url).await.as_ref() == Some(&said) {
            return;
        }
        let may = self.window.take(A_MINUTE, clock.now()).is_ok();
        if may && self.queue.try_send((url.clone(), said.clone())).is_ok() {
            self.known.insert(url, said).await;
        }
    }
}

async fn write(store: Store, mut waiting: mpsc::Receiver<(String, Said)>) {
    while let Some((url, said)) = waiting.recv().await {
        if let Err(error) = store.app_seen(url, said.title, said.categories).await {
            tracing::warn!(%error, "an app could not be written down");
        }
    }
}
