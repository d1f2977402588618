//! Connections of organizations to their identity providers.

use signalbox_core::id::AccountId;
use signalbox_store::{
    AccountRecord, Actor, By, SsoChange, SsoConnection, SsoOrigin, SsoStatus, Store,
};

use crate::world::World;

fn by(account: &AccountId) -> By {
    By { account: account.clone(), actor: Actor::Operator("test".to_owned()), address: None }
}

/// An organization with one person as its admin.
async fn organization(store: &Store, name: &str) -> AccountId {
    let person = AccountId::new(format!("acc_{name}"));
    let admin = store.create_account(person, &format!("{name}@example.com")).await.unwrap();
    let id = AccountId::new(format!("org_{name}"));
    let record = AccountRecord { id: id.clone(), ..admin.clone() };
    store.create_organization(by(&id), record, name.to_owned(), admin.owner()).await.unwrap();
    id
}

fn connection(world: &World, account: &AccountId, id: &str, domain: &str) -> SsoConnection {
    let now = world.clock.now();
    SsoConnection {
        id: id.to_owned(),
        account: account.clone(),
        domain: domain.to_owned(),
        origin: SsoOrigin::SelfServe,
        status: SsoStatus::Pending,
        dns_token: "token".to_owned(),
        verified_at: None,
        issuer: None,
        client_id: None,
        secret_version: None,
        tested_at: None,
        created_by: None,
        created_at: now,
        updated_at: now,
    }
}

#[tokio::test]
async fn a_domain_is_claimed_by_many_and_proven_by_one() {
    let world = World::new().await;
    let store = &world.store;
    let (one, other) = (organization(store, "one").await, organization(store, "other").await);
    for (account, id) in [(&one, "a"), (&other, "b")] {
        let added = store.add_sso_connection(by(account), connection(&world, account, id, "x.org"));
        assert_eq!(added.await.unwrap(), SsoChange::Done);
    }
    let again = store.add_sso_connection(by(&one), connection(&world, &one, "c", "x.org"));
    assert_eq!(again.await.unwrap(), SsoChange::Taken);
    let now = world.clock.now();
    let prove = |account: &AccountId, id: &str| {
        store.change_sso_connection(by(account), id.to_owned(), move |one| {
            one.verified_at = Some(now);
        })
    };
    assert_eq!(prove(&other, "a").await.unwrap(), SsoChange::NotThere, "somebody else's");
    assert_eq!(prove(&one, "a").await.unwrap(), SsoChange::Done);
    assert_eq!(prove(&other, "b").await.unwrap(), SsoChange::Taken);
    // Whoever proved it and goes makes room.
    let gone = store.delete_sso_connection(by(&one), "a".to_owned());
    assert_eq!(gone.await.unwrap(), SsoChange::Done);
    assert_eq!(store.sso_connection("a").await.unwrap(), None);
    assert_eq!(prove(&other, "b").await.unwrap(), SsoChange::Done);
}

#[tokio::test]
async fn only_an_active_connection_is_found_by_its_domain_and_no_secret_is_audited() {
    let world = World::new().await;
    let store = &world.store;
    let one = organization(store, "one").await;
    let record = connection(&world, &one, "a", "x.org");
    store.add_sso_connection(by(&one), record).await.unwrap();
    let now = world.clock.now();
    let set = |status| {
        store.change_sso_connection(by(&one), "a".to_owned(), move |one| {
            one.verified_at = Some(now);
            one.issuer = Some("https://idp.x.org".to_owned());
            one.client_id = Some("us".to_owned());
            one.status = status;
        })
    };
    for status in [SsoStatus::Pending, SsoStatus::Active, SsoStatus::Disabled] {
        assert_eq!(set(status).await.unwrap(), SsoChange::Done);
        let found = store.sso_connection_for("x.org").await.unwrap();
        assert_eq!(found.is_some(), status == SsoStatus::Active);
        let listed = store.sso_connections_of(&one).await.unwrap();
        assert_eq!((listed.len(), listed[0].status), (1, status));
    }
    let log = store.audit_log(&one, None, 100).await.unwrap();
    assert_eq!(log.iter().filter(|row| row.object_kind == "sso_connection").count(), 4);
    assert!(!format!("{log:?}").contains("canary"));

    assert_eq!(store.sso_enabled_at(&one).await.unwrap(), None);
    store.enable_sso(by(&one)).await.unwrap();
    store.enable_sso(by(&one)).await.unwrap();
    assert_eq!(store.sso_enabled_at(&one).await.unwrap(), Some(now));
}
