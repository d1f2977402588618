//! Events of the card processor: believed when they are signed, kept for ever, of one effect each.

use signalbox_store::payments::{Effect, EventMark, Missed, Noted, Rail, Receipt, Refs, Told};

use super::news::{News, Says};
use super::{PurchaseError, Purchases, news, signature, top_up};

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// There is no secret: there are no webhooks here.
    NoSecret,
    /// It is not signed by the processor, or not of this time: the reason.
    Forged(signature::Forged),
    /// It is signed, and no event.
    NoEvent,
    /// It is kept.
    Kept,
    /// It did this.
    Did(Effect),
}

impl Purchases {
    /// Whether webhooks are listened to.
    #[must_use]
    pub fn hears_webhooks(&self) -> bool {
        let stripe = self.0.settings.stripe.as_ref();
        stripe.is_some_and(|stripe| !stripe.webhook_secrets.is_empty())
    }

    /// Whether there is a card processor whose webhooks can't be believed, for want of a secret.
    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.0.settings.stripe.is_some() && !self.hears_webhooks()
    }

    /// Hears a webhook: the raw body and its signature header.
    ///
    /// # Errors
    /// [`PurchaseError::Store`]: the sender is to try again.
    pub async fn hear(&self, header: &str, body: &[u8]) -> Result<Heard, PurchaseError> {
        let Some(stripe) = self.0.settings.stripe.as_ref().filter(|_| self.hears_webhooks()) else {
            return Ok(Heard::NoSecret);
        };
        let now = self.store().clock().now();
        if let Err(forged) = signature::verify(&stripe.webhook_secrets, header, body, now) {
            return Ok(Heard::Forged(forged));
        }
        let Ok(news) = news::read(body) else { return Ok(Heard::NoEvent) };
        let heard = self.follow(news).await?;
        Ok(heard)
    }

    async fn follow(&self, news: News) -> Result<Heard, PurchaseError> {
        if let Some((customer, card)) = news.card {
            self.store().keep_method(&customer, card, None).await?;
        }
        let event = news.event;
        let kind = event.kind.clone();
        let id = event.id.clone();
        let effect = match news.says {
            Says::Nothing => {
                self.store().keep_event(event).await?;
                return Ok(Heard::Kept);
            }
            Says::Paid { refs, currency, total, tax } => {
                let event = Some(event);
                let receipt = Receipt { event, refs, rail: Rail::Stripe, currency, total, tax };
                self.pay(receipt).await?
            }
            Says::Missed { refs, status, reason } => {
                let (most_failures, retry_at) = top_up::patience(self.store().clock().now());
                let event = Some(event);
                let missed = Missed { event, refs, status, reason, most_failures, retry_at };
                self.store().miss(missed).await?
            }
            Says::Reversed { kind, processor_ref, ours, refs, amount, currency } => {
                let told = Reversed { kind, processor_ref, ours };
                self.reversed(event, told, refs, |event, told, refs| Noted {
                    event,
                    kind: told.kind,
                    processor_ref: told.processor_ref,
                    refs,
                    amount,
                    currency,
                })
                .await?
            }
            Says::CalledOff { id, reason } => {
                self.store().call_off(Some(event), &id, &reason).await?
            }
        };
        match effect {
            Effect::Mismatch(reason) => {
                tracing::warn!(event = %id, kind, reason, "a payment does not fit its order");
            }
            effect => tracing::info!(event = %id, kind, effect = effect.name(), "a payment event"),
        }
        Ok(Heard::Did(effect))
    }

    /// Puts a payment's credit into its account, and takes from it at once what was taken back before.
    pub(super) async fn pay(&self, receipt: Receipt) -> Result<Effect, PurchaseError> {
        let effect = self.store().pay(receipt).await?;
        if effect == Effect::Done {
            self.collect_open().await;
        }
        Ok(effect)
    }

    async fn reversed(
        &self,
        event: EventMark,
        told: Reversed,
        refs: Refs,
        noted: impl FnOnce(EventMark, Reversed, Refs) -> Noted,
    ) -> Result<Effect, PurchaseError> {
        if let Some(ours) = &told.ours {
            let event = event.clone();
            let done = self.store().confirm_refund(event, ours, &told.processor_ref).await?;
            if done != Effect::Unknown {
                return Ok(done);
            }
        }
        let effect = self.store().note_reversal(noted(event, told, refs)).await?;
        if effect == Effect::Waits {
            self.collect_open().await;
        }
        Ok(effect)
    }
}

struct Reversed {
    kind: Told,
    processor_ref: String,
    ours: Option<String>,
}
