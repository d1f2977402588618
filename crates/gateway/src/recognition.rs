//! Names of people and addresses: what a recogniser finds in a body, within its deadline. A request goes on
//! without what comes late, fails, or finds nobody free to look (platform spec 7.6).

use std::sync::Arc;
use std::time::Duration;

use signalbox_dialect::texts;
use signalbox_guard::{Builtin, Named, Recognizer, Screen};
use signalbox_runtime::task;
use tokio::sync::Semaphore;

use crate::open::Opened;
use crate::screen::body;

/// Most requests that are looked at at once: one that hangs keeps its place.
const AT_ONCE: usize = 16;
/// Most finds of one request that count.
const MAX_NAMED: usize = 10_000;

/// A recogniser, and how long a request waits for it.
#[derive(Debug, Clone)]
pub struct Recognition {
    recognizer: Arc<dyn Recognizer>,
    deadline: Duration,
    places: Arc<Semaphore>,
}

impl Recognition {
    /// A recogniser that a request waits for at most so long.
    #[must_use]
    pub fn new(recognizer: Arc<dyn Recognizer>, deadline: Duration) -> Self {
        Self { recognizer, deadline, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// What of the screen's names is in a body.
    pub(crate) async fn find(&self, screen: &Screen, opened: &Opened) -> Vec<Named> {
        let wanted: Vec<Builtin> = screen.named().collect();
        let Some(texts) = (!wanted.is_empty()).then(|| texts_of(opened)) else {
            return Vec::new();
        };
        let places = Arc::clone(&self.places);
        let recognizer = Arc::clone(&self.recognizer);
        let look = async move {
            let place = places.acquire_owned().await.ok()?;
            let look = move || {
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                let found = recognizer.recognize(&texts, &wanted);
                drop(place);
                found.inspect_err(|fault| tracing::warn!(%fault, "names were not looked for")).ok()
            };
            task::blocking("recogniser", look).await.flatten()
        };
        let Ok(found) = tokio::time::timeout(self.deadline, look).await else {
            tracing::warn!("names were not looked for: the recogniser took too long");
            return Vec::new();
        };
        let mut found = found.unwrap_or_default();
        found.truncate(MAX_NAMED);
        found
    }
}

/// The texts of a body as the screen will see them.
fn texts_of(opened: &Opened) -> Vec<String> {
    let texts = texts::texts(&opened.document, body(opened.surface));
    texts.iter().map(|one| one.text().to_owned()).collect()
}
