//! Test 28, the voucher's half of `money::topup_and_redeem_race`: 200 redemptions at once, by HTTP. That a
//! voucher is used is one guarded update; its count of rows decides.

use serde_json::json;
use signalbox_core::Usd;
use signalbox_platform::{IssuedAccount, NewVoucher};
use signalbox_runtime::task;
use signalbox_testkit::{Offer, Setup, TestServer};

use crate::speech::typed_error;

const ACCOUNTS: usize = 50;
const AT_ONCE: usize = 200;

/// How many of them are paid: one with one use, seven with seven.
async fn rush(database: Option<String>, uses: u32) {
    let setup = Setup { database, ..Setup::default() };
    let server = TestServer::start_as(Offer::new(), setup).await;
    let amount: Usd = "2.5".parse().unwrap();
    let wanted = NewVoucher {
        amount,
        uses,
        expires_at: None,
        reason: "fair".to_owned(),
        operator: "ops".to_owned(),
    };
    let code = server.platform.create_voucher(wanted).await.unwrap().code;
    let mut accounts: Vec<IssuedAccount> = Vec::new();
    for number in 0..ACCOUNTS {
        accounts.push(server.account(&format!("a{number}@example.com"), "0").await);
    }
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|number| {
            let caller = server.caller().with_key(&accounts[number % ACCOUNTS].management_key);
            let body = json!({"code": code});
            task::spawn("redeem", async move {
                let path = "/api/v1/credits/redeem";
                let mut reply = caller.post(path, &body).await;
                // A database that is slow has done nothing.
                while reply.status == 503 {
                    reply = caller.post(path, &body).await;
                }
                reply
            })
        })
        .collect();
    let mut paid = 0;
    for task in tasks {
        let reply = task.await.unwrap().unwrap();
        if reply.status == 200 {
            assert_eq!(reply.json(), json!({"data": {"amount": 2.5}}));
            paid += 1;
        } else {
            let error = typed_error(&reply, 409, "invalid_request");
            let said = error["message"].as_str().unwrap();
            let lawful = ["the voucher has been used up", "the account has redeemed this voucher"];
            assert!(lawful.contains(&said), "{said}");
        }
    }
    assert_eq!(paid, uses);
    let mut credited = 0;
    for one in &accounts {
        let balance = server.platform.store().balance(&one.account_id).await.unwrap().unwrap();
        assert!(balance.credited == Usd::ZERO || balance.credited == amount);
        credited += u32::from(balance.credited == amount);
    }
    let listed = server.platform.vouchers().await.unwrap();
    assert_eq!((credited, listed[0].redeemed), (uses, i64::from(uses)));
    server.closes_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_hundred_gets_a_voucher_with_one_use() {
    rush(None, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seven_of_two_hundred_get_a_voucher_with_seven_uses() {
    rush(None, 7).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_hundred_gets_a_voucher_in_postgresql() {
    let database = signalbox_pgserver::database();
    rush(Some(database.url()), 1).await;
}
