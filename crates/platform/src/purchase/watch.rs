//! What happens by itself: balances are watched, attempts and refunds that a process left behind are
//! gone on with, orders end.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use signalbox_core::Usd;
use signalbox_core::id::AccountId;
use signalbox_store::payments::Rule;
use tokio::time::MissedTickBehavior;

use super::{PurchaseError, Purchases};

/// Time between two looks at balances in memory: how long after a settlement a top-up begins at most.
const GLANCE: Duration = Duration::from_secs(1);
/// Time between two looks at everything, rows included.
const ROUND: Duration = Duration::from_secs(60);
/// Time in which one account is looked at in the rows once at most because of what memory says.
const AGAIN: Duration = Duration::from_secs(10);
/// Age in milliseconds from which an attempt or a refund is no longer under way.
const LEFT_BEHIND: i64 = 120 * 1000;
/// How long a crypto order is open, in milliseconds.
const ORDER_LIFE: i64 = 3 * 24 * 60 * 60 * 1000;

/// What can be spent of an account, as far as this process knows without asking anybody.
pub type Available = Arc<dyn Fn(&AccountId) -> Option<Usd> + Send + Sync>;

/// The watcher of one process. It adds nothing to any request: it looks at memory once a second.
#[derive(Clone)]
pub struct Watch {
    purchases: Purchases,
    available: Available,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    /// A watcher that asks `available` what memory knows.
    #[must_use]
    pub fn new(purchases: &Purchases, available: Available) -> Self {
        Self { purchases: purchases.clone(), available }
    }

    /// Watches for ever.
    pub async fn run(self) {
        let mut glance = tokio::time::interval(GLANCE);
        glance.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let clock = self.purchases.store().clock().clone();
        let mut rules = Vec::new();
        let mut round_at = None;
        let mut looked: HashMap<AccountId, Duration> = HashMap::new();
        loop {
            glance.tick().await;
            let now = clock.monotonic();
            if round_at.is_none_or(|at| now.saturating_sub(at) >= ROUND) {
                round_at = Some(now);
                looked.clear();
                self.purchases.round().await;
            }
            // One small read a second, so that a new rule counts at once in every process.
            match self.purchases.store().top_up_rules().await {
                Ok(found) => rules = found,
                Err(error) => tracing::warn!(%error, "the top-up rules could not be read"),
            }
            for rule in rules.iter().filter(|rule| self.is_low(rule)) {
                let recent = looked.get(&rule.account);
                if recent.is_some_and(|at| now.saturating_sub(*at) < AGAIN) {
                    continue;
                }
                looked.insert(rule.account.clone(), now);
                self.purchases.look_and_tell(&rule.account).await;
            }
        }
    }

    fn is_low(&self, rule: &Rule) -> bool {
        rule.attempt.is_none()
            && (self.available)(&rule.account).is_some_and(|available| available < rule.threshold)
    }
}

impl Purchases {
    /// Looks at everything once: every rule, attempts and refunds that were left behind, money to be
    /// taken back, orders that end.
    pub async fn round(&self) {
        self.collect_open().await;
        if self.0.stripe.is_some()
            && let Err(error) = self.round_of_cards().await
        {
            tracing::warn!(%error, "purchases could not be gone on with");
        }
        let before = self.store().clock().now().plus_millis(-ORDER_LIFE);
        if let Err(error) = self.store().expire_orders(before).await {
            tracing::warn!(%error, "old orders could not be ended");
        }
    }

    async fn round_of_cards(&self) -> Result<(), PurchaseError> {
        self.resume_refunds(LEFT_BEHIND).await?;
        for attempt in self.store().open_attempts().await? {
            if let Err(error) = self.resume_attempt(&attempt, LEFT_BEHIND).await {
                tracing::warn!(payment = %attempt, %error, "a top-up is asked for again later");
            }
        }
        for rule in self.store().top_up_rules().await? {
            self.look_and_tell(&rule.account).await;
        }
        Ok(())
    }

    async fn look_and_tell(&self, account: &AccountId) {
        if let Err(error) = self.look(account).await {
            tracing::warn!(%account, %error, "an automatic top-up could not be made");
        }
    }
}
