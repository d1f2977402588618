//! Test 31, `money::budget_windows`, on two whole gateways with clocks of their own and one PostgreSQL: limits
//! of keys, budgets of workspaces and of guardrails, by day, week, month and for ever, across the end of
//! a day that ends all three, with a clock that is set back and one that jumps ahead.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::time::ResetInterval::{self, Daily, Monthly, Weekly};
use signalbox_core::{Timestamp, Usd};
use signalbox_platform::NewKey;
use signalbox_platform::keys::hash_of;
use signalbox_runtime::{Clock, task};
use signalbox_store::Budget;
use signalbox_testkit::{Offer, Reply, Setup, Stand, TestServer};
use tokio::sync::Semaphore;

/// 2027-01-31 23:59:59.9 UTC: a tenth of a second before a Monday that begins a month.
const EDGE: Timestamp = Timestamp::from_micros(1_801_439_999_900_000);
/// The day that begins then, counted from 1970.
const NEXT_DAY: i64 = 20_850;
/// How far one of the gateways is ahead.
const AHEAD: i64 = 50;
const HOUR: i64 = 3_600_000;
/// Requests for each limit across the edge.
const REQUESTS: usize = 100;
/// Requests in flight.
const AT_ONCE: usize = 100;
/// How many requests a limit affords in a window.
const AFFORDED: i64 = 40;
/// What is held for a request is at most this: a token for each byte of its body.
const HOLD: i64 = 170_000;
/// What a request costs in nano-dollars: 3 tokens of a prompt and 5 of an answer.
const COST: i64 = 3 * 1_000 + 5 * 2_000;

const INTERVALS: [Option<ResetInterval>; 4] = [Some(Daily), Some(Weekly), Some(Monthly), None];

/// One limit, alone on an account of its own.
struct Limited {
    what: String,
    interval: Option<ResetInterval>,
    key: String,
    scope: String,
}

/// What a limit has let through.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Spent {
    before: i64,
    after: i64,
}

struct Two {
    gates: [TestServer; 2],
    clocks: [Clock; 2],
}

fn offer() -> Offer {
    Offer::new().model("acme/one", [Stand::new("well", "tokens-5")])
}

fn ask() -> Value {
    json!({"model": "acme/one", "max_tokens": 5,
        "messages": [{"role": "user", "content": "Hello, you!"}]})
}

impl Two {
    async fn new(database: &str) -> Self {
        let clocks = [EDGE, EDGE.plus_millis(AHEAD)].map(Clock::manual);
        let setup = |clock: &Clock| Setup {
            clock: clock.clone(),
            database: Some(database.to_owned()),
            journal: false,
            ..Setup::default()
        };
        let one = TestServer::start_as(offer(), setup(&clocks[0])).await;
        let two = one.beside(offer(), setup(&clocks[1])).await;
        Self { gates: [one, two], clocks }
    }

    /// A key of a new account with this limit on one of three things.
    async fn limited(&self, what: &str, interval: Option<ResetInterval>) -> Limited {
        let limit = Usd::from_nanos(AFFORDED * COST);
        let named = format!("{what}-{}", interval.map_or("lifetime", ResetInterval::name));
        let account = self.gates[0].account(&format!("{named}@example.com"), "1").await.account_id;
        let key = match what {
            "key" => NewKey { limit: Some(limit), limit_reset: interval, ..NewKey::default() },
            _ => NewKey::default(),
        };
        let key = self.gates[0].platform.create_key(&account, key).await.unwrap().key;
        let scope = match what {
            "key" => format!("key:{}", hash_of(&key)),
            "workspace" => format!("workspace:default:{account}"),
            _ => format!("guardrail:g1:key:{}", hash_of(&key)),
        };
        if what != "key" {
            let scope = scope.clone();
            let at = Timestamp::default();
            let budget = Budget { scope, interval, limit, include_byok: false, updated_at: at };
            self.gates[0].platform.store().set_budget(account, budget).await.unwrap();
        }
        Limited { what: named, interval, key, scope }
    }

    /// Asks one of them; whether it was let in. A database that was too slow is asked again.
    async fn ask(&self, gate: usize, key: &str) -> bool {
        loop {
            let reply: Reply = self.gates[gate].caller().with_key(key).chat(&ask()).await;
            match reply.status {
                200 => return true,
                402 | 403 => return false,
                503 => {}
                other => panic!("{other}: {}", String::from_utf8_lossy(&reply.body)),
            }
        }
    }

    /// Uses a limit up, by turns at both gateways, until both say no; answers how many were let in.
    async fn use_up(&self, key: &str) -> i64 {
        let mut admitted = 0;
        let mut refused = 0;
        for turn in 0..400 {
            if self.ask(turn % 2, key).await {
                (admitted, refused) = (admitted + 1, 0);
            } else {
                refused += 1;
                // One leaves to the other what that one asked for, for half a second.
                tokio::time::sleep(Duration::from_millis(120)).await;
            }
            if refused == 6 {
                return admitted;
            }
        }
        panic!("a limit without an end: {admitted}");
    }

    async fn settled(&self) {
        for gate in &self.gates {
            gate.settled().await;
        }
    }

