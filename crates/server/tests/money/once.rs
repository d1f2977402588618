//! Test 29, `money::idempotency_key`: for every route whose row says that a request is answered once,
//! the same body has one effect and one answer, in parallel and for ever; another body is refused; the
//! key of another account is another key. A new row without a case here fails.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::{Secret, Timestamp, Usd};
use signalbox_platform::purchase::settings::{Address, CryptoSettings, StripeSettings};
use signalbox_platform::{Actor, By, IssuedAccount, NewVoucher, PurchaseSettings};
use signalbox_runtime::{Clock, task};
use signalbox_server::{Again, Route, routes};
use signalbox_store::payments::{Payment, Rail, Receipt, Refs, Status};
use signalbox_testkit::{Caller, Offer, Reply, Setup, TestServer};

use crate::peer::Peer;
use crate::speech::typed_error;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

struct Site {
    server: TestServer,
    bob: IssuedAccount,
    peer: Peer,
    next: std::cell::Cell<usize>,
}

/// A request that can be made once, and one that is another.
struct Wish {
    path: String,
    body: Value,
    other: Value,
    /// How many rows it adds to transfers, purchases and tax numbers.
    effects: usize,
}

impl Site {
    async fn new(clock: &Clock, database: Option<String>) -> Self {
        let (peer, base_url) = Peer::start().await;
        let secret = |text: &str| Secret::new(text.to_owned());
        let stripe = StripeSettings {
            base_url,
            secret_key: secret("sk_test_canary"),
            webhook_secrets: vec![secret("whsec_canary")],
            success_url: "https://gate.example/done".to_owned(),
            cancel_url: "https://gate.example/back".to_owned(),
            automatic_tax: false,
        };
        let crypto = CryptoSettings {
            rpc_url: secret("http://127.0.0.1:9"),
            chain_id: 8453,
            token: Address::read(&format!("0x{}", "2".repeat(40))).unwrap(),
            recipient: Address::read(&format!("0x{}", "1".repeat(40))).unwrap(),
            confirmations: 12,
        };
        let purchases = PurchaseSettings {
            stripe: Some(stripe),
            crypto: Some(crypto),
            ..PurchaseSettings::default()
        };
        let clock = clock.clone();
        let setup = Setup { clock, database, purchases, ..Setup::default() };
        let server = TestServer::start_as(Offer::new(), setup).await;
        let bob = server.account("bob@example.com", "5").await;
        Self { server, bob, peer, next: std::cell::Cell::new(0) }
    }

    fn number(&self) -> usize {
        self.next.set(self.next.get() + 1);
        self.next.get()
    }

    async fn voucher(&self) -> String {
        let wanted = NewVoucher {
            amount: "2.5".parse().unwrap(),
            uses: 50,
            expires_at: None,
            reason: "fair".to_owned(),
            operator: "ops".to_owned(),
        };
        self.server.platform.create_voucher(wanted).await.unwrap().code
    }

    /// A purchase that was paid.
    async fn paid(&self, rail: Rail) -> String {
        let (store, id) = (self.server.platform.store(), format!("pay_{}", self.number()));
        let currency = if rail == Rail::Crypto { "usdc" } else { "usd" };
        let payment = Payment {
            id: id.clone(),
            account: self.server.owner.account_id.clone(),
            rail,
            status: Status::Open,
            amount: "20".parse().unwrap(),
            fee: "1.1".parse().unwrap(),
            tax: Usd::ZERO,
            refunded: Usd::ZERO,
            currency: currency.to_owned(),
            automatic: false,
            session_ref: None,
            intent_ref: None,
            failure: None,
            receipt_url: None,
            created_at: store.clock().now(),
            paid_at: None,
        };
        let actor = Actor::Operator("test".to_owned());
        let by = By { account: payment.account.clone(), actor, address: None };
        store.create_payment(by, payment).await.unwrap();
        let intent = match rail {
            Rail::Crypto => format!("8453:{}:0", transaction(self.next.get())),
            _ => format!("pi_{id}"),
        };
        let made = json!({"id": intent, "status": "succeeded", "amount": 2110, "currency": "usd",
            "amount_received": 2110, "metadata": {"payment": id}});
        self.peer.add(made);
        let receipt = Receipt {
            event: None,
            refs: Refs { payment: Some(id.clone()), session: None, intent: Some(intent) },
            rail,
            currency: currency.to_owned(),
            total: "21.1".parse().unwrap(),
            tax: Usd::ZERO,
        };
        store.pay(receipt).await.unwrap();
        id
    }

