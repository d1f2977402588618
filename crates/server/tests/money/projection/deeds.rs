//! One random operation.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_core::id::AccountId;
use signalbox_store::payments::{EventMark, Payment, Rail, Receipt, Refs, Refund, Status};
use signalbox_store::plans::Agreement;
use signalbox_store::{Actor, By, Movement, Refused, StoreError};
use signalbox_testkit::{Caller, Draw, Opened, Reply, TestServer};

use super::doors::{self, Door};
use super::people::{People, budget};

fn by(account: &AccountId) -> By {
    By { account: account.clone(), actor: Actor::Operator("test".to_owned()), address: None }
}

/// When a client closes its connection.
#[derive(Debug, Clone, Copy)]
pub enum Leave {
    Never,
    AfterBytes(usize),
    After(Duration),
}

/// One operation, of the account with this number.
pub struct Deed {
    number: usize,
    who: usize,
    act: Act,
}

enum Act {
    /// At which door, with the second key, what, kept for the next who asks the same, until when.
    Ask {
        door: Door,
        second: bool,
        body: Value,
        keep: bool,
        leave: Leave,
    },
    /// The generation of somebody, who may be somebody else.
    Look {
        whose: u64,
    },
    Redeem {
        code: String,
    },
    Give {
        to: usize,
        nanos: i64,
    },
    Correct {
        nanos: i64,
    },
    Buy {
        times: usize,
    },
    TakeBack {
        which: u64,
        works: bool,
    },
    Share(bool),
    Limit {
        daily: &'static str,
    },
}

/// What a client knows of its request: its mark, who asked, what it was told.
pub struct Seen {
    pub mark: String,
    pub who: usize,
    pub second: bool,
    pub status: u16,
    pub id: Option<String>,
    pub cost: Option<i64>,
    pub hit: bool,
}

/// What is said by those who say the same.
const WORDS: [&str; 3] = ["Say something.", "Say something else, please.", "Once more."];

impl Deed {
    pub fn draw(draw: &mut Draw, number: usize, people: &People) -> Self {
        let who = usize::try_from(draw.below(people.all.len() as u64)).unwrap();
        let act = match draw.below(100) {
            0..=71 => ask(draw, number),
            72..=77 => Act::Look { whose: draw.bits() },
            78..=82 => Act::Redeem { code: draw.one(&people.vouchers).clone() },
            83..=86 => {
                let to = usize::try_from(draw.below(people.all.len() as u64)).unwrap();
                Act::Give { to, nanos: i64::try_from(draw.below(2_000_000)).unwrap() }
            }
            87..=89 => {
                Act::Correct { nanos: i64::try_from(draw.below(1_000_000)).unwrap() - 400_000 }
            }
            90..=92 => Act::Buy { times: 1 + usize::try_from(draw.below(3)).unwrap() },
            93..=95 => Act::TakeBack { which: draw.bits(), works: draw.below(3) > 0 },
            96..=97 => Act::Share(draw.below(2) == 0),
            _ => Act::Limit { daily: draw.one::<&str>(&["0.001", "0.5", "5"]) },
        };
        Self { number, who, act }
    }

    pub async fn run(self, server: &TestServer, people: &People) -> Option<Seen> {
        let Self { number, who, act } = self;
        let person = &people.all[who];
        let account = &person.account.account_id;
        let manager = server.caller().with_key(&person.account.management_key);
        let store = server.platform.store();
        match act {
            Act::Ask { door, second, body, keep, leave } => {
                let mut caller = server.caller().with_key(person.key(second));
                if keep {
                    caller = caller.with("x-openrouter-cache", "true");
                }
                let mark = format!("https://m{number}.example/");
                let reply = visit(&caller.with("http-referer", &mark), door, &body, leave).await;
                let seen = note(reply, mark, who, second);
                if let Some(id) = seen.id.clone() {
                    people.generations.lock().unwrap().push((who, id));
                }
                return Some(seen);
            }
            Act::Look { whose } => look(server, people, who, whose).await,
            Act::Redeem { code } => {
                let body = json!({"code": code});
                let reply = manager.post("/api/v1/credits/redeem", &body).await;
                assert!([200, 409, 503].contains(&reply.status), "{}", reply.json());
            }
            Act::Give { to, nanos } => {
                let to = &people.all[to].account.account_id;
                let amount: Value =
                    serde_json::from_str(&Usd::from_nanos(nanos).to_string()).unwrap();
                let body = json!({"account_id": to, "amount": amount});
                let reply = manager.post("/api/v1/credits/transfer", &body).await;
                assert!([200, 400, 402, 409, 503].contains(&reply.status), "{}", reply.json());
            }
            Act::Correct { nanos } => {
                let (id, now) = (format!("fix-{number}"), store.clock().now());
                let movement = Movement::adjustment(&id, account, Usd::from_nanos(nanos), now);
                allowed(store.post_movement(movement.because("test").by("test")).await);
            }
            Act::Buy { times } => buy(server, people, who, number, times).await,
            Act::TakeBack { which, works } => take_back(server, people, which, works).await,
            Act::Share(shares) => {
                let agreement = Agreement { shares_data: Some(shares), ..Agreement::default() };
                allowed(store.agree(account, agreement).await);
            }
            Act::Limit { daily } => {
                let interval = Some(signalbox_core::time::ResetInterval::Daily);
                let one = budget(&person.guardrail(), interval, daily);
                allowed(store.set_budget(account.clone(), one).await);
            }
        }
        None
    }
}

