//! Waiting for something that happens soon, without waiting longer than it takes.

use std::time::Duration;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks until there is something to see.
///
/// # Panics
/// When there is still nothing after `within`; the sentence names `what`.
pub async fn eventually<T>(
    within: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let search = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    match tokio::time::timeout(within, search).await {
        Ok(found) => found,
        Err(_) => panic!("{what}: not within {within:?}"),
    }
}