    /// What was spent of a scope on the days before the edge and after it; both gateways say the same.
    async fn spent(&self, limited: &Limited) -> Spent {
        let mut seen = Vec::new();
        for gate in &self.gates {
            let mut spent = Spent::default();
            let days = gate.platform.store().spent_by_day(&limited.scope).await.unwrap();
            for (day, charged) in days {
                *(if day < NEXT_DAY { &mut spent.before } else { &mut spent.after }) += charged;
            }
            let shown = gate.caller().with_key(&limited.key).get("/api/v1/key").await.json();
            let usage = format!("{:.9}", shown["data"]["usage"].as_f64().unwrap());
            let usage: Usd = usage.parse().unwrap();
            assert_eq!(usage.nanos(), spent.before + spent.after, "{}", limited.what);
            seen.push(spent);
        }
        assert_eq!(seen[0], seen[1], "{}: both agree", limited.what);
        seen[0]
    }

    /// Checks the sums of all limits: exact, and nothing above a limit in any window.
    async fn check(&self, all: &[Limited], admitted: &[i64], when: &str) {
        self.settled().await;
        for (limited, admitted) in all.iter().zip(admitted) {
            let Spent { before, after } = self.spent(limited).await;
            let (what, most) = (&limited.what, AFFORDED * COST);
            assert_eq!(before + after, admitted * COST, "{what} {when}: every charge counts once");
            assert!(before <= most && after <= most, "{what} {when}: {before}, {after} of {most}");
            let whole = limited.interval.is_some() || before + after <= most;
            assert!(whole, "{what} {when}: {before} and {after} of {most} for ever");
        }
    }
}

/// Time goes on: what one process leaves to another it takes back after a while.
async fn tick(clocks: [Clock; 2]) {
    const TICK: Duration = Duration::from_millis(10);
    loop {
        tokio::time::sleep(TICK).await;
        clocks.iter().for_each(|clock| clock.advance(TICK));
    }
}

/// Requests for all limits at once at both gateways, while the day ends.
async fn across_the_edge(two: &Arc<Two>, all: &[Limited]) -> Vec<i64> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut asking = Vec::new();
    for round in 0..REQUESTS {
        if round == REQUESTS / 2 {
            two.clocks.iter().for_each(|clock| clock.advance(Duration::from_millis(200)));
            drop(task::spawn("time", tick(two.clocks.clone())));
        }
        for (place, limited) in all.iter().enumerate() {
            let permit = Arc::clone(&places).acquire_owned().await.unwrap();
            let (two, key) = (Arc::clone(two), limited.key.clone());
            asking.push((
                place,
                task::spawn("ask", async move {
                    let admitted = two.ask(round % 2, &key).await;
                    drop(permit);
                    admitted
                }),
            ));
        }
    }
    let mut admitted = vec![0; all.len()];
    for (place, one) in asking {
        admitted[place] += i64::from(one.await.unwrap().unwrap());
    }
    admitted
}

/// Uses all limits up at once; adds what was let in, and answers it.
async fn all_used_up(two: &Arc<Two>, all: &[Limited], admitted: &mut [i64]) -> Vec<i64> {
    let using: Vec<_> = (all.iter().map(|limited| (Arc::clone(two), limited.key.clone())))
        .map(|(two, key)| task::spawn("use up", async move { two.use_up(&key).await }))
        .collect();
    let mut more = Vec::new();
    for (one, sum) in using.into_iter().zip(admitted) {
        let one = one.await.unwrap().unwrap();
        *sum += one;
        more.push(one);
    }
    more
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_keep_every_window_of_every_limit_whatever_their_clocks_do() {
    let database = signalbox_pgserver::database();
    let two = Arc::new(Two::new(&database.url()).await);
    let mut all = Vec::new();
    for what in ["key", "workspace", "guardrail"] {
        for interval in INTERVALS {
            all.push(two.limited(what, interval).await);
        }
    }
    let mut admitted = across_the_edge(&two, &all).await;
    two.check(&all, &admitted, "across the edge").await;
    all_used_up(&two, &all, &mut admitted).await;
    two.check(&all, &admitted, "used up").await;
    for limited in &all {
        let Spent { before, after } = two.spent(limited).await;
        let window = if limited.interval.is_some() { after } else { before + after };
        let unused = AFFORDED * COST - window;
        assert!(unused < 2 * HOLD, "{}: {unused} is left and nobody gets it", limited.what);
    }

    // One clock is set back an hour, into windows that are over: none of them opens again.
    two.clocks[0].step(-HOUR);
    let back = all_used_up(&two, &all, &mut admitted).await;
    assert!(back.iter().all(|more| *more < 2 * HOLD / COST), "no second reset: {back:?}");
    two.check(&all, &admitted, "an hour back").await;
    two.clocks[0].step(HOUR);

    // Both are a month ahead: days, weeks and months are new, a lifetime is not.
    two.clocks.iter().for_each(|clock| clock.advance(Duration::from_secs(30 * 86_400)));
    let ahead = all_used_up(&two, &all, &mut admitted).await;
    two.settled().await;
    for ((limited, more), sum) in all.iter().zip(ahead).zip(&admitted) {
        let what = &limited.what;
        // What was left of a lifetime is less than two requests may take.
        let (least, most) = match limited.interval {
            Some(_) => (AFFORDED - 2 * HOLD / COST, AFFORDED),
            None => (0, 2 * HOLD / COST),
        };
        assert!((least..=most).contains(&more), "{what}: {more} a month later");
        let Spent { before, after } = two.spent(limited).await;
        assert_eq!(before + after, sum * COST, "{what}");
    }
    for gate in &two.gates {
        gate.closes_clean().await;
    }
}
