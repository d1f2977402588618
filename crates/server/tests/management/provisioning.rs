//! What follows from what a directory says: for keys, sessions, memberships (platform spec 17.2, 17.3).

use std::time::Duration;

use serde_json::json;
use signalbox_core::id::{AccountId, UserId};
use signalbox_platform::NewKey;
use signalbox_runtime::Clock;
use signalbox_testkit::{Caller, Offer, Setup, Stand, TestServer, eventually};

use crate::browser::{Browser, mailed, person, start, start_as};
use crate::directory::{Company, DOMAIN, open, text};
use crate::site::{chat, delete, patch, told};

async fn secret_of(
    server: &TestServer,
    org: &AccountId,
    user: &str,
    workspace: Option<&str>,
) -> String {
    let wanted = NewKey {
        name: "mine".to_owned(),
        creator: Some(UserId::new(user)),
        workspace: workspace.map(signalbox_core::id::WorkspaceId::new),
        ..NewKey::default()
    };
    server.platform.create_key(org, wanted).await.unwrap().key
}

async fn key_of(
    server: &TestServer,
    org: &AccountId,
    user: &str,
    workspace: Option<&str>,
) -> Caller {
    server.caller().with_key(&secret_of(server, org, user, workspace).await)
}

#[tokio::test]
async fn whoever_is_deactivated_loses_the_keys_made_there_at_once_and_nothing_else() {
    let (server, _) = start(open()).await;
    deactivates(&server).await;
    server.closes_clean().await;
}

#[tokio::test]
async fn directories_live_in_postgresql_too() {
    let database = signalbox_pgserver::database();
    let setup = Setup { people: open(), database: Some(database.url()), ..Setup::default() };
    let server = start_as(setup).await;
    deactivates(&server).await;
    groups(&server).await;
    server.closes_clean().await;
}

/// A change of one process holds in another one on the same database within a second; the figure is
/// printed, for a machine that is busy with other things.
#[tokio::test]
async fn keys_of_whoever_is_deactivated_stop_in_other_processes_too() {
    let database = signalbox_pgserver::database();
    let setup = || Setup { people: open(), database: Some(database.url()), ..Setup::default() };
    let offer = || Offer::new().model("acme/one", [Stand::new("well", "tokens-5")]);
    let server = TestServer::start_as(offer(), setup()).await;
    let other = server.beside(offer(), setup()).await;
    let acme = Company::found(&server, "root@acme.example", DOMAIN).await;
    server.grant(&acme.org, "5").await;
    let idp = acme.directory().await;
    let id = idp.user("ada@acme.example").await;
    let user = acme.person(&server, "ada@acme.example").await;
    let key = secret_of(&server, &acme.org, &user, None).await;
    let there = other.caller().with_key(&key);
    told(&there.chat(&chat()).await, 200);
    let off = json!([{"op": "replace", "value": {"active": false}}]);
    told(&idp.patch(&format!("/Users/{id}"), off).await, 200);
    let clock = Clock::system();
    let start = clock.monotonic();
    eventually(Duration::from_secs(20), "the end of the key", async || {
        (there.chat(&chat()).await.status == 401).then_some(())
    })
    .await;
    println!("another process refuses the key after {:?}", clock.monotonic() - start);
    other.closes_clean().await;
    server.closes_clean().await;
}

