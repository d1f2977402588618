//! Opening a server's database.

use signalbox_core::id::AccountId;
use signalbox_runtime::Clock;
use signalbox_store::{Store, StoreError};

#[tokio::test]
async fn many_openers_of_an_empty_database_agree_on_one_schema() {
    let database = signalbox_pgserver::database();
    let mut openers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let url = database.url();
        openers.spawn(async move { Store::open(&url, Clock::system()).await.unwrap() });
    }
    let stores = openers.join_all().await;
    let id = AccountId::new("acc_1");
    stores[0].create_account(id.clone(), "A@example.com").await.unwrap();
    assert_eq!(stores[3].account(&id).await.unwrap().unwrap().email, "a@example.com");
    let taken = stores[1].create_account(AccountId::new("acc_2"), "a@example.com").await;
    assert!(matches!(taken, Err(StoreError::Constraint(_))), "{taken:?}");
}

#[tokio::test]
async fn another_programs_database_is_refused_and_left_alone() {
    let database = signalbox_pgserver::database();
    let _ = database.sql("CREATE TABLE theirs (a int)");
    let error = Store::open(&database.url(), Clock::system()).await.unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(database.sql(tables), "1");
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_refused() {
    let database = signalbox_pgserver::database();
    drop(Store::open(&database.url(), Clock::system()).await.unwrap());
    let _ = database.sql("INSERT INTO schema_versions VALUES (99, 'later', 'x', 0)");
    let error = Store::open(&database.url(), Clock::system()).await.unwrap_err();
    assert!(matches!(error, StoreError::Schema(_)), "{error}");
}

#[tokio::test]
async fn transfers_can_only_be_added() {
    let database = signalbox_pgserver::database();
    let store = Store::open(&database.url(), Clock::system()).await.unwrap();
    let account = AccountId::new("acc_1");
    store.create_account(account.clone(), "a@example.com").await.unwrap();
    let grant = signalbox_ledger::Grant {
        id: "g1".to_owned(),
        account: account.clone(),
        amount: signalbox_core::Usd::from_nanos(5),
        reason: "a \0 in a text".to_owned(),
        operator: "tester".to_owned(),
        at: store.clock().now(),
    };
    store.grant(grant).await.unwrap();
    for change in [
        "UPDATE transfers SET amount = 6",
        "DELETE FROM transfers",
        "TRUNCATE transfers",
        "UPDATE balances SET charged = 6",
    ] {
        assert!(!database.accepts(change), "{change}");
    }
    assert_eq!(database.sql("SELECT amount, kind FROM transfers"), "5|grant");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_the_password() {
    let url = "postgres://me:secret@127.0.0.1:1/x";
    let error = Store::open(url, Clock::system()).await.unwrap_err().to_string();
    assert!(error.contains("unavailable") && !error.contains("secret"), "{error}");
    let error = Store::open("postgres://me:secret@h:no/x", Clock::system()).await.unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}
