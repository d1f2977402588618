//! Money by decision: plans, vouchers, transfers, invoices, statements.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::id::AccountId;
use signalbox_core::{ApiError, ErrorKind, Plans, PlansRow, Tier, Timestamp, Usd};
use signalbox_platform::once::{self, Answer};
use signalbox_platform::statement::Period;
use signalbox_platform::{
    Actor, By, Housekeeping, KeyPrefix, NewAgreement, NewTransfer, NewVoucher, Platform,
    PlatformError, RevokeOld, Settings,
};
use signalbox_runtime::Clock;
use signalbox_store::{House, Movement, Store};

struct World {
    folder: tempfile::TempDir,
    platform: Platform,
    clock: Clock,
}

async fn world(settings: Settings) -> World {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Timestamp::from_seconds(1_786_289_460)); // 2026-08-09 15:31 UTC
    let url = format!("sqlite://{}", folder.path().join("a.db").display());
    let store = Store::open(&url, clock.clone()).await.unwrap();
    let platform = Platform::new(&store, KeyPrefix::default()).with_settings(settings);
    World { platform, clock, folder }
}

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

fn status<T: std::fmt::Debug>(done: Result<T, PlatformError>) -> u16 {
    ApiError::from(done.unwrap_err()).status()
}

impl World {
    async fn account(&self, email: &str) -> AccountId {
        self.platform.create_account(email).await.unwrap().account_id
    }

    async fn buy(&self, account: &AccountId, id: &str, amount: &str) {
        let now = self.clock.now();
        let movement = Movement::purchase(id, House::Stripe, account, usd(amount), now);
        self.platform.store().post_movement(movement).await.unwrap();
    }

    async fn balance(&self, account: &AccountId) -> Usd {
        self.platform.store().balance(account).await.unwrap().unwrap().posted()
    }
}

fn by(account: &AccountId) -> By {
    By { account: account.clone(), actor: Actor::Operator("ann".to_owned()), address: None }
}

fn gift(from: &AccountId, to: &AccountId, amount: &str) -> NewTransfer {
    NewTransfer {
        from: from.clone(),
        to: to.clone(),
        amount: usd(amount),
        reason: "gift, \"=1+1\"".to_owned(),
        by: by(from),
        any_credit: false,
    }
}

#[tokio::test]
async fn promotional_credit_is_given_to_new_accounts_and_buys_no_tier() {
    let world = world(Settings { promo: usd("0.25"), ..Settings::default() }).await;
    let first = world.platform.bootstrap(RevokeOld::No).await.unwrap();
    assert_eq!(world.balance(&first.account_id).await, Usd::ZERO, "bootstrap grants nothing");
    let ann = world.account("ann@example.com").await;
    assert_eq!(world.balance(&ann).await, usd("0.25"));
    assert_eq!(world.platform.plan(&ann).await.unwrap().plan.tier, Tier::Free);
    world.platform.grant(&ann, usd("50"), "r", "o").await.unwrap();
    assert_eq!(world.platform.plan(&ann).await.unwrap().plan.tier, Tier::Free);
    world.buy(&ann, "p", "5").await;
    assert_eq!(world.platform.plan(&ann).await.unwrap().plan.tier, Tier::Payg);
    let none = self::world(Settings::default()).await;
    let eve = none.account("eve@example.com").await;
    assert_eq!(none.balance(&eve).await, Usd::ZERO, "none unless it is configured");
}

