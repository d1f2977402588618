//! Names of people and addresses: what a recogniser finds in a body, within its deadline. A request goes on
//! without what comes late or fails (platform spec 7.6).

mod analyzer;

use std::sync::Arc;
use std::time::Duration;

use signalbox_dialect::texts;
use signalbox_guard::{Builtin, Named, Screen};
use tokio::sync::Semaphore;

pub use analyzer::Analyzer;

use crate::open::Opened;
use crate::screen::body;

/// Most requests that are looked at at once; the others wait, within their deadlines.
const AT_ONCE: usize = 16;
/// Most finds of one request that count.
const MAX_NAMED: usize = 10_000;

/// A recogniser, and how long a request waits for it.
#[derive(Debug, Clone)]
pub struct Recognition {
    analyzer: Analyzer,
    deadline: Duration,
    places: Arc<Semaphore>,
}

impl Recognition {
    /// A recogniser that a request waits for at most so long.
    #[must_use]
    pub fn new(analyzer: Analyzer, deadline: Duration) -> Self {
        Self { analyzer, deadline, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// What of the screen's names is in a body, as far as it was found in time.
    pub(crate) async fn find(&self, screen: &Screen, opened: &Opened) -> Vec<Named> {
        let wanted: Vec<Builtin> = screen.named().collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let texts = texts::texts(&opened.document, body(opened.surface));
        let texts: Vec<&str> = texts.iter().map(texts::Text::text).collect();
        let mut found = Vec::new();
        let look = async {
            let _place = self.places.acquire().await;
            for call in analyzer::calls(&texts) {
                match self.analyzer.analyze(&call, &wanted).await {
                    Ok(more) => found.extend(more),
                    Err(fault) => {
                        tracing::warn!(%fault, "names were not looked for");
                        return;
                    }
                }
                if found.len() > MAX_NAMED {
                    return found.truncate(MAX_NAMED);
                }
            }
        };
        if tokio::time::timeout(self.deadline, look).await.is_err() {
            tracing::warn!("names were not looked for: the recogniser took too long");
        }
        found
    }
}
