//! Purchases with a stable coin.

use signalbox_core::ApiError;
use signalbox_core::id::AccountId;
use signalbox_platform::purchase::body::CheckoutBody;
use signalbox_platform::purchase::fee::Method;
use signalbox_platform::purchase::{Claim, Wish};
use signalbox_store::payments::Status;

use crate::node::{Chain, OURS, TOKEN};
use crate::world::{World, by, new_account, usd};

async fn start() -> (Chain, World) {
    let chain = Chain::start().await;
    let world = World::with(|settings| settings.crypto = Some(chain.settings())).await;
    (chain, world)
}

async fn order(world: &World, account: &AccountId) -> CheckoutBody {
    let wish = Wish { amount: usd("100"), method: Method::Crypto, keep_card: false, once: None };
    world.purchases.checkout(&by(account), wish).await.unwrap()
}

fn units(order: &CheckoutBody) -> u64 {
    let amount = usd(&order.transfer.as_ref().unwrap().amount);
    u64::try_from(amount.nanos() / 1000).unwrap()
}

async fn claim(
    world: &World,
    account: &AccountId,
    order: &CheckoutBody,
    transaction: &str,
) -> Result<Status, ApiError> {
    let claim = Claim { payment: order.purchase.id.clone(), transaction: transaction.to_owned() };
    Ok(world.purchases.claim(account, claim).await?.status)
}

#[tokio::test]
async fn a_transfer_pays_its_order_once_and_no_other() {
    let (chain, world) = start().await;
    let order_of_ours = order(&world, &world.account).await;
    let transfer = order_of_ours.transfer.as_ref().unwrap();
    assert_eq!((transfer.chain_id, transfer.token.as_str()), (8453, TOKEN));
    assert!(usd(&transfer.amount) > usd("104.99") && usd(&transfer.amount) < usd("105"));
    let hash = chain.transfer(TOKEN, OURS, units(&order_of_ours), "0x1");
    let claimed = async || claim(&world, &world.account, &order_of_ours, &hash).await;
    let early = claimed().await.unwrap_err();
    assert_eq!((early.status(), early.retry_after), (409, Some(30)));
    chain.grow(11);
    assert_eq!(claimed().await.unwrap(), Status::Paid);
    assert_eq!(claimed().await.unwrap(), Status::Paid, "told again");
    assert_eq!(world.balance().await, "100");
    // Somebody else sees it on the chain.
    let thief = new_account(&world.store).await;
    let theirs = order(&world, &thief).await;
    assert!(claim(&world, &thief, &theirs, &hash).await.is_err());
    assert!(claim(&world, &thief, &order_of_ours, &hash).await.is_err());
    let standing = world.store.standing(&world.account).await.unwrap().unwrap();
    assert_eq!(standing.purchased, usd("100"));
    world.audit().await;
}

#[tokio::test]
async fn one_claim_from_many_at_once_is_one_credit() {
    let (chain, world) = start().await;
    let order = order(&world, &world.account).await;
    let hash = chain.transfer(TOKEN, OURS, units(&order), "0x1");
    chain.grow(20);
    let (_store, other) = world.again().await;
    let mut tasks = Vec::new();
    for at in 0..20 {
        let purchases = if at % 2 == 0 { world.purchases.clone() } else { other.clone() };
        let account = world.account.clone();
        let claim = Claim { payment: order.purchase.id.clone(), transaction: hash.clone() };
        tasks.push(signalbox_runtime::task::spawn("claim", async move {
            purchases.claim(&account, claim).await.map(|payment| payment.status)
        }));
    }
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().unwrap(), Status::Paid);
    }
    assert_eq!(world.balance().await, "100");
    world.audit().await;
}

#[tokio::test]
async fn a_transfer_that_does_not_fit_pays_nothing() {
    let (chain, world) = start().await;
    let order = order(&world, &world.account).await;
    let right = units(&order);
    let other = "0x00000000000000000000000000000000000000cc";
    for (name, hash, status) in [
        ("another token", chain.transfer(other, OURS, right, "0x1"), 400),
        ("another recipient", chain.transfer(TOKEN, other, right, "0x1"), 400),
        ("less", chain.transfer(TOKEN, OURS, right - 1, "0x1"), 400),
        ("more", chain.transfer(TOKEN, OURS, right + 1, "0x1"), 400),
        ("failed", chain.transfer(TOKEN, OURS, right, "0x0"), 400),
        ("nowhere", format!("0x{:064x}", 1), 409),
        ("no id", "0x12".to_owned(), 400),
    ] {
        chain.grow(20);
        let error = claim(&world, &world.account, &order, &hash).await.unwrap_err();
        assert_eq!(error.status(), status, "{name}: {}", error.message);
    }
    let hash = chain.transfer(TOKEN, OURS, right, "0x1");
    chain.grow(20);
    chain.switch("0x1");
    let error = claim(&world, &world.account, &order, &hash).await.unwrap_err();
    assert!(error.message.contains("chain 1"), "{}", error.message);
    chain.switch("0x2105");
    assert_eq!(world.balance().await, "0");
    assert_eq!(claim(&world, &world.account, &order, &hash).await.unwrap(), Status::Paid);
}

#[tokio::test]
async fn a_transfer_from_before_the_order_pays_nothing() {
    let (chain, world) = start().await;
    let order = order(&world, &world.account).await;
    let seen = chain.transfer(TOKEN, OURS, units(&order), "0x1");
    // An order that is made later and happens to have the same total.
    let id = order.purchase.id.clone();
    world.pass(4 * 24 * 3600);
    world.purchases.round().await;
    assert_eq!(world.payment(&id).await.status, Status::Expired);
    let thief = new_account(&world.store).await;
    let mut same = world.payment(&id).await;
    same.id = "pay_later".to_owned();
    same.account = thief.clone();
    same.status = Status::Open;
    same.session_ref = Some("block:1001:pay_later".to_owned());
    world.store.create_payment(by(&same.account), same).await.unwrap();
    chain.grow(20);
    let later = Claim { payment: "pay_later".to_owned(), transaction: seen.clone() };
    let error = world.purchases.claim(&thief, later).await.unwrap_err();
    assert_eq!(error.to_string(), "the transaction is older than the order");
    assert_eq!(claim(&world, &world.account, &order, &seen).await.unwrap(), Status::Paid);
}

#[tokio::test]
async fn a_coin_is_never_given_back() {
    let (chain, world) = start().await;
    let order = order(&world, &world.account).await;
    let hash = chain.transfer(TOKEN, OURS, units(&order), "0x1");
    chain.grow(20);
    claim(&world, &world.account, &order, &hash).await.unwrap();
    let error = world.purchases.refund(&by(&world.account), &order.purchase.id).await.unwrap_err();
    assert_eq!(error.to_string(), "Purchases with crypto currency are never refunded");
    assert_eq!(world.balance().await, "100");
}

#[tokio::test]
async fn open_orders_of_one_amount_have_totals_of_their_own() {
    let (_chain, world) = start().await;
    let mut totals = std::collections::HashSet::new();
    for _ in 0..20 {
        assert!(totals.insert(units(&order(&world, &world.account).await)));
    }
    let wish = Wish { amount: usd("100"), method: Method::Crypto, keep_card: false, once: None };
    let error = world.purchases.checkout(&by(&world.account), wish).await.unwrap_err();
    assert_eq!(ApiError::from(error).status(), 409, "so many may be open");
}