fn ask(draw: &mut Draw, number: usize) -> Act {
    let door = *draw.one(&Door::ALL);
    let keep = draw.below(4) == 0;
    let words = if keep {
        WORDS[0].to_owned()
    } else if draw.below(2) == 0 {
        (*draw.one(&WORDS)).to_owned()
    } else {
        format!("This is request number {number}.")
    };
    let model = if keep { "chat/again".to_owned() } else { doors::model(draw) };
    let mut body = door.body(&model, &words, keep || draw.below(3) > 0);
    match draw.below(8) {
        _ if keep => {}
        0 => body["provider"] = json!({"zdr": true}),
        1 => body["provider"] = json!({"data_collection": "deny"}),
        2 if door != Door::Messages => body["models"] = json!(["chat/plain"]),
        _ => {}
    }
    let leave = match draw.below(10) {
        0..=6 => Leave::Never,
        7 => Leave::AfterBytes(usize::try_from(draw.below(3_000)).unwrap()),
        _ => Leave::After(Duration::from_micros(draw.below(60_000))),
    };
    Act::Ask { door, second: draw.below(2) == 0, body, keep, leave }
}

/// A request of a client that may leave; `None` when it left before anything came.
async fn visit(caller: &Caller, door: Door, body: &Value, leave: Leave) -> Option<Reply> {
    match leave {
        Leave::Never => Some(caller.post(door.path(), body).await),
        Leave::AfterBytes(most) => {
            let mut opened = caller.post_open(door.path(), body).await;
            while opened.so_far().body.len() < most && opened.chunk().await.is_some() {}
            Some(opened.leave())
        }
        Leave::After(moment) => {
            let mut kept = None;
            let work = async {
                let opened = kept.insert(caller.post_open(door.path(), body).await);
                while opened.chunk().await.is_some() {}
            };
            drop(tokio::time::timeout(moment, work).await);
            kept.map(Opened::leave)
        }
    }
}

fn note(reply: Option<Reply>, mark: String, who: usize, second: bool) -> Seen {
    let blank = Seen { mark, who, second, status: 0, id: None, cost: None, hit: false };
    let Some(reply) = reply else { return blank };
    let lawful = [200, 402, 403, 429, 502, 503, 504];
    assert!(lawful.contains(&reply.status), "{}", String::from_utf8_lossy(&reply.body));
    Seen {
        status: reply.status,
        id: reply.header("x-generation-id").map(str::to_owned),
        cost: doors::told(&reply),
        hit: reply.header("x-openrouter-cache-status") == Some("HIT"),
        ..blank
    }
}

/// Looking changes nothing; that of somebody else is not there.
async fn look(server: &TestServer, people: &People, who: usize, whose: u64) {
    let found = {
        let known = people.generations.lock().unwrap();
        let place = usize::try_from(whose % (known.len() as u64).max(1)).unwrap();
        known.get(place).cloned()
    };
    let Some((owner, id)) = found else { return };
    let caller = server.caller().with_key(people.all[who].key(false));
    let reply = caller.send(Method::GET, &format!("/api/v1/generation?id={id}"), "".into()).await;
    // One that still runs or never began is not there either.
    assert!(
        [404, 503].contains(&reply.status) || (reply.status == 200 && owner == who),
        "{}",
        reply.status
    );
}

/// What a busy or poor account may answer, and a database that is too slow.
fn allowed<T>(done: Result<T, StoreError>) -> Option<T> {
    match done {
        Ok(done) => Some(done),
        Err(StoreError::Refused(
            Refused::Insufficient { .. } | Refused::InUse { .. } | Refused::Amount,
        ))
        | Err(StoreError::Unavailable(_)) => None,
        Err(other) => panic!("{other:?}"),
    }
}

async fn buy(server: &TestServer, people: &People, who: usize, number: usize, times: usize) {
    let store = server.platform.store();
    let id = format!("pay_{number}");
    let payment = Payment {
        id: id.clone(),
        account: people.all[who].account.account_id.clone(),
        rail: Rail::Stripe,
        status: Status::Open,
        amount: "5".parse().unwrap(),
        fee: "0.80".parse().unwrap(),
        tax: Usd::ZERO,
        refunded: Usd::ZERO,
        currency: "usd".to_owned(),
        automatic: false,
        session_ref: None,
        intent_ref: None,
        failure: None,
        receipt_url: None,
        created_at: store.clock().now(),
        paid_at: None,
    };
    let by = by(&payment.account);
    if allowed(store.create_payment(by, payment).await).is_none() {
        return;
    }
    let mut paid = false;
    for time in 0..times {
        let event = EventMark { id: format!("evt_{number}_{time}"), kind: "paid".to_owned() };
        let intent = Some(format!("pi_{number}"));
        let receipt = Receipt {
            event: Some(event),
            refs: Refs { payment: Some(id.clone()), session: None, intent },
            rail: Rail::Stripe,
            currency: "usd".to_owned(),
            total: "5.80".parse().unwrap(),
            tax: Usd::ZERO,
        };
        paid |= allowed(store.pay(receipt).await).is_some();
    }
    if paid {
        people.payments.lock().unwrap().push((who, id));
    }
}

async fn take_back(server: &TestServer, people: &People, which: u64, works: bool) {
    let found = {
        let paid = people.payments.lock().unwrap();
        let place = usize::try_from(which % (paid.len() as u64).max(1)).unwrap();
        paid.get(place).cloned()
    };
    let Some((who, id)) = found else { return };
    let store = server.platform.store();
    let before = store.clock().now().plus_millis(-86_400_000);
    let account = &people.all[who].account.account_id;
    let Some(Refund::Begun(begun)) = allowed(store.begin_refund(&by(account), &id, before).await)
    else {
        return;
    };
    if works {
        allowed(store.finish_refund(&begun.id, &format!("re_{}", begun.id)).await);
    } else {
        allowed(store.call_off(None, &begun.id, "declined").await);
    }
}
