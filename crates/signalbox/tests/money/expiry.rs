//! Credit that is too old ends by itself: two gateways that start at once on one database end each
//! credit once.

use std::time::Duration;

use signalbox_core::Usd;
use signalbox_runtime::Clock;
use signalbox_store::{Movement, Store};

use crate::books::Books;
use crate::offer::{Offer, Stand};
use crate::site::Site;
use crate::watch;

/// Accounts with old credit.
const ACCOUNTS: usize = 8;
/// Longest that gateways may take for it.
const WITHIN: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_end_old_credit_once_when_they_start() {
    let offer = Offer::new()
        .model("sim/brief", [Stand::new("sim-one", "tokens-5")])
        .extra("[credits]\nexpire_credits = true\nexpire_after_days = 365\n");
    let site = Site::on_postgres(&offer, 6).await;
    let owner = site.owner("5");
    // Another process granted the rest four hundred days ago.
    let ago = Clock::system().now().plus_millis(-400 * 86_400_000);
    let past = Store::open(&site.database, Clock::manual(ago)).await.unwrap();
    let mut accounts = vec![owner.id.clone()];
    for number in 1..ACCOUNTS {
        accounts.push(site.customer(&format!("a{number}@example.com"), "5").id);
    }
    for (number, account) in accounts.iter().enumerate() {
        let three = "3".parse().unwrap();
        let grant = Movement::grant(&format!("old-{number}"), account, three, ago);
        past.post_movement(grant.by("test")).await.unwrap();
    }
    let (mut one, mut two) = (site.node(), site.node());
    tokio::join!(one.start(), two.start());
    let store = site.store().await;
    let began = watch::now();
    let ended = async || {
        let facts = Books::read(&store).await.facts;
        facts.transfers.iter().filter(|one| one.kind == "expiry").count()
    };
    while ended().await < ACCOUNTS {
        assert!(watch::now() - began < WITHIN, "old credit has not ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(one.stop().await.success() && two.stop().await.success());
    assert_eq!(ended().await, ACCOUNTS, "each credit ended once");
    for account in &accounts {
        let balance = store.balance(account).await.unwrap().unwrap();
        assert_eq!(balance.posted(), "5".parse::<Usd>().unwrap(), "what is not old is left");
    }
    site.audit();
}