async fn deactivates(server: &TestServer) {
    let acme = Company::found(server, "root@acme.example", DOMAIN).await;
    server.grant(&acme.org, "5").await;
    let idp = acme.directory().await;
    let mut ada = person(server, "ada@acme.example", json!({})).await;
    let id = idp.user("ada@acme.example").await;
    let user = acme.person(server, "ada@acme.example").await;
    let second = acme.workspace("second").await;
    let theirs = key_of(server, &acme.org, &user, None).await;
    let elsewhere = key_of(server, &acme.org, &user, Some(&second)).await;
    let ours = key_of(server, &acme.org, "user_nobody", None).await;
    let seen = told(&ada.get("").await, 200);
    let own = AccountId::new(text(&seen["data"]["contexts"][0]["account_id"]));
    server.grant(&own, "5").await;
    let personal = key_of(server, &own, &user, None).await;
    for caller in [&theirs, &elsewhere, &ours, &personal] {
        told(&caller.chat(&chat()).await, 200);
    }
    let before = ada.clone();
    let switched = json!({ "account_id": acme.org });
    told(&ada.send(http::Method::PUT, "/context", switched.clone()).await, 200);
    let mut other = Browser::new(server, "ada@acme.example");
    other.sign_in().await;

    // What Entra ID sends, in its older form.
    let off = json!([{"op": "Replace", "path": "active", "value": "False"}]);
    assert_eq!(told(&idp.patch(&format!("/Users/{id}"), off).await, 200)["active"], false);
    told(&theirs.chat(&chat()).await, 401);
    told(&elsewhere.chat(&chat()).await, 401);
    told(&ours.chat(&chat()).await, 200);
    told(&personal.chat(&chat()).await, 200);
    told(&before.get("").await, 401);
    let seen = told(&other.get("").await, 200);
    assert_eq!(seen["data"]["contexts"].as_array().unwrap().len(), 1);
    ada.sign_in().await;
    told(&ada.send(http::Method::PUT, "/context", switched).await, 404);
    let log = server.platform.store().audit_log(&acme.org, None, 50).await.unwrap();
    let acts: Vec<String> = log.iter().take(4).map(|row| row.object_kind.clone()).collect();
    assert_eq!(acts, ["key", "key", "member", "scim_user"]);
    assert!(log.iter().take(4).all(|row| row.actor_kind == "directory"
        && row.actor_id == acme.connection
        && row.action == "scim.user.update"));
    // An administrator can't go behind the directory's back, nor can an invitation.
    let invitations = format!("/organizations/{}/invitations", acme.org);
    let wish = json!({"email": "ada@acme.example", "role": "org:admin"});
    told(&acme.admin.post(&invitations, wish).await, 201);
    let token = mailed(server, "ada@acme.example", "You are invited").await;
    told(&ada.post("/invitations/accept", json!({ "token": token })).await, 404);
    let path = format!("/organizations/{}/members/{user}", acme.org);
    let wish = json!({"active": true});
    told(&acme.admin.send(http::Method::PATCH, &path, wish).await, 409);

    // Coming back gives the membership back, and no key.
    let on = json!([{"op": "replace", "value": {"active": true}}]);
    assert_eq!(told(&idp.patch(&format!("/Users/{id}"), on).await, 200)["active"], true);
    let seen = told(&ada.get("").await, 200);
    assert_eq!(seen["data"]["contexts"].as_array().unwrap().len(), 2);
    told(&theirs.chat(&chat()).await, 401);
    let again = key_of(server, &acme.org, &user, None).await;
    told(&again.chat(&chat()).await, 200);
    assert_eq!(idp.delete(&format!("/Users/{id}")).await.status, 204);
    told(&again.chat(&chat()).await, 401);
    told(&personal.chat(&chat()).await, 200);
}

#[tokio::test]
async fn groups_open_workspaces_and_close_them() {
    let (server, _) = start(open()).await;
    groups(&server).await;
    server.closes_clean().await;
}

