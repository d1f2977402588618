//! A timer that is set anew again and again without being made anew.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Elapses once the time it was last set to has passed.
#[derive(Debug)]
pub struct Timer {
    sleep: Pin<Box<Sleep>>,
}

#[expect(clippy::disallowed_methods, reason = "a timer needs the instant it starts from")]
fn instant(after: Duration) -> Instant {
    Instant::now() + after
}

impl Timer {
    /// A timer that elapses after this time.
    #[must_use]
    pub fn new(after: Duration) -> Self {
        Self { sleep: Box::pin(tokio::time::sleep_until(instant(after))) }
    }

    /// Starts again.
    pub fn set(&mut self, after: Duration) {
        self.sleep.as_mut().reset(instant(after));
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_is_set_again_waits_again() {
        let mut timer = Timer::new(Duration::from_secs(1));
        timer.set(Duration::from_secs(5));
        assert!(tokio::time::timeout(Duration::from_secs(4), &mut timer).await.is_err());
        assert!(tokio::time::timeout(Duration::from_secs(2), &mut timer).await.is_ok());
    }
}
