//! Credit that comes and goes by HTTP: vouchers, transfers, statements, and what is gone.

use http::Method;
use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_core::id::AccountId;
use signalbox_platform::{IssuedAccount, NewVoucher};
use signalbox_runtime::task;
use signalbox_store::{House, Movement};
use signalbox_testkit::{Caller, Offer, Reply, Stand, TestServer};

use crate::speech::{Answered, ask, typed_error, usd};

const REDEEM: &str = "/api/v1/credits/redeem";
const TRANSFER: &str = "/api/v1/credits/transfer";
const STATEMENT: &str = "/api/v1/credits/statement";

fn dollars(text: &str) -> Usd {
    text.parse().unwrap()
}

async fn start() -> TestServer {
    TestServer::start_with(Offer::new().model("acme/one", [Stand::new("well", "tokens-5")]), "3")
        .await
}

async fn voucher(server: &TestServer, uses: u32) -> String {
    let wanted = NewVoucher {
        amount: dollars("2.5"),
        uses,
        expires_at: None,
        reason: "fair".to_owned(),
        operator: "ops".to_owned(),
    };
    server.platform.create_voucher(wanted).await.unwrap().code
}

async fn buy(server: &TestServer, account: &AccountId, amount: &str) {
    let store = server.platform.store();
    let now = store.clock().now();
    let movement = Movement::purchase("p1", House::Stripe, account, dollars(amount), now);
    store.post_movement(movement).await.unwrap();
}

async fn credited(server: &TestServer, account: &AccountId) -> Usd {
    server.platform.store().balance(account).await.unwrap().unwrap().credited
}

async fn post(caller: &Caller, path: &str, body: &Value) -> Reply {
    caller.send(Method::POST, path, body.to_string().into()).await
}

fn good(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    reply.json()["data"].clone()
}

