//! Requests with an `Idempotency-Key`: one effect, one answer, for ever.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use signalbox_core::id::{AccountId, GenerationId};
use signalbox_core::{ApiError, ErrorKind, Timestamp};
use signalbox_store::StoreError;
pub use signalbox_store::idempotency::{Answer, Once};
use signalbox_store::idempotency::{Begun, Generating};

use crate::{Platform, PlatformError};

/// Longest key.
const MAX_KEY: usize = 255;
/// Time between two tries to keep an answer.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// After this time without an answer the process that began is taken for dead.
const STALE_MILLIS: u64 = 60_000;

/// What makes a request the same one: its account, its key, its route and its body.
///
/// # Errors
/// 400 for a key that is empty, longer than 255 characters or not plain ASCII.
pub fn request(account: &AccountId, key: &str, route: &str, body: &[u8]) -> Result<Once, ApiError> {
    if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "Idempotency-Key: 1 to 255 visible ASCII characters";
        return Err(ApiError::invalid(message));
    }
    let mut digest = Sha256::new();
    digest.update(route);
    digest.update("\n");
    digest.update(body);
    Ok(Once {
        account: account.clone(),
        key: key.to_owned(),
        request_hash: hex::encode(digest.finalize()),
    })
}

/// An answer that is no success.
pub trait Unsuccessful: From<ApiError> {
    /// Whether it is sure that nothing happened.
    fn did_nothing(&self) -> bool;
}

impl Unsuccessful for ApiError {
    fn did_nothing(&self) -> bool {
        self.status() < 500 && self.kind != ErrorKind::Timeout
    }
}

fn busy() -> ApiError {
    let message = "A request with this Idempotency-Key is being worked on";
    let mut error = ApiError::invalid(message).with_status(409);
    error.retry_after = Some(1);
    error
}

impl Platform {
    /// The answer that a request got before.
    ///
    /// # Errors
    /// 422 for a key of another request.
    pub async fn answered_once(&self, once: &Once) -> Result<Option<Answer>, ApiError> {
        Ok(self.store().answered_once(once).await.map_err(PlatformError::from)?)
    }

    /// Claims a request for a generation of this process; an answer that it got before is given again.
    ///
    /// # Errors
    /// 409 while another one is at it, and when the answer was charged and lost with its process; 422 for
    /// a key of another request.
    pub async fn begin_generation(
        &self,
        once: Once,
        holder: Arc<str>,
        id: GenerationId,
    ) -> Result<Option<Answer>, ApiError> {
        let begun = self.store().begin_generation(once, holder, id).await;
        match begun.map_err(PlatformError::from)? {
            Generating::First => Ok(None),
            Generating::Done(answer) => Ok(Some(answer)),
            Generating::UnderWay => Err(busy()),
            Generating::Lost(id) => {
                let message = format!(
                    "This request was answered and charged as {id}; the answer was lost with the \
                     process that had it. Use another Idempotency-Key to ask again"
                );
                Err(ApiError::invalid(message).with_status(409))
            }
        }
    }

    /// Ends the claim of a generation: with its answer, or without one when nothing was charged. A
    /// database that is away is tried again until it is back.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn end_generation(&self, once: Once, answer: Option<Answer>) -> Result<(), ApiError> {
        let store = self.store();
        loop {
            let done = match answer.clone() {
                Some(answer) => store.finish_once(once.clone(), answer).await.map(drop),
                None => store.forget_once(once.clone()).await,
            };
            match done {
                Err(StoreError::Unavailable(_)) => tokio::time::sleep(AGAIN_AFTER).await,
                done => return Ok(done.map_err(PlatformError::from)?),
            }
        }
    }

    /// Does something outside of the database once for a request, and remembers the answer. While
    /// another one is at it the answer is 409; when that one is gone for a minute, it is done again:
    /// `effect` must name what it does after the request, so that it happens once there, too, and is
    /// told when the request first began. A refusal is no effect and is not remembered.
    ///
    /// # Errors
    /// 409, 422 for a key of another request, those of `effect`.
    pub async fn once<E, F>(
        &self,
        once: Option<Once>,
        effect: impl FnOnce(Option<Timestamp>) -> F,
    ) -> Result<Answer, E>
    where
        E: Unsuccessful,
        F: Future<Output = Result<Answer, E>>,
    {
        let Some(once) = once else { return effect(None).await };
        let (store, told) = (self.store(), |error| ApiError::from(PlatformError::from(error)));
        let before = match store.begin_once(once.clone()).await.map_err(told)? {
            Begun::Done(answer) => return Ok(answer),
            Begun::First => None,
            Begun::Unfinished(since) => {
                let fresh = store.clock().now().millis_since(since) < STALE_MILLIS;
                if fresh || !store.renew_once(once.clone(), since).await.map_err(told)? {
                    return Err(busy().into());
                }
                Some(since)
            }
        };
        match effect(before).await {
            Ok(answer) => Ok(store.finish_once(once, answer).await.map_err(told)?),
            Err(error) => {
                if error.did_nothing() {
                    store.forget_once(once).await.map_err(told)?;
                }
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_its_route_and_body_and_a_key_is_plain() {
        let account = AccountId::new("acc_1");
        let hash = |route: &str, body: &str| {
            request(&account, "k", route, body.as_bytes()).unwrap().request_hash
        };
        assert_eq!(hash("a", "b"), hash("a", "b"));
        assert_ne!(hash("a", "b"), hash("a", "c"));
        assert_ne!(hash("a", "b"), hash("c", "b"));
        for key in ["", "a b", "ü", "a\n", &"x".repeat(256)] {
            assert_eq!(request(&account, key, "a", b"").unwrap_err().status(), 400, "{key}");
        }
        assert!(request(&account, &"x".repeat(255), "a", b"").is_ok());
    }
}
