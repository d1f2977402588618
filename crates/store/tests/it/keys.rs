//! Keys that can't be any more when they are written: what was looked at before has changed.

use signalbox_core::id::{AccountId, KeyHash, UserId, WorkspaceId, random_uuid};
use signalbox_runtime::entropy;
use signalbox_store::idempotency::{Answer, Remembered};
use signalbox_store::workspaces::{WorkspaceEnd, WorkspaceRecord};
use signalbox_store::{
    AccountRecord, Actor, By, InvitationRecord, Invited, Joined, KeyEdit, KeyKind, KeyRecord, Role,
    Rotated, StoreError,
};

use crate::world::{World, hex};

fn by(account: &AccountId) -> By {
    By { account: account.clone(), actor: Actor::Operator("test".to_owned()), address: None }
}

fn answer() -> Answer {
    Answer { status: 201, body: String::new() }
}

/// An organization with an admin, and a workspace of it.
async fn site(world: &World) -> (AccountId, UserId, WorkspaceRecord) {
    let store = &world.store;
    let admin = store.create_account(AccountId::new("acc_ada"), "ada@example.com").await.unwrap();
    let account = AccountId::new("org_ada");
    let record = AccountRecord { id: account.clone(), ..admin.clone() };
    let made = store.create_organization(by(&account), record, "Ada".to_owned(), admin.owner());
    made.await.unwrap();
    let workspace = WorkspaceRecord {
        id: WorkspaceId::new(random_uuid(entropy::bytes())),
        account: account.clone(),
        slug: "lab".to_owned(),
        name: "Lab".to_owned(),
        description: None,
        is_default: false,
        settings: Default::default(),
        defaults: Default::default(),
        include_byok_in_budgets: false,
        created_by: None,
        created_at: world.clock.now(),
        updated_at: None,
    };
    store.make_workspace(by(&account), workspace.clone()).await.unwrap();
    (account, admin.owner(), workspace)
}

/// Makes somebody a member, by an invitation.
async fn join(world: &World, account: &AccountId, admin: &UserId, user: &UserId) {
    let person = world.store.user(user).await.unwrap().unwrap();
    let invitation = InvitationRecord {
        id: random_uuid(entropy::bytes()),
        account: account.clone(),
        email: person.email,
        role: Role::Member,
        invited_by: admin.clone(),
        created_at: world.clock.now(),
        expires_at: world.clock.now().plus_millis(1_000),
    };
    let hash = || "invitation".to_owned();
    let sent = world.store.invite(by(account), invitation.clone(), hash(), 10).await;
    assert_eq!(sent.unwrap(), Invited::Done);
    let joined = world.store.accept_invitation(by(account), invitation, user.clone(), hash(), 10);
    assert_eq!(joined.await.unwrap(), Joined::Done);
}

/// A key that is not yet stored.
fn draft(like: &KeyRecord, workspace: Option<&WorkspaceRecord>, who: Option<&UserId>) -> KeyRecord {
    KeyRecord {
        hash: KeyHash::new(hex(&entropy::secret())),
        workspace: workspace.map(|one| one.id.clone()),
        creator: who.cloned(),
        ..like.clone()
    }
}

