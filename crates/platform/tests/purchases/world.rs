//! An installation that sells credit, in a folder of its own.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::id::AccountId;
use signalbox_core::plan::Plans;
use signalbox_core::{Secret, Timestamp, Usd};
use signalbox_platform::purchase::body::CheckoutBody;
use signalbox_platform::purchase::fee::Method;
use signalbox_platform::purchase::settings::{PurchaseSettings, StripeSettings};
use signalbox_platform::purchase::{Heard, RuleWish, Wish, signature};
use signalbox_platform::{Actor, By, KeyPrefix, Platform, Purchases};
use signalbox_runtime::{Clock, entropy};
use signalbox_store::Store;
use signalbox_store::payments::{Effect, Payment};

use crate::peer::Peer;

pub const SECRET: &str = "whsec_canary_webhook";
pub const KEY: &str = "sk_test_canary_key";

pub struct World {
    pub folder: tempfile::TempDir,
    pub clock: Clock,
    pub store: Store,
    pub peer: Peer,
    pub purchases: Purchases,
    pub settings: PurchaseSettings,
    pub account: AccountId,
}

pub fn by(account: &AccountId) -> By {
    By { account: account.clone(), actor: Actor::Operator("ann".to_owned()), address: None }
}

pub fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

pub fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

impl World {
    /// With a card processor.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With settings of its own.
    pub async fn with(change: impl FnOnce(&mut PurchaseSettings)) -> Self {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp::from_seconds(1_786_289_460));
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = Store::open(&url, clock.clone()).await.unwrap();
        let (peer, base_url) = Peer::start().await;
        let stripe = StripeSettings {
            base_url,
            secret_key: secret(KEY),
            webhook_secrets: vec![secret(SECRET)],
            success_url: "https://gate.example/done".to_owned(),
            cancel_url: "https://gate.example/back".to_owned(),
            automatic_tax: false,
        };
        let mut settings = PurchaseSettings { stripe: Some(stripe), ..PurchaseSettings::default() };
        change(&mut settings);
        let purchases = open(&store, &settings);
        let account = new_account(&store).await;
        Self { folder, clock, store, peer, purchases, settings, account }
    }

    /// The same rows seen by another process.
    pub async fn again(&self) -> (Store, Purchases) {
        let url = format!("sqlite://{}", self.folder.path().join("test.db").display());
        let store = Store::open(&url, self.clock.clone()).await.unwrap();
        let purchases = open(&store, &self.settings);
        (store, purchases)
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub async fn checkout(&self, amount: &str) -> CheckoutBody {
        let wish = Wish { amount: usd(amount), method: Method::Card, keep_card: true, once: None };
        self.purchases.checkout(&by(&self.account), wish).await.unwrap()
    }

    /// What the audit log has of the account, the latest first, each done by whom [`by`] says.
    pub async fn acts(&self) -> Vec<String> {
        let rows = self.store.audit_log(&self.account, None, 100).await.unwrap();
        assert!(rows.iter().all(|row| row.actor_id == "ann"));
        rows.into_iter().map(|row| row.action).collect()
    }

    pub async fn payment(&self, id: &str) -> Payment {
        self.store.any_payment(id).await.unwrap().unwrap()
    }

    /// The balance in dollars.
    pub async fn balance(&self) -> String {
        self.store.balance(&self.account).await.unwrap().unwrap().posted().to_string()
    }

    /// Hears an event that the processor signs now.
    pub async fn hear(&self, event: &Value) -> Heard {
        let body = event.to_string();
        let header = signature::sign(&secret(SECRET), body.as_bytes(), self.clock.now());
        self.purchases.hear(&header, body.as_bytes()).await.unwrap()
    }

    /// Buys credit and pays for it. Answers the payment's id.
    pub async fn buy(&self, amount: &str) -> String {
        let offer = self.checkout(amount).await;
        let heard = self.hear(&self.paid(&offer.purchase.id).await).await;
        assert_eq!(heard, Heard::Did(Effect::Done));
        offer.purchase.id
    }

    /// The event that a page was paid. Its payment is `pi_<page>`.
    pub async fn paid(&self, id: &str) -> Value {
        let payment = self.payment(id).await;
        let session = payment.session_ref.unwrap();
        let total = payment.amount.saturating_add(payment.fee).nanos() / 10_000_000;
        event(
            &format!("evt_paid_{id}"),
            "checkout.session.completed",
            json!({"id": session, "object": "checkout.session", "payment_status": "paid",
                "amount_total": total, "currency": "usd", "total_details": {"amount_tax": 0},
                "payment_intent": format!("pi_{session}"), "metadata": {"payment": id}}),
        )
    }

    /// Keeps a card and sets a rule: below $2, buy $25.
    pub async fn rule(&self) {
        let customer = self.purchases_customer().await;
        self.peer.add(json!({"id": "pm_1", "customer": customer,
            "card": {"brand": "visa", "last4": "4242"}}));
        let wish = RuleWish {
            threshold: usd("2"),
            amount: usd("25"),
            enabled: true,
            method: Some("pm_1".to_owned()),
        };
        self.purchases.set_rule(&by(&self.account), wish).await.unwrap();
    }

    async fn purchases_customer(&self) -> String {
        if self.store.customer(&self.account).await.unwrap().is_none() {
            self.checkout("10").await;
        }
        self.store.customer(&self.account).await.unwrap().unwrap().customer_ref
    }

    /// Checks every money invariant.
    pub async fn audit(&self) {
        let report = Platform::new(&self.store, KeyPrefix::default()).audit().await.unwrap();
        assert!(report.is_clean(), "{:?}", report.breaches);
    }
}

pub fn open(store: &Store, settings: &PurchaseSettings) -> Purchases {
    Purchases::new(store, settings.clone(), Plans::default()).unwrap()
}

pub async fn new_account(store: &Store) -> AccountId {
    let id = AccountId::generate(entropy::bytes());
    store.create_account(id.clone(), &format!("{id}@example.com")).await.unwrap();
    id
}

pub fn event(id: &str, kind: &str, object: Value) -> Value {
    json!({"id": id, "object": "event", "type": kind, "api_version": "2026-10-28.endive",
        "created": 1_786_289_460, "livemode": false, "data": {"object": object}})
}
