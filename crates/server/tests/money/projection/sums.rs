//! Every sum that is kept or shown, added up once more from the postings.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use http::Method;
use serde_json::Value;
use signalbox_core::Usd;
use signalbox_core::id::AccountId;
use signalbox_platform::keys::hash_of;
use signalbox_store::audit::Facts;
use signalbox_testkit::TestServer;

use super::deeds::Seen;
use super::people::{People, Person};

const DAY: i64 = 86_400_000_000;

/// Nano-dollars by day.
type Days = BTreeMap<i64, i64>;

/// What the postings say of each key, and of each account.
struct Postings {
    by_key: HashMap<String, Days>,
    /// What came in, was charged, went out.
    accounts: HashMap<String, [i64; 3]>,
    charges: HashMap<String, i64>,
}

impl Postings {
    fn add_up(facts: &Facts) -> Self {
        let mut sums =
            Self { by_key: HashMap::new(), accounts: HashMap::new(), charges: HashMap::new() };
        let held = facts.reservations.iter().map(|one| (one.generation.as_str(), one));
        let held: HashMap<_, _> = held.collect();
        for one in &facts.transfers {
            let charge = one.kind == "charge";
            if let Some(account) = one.credit.strip_prefix("acct:") {
                sums.accounts.entry(account.to_owned()).or_default()[0] += one.amount;
            }
            if let Some(account) = one.debit.strip_prefix("acct:") {
                let place = if charge { 1 } else { 2 };
                sums.accounts.entry(account.to_owned()).or_default()[place] += one.amount;
            }
            if charge {
                let generation = one.generation.as_deref().unwrap();
                let held = held[generation];
                let days = sums.by_key.entry(held.key.clone()).or_default();
                *days.entry(held.opened_at.div_euclid(DAY)).or_default() += one.amount;
                let before = sums.charges.insert(generation.to_owned(), one.amount);
                assert_eq!(before, None, "{generation} is charged once");
            }
        }
        sums
    }

    fn of_key(&self, key: &str) -> Days {
        self.by_key.get(&hash_of(key).to_string()).cloned().unwrap_or_default()
    }
}

/// Both, day by day.
fn both(one: &Days, other: &Days) -> Days {
    let mut sum = one.clone();
    for (day, amount) in other {
        *sum.entry(*day).or_default() += amount;
    }
    sum
}

async fn stored(server: &TestServer, scope: &str) -> Days {
    let days = server.platform.store().spent_by_day(scope).await.unwrap();
    // A day of requests that cost nothing has a row, too.
    days.into_iter().filter(|(_, charged)| *charged > 0).collect()
}

async fn get(server: &TestServer, key: &str, path: &str) -> Value {
    let caller = server.caller().with_key(key);
    let reply = caller.send(Method::GET, path, "".into()).await;
    assert_eq!(reply.status, 200, "{path}: {:?}", reply.body);
    reply.json()["data"].clone()
}

fn nanos(value: &Value) -> i64 {
    let dollars = value.as_f64().unwrap_or_else(|| panic!("{value} is no amount"));
    format!("{dollars:.9}").parse::<Usd>().unwrap().nanos()
}

/// Keys, account, workspace and guardrail of one person, in storage and by HTTP.
async fn person(server: &TestServer, sums: &Postings, one: &Person) {
    let id = &one.account.account_id;
    let mut whole = Days::new();
    for second in [false, true] {
        let key = one.key(second);
        let days = sums.of_key(key);
        assert_eq!(stored(server, &format!("key:{}", hash_of(key))).await, days);
        let shown = get(server, key, "/api/v1/key").await;
        let today = server.platform.store().clock().now().micros().div_euclid(DAY);
        let total: i64 = days.values().sum();
        assert_eq!(nanos(&shown["usage"]), total, "{shown}");
        assert_eq!(nanos(&shown["usage_daily"]), days.get(&today).copied().unwrap_or(0), "{shown}");
        // All days of the test are in one month.
        assert_eq!(nanos(&shown["usage_monthly"]), total, "{shown}");
        whole = both(&whole, &days);
    }
    assert_eq!(stored(server, &format!("account:{id}")).await, whole);
    assert_eq!(stored(server, &format!("workspace:default:{id}")).await, whole);
    assert_eq!(stored(server, &one.guardrail()).await, sums.of_key(one.key(true)));
    let [came, charged, went] = sums.accounts[id.as_str()];
    assert_eq!(charged, whole.values().sum::<i64>());
    let balance = server.platform.store().balance(id).await.unwrap().unwrap();
    assert_eq!(
        [balance.credited, balance.charged, balance.withdrawn].map(Usd::nanos),
        [came, charged, went]
    );
    let credits = get(server, &one.account.management_key, "/api/v1/credits").await;
    let shown = [&credits["total_credits"], &credits["total_usage"]].map(nanos);
    assert_eq!(shown, [came - went, charged], "{credits}");
    let statement = get(server, &one.account.management_key, "/api/v1/credits/statement").await;
    assert_eq!(statement["adds_up"], true, "{statement}");
    assert_eq!(nanos(&statement["closing_balance"]), came - charged - went);
}