#[tokio::test]
async fn a_key_is_made_for_whoever_has_a_place_where_it_is() {
    let world = World::new().await;
    let (account, ada, lab) = site(&world).await;
    let like = world.key(&account, None, None).await;
    let bob = world.account(0).await;
    let bob = world.store.owner(&bob).await.unwrap().unwrap();
    let make = async |by: By, workspace, who| {
        let made = world.store.make_key(by, draft(&like, workspace, who), None, answer());
        matches!(made.await, Ok(Remembered::Now(_)))
    };
    let operator = || by(&account);
    let own = |user: &UserId| By { actor: Actor::User(user.clone()), ..by(&account) };
    for by in [operator(), own(&ada)] {
        assert!(make(by.clone(), None, Some(&ada)).await);
        assert!(make(by.clone(), Some(&lab), Some(&ada)).await);
        assert!(make(by.clone(), Some(&lab), None).await, "a key of the account itself");
        assert!(!make(by, None, Some(&bob)).await, "a stranger");
    }
    // Somebody of the organization, who does not belong to the workspace: others may think so.
    join(&world, &account, &ada, &bob).await;
    assert!(make(own(&bob), None, Some(&bob)).await);
    assert!(!make(own(&bob), Some(&lab), Some(&bob)).await);
    assert!(make(operator(), Some(&lab), Some(&bob)).await);
    let added = world.store.add_workspace_members(operator(), lab.clone(), vec![bob.clone()]);
    added.await.unwrap().unwrap();
    assert!(make(own(&bob), Some(&lab), Some(&bob)).await);
    let off = world.store.change_member(operator(), bob.clone(), None, Some(false), 10);
    off.await.unwrap();
    for by in [operator(), own(&bob)] {
        assert!(!make(by.clone(), None, Some(&bob)).await);
        assert!(!make(by, Some(&lab), Some(&bob)).await);
    }
    // Nobody's organization is another one's.
    let other = world.account(0).await;
    let foreign = KeyRecord { account: other.clone(), ..draft(&like, Some(&lab), None) };
    let refused = world.store.make_key(by(&other), foreign, None, answer()).await;
    assert!(matches!(refused, Err(StoreError::Constraint(_))), "{refused:?}");
}

#[tokio::test]
async fn the_keys_of_a_workspace_end_with_it() {
    let world = World::new().await;
    let (account, ada, lab) = site(&world).await;
    let like = world.key(&account, None, None).await;
    let key = draft(&like, Some(&lab), Some(&ada));
    world.store.make_key(by(&account), key.clone(), None, answer()).await.unwrap();
    let end = async || world.store.end_workspace(by(&account), lab.id.clone()).await.unwrap();
    assert_eq!(end().await, WorkspaceEnd::HasKeys);
    let switch = async |disabled| {
        let edit = KeyEdit { disabled: Some(disabled), ..KeyEdit::default() };
        world.store.edit_key(by(&account), key.hash.clone(), KeyKind::Api, edit).await.unwrap()
    };
    assert!(switch(true).await.is_some());
    assert_eq!(end().await, WorkspaceEnd::Deleted);
    assert!(switch(false).await.is_none(), "it can't be enabled again");
    assert!(world.store.key(&key.hash).await.unwrap().is_none());
    let late = world.store.make_key(by(&account), draft(&like, Some(&lab), None), None, answer());
    assert!(matches!(late.await, Err(StoreError::Constraint(_))));
    // Both ends are in the audit log.
    let rows = world.store.audit_log(&account, None, 100).await.unwrap();
    let ended = |kind: &str| rows.iter().any(|row| row.object_kind == kind && row.after.is_none());
    assert!(ended("key") && ended("workspace"));
}

#[tokio::test]
async fn a_key_that_has_changed_is_not_replaced_by_what_it_was() {
    let world = World::new().await;
    let (account, _, _) = site(&world).await;
    let old = world.key(&account, Some(9), None).await;
    let turn = async |old: &KeyRecord| {
        let (new, end) = (draft(old, None, None), world.clock.now());
        let turned = world.store.rotate_key(by(&account), old.clone(), new, end, None, answer());
        turned.await.unwrap()
    };
    let lower = KeyEdit { limit: Some(Some(crate::world::usd(1))), ..KeyEdit::default() };
    let edited = world.store.edit_key(by(&account), old.hash.clone(), KeyKind::Api, lower).await;
    let now = edited.unwrap().unwrap();
    assert_eq!(turn(&old).await, Rotated::Changed);
    assert!(matches!(turn(&now).await, Rotated::Done(_)));
    assert_eq!(turn(&now).await, Rotated::Before);
}
