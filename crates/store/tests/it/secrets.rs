//! Secrets at rest: rows that were tampered with, keys that change, keys that are lost (test 38).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signalbox_core::id::{AccountId, UserId};
use signalbox_core::{Secret, Timestamp};
use signalbox_runtime::{entropy, task};
use signalbox_store::byok::MAX_KEYS;
use signalbox_store::workspaces::default_workspace;
use signalbox_store::{
    Actor, By, ByokEdit, ByokPage, ByokRecord, KeyRecord, OpenedKey, Rotation, Store, StoreError,
};
use signalbox_vault::{Kek, Vault};
use sqlx::{AssertSqlSafe, Connection, Row};

use crate::world::{POSTGRES, World};

fn kek(number: u8) -> Kek {
    Kek::new([number; 32])
}

/// Seals with the first key, opens with all.
fn vault(keys: &[u8]) -> Vault {
    let others = keys[1..].iter().map(|number| kek(*number)).collect();
    Vault::new(kek(keys[0]), others)
}

async fn world() -> World {
    let world = World::new().await;
    world.store.unlock(vault(&[1])).await.unwrap();
    world
}

/// Runs statements behind the store's back; gives the texts of the first column.
async fn run(world: &World, sql: &str) -> Vec<String> {
    let sql = AssertSqlSafe(sql.to_owned());
    if POSTGRES {
        let mut raw = sqlx::PgConnection::connect(&world.url()).await.unwrap();
        let rows = sqlx::raw_sql(sql).fetch_all(&mut raw).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    } else {
        let mut raw = sqlx::SqliteConnection::connect(&world.url()).await.unwrap();
        let rows = sqlx::raw_sql(sql).fetch_all(&mut raw).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

fn by(account: &AccountId) -> By {
    By { account: account.clone(), actor: Actor::Operator("test".to_owned()), address: None }
}

fn record(account: &AccountId, provider: &str) -> ByokRecord {
    ByokRecord {
        id: signalbox_core::id::random_uuid(entropy::bytes()),
        account: account.clone(),
        workspace: None,
        provider: provider.to_owned(),
        label: "sk-...end".to_owned(),
        name: None,
        disabled: false,
        is_fallback: false,
        always_use: false,
        sort_order: 0,
        allowed_models: None,
        allowed_api_key_hashes: None,
        allowed_user_ids: None,
        version: 1,
        created_at: Timestamp::from_seconds(1),
        updated_at: None,
    }
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

async fn keep(store: &Store, record: ByokRecord, text: &str) -> ByokRecord {
    let by = by(&record.account);
    store.make_byok(by, record, secret(text)).await.unwrap().unwrap()
}

/// What a caller can use, by id.
async fn usable(store: &Store, key: &KeyRecord) -> Vec<(String, String)> {
    let opened = store.byok_for(key).await.unwrap();
    let text = |one: OpenedKey| Some((one.record.id, one.secret?.expose().clone()));
    opened.into_iter().filter_map(text).collect()
}

#[tokio::test]
async fn a_provider_key_is_sealed_used_replaced_and_erased() {
    let world = world().await;
    let account = world.account(0).await;
    let key = world.key(&account, None, None).await;
    let made = keep(&world.store, record(&account, "acme"), "sk-canary-one").await;
    assert_eq!(usable(&world.store, &key).await, [(made.id.clone(), "sk-canary-one".to_owned())]);
    let edit = ByokEdit {
        secret: Some((secret("sk-canary-two"), "sk-...two".to_owned())),
        ..ByokEdit::default()
    };
    let edited = world.store.edit_byok(by(&account), made.id.clone(), edit).await.unwrap().unwrap();
    assert_eq!((edited.version, edited.label.as_str()), (2, "sk-...two"));
    let opened = world.store.byok_for(&key).await.unwrap();
    assert_eq!(opened[0].record.version, 2);
    assert!(!format!("{opened:?}").contains("canary"));
    assert_eq!(opened[0].secret, Some(secret("sk-canary-two")));
    // Another store, as another process, opens it with the same key.
    let other = world.again().await;
    assert_eq!(other.byok_for(&key).await.unwrap()[0].secret, None, "not unlocked yet");
    other.unlock(vault(&[1])).await.unwrap();
    assert_eq!(usable(&other, &key).await.len(), 1);

    let rows = "SELECT kind || audience || owner || id || dek || sealed FROM secrets UNION ALL \
         SELECT coalesce(before, '') || coalesce(after, '') FROM audit_log";
    let all = run(&world, rows).await.join("\n");
    assert!(all.contains(&made.id) && !all.contains("canary-"), "{all}");
    assert!(world.store.end_byok(by(&account), made.id.clone()).await.unwrap());
    assert!(usable(&world.store, &key).await.is_empty());
    let left = run(&world, "SELECT kind FROM secrets WHERE kind = 'byok'").await;
    assert!(left.is_empty(), "the ciphertext went with it");
    assert_eq!(run(&world, "SELECT label FROM byok_keys").await.len(), 1, "the row stays");
    assert!(!world.store.end_byok(by(&account), made.id).await.unwrap());
    assert!(world.audit().await.is_clean());
}

#[tokio::test]
async fn who_may_use_a_key_is_decided_by_all_of_its_filters() {
    let world = world().await;
    let account = world.account(0).await;
    let key = world.key(&account, None, None).await;
    let person = world.store.owner(&account).await.unwrap().unwrap();
    let other = world.key(&account, None, None).await;
    let key_of = |creator: Option<&UserId>| KeyRecord { creator: creator.cloned(), ..key.clone() };
    let ours = default_workspace(&account);
    let base = || record(&account, "acme");
    let hashes = |key: &KeyRecord| Some(vec![key.hash.clone()]);
    let mut kept = Vec::new();
    for (name, one) in [
        ("all", base()),
        ("workspace", ByokRecord { workspace: Some(ours), ..base() }),
        ("hash", ByokRecord { allowed_api_key_hashes: hashes(&key), ..base() }),
        ("other hash", ByokRecord { allowed_api_key_hashes: hashes(&other), ..base() }),
        ("person", ByokRecord { allowed_user_ids: Some(vec![person.clone()]), ..base() }),
        (
            "both",
            ByokRecord {
                allowed_api_key_hashes: hashes(&other),
                allowed_user_ids: Some(vec![person.clone()]),
                ..base()
            },
        ),
        ("disabled", ByokRecord { disabled: true, ..base() }),
    ] {
        let one = ByokRecord { name: Some(name.to_owned()), ..one };
        kept.push(keep(&world.store, one, "sk-1").await);
    }
    let names = async |key: &KeyRecord| -> Vec<String> {
        let found = world.store.byok_for(key).await.unwrap();
        found.into_iter().filter_map(|one| one.record.name).collect()
    };
    assert_eq!(names(&key_of(Some(&person))).await, ["all", "workspace", "hash", "person"]);
    assert_eq!(names(&key_of(None)).await, ["all", "workspace", "hash"]);
    let elsewhere = signalbox_core::id::WorkspaceId::new("elsewhere");
    let elsewhere = KeyRecord { workspace: Some(elsewhere), ..key_of(None) };
    assert_eq!(names(&elsewhere).await, ["all", "hash"]);
    let stranger = world.account(0).await;
    let theirs = world.key(&stranger, None, None).await;
    assert!(names(&theirs).await.is_empty());

    // In the order that their owner wants, those that were not named after the others.
    let order = vec![kept[2].id.clone(), kept[0].id.clone()];
    let all = world.store.order_byok(by(&account), order.clone()).await.unwrap().unwrap();
    assert_eq!(all.iter().map(|one| one.sort_order).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(names(&key_of(None)).await, ["hash", "all", "workspace"]);
    assert_eq!(world.store.order_byok(by(&stranger), order.clone()).await.unwrap(), None);
    let second = keep(&world.store, record(&account, "other"), "sk-2").await;
    assert_eq!(second.sort_order, 0, "counted for each provider");
    let mixed = vec![kept[0].id.clone(), second.id];
    assert_eq!(world.store.order_byok(by(&account), mixed).await.unwrap(), None);
    assert!(!world.store.has_api_keys(&account, &[theirs.hash]).await.unwrap());
    assert!(world.store.has_api_keys(&account, &[key.hash.clone(), key.hash]).await.unwrap());
}

#[tokio::test]
async fn an_account_has_so_many_provider_keys_and_no_more() {
    let world = world().await;
    let account = world.account(0).await;
    for _ in 0..MAX_KEYS {
        keep(&world.store, record(&account, "acme"), "sk-1").await;
    }
    let one = record(&account, "other");
    assert_eq!(world.store.make_byok(by(&account), one, secret("sk")).await.unwrap(), None);
    let workspace = default_workspace(&account);
    let page = ByokPage { workspace, provider: None, offset: 495, limit: 100 };
    let (rows, total) = world.store.byok_page(&account, &page).await.unwrap();
    assert_eq!((rows.len(), total), (5, u64::from(MAX_KEYS)));
}

#[tokio::test]
async fn rows_that_were_swapped_or_changed_fail_closed_and_the_others_go_on() {
    let world = world().await;
    let (ann, eve) = (world.account(0).await, world.account(0).await);
    let (anns, eves) = (world.key(&ann, None, None).await, world.key(&eve, None, None).await);
    let one = keep(&world.store, record(&ann, "acme"), "sk-one").await;
    let two = keep(&world.store, record(&ann, "acme"), "sk-two").await;
    let theirs = keep(&world.store, record(&eve, "acme"), "sk-eve").await;
    let edit = ByokEdit { secret: Some((secret("sk-eve"), String::new())), ..ByokEdit::default() };
    let old = run(&world, "SELECT dek FROM secrets WHERE kind = 'byok' ORDER BY id").await;
    assert_eq!(old.len(), 3);
    for (what, sql) in [
        (
            "whole boxes",
            "UPDATE secrets SET dek = (SELECT dek FROM secrets WHERE id = '{1}'), \
          sealed = (SELECT sealed FROM secrets WHERE id = '{1}') WHERE id = '{2}'",
        ),
        (
            "the text alone",
            "UPDATE secrets SET sealed = (SELECT sealed FROM secrets \
          WHERE id = '{1}') WHERE id = '{2}'",
        ),
        (
            "the row's place",
            "DELETE FROM secrets WHERE id = '{2}'; \
          UPDATE secrets SET id = '{2}' WHERE id = '{1}'",
        ),
        (
            "the owner of the row",
            "UPDATE secrets SET owner = '{eve}' WHERE id = '{1}'; \
          UPDATE byok_keys SET account_id = '{eve}' WHERE id = '{1}'",
        ),
        (
            "whom it is shown to",
            "UPDATE byok_keys SET provider = 'evil' WHERE id = '{1}'; \
          UPDATE secrets SET audience = 'evil' WHERE id = '{1}'",
        ),
        ("the version", "UPDATE byok_keys SET version = 2 WHERE id = '{1}'"),
        ("the kind", "UPDATE secrets SET kind = 'totp', id = owner WHERE id = '{1}'"),
        ("the key's name", "UPDATE secrets SET kek = 'f' || substr(kek, 2) WHERE id = '{1}'"),
        ("a row that is gone", "DELETE FROM secrets WHERE id = '{1}'"),
    ] {
        let before = run(
            &world,
            "SELECT id || '|' || kind || '|' || owner || '|' || audience \
             || '|' || kek || '|' || dek || '|' || sealed FROM secrets WHERE kind = 'byok'",
        )
        .await;
        let sql = sql.replace("{1}", &one.id).replace("{2}", &theirs.id);
        run(&world, &sql.replace("{eve}", eve.as_str())).await;
        let anns_now = usable(&world.store, &anns).await;
        let eves_now = usable(&world.store, &eves).await;
        assert!(anns_now.iter().any(|(id, text)| *id == two.id && text == "sk-two"), "{what}");
        for (id, text) in anns_now.iter().chain(&eves_now) {
            let own = [(&one.id, "sk-one"), (&two.id, "sk-two"), (&theirs.id, "sk-eve")];
            assert!(own.contains(&(id, text)), "{what}: {text} is shown for {id}");
        }
        assert!(anns_now.len() + eves_now.len() < 3, "{what}: something must be shut");
        assert!(eves_now.iter().all(|(_, text)| text == "sk-eve"), "{what}: {eves_now:?}");
        // As it was.
        run(&world, "DELETE FROM secrets WHERE kind <> 'canary'").await;
        for row in before {
            let [id, kind, owner, audience, kek, dek, sealed] =
                row.split('|').collect::<Vec<_>>().try_into().unwrap();
            run(
                &world,
                &format!(
                    "INSERT INTO secrets VALUES ('{kind}', '{id}', '{audience}', \
                 '{owner}', 1, '{kek}', '{dek}', '{sealed}', 1)"
                ),
            )
            .await;
        }
        run(
            &world,
            &format!(
                "UPDATE byok_keys SET account_id = '{ann}', provider = 'acme', \
             version = 1 WHERE id = '{}'",
                one.id
            ),
        )
        .await;
        assert_eq!(usable(&world.store, &anns).await.len(), 2, "{what}: put back");
        assert_eq!(usable(&world.store, &eves).await.len(), 1, "{what}: put back");
    }
    // What was replaced does not come back.
    let rows = "SELECT dek || '|' || sealed FROM secrets WHERE id = '{}'".replace("{}", &theirs.id);
    let replay = run(&world, &rows).await.remove(0);
    world.store.edit_byok(by(&eve), theirs.id.clone(), edit).await.unwrap().unwrap();
    let (dek, sealed) = replay.split_once('|').unwrap();
    run(
        &world,
        &format!(
            "UPDATE secrets SET dek = '{dek}', sealed = '{sealed}', version = 1 \
         WHERE id = '{}'",
            theirs.id
        ),
    )
    .await;
    assert!(usable(&world.store, &eves).await.is_empty());
    let status = world.store.secrets_status(&vault(&[1])).await.unwrap();
    assert_eq!(status.unreadable_count, 0, "it opens for what it was: only not here");
}

#[tokio::test]
async fn without_its_key_nothing_starts_and_nothing_is_changed() {
    let world = world().await;
    let account = world.account(0).await;
    for _ in 0..3 {
        keep(&world.store, record(&account, "acme"), "sk-1").await;
    }
    let before = run(&world, "SELECT dek || sealed FROM secrets ORDER BY kind, id").await;
    let other = world.again().await;
    let refused = other.unlock(vault(&[2])).await.unwrap_err();
    let StoreError::Unreadable { unreadable, all, keys } = &refused else { panic!("{refused}") };
    // Three, and the one that is always there.
    assert_eq!((*unreadable, *all, keys.as_str()), (4, 4, kek(1).id()));
    assert!(refused.to_string().starts_with("4 of 4 stored secrets can't be opened"));
    assert!(!refused.to_string().contains('\n'));
    let none = other.unlock(Vault::default()).await.unwrap_err();
    assert!(matches!(none, StoreError::Unreadable { unreadable: 4, .. }), "{none}");
    let one = record(&account, "acme");
    let sealed = other.make_byok(by(&account), one, secret("sk")).await;
    assert!(matches!(sealed, Err(StoreError::Damaged(_))), "{sealed:?}");
    assert_eq!(run(&world, "SELECT dek || sealed FROM secrets ORDER BY kind, id").await, before);
    other.unlock(vault(&[2, 1])).await.unwrap();

    // An empty installation notices too: the first key leaves a mark.
    let empty = World::new().await;
    empty.store.unlock(vault(&[1])).await.unwrap();
    let second = empty.again().await;
    let refused = second.unlock(vault(&[2])).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unreadable { unreadable: 1, all: 1, .. }), "{refused}");
    let none = World::new().await.store.unlock(Vault::default()).await.unwrap_err();
    assert!(matches!(none, StoreError::Damaged(_)), "{none}");
}

#[tokio::test]
async fn another_key_takes_over_while_both_are_used_and_goes_on_where_it_was_broken_off() {
    const COUNT: usize = 250;
    let world = world().await;
    let account = world.account(0).await;
    let key = world.key(&account, None, None).await;
    for _ in 0..COUNT {
        keep(&world.store, record(&account, "acme"), "sk-1").await;
    }
    // Every process has both keys before anything is sealed with the new one.
    world.store.unlock(vault(&[1, 2])).await.unwrap();
    let rotating = world.again().await;
    rotating.unlock(vault(&[2, 1])).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let (store, key_now, end) = (world.store.clone(), key.clone(), Arc::clone(&done));
    let reads = task::spawn("reads", async move {
        let mut reads = 0;
        while !end.load(Ordering::Relaxed) || reads == 0 {
            let all = usable(&store, &key_now).await;
            assert_eq!(all.iter().filter(|(_, text)| text == "sk-1").count(), COUNT);
            reads += 1;
        }
        reads
    });
    // Broken off twice, wherever it was.
    let left = "SELECT id FROM secrets WHERE kek = '{}'".replace("{}", kek(1).id());
    for stop_at in [COUNT - 50, COUNT - 150] {
        let broken = rotating.clone();
        let run_one = task::spawn("rotation", async move { broken.rotate_secrets().await });
        while run(&world, &left).await.len() > stop_at {
            tokio::task::yield_now().await;
        }
        run_one.abort();
        drop(run_one.await);
    }
    let before = run(&world, &left).await.len();
    // A process that has only the old key for sealing goes on storing.
    let late = keep(&world.store, record(&account, "other"), "sk-late").await;
    world.store.end_byok(by(&account), late.id).await.unwrap();
    let rest = rotating.rotate_secrets().await.unwrap();
    assert!(usize::try_from(rest.moved).unwrap() <= before, "{rest:?}");
    assert_eq!((rest.unreadable, run(&world, &left).await.len()), (0, 0));
    assert_eq!(rotating.rotate_secrets().await.unwrap(), Rotation::default());
    done.store(true, Ordering::Relaxed);
    assert!(reads.await.unwrap().unwrap() > 0);
    // The old key can go.
    let last = world.again().await;
    last.unlock(vault(&[2])).await.unwrap();
    assert_eq!(usable(&last, &key).await.len(), COUNT);
    let status = last.secrets_status(&vault(&[2])).await.unwrap();
    assert_eq!(status.keys.keys().collect::<Vec<_>>(), [kek(2).id()]);
    assert_eq!(status.unreadable_count, 0);
}

#[tokio::test]
async fn secrets_under_a_lost_key_are_counted_left_alone_and_can_be_given_up() {
    let world = world().await;
    let account = world.account(0).await;
    let key = world.key(&account, None, None).await;
    let lost = keep(&world.store, record(&account, "acme"), "sk-old").await;
    let (two, three) = (vault(&[2, 1]), vault(&[3, 2]));
    world.store.unlock(two.clone()).await.unwrap();
    let kept = keep(&world.store, record(&account, "acme"), "sk-new").await;
    let status = world.store.secrets_status(&three).await.unwrap();
    assert_eq!((status.unreadable_count, status.keys.len()), (2, 2), "{status:?}");
    assert!(status.unreadable.contains(&("byok".to_owned(), lost.id.clone())), "{status:?}");
    assert!(world.store.unlock(three.clone()).await.is_err());
    // A row that is damaged does not stop the others.
    let sql = format!("UPDATE secrets SET dek = '1.AAAA' WHERE id = '{}'", lost.id);
    run(&world, &sql).await;
    let done = world.store.rotate_secrets().await.unwrap();
    assert_eq!((done.moved, done.unreadable), (1, 1), "the mark, and the damaged one");
    assert_eq!(world.store.forget_secrets(kek(1).id().to_owned()).await.unwrap(), 1);
    world.store.unlock(three).await.unwrap();
    assert_eq!(usable(&world.store, &key).await, [(kept.id, "sk-new".to_owned())]);
    // It is there, of no use until it is given another key.
    let opened = world.store.byok_for(&key).await.unwrap();
    assert_eq!(opened.iter().filter(|one| one.secret.is_none()).count(), 1);
    let edit = ByokEdit { secret: Some((secret("sk-2"), String::new())), ..ByokEdit::default() };
    world.store.edit_byok(by(&account), lost.id, edit).await.unwrap().unwrap();
    assert_eq!(usable(&world.store, &key).await.len(), 2);
}

#[tokio::test]
async fn second_factors_of_earlier_versions_are_sealed_when_a_process_starts() {
    let world = World::new().await;
    let mut people = Vec::new();
    for _ in 0..3 {
        let account = world.account(0).await;
        people.push(world.store.owner(&account).await.unwrap().unwrap());
    }
    let sql = "UPDATE users SET totp_secret = 'canary-' || id, totp_confirmed_at = 1";
    run(&world, sql).await;
    world.store.unlock(vault(&[1])).await.unwrap();
    for person in &people {
        let found = world.store.totp_secret(person).await.unwrap();
        assert_eq!(found, Some(secret(&format!("canary-{person}"))));
    }
    let clear = "SELECT id FROM users WHERE totp_secret IS NOT NULL";
    assert!(run(&world, clear).await.is_empty());
    let all = run(&world, "SELECT dek || sealed FROM secrets").await.join("\n");
    assert!(!all.contains("canary"), "{all}");
    // Somebody else's secret is not one's own.
    let [one, two] = [&people[0], &people[1]];
    let swap = format!(
        "UPDATE secrets SET dek = (SELECT dek FROM secrets WHERE id = '{two}'), \
         sealed = (SELECT sealed FROM secrets WHERE id = '{two}') WHERE id = '{one}'"
    );
    run(&world, &swap).await;
    assert!(matches!(world.store.totp_secret(one).await, Err(StoreError::Damaged(_))));
    assert!(world.store.totp_secret(two).await.is_ok());
    let account = world.store.account_of(two).await.unwrap();
    world.store.remove_totp(by(&account), two.clone()).await.unwrap();
    assert_eq!(world.store.totp_secret(two).await.unwrap(), None);
}
