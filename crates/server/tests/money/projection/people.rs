//! Who spends: accounts, their keys and the limits on them.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;
use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_platform::keys::hash_of;
use signalbox_platform::{IssuedAccount, IssuedKey, NewKey, NewVoucher};
use signalbox_store::Budget;
use signalbox_store::plans::Agreement;
use signalbox_testkit::{TestServer, eventually};

use super::doors::{Door, told};

/// Accounts.
const ACCOUNTS: usize = 6;
/// Vouchers, each with two uses.
const VOUCHERS: usize = 60;

/// One account, with its first key and one more.
pub struct Person {
    pub account: IssuedAccount,
    pub second: IssuedKey,
}

/// Everybody, and what they have heard.
pub struct People {
    pub all: Vec<Person>,
    pub vouchers: Vec<String>,
    /// Generations with the accounts that they belong to.
    pub generations: Mutex<Vec<(usize, String)>>,
    /// Payments that were paid.
    pub payments: Mutex<Vec<(usize, String)>>,
}

impl Person {
    pub fn key(&self, second: bool) -> &str {
        if second { &self.second.key } else { &self.account.api_key }
    }

    /// The budget of the second key.
    pub fn guardrail(&self) -> String {
        format!("guardrail:g1:key:{}", hash_of(&self.second.key))
    }
}

pub fn budget(scope: &str, interval: Option<ResetInterval>, limit: &str) -> Budget {
    Budget {
        scope: scope.to_owned(),
        interval,
        limit: limit.parse().unwrap(),
        include_byok: false,
        updated_at: Timestamp::default(),
    }
}

impl People {
    /// Accounts with credit, keys with limits, some of them soon used up, and budgets.
    pub async fn move_in(server: &TestServer) -> Self {
        let mut all = Vec::new();
        for number in 0..ACCOUNTS {
            let email = format!("p{number}@example.com");
            let account = server.account(&email, if number == 0 { "0.004" } else { "20" }).await;
            let limit = (number % 2 == 1).then(|| "0.002".parse().unwrap());
            let wanted =
                NewKey { limit, limit_reset: Some(ResetInterval::Daily), ..NewKey::default() };
            let second = server.platform.create_key(&account.account_id, wanted).await.unwrap();
            let person = Person { account, second };
            let (id, store) = (person.account.account_id.clone(), server.platform.store());
            let daily = if number == 2 { "0.003" } else { "5" };
            let guardrail = budget(&person.guardrail(), Some(ResetInterval::Daily), daily);
            store.set_budget(id.clone(), guardrail).await.unwrap();
            let scope = format!("workspace:default:{id}");
            store.set_budget(id, budget(&scope, None, "10")).await.unwrap();
            all.push(person);
        }
        let mut vouchers = Vec::new();
        for _ in 0..VOUCHERS {
            let wanted = NewVoucher {
                amount: "0.05".parse().unwrap(),
                uses: 2,
                expires_at: None,
                reason: "fair".to_owned(),
                operator: "test".to_owned(),
            };
            vouchers.push(server.platform.create_voucher(wanted).await.unwrap().code);
        }
        Self { all, vouchers, generations: Mutex::default(), payments: Mutex::default() }
    }
}

/// What the first of the requests below costs without a discount: 5 tokens of a prompt, 12 of an
/// answer and the request, in nano-dollars.
const FIRST: i64 = 5 * 1_000 + 12 * 2_000 + 7;

/// The same requests cost the same whether they may be kept by somebody or by nobody, and one percent
/// less, rounded up, for who shares data.
pub async fn logging_changes_nothing(server: &TestServer, people: &People) {
    let person = &people.all[3];
    let caller = server.caller().with_key(person.key(false));
    let mut full = Vec::new();
    for shares in [false, true] {
        let agreement = Agreement { shares_data: Some(shares), ..Agreement::default() };
        let store = server.platform.store();
        assert!(store.agree(&person.account.account_id, agreement).await.unwrap());
        let mut costs = Vec::new();
        for door in Door::ALL {
            for model in ["chat/plain", "resp/cached", "mess/plain"] {
                for (zdr, stream) in [(false, false), (true, false), (false, true), (true, true)] {
                    let mut body = door.body(model, "What does it cost?", stream);
                    if zdr {
                        body["provider"] = json!({"zdr": true, "data_collection": "deny"});
                    }
                    costs.push((door, model, body));
                }
            }
        }
        let mut paid = Vec::new();
        for (at, (door, model, body)) in costs.iter().enumerate() {
            let ask = async || told(&caller.post(door.path(), body).await);
            let first = if at == 0 {
                // The terms are heard of within a second.
                let agreed = if shares { discounted(FIRST) } else { FIRST };
                eventually(Duration::from_secs(5), "the agreed terms", async || {
                    ask().await.filter(|cost| *cost == agreed)
                })
                .await
            } else {
                ask().await.unwrap_or_else(|| panic!("{door:?} {model}: no cost"))
            };
            paid.push(first);
        }
        for four in paid.chunks(4) {
            assert!(four.iter().all(|cost| *cost == four[0] && *cost > 0), "{four:?}");
        }
        if shares {
            let expected: Vec<i64> = full.iter().map(|cost| discounted(*cost)).collect();
            assert_eq!(paid, expected);
        }
        full = paid;
    }
}

fn discounted(nanos: i64) -> i64 {
    let less = (nanos * 99 + 99) / 100;
    assert!(Usd::from_nanos(less) < Usd::from_nanos(nanos));
    less
}
