use signalbox_core::id::AccountId;
use signalbox_runtime::Clock;
use signalbox_store::{Store, StoreError};

use crate::world::{World, start};

#[tokio::test]
async fn the_folder_is_made_and_a_second_open_finds_the_rows() {
    let world = World::new().await;
    let account = world.account(5).await;
    let again = world.again().await;
    assert_eq!(again.account(&account).await.unwrap().unwrap().id, account);
    assert_eq!(again.balance(&account).await.unwrap().unwrap().credited.nanos(), 5);
    assert!(again.account(&AccountId::new("acc_other")).await.unwrap().is_none());
    again.ping().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text =
        "these are notes, and they are longer than a header of a hundred bytes would be ".repeat(9);
    std::fs::write(&path, &text).unwrap();
    let error = Store::open(&format!("sqlite://{}", path.display()), Clock::manual(start())).await;
    assert!(matches!(error, Err(StoreError::Foreign { .. })), "{error:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn another_programs_database_is_refused_and_left_alone() {
    use sqlx::{ConnectOptions, Connection};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut other = options.connect().await.unwrap();
    sqlx::raw_sql("CREATE TABLE theirs (a)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = Store::open(&format!("sqlite://{}", path.display()), Clock::manual(start())).await;
    let Err(error @ StoreError::Foreign { .. }) = error else { panic!("{error:?}") };
    assert_eq!(error.to_string().lines().count(), 1);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "x").unwrap();
    for path in ["file/deep/a.db", "."] {
        let url = format!("sqlite://{}/{path}", folder.path().display());
        let error = Store::open(&url, Clock::manual(start())).await;
        let Err(error @ StoreError::Unwritable { .. }) = error else { panic!("{error:?}") };
        assert_eq!(error.to_string().lines().count(), 1);
    }
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_refused() {
    use sqlx::{ConnectOptions, Connection};
    let world = World::new().await;
    let mut raw =
        sqlx::sqlite::SqliteConnectOptions::new().filename(world.file()).connect().await.unwrap();
    sqlx::raw_sql("INSERT INTO schema_versions VALUES (99, 'later', 'x', 0)")
        .execute(&mut raw)
        .await
        .unwrap();
    raw.close().await.unwrap();
    let error = Store::open(&world.url(), world.clock.clone()).await;
    assert!(matches!(error, Err(StoreError::Schema(_))), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_openers_of_a_new_file_agree_on_one_schema() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("new.db").display());
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            signalbox_runtime::task::spawn("opener", async move {
                Store::open(&url, Clock::manual(start())).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap().unwrap().ping().await.unwrap();
    }
}

#[tokio::test]
async fn an_address_belongs_to_one_account() {
    let world = World::new().await;
    let one = AccountId::new("acc_1");
    world.store.create_account(one, "A@example.com").await.unwrap();
    let again = world.store.create_account(AccountId::new("acc_2"), "a@EXAMPLE.com").await;
    assert!(matches!(again, Err(StoreError::Constraint(_))), "{again:?}");
    assert!(world.store.account(&AccountId::new("acc_2")).await.unwrap().is_none());
    assert_eq!(world.store.first_account().await.unwrap().unwrap().email, "a@example.com");
}
