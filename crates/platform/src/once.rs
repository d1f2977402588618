//! Requests with an `Idempotency-Key`: one effect, one answer, for ever.

use std::future::Future;

use sha2::{Digest, Sha256};
use signalbox_core::id::AccountId;
use signalbox_core::{ApiError, ErrorKind};
use signalbox_store::idempotency::Begun;
pub use signalbox_store::idempotency::{Answer, Once};

use crate::{Platform, PlatformError};

/// Longest key.
const MAX_KEY: usize = 255;
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

impl Platform {
    /// Does something outside of the database once for a request, and remembers the answer. While
    /// another one is at it the answer is 409; when that one is gone for a minute, it is done again:
    /// `effect` must name what it does after the request, so that it happens once there, too. A
    /// refusal (below 500) is no effect and is not remembered.
    ///
    /// # Errors
    /// 409, 422 for a key of another request, those of `effect`.
    pub async fn once<F>(&self, once: Option<Once>, effect: F) -> Result<Answer, ApiError>
    where
        F: Future<Output = Result<Answer, ApiError>>,
    {
        let Some(once) = once else { return effect.await };
        let store = self.store();
        match store.begin_once(once.clone()).await.map_err(PlatformError::from)? {
            Begun::Done(answer) => return Ok(answer),
            Begun::Unfinished(since) if store.clock().now().millis_since(since) < STALE_MILLIS => {
                let message = "A request with this Idempotency-Key is being worked on";
                let mut error = ApiError::invalid(message).with_status(409);
                error.retry_after = Some(1);
                return Err(error);
            }
            Begun::First | Begun::Unfinished(_) => {}
        }
        match effect.await {
            Ok(answer) => Ok(store.finish_once(once, answer).await.map_err(PlatformError::from)?),
            Err(error) => {
                if error.status() < 500 && error.kind != ErrorKind::Timeout {
                    store.forget_once(once).await.map_err(PlatformError::from)?;
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
