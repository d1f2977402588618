//! Budgets of a workspace on a whole server (platform spec 1.6, 2.5, 7.4; reliability.md test 31 is
//! at the ledger).

use std::time::Duration;

use signalbox_core::time::ResetInterval;
use signalbox_core::{Timestamp, Usd};
use signalbox_platform::keys::hash_of;
use signalbox_runtime::Clock;
use signalbox_store::Budget;
use signalbox_testkit::{Offer, Stand, TestServer, eventually};

use crate::speech::{Answered, ask, typed_error};

/// Changes show within this time.
const SOON: Duration = Duration::from_secs(1);
/// 2027-01-15 08:00 UTC.
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

async fn set(server: &TestServer, scope: &str, interval: Option<ResetInterval>, limit: Usd) {
    let budget = Budget {
        scope: scope.to_owned(),
        interval,
        limit,
        include_byok: false,
        updated_at: Timestamp::default(),
    };
    let account = server.owner.account_id.clone();
    server.platform.store().set_budget(account, budget).await.unwrap();
}

async fn answers(server: &TestServer, status: u16) {
    eventually(SOON, "the budget", async || {
        let reply = server.caller().chat(&ask("acme/one", false)).await;
        (reply.status == status).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_budget_that_is_used_up_is_403_and_the_broadest_is_named() {
    let offer = Offer::new().model("acme/one", [Stand::new("well", "tokens-5")]);
    let clock = Clock::manual(NOW);
    let server = TestServer::start_at(offer, "10", clock.clone()).await;
    let answer = Answered::read(&server.caller().chat(&ask("acme/one", false)).await);
    let spent = answer.cost();
    let scope = format!("workspace:default:{}", server.owner.account_id);
    set(&server, &scope, Some(ResetInterval::Daily), spent).await;
    set(&server, &scope, Some(ResetInterval::Monthly), spent).await;
    answers(&server, 403).await;
    let calls = server.counted();
    let error =
        typed_error(&server.caller().chat(&ask("acme/one", true)).await, 403, "permission_denied");
    let text = format!("Workspace monthly budget of ${spent} exceeded. Contact your org admin.");
    assert_eq!(error["message"], text);
    assert_eq!(server.counted(), calls, "no provider was asked");

    // A raise counts at once; then no answer is begun that the budget may not cover.
    let more = Usd::from_nanos(spent.nanos() * 40);
    set(&server, &scope, Some(ResetInterval::Monthly), more).await;
    set(&server, &scope, Some(ResetInterval::Daily), more).await;
    answers(&server, 200).await;
    while server.caller().chat(&ask("acme/one", false)).await.status == 200 {}
    let charged = server.balance().await.charged;
    assert!(charged <= more && charged > spent, "{charged} of {more}");

    set(&server, &scope, Some(ResetInterval::Monthly), charged).await;
    answers(&server, 403).await;
    clock.advance(Duration::from_secs(86_400));
    let error =
        typed_error(&server.caller().chat(&ask("acme/one", false)).await, 403, "permission_denied");
    assert!(error["message"].as_str().unwrap().contains("monthly"), "the day has passed: {error}");
    clock.advance(Duration::from_secs(31 * 86_400));
    set(&server, &scope, Some(ResetInterval::Monthly), more).await;
    answers(&server, 200).await;
    server.closes_clean().await;
}

#[tokio::test]
async fn a_budget_of_a_guardrail_limits_one_key_and_not_the_other() {
    let offer = Offer::new().model("acme/one", [Stand::new("well", "tokens-5")]);
    let server = TestServer::start(offer).await;
    let answer = Answered::read(&server.caller().chat(&ask("acme/one", false)).await);
    let issued = server.key(signalbox_platform::NewKey::default()).await;
    let other = server.caller().with_key(&issued.key);
    let scope = format!("guardrail:g1:key:{}", hash_of(&issued.key));
    set(&server, &scope, None, Usd::from_nanos(answer.cost().nanos() * 40)).await;
    assert_eq!(other.chat(&ask("acme/one", false)).await.status, 200);
    set(&server, &scope, None, answer.cost()).await;
    let status = async || other.chat(&ask("acme/one", false)).await.status;
    eventually(SOON, "the budget", async || (status().await == 403).then_some(())).await;
    let error = typed_error(&other.chat(&ask("acme/one", false)).await, 403, "permission_denied");
    let text = format!("Guardrail lifetime budget of ${} exceeded.", answer.cost());
    assert!(error["message"].as_str().unwrap().starts_with(&text), "{error}");
    assert_eq!(server.caller().chat(&ask("acme/one", false)).await.status, 200);
    server.closes_clean().await;
}
