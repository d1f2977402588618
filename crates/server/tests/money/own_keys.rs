//! Requests on the caller's own provider keys: free within the month's allowance, 5 % of the list price
//! beyond it, settled by who answered (platform spec 5.3, 19.4).

use serde_json::{Value, json};
use signalbox_core::{Plans, Secret, Usd};
use signalbox_gateway::{OwnKeys, OwnProviderKey};
use signalbox_platform::NewKey;
use signalbox_platform::keys::hash_of;
use signalbox_policy::ByokKey;
use signalbox_store::GenerationRow;
use signalbox_testkit::{Offer, Setup, Stand, TestServer};

use crate::speech::{Answered, ask, typed_error, with};

/// What `tokens-5` costs at list prices: 6 tokens in, 5 out.
const LIST: &str = "0.000016";

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

/// Callers have a key of their own for each of these providers, as does everybody whose plan allows it.
fn own(providers: &'static [&'static str], fallback: bool) -> OwnKeys {
    let key = |provider: &&str| OwnProviderKey {
        routing: ByokKey {
            id: format!("own-{provider}"),
            label: "sk-...AbCd".to_owned(),
            provider: (*provider).to_owned(),
            prioritized: !fallback,
            ..ByokKey::default()
        },
        secret: Secret::new(format!("sk-{provider}")),
        version: 1,
    };
    OwnKeys::fixed(providers.iter().map(key).collect())
}

/// A server whose owner, who never purchased anything, may use own keys on these terms.
async fn server(offer: Offer, terms: Value, own_keys: OwnKeys, credit: &'static str) -> TestServer {
    let mut row = json!({"free": {"byok_allowed": true}});
    for (name, value) in terms.as_object().unwrap() {
        row["free"][name] = value.clone();
    }
    let plans = Plans::default().with(&serde_json::from_value(row).unwrap()).unwrap();
    TestServer::start_as(
        offer,
        Setup { plans, own_keys: Some(own_keys), credit, ..Setup::default() },
    )
    .await
}

async fn chat(server: &TestServer, model: &str) -> (Answered, GenerationRow) {
    let answer = Answered::read(&server.caller().chat(&ask(model, true)).await);
    let row = server.generation(&answer.id).await;
    assert_eq!(row.cost, answer.cost(), "{row:?}");
    assert_eq!(answer.usage["is_byok"], row.byok.is_some());
    (answer, row)
}

#[tokio::test]
async fn an_own_key_is_free_within_the_allowance_and_costs_five_percent_beyond_it() {
    let offer = Offer::new().model("acme/one", [Stand::new("mine", "tokens-5")]);
    let terms = json!({"byok_free": {"requests": 2}});
    let server = server(offer, terms, own(&["mine"], false), "1").await;
    for (fee, free) in [("0", Some(LIST)), ("0", Some(LIST)), ("0.0000008", None)] {
        let (answer, row) = chat(&server, "acme/one").await;
        assert_eq!((row.cost, row.byok, row.fee_bps), (usd(fee), Some(usd(LIST)), Some(500)));
        assert_eq!(row.byok_free, free.map(usd));
        let upstream = &answer.usage["cost_details"]["upstream_inference_cost"];
        assert_eq!(crate::speech::usd(upstream), usd(LIST));
        let path = format!("/api/v1/generation?id={}", answer.id);
        let told = server.caller().get(&path).await.json()["data"].clone();
        assert_eq!(told["is_byok"], true);
        assert_eq!(crate::speech::usd(&told["upstream_inference_cost"]), usd(LIST));
        assert_eq!(told["provider_responses"][0]["is_byok"], true);
    }
    assert_eq!(server.balance().await.charged, usd("0.0000008"));
    let key = server.caller().get("/api/v1/key").await.json()["data"].clone();
    assert_eq!(crate::speech::usd(&key["usage"]), usd("0.0000008"));
    assert_eq!(crate::speech::usd(&key["byok_usage_monthly"]), usd("0.000048"));
    server.closes_clean().await;
}

#[tokio::test]
async fn an_allowance_in_list_price_covers_its_last_request_in_part() {
    let offer = Offer::new().model("acme/one", [Stand::new("mine", "tokens-5")]);
    let terms = json!({"byok_free": {"list_price_usd": "0.00002"}});
    let server = server(offer, terms, own(&["mine"], false), "1").await;
    for (fee, free) in
        [("0", Some("0.000016")), ("0.0000006", Some("0.000004")), ("0.0000008", None)]
    {
        let (_, row) = chat(&server, "acme/one").await;
        assert_eq!((row.cost, row.byok_free), (usd(fee), free.map(usd)));
    }
    server.closes_clean().await;
}