async fn groups(server: &TestServer) {
    let acme = Company::found(server, "root@groups.example", "groups.example").await;
    let idp = acme.directory().await;
    let [ada, bob, cy] = ["ada", "bob", "cy"].map(|one| format!("{one}@groups.example"));
    let (a, b, c) = (idp.user(&ada).await, idp.user(&bob).await, idp.user(&cy).await);
    let mut people = Vec::new();
    for email in [&ada, &bob, &cy] {
        people.push(acme.person(server, email).await);
    }
    let is = |who: &[(usize, &str)]| {
        let mut all: Vec<String> =
            who.iter().map(|(one, role)| format!("{} {role}", people[*one])).collect();
        all.sort();
        all
    };
    let (one, two) = (acme.workspace("one").await, acme.workspace("two").await);
    let admins = idp.group("Admins", &[&a]).await;
    let staff = idp.group("Staff", &[&a, &b]).await;
    // By hand, before any group says so.
    let by_hand = json!({ "user_ids": [people[2]] });
    let add = format!("/api/v1/workspaces/{one}/members/add");
    told(&acme.manager.post(&add, &by_hand).await, 200);

    let first = text(&told(&acme.map(&staff, &one, "member").await, 201)["data"]["id"]);
    let second = text(&told(&acme.map(&admins, &one, "admin").await, 201)["data"]["id"]);
    told(&acme.map(&staff, &two, "member").await, 201);
    assert_eq!(acme.inside(&one).await, is(&[(0, "admin"), (1, "member"), (2, "member")]));
    assert_eq!(acme.inside(&two).await, is(&[(0, "member"), (1, "member")]));
    let remove = format!("/api/v1/workspaces/{one}/members/remove");
    told(&acme.manager.post(&remove, &json!({ "user_ids": [people[1]] })).await, 400);

    // The highest role counts, of what is left.
    let path = format!("/api/v1/scim/group-mappings/{second}");
    told(&patch(&acme.manager, &path, json!({"role": "member"})).await, 200);
    assert_eq!(acme.inside(&one).await, is(&[(0, "member"), (1, "member"), (2, "member")]));
    told(&patch(&acme.manager, &path, json!({"role": "admin"})).await, 200);
    let leave = json!([{"op": "Remove", "path": "members", "value": [{"value": a}]}]);
    told(&idp.patch(&format!("/Groups/{admins}"), leave).await, 200);
    assert_eq!(acme.inside(&one).await, is(&[(0, "member"), (1, "member"), (2, "member")]));
    let join = json!([{"op": "add", "path": "members", "value": [{"value": c}]}]);
    told(&idp.patch(&format!("/Groups/{admins}"), join).await, 200);
    assert_eq!(acme.inside(&one).await, is(&[(0, "member"), (1, "member"), (2, "admin")]));
    let leave = format!(r#"members[value eq "{c}"]"#);
    let leave = json!([{"op": "remove", "path": leave}]);
    told(&idp.patch(&format!("/Groups/{admins}"), leave).await, 200);
    assert_eq!(acme.inside(&one).await, is(&[(0, "member"), (1, "member"), (2, "member")]));

    // Whoever is not active is in no workspace by a group.
    let off = json!([{"op": "replace", "value": {"active": false}}]);
    told(&idp.patch(&format!("/Users/{b}"), off).await, 200);
    assert_eq!(acme.inside(&two).await, is(&[(0, "member")]));
    let on = json!([{"op": "replace", "value": {"active": true}}]);
    told(&idp.patch(&format!("/Users/{b}"), on).await, 200);
    assert_eq!(acme.inside(&two).await, is(&[(0, "member"), (1, "member")]));

    // Kept, they are there by hand from then on; else they go whom nothing else keeps.
    let path = format!("/api/v1/scim/group-mappings/{first}");
    told(&delete(&acme.manager, &format!("{path}?keep_members=true")).await, 200);
    assert_eq!(acme.inside(&one).await, is(&[(0, "member"), (1, "member"), (2, "member")]));
    told(&acme.manager.post(&remove, &json!({ "user_ids": [people[1]] })).await, 200);
    assert_eq!(idp.delete(&format!("/Groups/{staff}")).await.status, 204);
    assert!(acme.inside(&two).await.is_empty(), "the group is gone, and so is what it opened");
    let seen = told(&acme.manager.get("/api/v1/scim/group-mappings").await, 200);
    assert_eq!(seen["total_count"], 1);
    let log = server.platform.store().audit_log(&acme.org, None, 3).await.unwrap();
    let acts: Vec<String> =
        log.iter().map(|row| format!("{} {}", row.action, row.object_kind)).collect();
    assert_eq!(
        acts,
        ["scim.group.delete workspace_member"; 2]
            .iter()
            .chain(&["scim.group.delete scim_group_mapping"])
            .map(|one| (*one).to_owned())
            .collect::<Vec<_>>()
    );
}