#[tokio::test]
async fn the_old_way_to_buy_is_gone_for_everybody() {
    let server = start().await;
    let text = include_str!("../../../../openapi/public.json");
    let whole: Value = serde_json::from_str(text).unwrap();
    let answers = &whole["paths"]["/credits/coinbase"]["post"]["responses"];
    let mut schema = answers["410"]["content"]["application/json"]["schema"].clone();
    schema["components"] = whole["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let nobody = server.caller().without("authorization");
    for caller in [nobody, server.caller(), server.manager()] {
        for body in [json!({}), json!({"amount": 5, "sender": "0x", "chain_id": 1})] {
            let reply = post(&caller, "/api/v1/credits/coinbase", &body).await;
            assert_eq!(reply.status, 410);
            let answer = reply.json();
            assert!(validator.is_valid(&answer), "{answer}");
            assert_eq!(answer["error"]["code"], 410);
        }
    }
}

#[tokio::test]
async fn a_voucher_is_redeemed_with_a_management_key() {
    let server = start().await;
    let body = json!({"code": voucher(&server, 5).await});
    typed_error(&post(&server.caller(), REDEEM, &body).await, 403, "permission_denied");
    let nobody = server.caller().without("authorization");
    typed_error(&post(&nobody, REDEEM, &body).await, 401, "authentication");
    for bad in [json!({}), json!({"code": 5}), json!({"code": "x", "more": 1}), json!([])] {
        typed_error(&post(&server.manager(), REDEEM, &bad).await, 400, "invalid_request");
    }
    let long = json!({"code": "x".repeat(20_000)});
    typed_error(&post(&server.manager(), REDEEM, &long).await, 413, "payload_too_large");
    let none = json!({"code": "none"});
    typed_error(&post(&server.manager(), REDEEM, &none).await, 404, "not_found");
    let answer = good(&post(&server.manager(), REDEEM, &body).await);
    assert_eq!(answer, json!({"amount": 2.5}));
    typed_error(&post(&server.manager(), REDEEM, &body).await, 409, "invalid_request");
    assert_eq!(credited(&server, &server.owner.account_id).await, dollars("5.5"));
    server.closes_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_redemption_at_once_has_one_effect_and_one_answer() {
    let server = start().await;
    let body = json!({"code": voucher(&server, 1).await});
    let keyed = server.manager().with("idempotency-key", "once-1");
    let tasks: Vec<_> = (0..30)
        .map(|_| {
            let (caller, body) = (keyed.clone(), body.clone());
            task::spawn("redeem", async move { post(&caller, REDEEM, &body).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(good(&task.await.unwrap().unwrap()), json!({"amount": 2.5}));
    }
    assert_eq!(credited(&server, &server.owner.account_id).await, dollars("5.5"));
    let other = json!({"code": voucher(&server, 1).await});
    typed_error(&post(&keyed, REDEEM, &other).await, 422, "unprocessable");
    let transfer = json!({"account_id": "x", "amount": 1});
    typed_error(&post(&keyed, TRANSFER, &transfer).await, 422, "unprocessable");
    for key in ["", "a b", &"x".repeat(256)] {
        let caller = server.manager().with("idempotency-key", key);
        typed_error(&post(&caller, REDEEM, &other).await, 400, "invalid_request");
    }
    // The key of another account is another key.
    let bob = server.account("bob@example.com", "1").await;
    let theirs = server.manager().with_key(&bob.management_key).with("idempotency-key", "once-1");
    good(&post(&theirs, REDEEM, &other).await);
    server.closes_clean().await;
}

#[tokio::test]
async fn purchased_credit_moves_to_another_account_once() {
    let server = start().await;
    let bob: IssuedAccount = server.account("bob@example.com", "0").await;
    let owner = &server.owner.account_id;
    let manager = server.manager();
    let wish =
        |amount: Value| json!({"account_id": bob.account_id, "amount": amount, "note": "gift"});
    typed_error(&post(&manager, TRANSFER, &wish(json!(1))).await, 402, "payment_required");
    buy(&server, owner, "20").await;
    for (body, status, kind) in [
        (wish(json!(0)), 400, "invalid_request"),
        (wish(json!(-5)), 400, "invalid_request"),
        (wish(json!("1e3")), 400, "invalid_request"),
        (wish(json!(1e300)), 400, "invalid_request"),
        (wish(json!(20.000000001)), 402, "payment_required"),
        (json!({"account_id": "acc_x", "amount": 1}), 404, "not_found"),
        (json!({"account_id": owner, "amount": 1}), 400, "invalid_request"),
        (
            json!({"account_id": bob.account_id, "amount": 1, "note": "x".repeat(201)}),
            400,
            "invalid_request",
        ),
    ] {
        typed_error(&post(&manager, TRANSFER, &body).await, status, kind);
    }
    typed_error(&post(&server.caller(), TRANSFER, &wish(json!(1))).await, 403, "permission_denied");
    let keyed = manager.with("idempotency-key", "t-1");
    let first = good(&post(&keyed, TRANSFER, &wish(json!(7.25))).await);
    assert_eq!((&first["amount"], &first["balance"]), (&json!(7.25), &json!(15.75)));
    assert_eq!(good(&post(&keyed, TRANSFER, &wish(json!(7.25))).await), first);
    assert_eq!(credited(&server, &bob.account_id).await, dollars("7.25"));
    let again = good(&post(&manager, TRANSFER, &wish(json!(1))).await);
    assert_ne!(again["transfer_id"], first["transfer_id"], "without a key each is one of its own");
}

#[tokio::test]
async fn a_statement_adds_up_as_json_and_as_csv() {
    let server = start().await;
    let answer = Answered::read(&server.caller().chat(&ask("acme/one", true)).await);
    server.settled().await;
    let data = good(&server.manager().get(STATEMENT).await);
    assert_eq!(data["adds_up"], true);
    let lines = data["lines"].as_array().unwrap();
    assert_eq!((&lines[0]["kind"], &lines[1]["kind"]), (&json!("grant"), &json!("charge")));
    assert_eq!((&lines[1]["description"], &lines[1]["requests"]), (&json!("acme/one"), &json!(1)));
    let closing = usd(&data["closing_balance"]);
    assert_eq!(closing.checked_add(answer.cost()).unwrap(), dollars("3"));
    let detail = good(&server.manager().get(&format!("{STATEMENT}?detail=true")).await);
    assert_eq!(detail["lines"][1]["reference"], format!("charge:{}", answer.id));
    let reply = server.manager().get(&format!("{STATEMENT}?format=csv&from=2026-01-01")).await;
    assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("private, no-store"));
    let csv = String::from_utf8(reply.body.to_vec()).unwrap();
    assert!(csv.contains(",charge,") && csv.trim_end().ends_with(&format!("{closing},,")), "{csv}");
    for query in
        ["from=x", "to=2026-13-01", "format=pdf", "detail=1", "from=2026-02-01&to=2026-01-01"]
    {
        let reply = server.manager().get(&format!("{STATEMENT}?{query}")).await;
        typed_error(&reply, 400, "invalid_request");
    }
    typed_error(&server.caller().get(STATEMENT).await, 403, "permission_denied");
    server.closes_clean().await;
}
