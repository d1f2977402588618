//! Requests per minute of one key or account, counted in memory.

use std::sync::{Mutex, PoisonError};

use signalbox_core::error::RateLimit;
use signalbox_core::{ApiError, ErrorKind, Timestamp};

/// The requests of one calendar minute.
#[derive(Debug, Default)]
pub struct Window(Mutex<Count>);

#[derive(Debug, Default)]
struct Count {
    minute: i64,
    requests: u32,
}

impl Window {
    /// Counts a request, or refuses it when the minute is used up. A limit of 0 refuses all.
    ///
    /// # Errors
    /// The figures of the minute that is used up.
    pub fn take(&self, limit: u32, now: Timestamp) -> Result<(), RateLimit> {
        let minute = now.seconds().div_euclid(60);
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if count.minute != minute {
            *count = Count { minute, requests: 0 };
        }
        if count.requests < limit {
            count.requests = count.requests.saturating_add(1);
            return Ok(());
        }
        let end = minute.saturating_add(1).saturating_mul(60);
        Err(RateLimit { limit, remaining: 0, reset_millis: end.saturating_mul(1000) })
    }
}

/// The refusal of a key whose minute is used up.
pub(crate) fn refused(limit: RateLimit, now: Timestamp) -> ApiError {
    let text = format!("Rate limit exceeded: {} requests per minute for this key", limit.limit);
    let mut error = ApiError::new(ErrorKind::RateLimitExceeded, text);
    let wait = limit.reset_millis.div_euclid(1_000).saturating_sub(now.seconds());
    error.retry_after = u64::try_from(wait).ok();
    error.rate_limit = Some(limit);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_admits_its_limit_and_the_next_starts_anew() {
        let window = Window::default();
        let at = Timestamp::from_seconds;
        assert!(window.take(2, at(120)).is_ok());
        assert!(window.take(2, at(150)).is_ok());
        let limit = window.take(2, at(170)).unwrap_err();
        let error = refused(limit, at(170));
        assert_eq!((error.kind.status(), error.retry_after), (429, Some(10)));
        assert_eq!(error.rate_limit.unwrap().reset_millis, 180_000);
        assert!(window.take(2, at(180)).is_ok());
        assert!(window.take(0, at(300)).is_err(), "a limit of 0 always refuses");
    }
}
