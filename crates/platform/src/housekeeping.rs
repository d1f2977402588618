//! What a gateway does by itself once a day, and when it starts: credit that is too old ends.
//!
//! Every process of an installation does it. A credit ends in one transaction under an id of its own,
//! so that it ends once, whoever is first.

use std::time::Duration;

use signalbox_core::Timestamp;
use tokio::time::MissedTickBehavior;

use crate::money::ExpiryDone;
use crate::{Platform, PlatformError};

/// Time between two looks at the clock.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Time until what could not be done is tried again.
const AGAIN_AFTER_MILLIS: i64 = 60 * 60 * 1000;

/// The housekeeping of one process.
#[derive(Debug, Clone)]
pub struct Housekeeping {
    platform: Platform,
    /// The day (its start, UTC) whose work is done.
    done: Option<Timestamp>,
    /// When it may be tried again, where some of the day's work is left.
    again_at: Option<Timestamp>,
}

impl Housekeeping {
    /// That of a process that has just started; `None` where the configuration has nothing to do.
    #[must_use]
    pub fn new(platform: &Platform) -> Option<Self> {
        platform.settings.expire_after_days?;
        Some(Self { platform: platform.clone(), done: None, again_at: None })
    }

    /// Keeps house for ever.
    pub async fn run(mut self) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            match self.round().await {
                Ok(Some(done)) if done.credits > 0 || done.accounts_in_use > 0 => {
                    let (credits, amount, in_use) =
                        (done.credits, done.amount, done.accounts_in_use);
                    tracing::info!(credits, %amount, in_use, "old credit has ended");
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "old credit could not be ended"),
            }
        }
    }

    /// Does what is due at this time of day; nothing until the next day once all of it is done. Accounts
    /// whose credit was in use are looked at again after an hour, and so is everything after an error.
    /// A clock that steps back makes nothing due.
    ///
    /// # Errors
    /// [`PlatformError::Store`]
    pub async fn round(&mut self) -> Result<Option<ExpiryDone>, PlatformError> {
        let now = self.platform.store().clock().now();
        let today = now.day_start();
        let waits = self.again_at.is_some_and(|again_at| now < again_at);
        if self.done.is_some_and(|done| done >= today) || waits {
            return Ok(None);
        }
        self.again_at = Some(now.plus_millis(AGAIN_AFTER_MILLIS));
        let done = self.platform.expire_credits().await?;
        if done.accounts_in_use == 0 {
            (self.done, self.again_at) = (Some(today), None);
        }
        Ok(Some(done))
    }
}
