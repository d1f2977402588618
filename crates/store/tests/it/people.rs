//! People: who is first, and who they are elsewhere.

use std::time::Duration;

use signalbox_core::id::{AccountId, UserId};
use signalbox_core::{Secret, Timestamp, Usd};
use signalbox_store::{
    AccountRecord, Actor, By, Errand, IdentityRecord, NewPerson, SignInRecord, SignedUp, Store,
    Unlinked,
};

use signalbox_store::tries::{Pace, Tried};

use crate::world::World;

fn person(name: &str, only_first: bool) -> (By, NewPerson) {
    let account = AccountRecord {
        id: AccountId::new(format!("acc_{name}")),
        email: format!("{name}@example.com"),
        created_at: Timestamp::from_seconds(1_800_000_000),
    };
    let by = By { account: account.id.clone(), actor: Actor::User(account.owner()), address: None };
    let person = NewPerson {
        account,
        password: Some(Secret::new("hash".to_owned())),
        identity: None,
        first_name: None,
        last_name: None,
        verified: true,
        only_first,
        promo: Usd::ZERO,
    };
    (by, person)
}

fn identity(id: &str, user: &UserId) -> IdentityRecord {
    let now = Timestamp::from_seconds(1_800_000_000);
    IdentityRecord {
        id: id.to_owned(),
        source: String::new(),
        issuer: "https://idp.example".to_owned(),
        subject: id.to_owned(),
        user: user.clone(),
        provider: "idp".to_owned(),
        email: None,
        created_at: now,
        used_at: now,
    }
}

#[tokio::test]
async fn of_all_who_come_first_at_once_to_several_processes_one_is() {
    let world = World::new().await;
    let processes = [world.store.clone(), world.again().await];
    let come = |index: usize| {
        let store: Store = processes[index % 2].clone();
        async move {
            let (by, person) = person(&format!("p{index}"), true);
            store.sign_up(by, person).await.unwrap()
        }
    };
    let (a, b, c, d) = tokio::join!(come(0), come(1), come(2), come(3));
    let first = [a, b, c, d].into_iter().filter(|one| *one == SignedUp::Done).count();
    assert_eq!(first, 1);
    // Whoever may come anyway still does.
    let (by, invited) = person("invited", false);
    assert_eq!(world.store.sign_up(by, invited).await.unwrap(), SignedUp::Done);
}

#[tokio::test]
async fn an_identity_without_a_password_is_a_person_and_the_last_way_in_stays() {
    let world = World::new().await;
    let store = &world.store;
    let (by, mut ada) = person("ada", true);
    let user = ada.account.owner();
    ada.password = None;
    ada.identity = Some(identity("one", &user));
    assert!(!store.has_people().await.unwrap());
    assert_eq!(store.sign_up(by.clone(), ada).await.unwrap(), SignedUp::Done);
    assert!(store.has_people().await.unwrap());
    let gone = |id: &str| store.remove_identity(by.clone(), user.clone(), id.to_owned());
    assert_eq!(gone("two").await.unwrap(), Unlinked::NotThere);
    assert_eq!(gone("one").await.unwrap(), Unlinked::LastWayIn);
    assert!(store.add_identity(by.clone(), identity("two", &user)).await.unwrap());
    assert!(!store.add_identity(by.clone(), identity("two", &user)).await.unwrap(), "taken");
    // Of two that are unlinked at once, one stays.
    let (one, two) = tokio::join!(gone("one"), gone("two"));
    let mut done = [one.unwrap(), two.unwrap()];
    done.sort_by_key(|one| *one == Unlinked::LastWayIn);
    assert_eq!(done, [Unlinked::Done, Unlinked::LastWayIn]);
}

#[tokio::test]
async fn whoever_is_back_is_back_once_and_in_time() {
    let world = World::new().await;
    let store = &world.store;
    let record = SignInRecord {
        hash: "state".to_owned(),
        browser: "browser".to_owned(),
        source: "idp".to_owned(),
        errand: Errand::SignIn,
        user: None,
        return_to: "/".to_owned(),
        expires_at: world.clock.now().plus_millis(600_000),
    };
    let take = |browser: &str| store.take_sign_in("state".to_owned(), browser.to_owned());
    store.add_sign_in(record.clone()).await.unwrap();
    assert_eq!(take("other").await.unwrap(), None);
    let all = tokio::join!(take("browser"), take("browser"), take("browser"));
    let all = [all.0.unwrap(), all.1.unwrap(), all.2.unwrap()];
    assert_eq!(all.iter().flatten().collect::<Vec<_>>(), [&record]);
    store.add_sign_in(record).await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(take("browser").await.unwrap(), None);
}

/// An attacker has the same tries at all processes together as at one.
#[tokio::test]
async fn tries_are_counted_for_all_processes_together() {
    let world = World::new().await;
    let processes = [world.store.clone(), world.again().await];
    let pace = Pace { burst: 10, every: Duration::from_secs(180) };
    let of = |subject: &str| Tried { kind: "tries_at", subject: subject.to_owned() };
    let take = |index: usize| processes[index % 2].take_try(of("ada"), pace);
    let try_often = async |index: usize| {
        let mut taken = 0;
        for _ in 0..15 {
            taken += usize::from(take(index).await.unwrap().is_none());
        }
        taken
    };
    let (here, there) = tokio::join!(try_often(0), try_often(1));
    let taken = here + there;
    assert_eq!(taken, 10);
    assert_eq!(take(0).await.unwrap(), Some(Duration::from_secs(180)));
    assert_eq!(processes[1].take_try(of("bob"), pace).await.unwrap(), None);
    world.clock.advance(Duration::from_secs(181));
    assert_eq!(take(1).await.unwrap(), None);
    assert_eq!(take(0).await.unwrap(), Some(Duration::from_secs(179)));
    processes[1].forgive_tries(of("ada")).await.unwrap();
    assert_eq!(take(0).await.unwrap(), None);
}
