//! Presets, apps and what a workspace presets, in rows.

use std::collections::HashSet;

use signalbox_core::id::AccountId;
use signalbox_runtime::task;
use signalbox_store::presets::{Absent, NewVersion, PresetEdit};
use signalbox_store::workspaces::{Final, PluginDefault, default_workspace};
use signalbox_store::{Actor, By, PresetStatus, Store, StoreError};

use crate::world::World;

fn by(account: &AccountId) -> By {
    By { account: account.clone(), actor: Actor::Operator("test".to_owned()), address: None }
}

fn version(account: &AccountId, slug: &str, config: &str) -> NewVersion {
    NewVersion {
        workspace: default_workspace(account),
        slug: slug.to_owned(),
        creator: None,
        system_prompt: Some("S".to_owned()),
        config: config.to_owned(),
    }
}

async fn save(store: &Store, account: &AccountId, slug: &str) -> Result<i64, StoreError> {
    let saved = store.save_preset(by(account), version(account, slug, r#"{"n":1.0}"#)).await?;
    Ok(saved.unwrap().1.number)
}

#[tokio::test]
async fn versions_count_up_and_the_designated_one_is_named() {
    let world = World::new().await;
    let (store, account) = (&world.store, world.account(0).await);
    let other = world.account(0).await;
    let workspace = default_workspace(&account);
    for expected in [1, 2, 3] {
        assert_eq!(save(store, &account, "p").await.unwrap(), expected);
    }
    let edit = PresetEdit {
        designated: Some(2),
        status: Some(PresetStatus::Disabled),
        description: Some(Some("d".to_owned())),
        ..PresetEdit::default()
    };
    let edited = store.edit_preset(by(&account), workspace.clone(), "p".to_owned(), edit).await;
    let edited = edited.unwrap().unwrap();
    let read = store.preset(&account, &workspace, "p").await.unwrap().unwrap();
    assert_eq!(edited, read);
    let kept = store.preset_version(&read, 2).await.unwrap().unwrap();
    assert_eq!(
        (Some(&kept.id), kept.config.as_str()),
        (read.designated_id.as_ref(), r#"{"n":1.0}"#)
    );
    let (page, total) = store.preset_versions_page(&read, 1, 1).await.unwrap();
    assert_eq!((page, total), (vec![kept], 3));
    let nothing = PresetEdit { designated: Some(4), ..PresetEdit::default() };
    let absent = store.edit_preset(by(&account), workspace.clone(), "p".to_owned(), nothing).await;
    assert_eq!(absent.unwrap().unwrap_err(), Absent::Version);

    // Another account has nothing there, whichever workspace it names.
    assert_eq!(store.preset(&other, &workspace, "p").await.unwrap(), None);
    let absent =
        store.edit_preset(by(&other), workspace.clone(), "p".to_owned(), PresetEdit::default());
    assert_eq!(absent.await.unwrap().unwrap_err(), Absent::Preset);
    assert!(!store.delete_preset(by(&other), workspace.clone(), "p".to_owned()).await.unwrap());
    assert_eq!(save(store, &other, "p").await.unwrap(), 1);
    assert_eq!(store.presets_page(&account, &workspace, 0, 10).await.unwrap().1, 1);

    save(store, &account, "q").await.unwrap();
    let taken = PresetEdit { slug: Some("q".to_owned()), ..PresetEdit::default() };
    let taken = store.edit_preset(by(&account), workspace.clone(), "p".to_owned(), taken).await;
    assert!(matches!(taken, Err(StoreError::Constraint(_))), "{taken:?}");
    assert!(store.delete_preset(by(&account), workspace.clone(), "p".to_owned()).await.unwrap());
    assert_eq!(store.preset(&account, &workspace, "p").await.unwrap(), None);
}

#[tokio::test]
async fn of_several_at_once_each_has_a_number_of_its_own_or_is_told() {
    let world = World::new().await;
    let account = world.account(0).await;
    let stores = [world.store.clone(), world.again().await];
    let tries = (0..8).map(|index| {
        let (store, account) = (stores[index % 2].clone(), account.clone());
        task::spawn("saving", async move { save(&store, &account, "p").await })
    });
    let mut numbers = HashSet::new();
    for one in tries.collect::<Vec<_>>() {
        match one.await.unwrap().unwrap() {
            Ok(number) => assert!(numbers.insert(number), "{number} twice"),
            Err(error) => assert!(matches!(error, StoreError::Constraint(_)), "{error}"),
        }
    }
    let workspace = default_workspace(&account);
    let preset = world.store.preset(&account, &workspace, "p").await.unwrap().unwrap();
    assert_eq!(preset.designated, i64::try_from(numbers.len()).unwrap());
}

#[tokio::test]
async fn defaults_are_read_with_the_key_and_apps_keep_ten_categories() {
    let world = World::new().await;
    let (store, account) = (&world.store, world.account(0).await);
    let key = world.key(&account, None, None).await;
    let plugin = PluginDefault {
        id: "auto-router".to_owned(),
        enabled: true,
        prevent_overrides: Final::Fields(vec!["allowed_models".to_owned()]),
        settings: serde_json::Map::new(),
    };
    let kept = plugin.clone();
    let edited = store.edit_workspace(by(&account), default_workspace(&account), move |one| {
        one.defaults.plugins = vec![plugin];
    });
    edited.await.unwrap().unwrap();
    assert_eq!(store.policy_of(&key).await.unwrap().defaults.plugins, [kept]);

    let url = "https://app.example".to_owned();
    for number in 0..6 {
        let all = ["a1", "b1", "a2", "b2", "a3", "b3", "a4", "b4", "a5", "b5", "a6", "b6"];
        let said = all[number * 2..number * 2 + 2].to_vec();
        store.app_seen(url.clone(), Some(format!("T{number}")), said).await.unwrap();
    }
    let (id, title, categories) = store.app(&url).await.unwrap().unwrap();
    assert!(id > 0);
    assert_eq!((title.as_str(), categories.len()), ("T5", 10));
    store.app_seen(url.clone(), None, Vec::new()).await.unwrap();
    assert_eq!(store.app(&url).await.unwrap().unwrap().1, "T5", "silence changes nothing");
    assert!(store.app("https://nobody.example").await.unwrap().is_none());
}