/// One row for each logical request at most, and one for each that was answered; it costs what was
/// charged and what the client was told.
async fn rows(server: &TestServer, facts: &Facts, sums: &Postings, people: &People, seen: &[Seen]) {
    let mut marks = HashMap::new();
    for fact in &facts.generations {
        let (account, id) =
            (AccountId::new(&*fact.account), signalbox_core::id::GenerationId::new(&*fact.id));
        let row = server.platform.store().generation(&account, &id).await.unwrap().unwrap();
        assert_eq!(row.cost.nanos(), sums.charges.get(&fact.id).copied().unwrap_or(0), "{id}");
        let mark = row.http_referer.clone().unwrap();
        let before = marks.insert(mark.clone(), row);
        assert!(before.is_none(), "two rows for {mark}");
    }
    let charged: BTreeSet<&String> = sums.charges.keys().collect();
    let rows: BTreeSet<&String> = facts.generations.iter().map(|one| &one.id).collect();
    assert!(charged.is_subset(&rows), "nothing is charged without a row");
    let (mut answered, mut hits, mut free) = (0, 0, 0);
    for one in seen {
        let row = marks.get(&one.mark);
        if one.status == 200 {
            let row = row.unwrap_or_else(|| panic!("no row for {}", one.mark));
            assert_eq!(Some(row.id.as_str()), one.id.as_deref());
            let key = people.all[one.who].key(one.second);
            assert_eq!(row.key, hash_of(key), "{}", one.mark);
            if let Some(cost) = one.cost {
                assert_eq!(cost, row.cost.nanos(), "{}: what was told is what is charged", row.id);
                answered += 1;
            }
            if one.hit {
                assert_eq!(row.cost, Usd::ZERO, "{}", row.id);
                assert!(row.response_cache_source_id.is_some());
                hits += 1;
            }
        } else if let Some(row) = row.filter(|_| one.status != 0) {
            assert_eq!(row.cost, Usd::ZERO, "{}: {} is free", row.id, one.status);
            free += 1;
        }
    }
    let mut by: BTreeMap<u16, usize> = BTreeMap::new();
    seen.iter().for_each(|one| *by.entry(one.status).or_default() += 1);
    let least = seen.len();
    eprintln!("{by:?}, {answered} told their cost, {hits} given again, {free} failed for nothing");
    assert!(answered > least / 3 && hits > least / 40 && free > 0);
}

pub async fn hold(server: &TestServer, people: &People, seen: &[Seen]) {
    let facts = server.platform.store().facts().await.unwrap();
    assert!(facts.reservations.iter().all(|one| one.ended_at.is_some()), "none is open");
    let sums = Postings::add_up(&facts);
    for one in &people.all {
        person(server, &sums, one).await;
    }
    rows(server, &facts, &sums, people, seen).await;
    let kinds: BTreeSet<&str> = facts.transfers.iter().map(|one| one.kind.as_str()).collect();
    for kind in ["grant", "charge", "voucher", "transfer", "adjustment", "purchase", "refund"] {
        assert!(kinds.contains(kind), "{kind} is not in {kinds:?}");
    }
    eprintln!("{} transfers of {} kinds", facts.transfers.len(), kinds.len());
}