#[tokio::test]
async fn what_is_agreed_with_an_account_lies_over_its_plan() {
    let row: PlansRow =
        serde_json::from_str(r#"{"enterprise": {"support_contact": "acme-help"}}"#).unwrap();
    let plans = Plans::default().with(&row).unwrap();
    let world = world(Settings { plans, ..Settings::default() }).await;
    let ann = world.account("ann@example.com").await;
    let wanted = NewAgreement {
        contract: Some(Some(Tier::Enterprise)),
        terms: Some(r#"{"purchase_discount_bps": 2500, "byok_free": {"requests": 7}}"#.to_owned()),
        shares_data: Some(true),
        line: Some(usd("1000")),
    };
    let agreed = json_of(&world.platform.agree(&ann, wanted).await.unwrap());
    for (name, value) in [
        ("tier", json!("enterprise")),
        ("purchase_discount_bps", json!(2500)),
        ("byok_free", json!({"requests": 7})),
        ("support_contact", json!("acme-help")),
        ("workspace_budgets", json!(true)),
    ] {
        assert_eq!(agreed["plan"][name], value, "{name}");
    }
    assert_eq!((&agreed["credit_line"], &agreed["shares_data"]), (&json!(1000), &json!(true)));
    for terms in [r#"{"discount": 5}"#, r#"{"card_fee_bps": 20000}"#, "no"] {
        let wanted = NewAgreement { terms: Some(terms.to_owned()), ..NewAgreement::default() };
        let refused = world.platform.agree(&ann, wanted).await;
        assert!(matches!(refused, Err(PlatformError::Refused(_))), "{terms}: {refused:?}");
    }
    let nobody = AccountId::new("acc_x");
    assert_eq!(status(world.platform.agree(&nobody, NewAgreement::default()).await), 404);
    assert_eq!(status(world.platform.freeze(&nobody, "x").await), 404);
    let frozen = json_of(&world.platform.freeze(&ann, "why").await.unwrap());
    assert_eq!(frozen["frozen"]["reason"], "why");
    assert_eq!(world.platform.unfreeze(&ann).await.unwrap().frozen, None);
}

#[tokio::test]
async fn a_voucher_is_shown_once_and_redeemed_by_each_account_once() {
    let world = world(Settings::default()).await;
    let (ann, eve) =
        (world.account("ann@example.com").await, world.account("eve@example.com").await);
    let wanted = NewVoucher {
        amount: usd("2.5"),
        uses: 1,
        expires_at: None,
        reason: "fair".to_owned(),
        operator: "ops".to_owned(),
    };
    let made = world.platform.create_voucher(wanted.clone()).await.unwrap();
    let listed = serde_json::to_string(&world.platform.vouchers().await.unwrap()).unwrap();
    assert!(listed.contains(&made.code_hash) && !listed.contains(&made.code));
    let typed = made.code.to_lowercase().replace('-', " ");
    let answer = world.platform.redeem(by(&ann), &typed, None).await.unwrap();
    assert_eq!(answer, Answer { status: 200, body: r#"{"data":{"amount":2.5}}"#.to_owned() });
    assert_eq!(status(world.platform.redeem(by(&ann), &made.code, None).await), 409);
    assert_eq!(status(world.platform.redeem(by(&eve), &made.code, None).await), 409);
    assert_eq!(status(world.platform.redeem(by(&eve), "nothing", None).await), 404);
    for bad in
        [NewVoucher { uses: 0, ..wanted.clone() }, NewVoucher { amount: Usd::ZERO, ..wanted }]
    {
        assert_eq!(status(world.platform.create_voucher(bad).await), 400);
    }
    assert_eq!((world.balance(&ann).await, world.balance(&eve).await), (usd("2.5"), Usd::ZERO));
}

#[tokio::test]
async fn a_statement_shows_fees_apart_and_says_that_it_adds_up() {
    let world = world(Settings::default()).await;
    let (ann, eve) =
        (world.account("ann@example.com").await, world.account("eve@example.com").await);
    world.buy(&ann, "p1", "20").await;
    let answer = world.platform.transfer(gift(&ann, &eve, "7.000000001"), None).await.unwrap();
    assert!(
        answer.body.ends_with(r#""amount":7.000000001,"balance":12.999999999}}"#),
        "{answer:?}"
    );
    let acts = world.platform.store().audit_log(&ann, None, 10).await.unwrap();
    let act = acts.first().unwrap();
    assert_eq!((act.action.as_str(), act.actor_id.as_str()), ("credit.transfer", "ann"));
    let adjusted = world.platform.adjust(&ann, usd("-0.5"), "=typo", "ops").await.unwrap();
    assert_eq!((adjusted.amount, adjusted.balance), (usd("-0.5"), usd("12.499999999")));
    let whole = Period { from: None, to: None };
    let statement = world.platform.statement(&ann, whole, false).await.unwrap();
    assert!(statement.adds_up);
    let shown = json_of(&statement);
    assert_eq!(
        (&shown["opening_balance"], &shown["closing_balance"]),
        (&json!(0), &json!(12.499999999))
    );
    let kinds: Vec<_> = statement.lines.iter().map(|line| line.kind.as_str()).collect();
    assert_eq!(kinds, ["purchase", "transfer", "adjustment"]);
    assert_eq!(statement.lines[1].balance, usd("12.999999999"));
    let csv = statement.to_csv();
    assert_eq!(csv.lines().count(), 1 + 1 + 3 + 1);
    assert!(csv.contains("\"gift, \"\"=1+1\"\"\"") && csv.contains("\"'=typo\""), "{csv}");
    assert!(statement.to_text().ends_with("it adds up to the nano-dollar"));
    let empty = Period { from: Some(world.clock.now()), to: Some(world.clock.now()) };
    assert_eq!(status(world.platform.statement(&ann, empty, false).await), 400);
    assert_eq!(status(world.platform.statement(&AccountId::new("x"), whole, false).await), 404);
}

#[tokio::test]
async fn credits_stay_the_difference_when_money_goes_out() {
    let world = world(Settings::default()).await;
    let (ann, eve) =
        (world.account("ann@example.com").await, world.account("eve@example.com").await);
    world.buy(&ann, "p1", "20").await;
    world.platform.transfer(gift(&ann, &eve, "7"), None).await.unwrap();
    let credits = json_of(&world.platform.credits(&ann).await.unwrap());
    assert_eq!(credits, json!({"data": {"total_credits": 13, "total_usage": 0}}));
}

#[tokio::test]
async fn a_month_is_billed_once_and_a_paid_invoice_is_credit() {
    let world = world(Settings::default()).await;
    let ann = world.account("ann@example.com").await;
    let august = world.clock.now();
    assert_eq!(status(world.platform.issue_invoice(&ann, august).await), 400, "not over yet");
    world.clock.advance(Duration::from_secs(31 * 86_400));
    let invoice = world.platform.issue_invoice(&ann, august).await.unwrap();
    assert_eq!(invoice.id, format!("inv-2026-08-{ann}"));
    assert_eq!(
        (invoice.period_end.as_str(), invoice.status.as_str()),
        ("2026-09-01T00:00:00.000Z", "open")
    );
    assert_eq!(world.platform.issue_invoice(&ann, august).await.unwrap(), invoice);
    world.platform.settle_invoice(&invoice.id, "ops").await.unwrap();
    assert_eq!(world.platform.invoices(&ann).await.unwrap()[0].status, "paid");
    assert_eq!(status(world.platform.void_invoice(&invoice.id).await), 404);
    assert_eq!(status(world.platform.settle_invoice("none", "ops").await), 404);
}

#[tokio::test]
async fn old_credit_ends_only_where_that_was_configured() {
    for (days, left) in [(None, "20"), (Some(365), "0"), (Some(400), "20")] {
        let world = world(Settings { expire_after_days: days, ..Settings::default() }).await;
        let ann = world.account("ann@example.com").await;
        world.buy(&ann, "p1", "20").await;
        world.clock.advance(Duration::from_secs(366 * 86_400));
        let done = world.platform.expire_credits().await.unwrap();
        assert_eq!(world.balance(&ann).await, usd(left), "{days:?}");
        assert_eq!(done.amount, usd("20").checked_sub(usd(left)).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_end_old_credit_once_at_their_start_and_on_every_new_day() {
    let settings = Settings { expire_after_days: Some(365), ..Settings::default() };
    let world = world(settings.clone()).await;
    assert!(
        Housekeeping::new(&Platform::new(world.platform.store(), KeyPrefix::default())).is_none()
    );
    let ann = world.account("ann@example.com").await;
    for (payment, amount) in [("p1", "20"), ("p2", "10")] {
        world.buy(&ann, payment, amount).await;
        world.clock.advance(Duration::from_secs(86_400));
    }
    let url = format!("sqlite://{}", world.folder.path().join("test.db").display());
    let second = Store::open(&url, world.clock.clone()).await.unwrap();
    let second = Platform::new(&second, KeyPrefix::default()).with_settings(settings);
    let both = || [&world.platform, &second].map(|one| Housekeeping::new(one).unwrap());
    let expiries = async || {
        let facts = world.platform.store().facts().await.unwrap();
        facts.transfers.iter().filter(|one| one.kind == "expiry").count()
    };
    let [mut one, mut two] = both();
    let round = async |one: &mut Housekeeping| one.round().await.unwrap();
    assert_eq!(round(&mut one).await.unwrap().credits, 0, "nothing is old yet");
    assert_eq!(round(&mut one).await, None, "once a day");
    // A day on which the first purchase is too old: both find it, at once, many times over.
    world.clock.advance(Duration::from_secs(363 * 86_400 + 3_600));
    let starts = (0..10).flat_map(|_| both()).map(|mut one| {
        signalbox_runtime::task::spawn("start", async move { one.round().await.unwrap().unwrap() })
    });
    let mut ended = 0;
    for start in starts.collect::<Vec<_>>() {
        ended += start.await.unwrap().unwrap().credits;
    }
    assert_eq!((ended, expiries().await, world.balance(&ann).await), (1, 1, usd("10")));
    assert_eq!(round(&mut two).await.unwrap().credits, 0);
    world.clock.advance(Duration::from_secs(86_400));
    let ended = round(&mut one).await.unwrap().credits + round(&mut two).await.unwrap().credits;
    assert_eq!((ended, expiries().await, world.balance(&ann).await), (1, 2, Usd::ZERO));
    assert_eq!((round(&mut one).await, round(&mut two).await), (None, None));
}

#[tokio::test]
async fn an_effect_elsewhere_happens_once_for_its_key() {
    let world = world(Settings::default()).await;
    let platform = &world.platform;
    let ann = world.account("ann@example.com").await;
    let once = |body: &str| once::request(&ann, "k", "POST /x", body.as_bytes()).unwrap();
    let said = |text: &str| Ok::<_, ApiError>(Answer { status: 201, body: text.to_owned() });
    async fn never(_: Option<Timestamp>) -> Result<Answer, ApiError> {
        panic!("it has happened")
    }

    // A refusal is no effect: the key stays good, even for another body.
    let refused = async |_| Err(ApiError::invalid("no"));
    assert_eq!(platform.once(Some(once("a")), refused).await.unwrap_err().status(), 400);
    let first = platform.once(Some(once("b")), async |_| said("one")).await.unwrap();
    assert_eq!(platform.once(Some(once("b")), never).await.unwrap(), first);
    let other = platform.once(Some(once("c")), never).await.unwrap_err();
    assert_eq!(other.status(), 422);
    assert_eq!(platform.once(None, async |_| said("two")).await.unwrap().body, "two");

    // While somebody is at it, and after a fault of ours, nobody else may begin; later one may.
    let again = once::request(&ann, "k2", "POST /x", b"a").unwrap();
    let fault = async |_| Err(ApiError::new(ErrorKind::Server, "gone"));
    assert_eq!(platform.once(Some(again.clone()), fault).await.unwrap_err().status(), 500);
    let busy = platform.once(Some(again.clone()), never).await.unwrap_err();
    assert_eq!((busy.status(), busy.retry_after), (409, Some(1)));
    let first = world.clock.now();
    world.clock.advance(Duration::from_secs(60));
    let effect = async |before| {
        assert_eq!(before, Some(first), "it is told that somebody began");
        // Meanwhile nobody else begins.
        assert_eq!(platform.once(Some(again.clone()), never).await.unwrap_err().status(), 409);
        said("three")
    };
    let done = platform.once(Some(again.clone()), effect).await.unwrap();
    assert_eq!(platform.once(Some(again), never).await.unwrap(), done);
}