    /// The case of a route. One that moves money and has none fails here.
    async fn wish(&self, route: &Route) -> Wish {
        let path = route.path.to_owned();
        let wish = |body: Value, other: Value| Wish { path: path.clone(), body, other, effects: 1 };
        let of_payment = |id: &str| path.replace("{id}", id);
        match route.path {
            "/api/v1/credits/redeem" => {
                wish(json!({"code": self.voucher().await}), json!({"code": self.voucher().await}))
            }
            "/api/v1/credits/transfer" => {
                self.paid(Rail::Stripe).await;
                let give = |amount| json!({"account_id": self.bob.account_id, "amount": amount});
                wish(give(1), give(2))
            }
            "/api/v1/credits/checkout" => wish(json!({"amount": 20}), json!({"amount": 30})),
            "/api/v1/credits/purchases/{id}/refund" => {
                let path = of_payment(&self.paid(Rail::Stripe).await);
                Wish { path, ..wish(json!({}), json!({"all": true})) }
            }
            "/api/v1/credits/purchases/{id}/reconcile" => {
                let path = of_payment(&self.paid(Rail::Stripe).await);
                Wish { path, effects: 0, ..wish(json!({}), json!({"all": true})) }
            }
            "/api/v1/credits/crypto" => {
                let payment = self.paid(Rail::Crypto).await;
                let claim = |nth| json!({"payment_id": payment, "transaction": transaction(nth)});
                Wish { effects: 0, ..wish(claim(self.next.get()), claim(0)) }
            }
            "/api/v1/credits/tax-ids" => {
                let number = |nth: usize| json!({"type": "eu_vat", "value": format!("DE{nth}")});
                wish(number(self.number()), number(self.number()))
            }
            other => panic!("POST {other} is answered once by its row and has no case here"),
        }
    }

    /// How many things have happened.
    async fn effects(&self) -> usize {
        let store = self.server.platform.store();
        let mut count = store.facts().await.unwrap().transfers.len();
        for account in [&self.server.owner.account_id, &self.bob.account_id] {
            let (_, payments) = store.payments_of(account, 0, 1).await.unwrap();
            count += usize::try_from(payments).unwrap();
            count += store.tax_ids(account).await.unwrap().len();
        }
        count
    }

    fn keyed(&self, key: &str) -> Caller {
        self.server.manager().with("idempotency-key", key)
    }
}

fn transaction(nth: usize) -> String {
    format!("0x{nth:064x}")
}

fn good(reply: &Reply, path: &str) -> Value {
    assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
    reply.json()
}

/// One after the other: the same, another, another account's, and much later.
async fn in_turn(site: &Site, clock: &Clock, route: &Route, key: &str) {
    let wish = site.wish(route).await;
    let (path, keyed) = (wish.path.as_str(), site.keyed(key));
    // What is refused leaves the key as good as new.
    let broken = keyed.send(route.verb.method(), path, "{".into()).await;
    let reads_its_body = broken.status != 200;
    assert!(!reads_its_body || broken.status == 400, "{path}: {}", broken.status);
    let keyed = if reads_its_body { keyed } else { site.keyed(&format!("{key}-b")) };
    let wish = if reads_its_body { wish } else { site.wish(route).await };
    let path = wish.path.as_str();

    let before = site.effects().await;
    let first = good(&keyed.post(path, &wish.body).await, path);
    assert_eq!(site.effects().await - before, wish.effects, "{path}");
    for days in [0, 1, 31] {
        clock.advance(Duration::from_secs(days * 86_400));
        assert_eq!(good(&keyed.post(path, &wish.body).await, path), first, "{path} {days} days on");
        typed_error(&keyed.post(path, &wish.other).await, 422, "unprocessable");
    }
    assert_eq!(site.effects().await - before, wish.effects, "{path}");
    let elsewhere = if path.ends_with("redeem") { "checkout" } else { "redeem" };
    let elsewhere = format!("/api/v1/credits/{elsewhere}");
    typed_error(&keyed.post(&elsewhere, &wish.body).await, 422, "unprocessable");
    // To somebody else it is another key: he gets an answer of his own.
    let theirs = keyed.with_key(&site.bob.management_key);
    let other = theirs.post(path, &wish.body).await;
    assert_ne!(other.status, 422, "{path}");
    assert!(other.status != 200 || path.ends_with("redeem") || other.json() != first, "{path}");
}

/// Many at once: one effect; who is told anything but its answer is told to come again.
async fn at_once(site: &Site, route: &Route, key: &str) {
    let wish = site.wish(route).await;
    let before = site.effects().await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (keyed, path, body) = (site.keyed(key), wish.path.clone(), wish.body.clone());
            task::spawn("once", async move { keyed.post(&path, &body).await })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        let reply = task.await.unwrap().unwrap();
        if reply.status == 200 {
            answers.push(reply.json());
        } else {
            typed_error(&reply, 409, "invalid_request");
            assert!(reply.header("retry-after").is_some());
            assert_eq!(route.again, Again::Outside, "{} answers all", wish.path);
        }
    }
    answers.push(good(&site.keyed(key).post(&wish.path, &wish.body).await, &wish.path));
    answers.dedup();
    assert_eq!(answers.len(), 1, "{}: {answers:?}", wish.path);
    assert_eq!(site.effects().await - before, wish.effects, "{}", wish.path);
}

async fn every_route(database: Option<String>) {
    let clock = Clock::manual(NOW);
    let site = Site::new(&clock, database).await;
    let kept = |route: &&Route| matches!(route.again, Again::InCommit | Again::Outside);
    let mut count = 0;
    for (number, route) in routes().filter(kept).enumerate() {
        at_once(&site, route, &format!("at-once-{number}")).await;
        in_turn(&site, &clock, route, &format!("in-turn-{number}")).await;
        count += 1;
    }
    assert!(count >= 7, "{count}");
    site.server.closes_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_has_one_effect_and_one_answer_on_every_route_that_keeps_it() {
    every_route(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_has_one_effect_and_one_answer_in_postgresql() {
    let database = signalbox_pgserver::database();
    every_route(Some(database.url())).await;
}