/// Nothing is charged within the allowance, so nothing has to be there; the fee has to be.
#[tokio::test]
async fn without_credit_own_keys_work_within_the_allowance_alone() {
    let offer = Offer::new().model("acme/one", [Stand::new("mine", "tokens-5")]);
    let terms = json!({"byok_free": {"requests": 1}});
    let server = server(offer, terms, own(&["mine"], false), "0").await;
    let (_, row) = chat(&server, "acme/one").await;
    assert_eq!((row.cost, row.byok), (Usd::ZERO, Some(usd(LIST))));
    let refused = server.caller().chat(&ask("acme/one", false)).await;
    typed_error(&refused, 402, "payment_required");
    server.closes_clean().await;
}

/// The own key fails and shared capacity answers: that is charged in full, and the allowance is whole.
#[tokio::test]
async fn whoever_answers_decides_what_is_paid() {
    let dear = json!({"prompt": "0.00001", "completion": "0.00002"});
    let offer = Offer::new()
        .model(
            "acme/falls-back",
            [
                Stand::new("mine", "status-503"),
                Stand::new("shared", "tokens-5").with("pricing", dear),
            ],
        )
        .model("acme/one", [Stand::new("mine", "tokens-5"), Stand::new("shared", "tokens-5")]);
    let terms = json!({"byok_free": {"requests": 1}});
    let server = server(offer, terms, own(&["mine"], false), "1").await;
    let (answer, row) = chat(&server, "acme/falls-back").await;
    assert_eq!(
        (answer.provider.as_str(), row.byok, row.byok_free),
        ("Provider shared", None, None)
    );
    assert_eq!(row.cost, usd("0.00016"), "at shared prices");
    let attempts: Value = serde_json::from_str(&row.provider_responses).unwrap();
    assert_eq!((&attempts[0]["is_byok"], &attempts[1]["is_byok"]), (&json!(true), &json!(false)));
    let (answer, row) = chat(&server, "acme/one").await;
    assert_eq!((answer.provider.as_str(), row.cost), ("Provider mine", Usd::ZERO));
    let (answer, row) = chat(&server, "acme/one").await;
    assert_eq!((answer.provider.as_str(), row.cost), ("Provider mine", usd("0.0000008")));
    server.closes_clean().await;
}

/// A limit that counts own keys counts fee and list price; one that does not, the fee. Of candidates
/// with and without an own key the dearer is held, not both.
#[tokio::test]
async fn a_key_counts_list_prices_where_its_flag_says_so() {
    let offer = Offer::new()
        .model("acme/one", [Stand::new("mine", "tokens-5"), Stand::new("shared", "tokens-5")]);
    let terms = json!({"byok_free": {"requests": 0}});
    let server = server(offer, terms, own(&["mine"], false), "1").await;
    let mut bodies = Vec::new();
    for include_byok in [false, true] {
        // A bound is more than half of this: both candidates together would be above the limit.
        let limit = Some(usd("0.001"));
        let issued = server.key(NewKey { limit, ..NewKey::default() }).await;
        let store = server.platform.store();
        let mut key = store.key(&hash_of(&issued.key)).await.unwrap().unwrap();
        key.include_byok_in_limit = include_byok;
        assert!(store.update_key(key).await.unwrap());
        let caller = server.caller().with_key(&issued.key);
        let mut answered = 0;
        while answered < 40 && caller.chat(&ask("acme/one", false)).await.status == 200 {
            answered += 1;
        }
        bodies.push((answered, caller.get("/api/v1/key").await.json()["data"].clone()));
    }
    let [(without, plain), (with_flag, counting)] = bodies.try_into().unwrap();
    assert_eq!(without, 40, "fees alone");
    let told = |body: &Value, member: &str| crate::speech::usd(&body[member]);
    assert_eq!(told(&plain, "limit_remaining"), usd("0.000968"), "40 fees");
    assert_eq!(told(&plain, "byok_usage"), usd("0.00064"));
    assert!((1..40).contains(&with_flag), "{with_flag}");
    let list = told(&counting, "byok_usage");
    assert!(list >= usd(LIST), "{counting}");
    let spent = told(&counting, "usage").saturating_add(list);
    assert_eq!(told(&counting, "limit_remaining"), usd("0.001").saturating_sub(spent));
    server.closes_clean().await;
}

