//! What is remembered of endpoints is there after a restart.

use signalbox_core::Timestamp;
use signalbox_runtime::Clock;
use signalbox_store::{Store, health::HealthRow};

fn row(endpoint: &str, credential: Option<&str>, state: &str) -> HealthRow {
    HealthRow {
        endpoint: endpoint.to_owned(),
        credential: credential.map(str::to_owned),
        state: state.to_owned(),
    }
}

#[tokio::test]
async fn rows_are_renewed_and_forgotten_after_two_days() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("signalbox.db").display());
    let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    let many: Vec<HealthRow> = (0..200).map(|one| row(&format!("e{one}"), None, "{}")).collect();
    {
        let store = Store::open(&url, clock.clone()).await.unwrap();
        store.save_health(many).await.unwrap();
        store
            .save_health(vec![row("e1", Some("key"), "mine"), row("e1", None, "new")])
            .await
            .unwrap();
        store.flush().await.unwrap();
    }
    let store = Store::open(&url, clock.clone()).await.unwrap();
    let rows = store.health().await.unwrap();
    assert_eq!(rows.len(), 201);
    assert!(
        rows.contains(&row("e1", None, "new")) && rows.contains(&row("e1", Some("key"), "mine"))
    );
    clock.advance(std::time::Duration::from_secs(172_801));
    assert!(store.health().await.unwrap().is_empty());
    store.save_health(vec![row("e2", None, "again")]).await.unwrap();
    assert_eq!(store.health().await.unwrap(), [row("e2", None, "again")]);
}