/// A hundred and twenty at once at the edge of the allowance: so many are free as it says, to the request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_the_edge_of_the_allowance_gets_exactly_what_is_free() {
    let offer = Offer::new().model("acme/one", [Stand::new("mine", "tokens-5")]);
    let terms = json!({"byok_free": {"requests": 50}});
    let server = server(offer, terms, own(&["mine"], false), "1").await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..120 {
        let caller = server.caller();
        calls.spawn(async move {
            let body = with(ask("acme/one", n % 2 == 0), "seed", json!(n));
            Answered::read(&caller.chat(&body).await).cost()
        });
    }
    let costs = calls.join_all().await;
    let free = costs.iter().filter(|cost| **cost == Usd::ZERO).count();
    assert_eq!(free, 50);
    assert!(costs.iter().all(|cost| *cost == Usd::ZERO || *cost == usd("0.0000008")));
    server.closes_clean().await;
}

#[tokio::test]
async fn a_plan_without_own_keys_uses_shared_capacity() {
    let offer = Offer::new().model("acme/one", [Stand::new("mine", "tokens-5")]);
    let setup = Setup { own_keys: Some(own(&["mine"], false)), ..Setup::default() };
    let server = TestServer::start_as(offer, setup).await;
    let (_, row) = chat(&server, "acme/one").await;
    assert_eq!((row.cost, row.byok), (usd(LIST), None));
    server.closes_clean().await;
}

/// Answers that cost nothing take nothing of the allowance: a provider that breaks off under an own
/// key, and one whose key stands behind shared capacity that answers.
#[tokio::test]
async fn what_is_insured_or_answered_by_others_takes_nothing_of_the_allowance() {
    let offer = Offer::new()
        .model("acme/broken", [Stand::new("mine", "tokens-5+cut-after-2")])
        .model("acme/one", [Stand::new("mine", "tokens-5")]);
    let terms = json!({"byok_free": {"requests": 1}});
    let server = server(offer, terms, own(&["mine"], false), "1").await;
    let reply = server.caller().chat(&ask("acme/broken", true)).await;
    assert_eq!(reply.status, 200);
    server.settled().await;
    let facts = server.platform.store().facts().await.unwrap();
    let broken = &facts.generations[0];
    assert_eq!((broken.cost, broken.byok_free), (0, None), "{broken:?}");
    let (_, row) = chat(&server, "acme/one").await;
    assert_eq!(row.byok_free, Some(usd(LIST)));
    server.closes_clean().await;
}

/// Two gateways, one allowance: asked by turns and at once, so many are free as it says, to the request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_give_away_one_allowance_to_the_request() {
    const FREE: usize = 40;
    let database = signalbox_pgserver::database();
    let row = json!({"free": {"byok_allowed": true, "byok_free": {"requests": FREE}}});
    let plans = Plans::default().with(&serde_json::from_value(row).unwrap()).unwrap();
    let offer = || Offer::new().model("acme/one", [Stand::new("mine", "tokens-5")]);
    let setup = || Setup {
        plans: plans.clone(),
        own_keys: Some(own(&["mine"], false)),
        database: Some(database.url()),
        credit: "1",
        journal: false,
        ..Setup::default()
    };
    let one = TestServer::start_as(offer(), setup()).await;
    let two = one.beside(offer(), setup()).await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..2 * FREE {
        let caller = if n % 2 == 0 { one.caller() } else { two.caller() };
        calls.spawn(async move {
            let body = with(ask("acme/one", n % 4 < 2), "seed", json!(n));
            loop {
                let reply = caller.chat(&body).await;
                // A database that was too slow is asked again.
                if reply.status != 503 {
                    return Answered::read(&reply).cost();
                }
            }
        });
    }
    let costs = calls.join_all().await;
    let given = costs.iter().filter(|cost| **cost == Usd::ZERO).count();
    assert!(given <= FREE, "{given} of {FREE}");
    // What one of them still holds of it comes back; then the rest is given by turns.
    let mut given = given;
    for turn in 0..4 * FREE {
        if given == FREE {
            break;
        }
        let caller = if turn % 2 == 0 { one.caller() } else { two.caller() };
        let reply = caller.chat(&with(ask("acme/one", false), "seed", json!(turn))).await;
        given += usize::from(reply.status == 200 && Answered::read(&reply).cost() == Usd::ZERO);
    }
    assert_eq!(given, FREE);
    for caller in [one.caller(), two.caller()] {
        let answer = Answered::read(&caller.chat(&ask("acme/one", false)).await);
        assert_eq!(answer.cost(), usd("0.0000008"), "nothing is left");
    }
    one.settled().await;
    two.closes_clean().await;
    one.closes_clean().await;
}
