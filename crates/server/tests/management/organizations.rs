//! Organizations: who may do what to whom.

use http::Method;
use serde_json::{Value, json};
use signalbox_core::id::AccountId;
use signalbox_core::plan::PlansRow;
use signalbox_platform::{NewKey, PeopleSettings, SignUp};
use signalbox_testkit::{Setup, TestServer};

use crate::browser::{Browser, mailed, person, start, start_as};
use crate::oauth_pkce::key_for;
use crate::reference::conforms;
use crate::site::{chat, told};

fn open() -> PeopleSettings {
    PeopleSettings { sign_up: SignUp::Open, ..PeopleSettings::default() }
}

async fn organization(browser: &Browser) -> AccountId {
    let made = told(&browser.post("/organizations", json!({"name": "Acme"})).await, 201);
    assert_eq!(made["data"]["role"], "org:admin");
    let id = made["data"]["id"].as_str().unwrap();
    assert!(id.starts_with("org_"));
    AccountId::new(id)
}

async fn invite(browser: &Browser, org: &AccountId, email: &str, role: &str, status: u16) -> Value {
    let wish = json!({"email": email, "role": role});
    let path = format!("/organizations/{org}/invitations");
    told(&browser.post(&path, wish).await, status)
}

async fn accept(server: &TestServer, browser: &Browser, status: u16) {
    let token = mailed(server, &browser.email, "You are invited").await;
    told(&browser.post("/invitations/accept", json!({ "token": token })).await, status);
}

async fn join(server: &TestServer, admin: &Browser, org: &AccountId, email: &str) -> Browser {
    let browser = person(server, email, json!({})).await;
    invite(admin, org, email, "org:member", 201).await;
    accept(server, &browser, 200).await;
    browser
}

async fn id_of(browser: &Browser) -> String {
    let seen = told(&browser.get("").await, 200);
    seen["data"]["user"]["id"].as_str().unwrap().to_owned()
}

async fn change(admin: &Browser, org: &AccountId, user: &str, wish: Value) -> u16 {
    let path = format!("/organizations/{org}/members/{user}");
    admin.send(Method::PATCH, &path, wish).await.status
}

#[tokio::test]
async fn members_are_listed_with_a_management_key_as_the_reference_says() {
    let (server, _) = start(open()).await;
    let ada = person(&server, "ada@example.com", json!({"first_name": "Ada"})).await;
    let org = organization(&ada).await;
    let bob = join(&server, &ada, &org, "bob@example.com").await;
    let wanted = NewKey { name: "m".to_owned(), management: true, ..NewKey::default() };
    let key = server.platform.create_key(&org, wanted).await.unwrap().key;
    let manager = server.manager().with_key(&key);
    let path = "/api/v1/organization/members";
    let page = told(&manager.get(path).await, 200);
    conforms("GET", "/organization/members", 200, &page);
    let expected = json!({"total_count": 2, "data": [
        {"id": id_of(&ada).await, "email": "ada@example.com", "first_name": "Ada",
            "last_name": null, "role": "org:admin"},
        {"id": id_of(&bob).await, "email": "bob@example.com", "first_name": null,
            "last_name": null, "role": "org:member"},
    ]});
    assert_eq!(page, expected);
    let second = told(&manager.get(&format!("{path}?offset=1&limit=1")).await, 200);
    assert_eq!((&second["data"][0], &second["total_count"]), (&expected["data"][1], &json!(2)));
    for query in ["limit=0", "limit=101", "offset=-1", "limit=x"] {
        told(&manager.get(&format!("{path}?{query}")).await, 400);
    }
    let refused = told(&server.manager().get(path).await, 404);
    conforms("GET", "/organization/members", 404, &refused);
    assert_eq!(change(&ada, &org, &id_of(&bob).await, json!({"active": false})).await, 200);
    assert_eq!(told(&manager.get(path).await, 200)["total_count"], 1);
}

#[tokio::test]
async fn an_invitation_is_for_one_address_once() {
    let (server, clock) = start(PeopleSettings::default()).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    let org = organization(&ada).await;
    // It lets its address sign up, and nobody else.
    let made = invite(&ada, &org, "Bob@Example.com", "org:member", 201).await;
    assert!(!made.to_string().contains("token"), "{made}");
    let token = mailed(&server, "bob@example.com", "You are invited").await;
    let with = json!({ "invitation": token });
    told(&Browser::new(&server, "eve@example.com").sign_up(with.clone()).await, 403);
    let bob = person(&server, "bob@example.com", with).await;
    accept(&server, &bob, 200).await;
    accept(&server, &bob, 404).await;
    invite(&ada, &org, "bob@example.com", "org:admin", 409).await;
    let seen = told(&bob.get("/organizations").await, 200);
    assert_eq!(seen["data"][0]["account_id"], org.as_str());
    assert_eq!(
        (&seen["data"][0]["role"], &seen["data"][0]["name"]),
        (&json!("org:member"), &json!("Acme"))
    );

    // One that was taken back, one that was replaced, one that is too old, one of somebody else.
    let made = invite(&ada, &org, "cy@example.com", "org:admin", 201).await;
    let first = mailed(&server, "cy@example.com", "You are invited").await;
    told(&bob.post("/invitations/accept", json!({ "token": first })).await, 404);
    let cy = person(&server, "cy@example.com", json!({ "invitation": first })).await;
    let path = format!("/organizations/{org}/invitations/{}", made["data"]["id"].as_str().unwrap());
    told(&ada.send(Method::DELETE, &path, json!(null)).await, 200);
    told(&ada.send(Method::DELETE, &path, json!(null)).await, 404);
    accept(&server, &cy, 404).await;
    invite(&ada, &org, "cy@example.com", "org:admin", 201).await;
    let old = mailed(&server, "cy@example.com", "You are invited").await;
    invite(&ada, &org, "cy@example.com", "org:member", 201).await;
    told(&cy.post("/invitations/accept", json!({ "token": old })).await, 404);
    let open = told(&ada.get(&format!("/organizations/{org}/invitations")).await, 200);
    assert_eq!(open["data"].as_array().unwrap().len(), 1);
    clock.advance(std::time::Duration::from_secs(7 * 86_400 - 1));
    let mut cy = cy;
    cy.sign_in().await;
    clock.advance(std::time::Duration::from_secs(1));
    accept(&server, &cy, 404).await;
}

/// What was sent before somebody came otherwise, or was switched off, lets nobody back in and changes
/// nobody's role.
#[tokio::test]
async fn an_invitation_from_before_is_no_way_back() {
    let (server, _) = start(open()).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    let org = organization(&ada).await;
    let bob = join(&server, &ada, &org, "bob@example.com").await;
    let user = id_of(&bob).await;
    // Sent while bob is off: that is the admin's word, and the last one that counts.
    assert_eq!(change(&ada, &org, &user, json!({"active": false})).await, 200);
    let mut bob = bob;
    bob.sign_in().await;
    invite(&ada, &org, "bob@example.com", "org:admin", 201).await;
    assert_eq!(change(&ada, &org, &user, json!({"active": true})).await, 200);
    assert_eq!(change(&ada, &org, &user, json!({"role": "org:admin"})).await, 200);
    assert_eq!(change(&ada, &org, &user, json!({"active": false})).await, 200);
    accept(&server, &bob, 404).await;
    invite(&ada, &org, "bob@example.com", "org:member", 201).await;
    assert_eq!(change(&ada, &org, &user, json!({"active": true})).await, 200);
    accept(&server, &bob, 200).await;
    let seen = told(&bob.get("/organizations").await, 200);
    assert_eq!(seen["data"][0]["role"], "org:admin", "whoever is here stays what they are");
    let log = server.platform.store().audit_log(&org, None, 100).await.unwrap();
    let taken = |row: &&signalbox_store::AuditRow| {
        row.action == "member.update" && row.object_kind == "invitation"
    };
    let taken: Vec<_> = log.iter().filter(taken).collect();
    assert_eq!(taken.len(), 1);
    let before = taken[0].before.as_ref().unwrap();
    assert_eq!(
        (&before["email"], &before["role"]),
        (&json!("bob@example.com"), &json!("org:admin"))
    );
}

#[tokio::test]
async fn a_plan_says_how_many_members_there_are() {
    let row: PlansRow = serde_json::from_value(json!({"free": {"members": 2}})).unwrap();
    let plans = signalbox_core::Plans::default().with(&row).unwrap();
    let setup = Setup { people: open(), plans, ..Setup::default() };
    let server = start_as(setup).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    let org = organization(&ada).await;
    invite(&ada, &org, "bob@example.com", "org:member", 201).await;
    invite(&ada, &org, "cy@example.com", "org:member", 409).await;
    let bob = person(&server, "bob@example.com", json!({})).await;
    accept(&server, &bob, 200).await;
    let bob = id_of(&bob).await;
    assert_eq!(change(&ada, &org, &bob, json!({"active": false})).await, 200);
    let cy = join(&server, &ada, &org, "cy@example.com").await;
    assert_eq!(change(&ada, &org, &bob, json!({"active": true})).await, 409);
    let path = format!("/organizations/{org}/members/{}", id_of(&cy).await);
    told(&cy.send(Method::DELETE, &path, json!(null)).await, 200);
    assert_eq!(change(&ada, &org, &bob, json!({"active": true})).await, 200);
}

/// Reliability design, test 17, for what people can do.
#[tokio::test]
async fn no_member_raises_themselves_and_a_stranger_sees_nothing() {
    let (server, _) = start(open()).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    let org = organization(&ada).await;
    let bob = join(&server, &ada, &org, "bob@example.com").await;
    let eve = person(&server, "eve@example.com", json!({})).await;
    let made = invite(&ada, &org, "cy@example.com", "org:member", 201).await;
    let invitation = made["data"]["id"].as_str().unwrap();
    let (a, b) = (id_of(&ada).await, id_of(&bob).await);
    let member = |user: &str| format!("/organizations/{org}/members/{user}");
    let invitations = format!("/organizations/{org}/invitations");
    let admin = json!({"role": "org:admin"});
    let friend = json!({"email": "friend@example.com", "role": "org:admin"});
    let tries = [
        (Method::PATCH, member(&b), admin.clone()),
        (Method::PATCH, member(&a), json!({"role": "org:member"})),
        (Method::PATCH, member(&a), json!({"active": false})),
        (Method::DELETE, member(&a), json!(null)),
        (Method::GET, invitations.clone(), json!(null)),
        (Method::POST, invitations.clone(), friend.clone()),
        (Method::DELETE, format!("{invitations}/{invitation}"), json!(null)),
    ];
    for (method, path, body) in &tries {
        told(&bob.send(method.clone(), path, body.clone()).await, 403);
        told(&eve.send(method.clone(), path, body.clone()).await, 404);
        let nowhere = path.replace(org.as_str(), "org_nowhere");
        let there = eve.send(method.clone(), path, body.clone()).await.body;
        assert_eq!(there, eve.send(method.clone(), &nowhere, body.clone()).await.body, "{path}");
    }
    told(&eve.get(&format!("/organizations/{org}/members")).await, 404);
    told(&eve.send(Method::DELETE, &member(&b), json!(null)).await, 404);
    let context = json!({ "account_id": org });
    told(&eve.send(Method::PUT, "/context", context).await, 404);
    let personal = told(&ada.get("").await, 200)["data"]["contexts"][0]["account_id"].clone();
    let other = json!({ "account_id": personal });
    told(&bob.send(Method::PUT, "/context", other).await, 404);
    // Even an admin sends nothing that is not known.
    for wish in [
        json!({"role": "org:owner"}),
        json!({"is_admin": true}),
        json!({"role": "org:member", "source": "scim"}),
        json!({"email": "x@example.com"}),
    ] {
        assert_eq!(change(&ada, &org, &b, wish).await, 400);
    }
    let members = told(&bob.get(&format!("/organizations/{org}/members")).await, 200);
    let roles: Vec<&Value> =
        members["data"].as_array().unwrap().iter().map(|one| &one["role"]).collect();
    assert_eq!(roles, ["org:admin", "org:member"]);
    assert!(server.mail.to("friend@example.com").is_empty());
    // Nobody is the last to administer: not by role, by switching off, by leaving.
    assert_eq!(change(&ada, &org, &a, json!({"role": "org:member"})).await, 409);
    assert_eq!(change(&ada, &org, &a, json!({"active": false})).await, 409);
    told(&ada.send(Method::DELETE, &member(&a), json!(null)).await, 409);
    assert_eq!(change(&ada, &org, &b, admin).await, 200);
    assert_eq!(change(&ada, &org, &a, json!({"role": "org:member"})).await, 200);
    told(&ada.post(&invitations, friend).await, 403);
    told(&ada.send(Method::DELETE, &member(&a), json!(null)).await, 200);
    told(&ada.get(&format!("/organizations/{org}/members")).await, 404);
}

#[tokio::test]
async fn whoever_goes_loses_the_keys_made_there_and_only_those() {
    let (server, _) = start(open()).await;
    goes(&server).await;
    server.closes_clean().await;
}

#[tokio::test]
async fn people_and_their_organizations_live_in_postgresql_too() {
    let database = signalbox_pgserver::database();
    let url = Some(database.url());
    let setup = Setup { people: open(), database: url, ..Setup::default() };
    let server = start_as(setup).await;
    goes(&server).await;
    let ada = person(&server, "again@example.com", json!({})).await;
    let code = crate::oauth_pkce::code_for(&ada).await;
    let one = || crate::oauth_pkce::exchange(&ada.caller, &code);
    let (one, other) = tokio::join!(one(), one());
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403]);
    told(&ada.post("/password/forgot", json!({"email": ada.email})).await, 202);
    let token = mailed(&server, &ada.email, "Set a new password").await;
    let wish = json!({"token": token, "password": crate::browser::PASSWORD});
    told(&ada.post("/password/reset", wish).await, 200);
    told(&ada.get("").await, 401);
    server.closes_clean().await;
}

async fn goes(server: &TestServer) {
    let ada = person(server, "ada@example.com", json!({})).await;
    let org = organization(&ada).await;
    server.grant(&org, "5").await;
    let bob = join(server, &ada, &org, "bob@example.com").await;
    let own = told(&bob.get("").await, 200)["data"]["contexts"][0]["account_id"].clone();
    server.grant(&AccountId::new(own.as_str().unwrap()), "5").await;
    let personal = server.caller().with_key(&key_for(&bob).await);
    let switched = json!({ "account_id": org });
    let seen = told(&bob.send(Method::PUT, "/context", switched.clone()).await, 200);
    assert_eq!(seen["data"]["context"]["role"], "org:member");
    let theirs = server.caller().with_key(&key_for(&bob).await);
    let pending = crate::oauth_pkce::code_for(&bob).await;
    told(&ada.send(Method::PUT, "/context", switched).await, 200);
    let adas = server.caller().with_key(&key_for(&ada).await);
    for caller in [&personal, &theirs, &adas] {
        told(&caller.chat(&chat()).await, 200);
    }
    let user = id_of(&bob).await;
    assert_eq!(change(&ada, &org, &user, json!({"active": false})).await, 200);
    told(&theirs.chat(&chat()).await, 401);
    told(&personal.chat(&chat()).await, 200);
    told(&adas.chat(&chat()).await, 200);
    assert_eq!(crate::oauth_pkce::exchange(&bob.caller, &pending).await.status, 403);
    // The session that acted for it is over; the person's own account is as it was.
    told(&bob.get("").await, 401);
    let mut bob = bob;
    let seen = json!({ "data": bob.sign_in().await });
    assert_eq!(seen["data"]["context"]["kind"], "personal");
    assert_eq!(seen["data"]["contexts"].as_array().unwrap().len(), 1);
    assert_eq!(change(&ada, &org, &user, json!({"active": true})).await, 200);
    told(&theirs.chat(&chat()).await, 401);
    let log = server.platform.store().audit_log(&org, None, 50).await.unwrap();
    let acts: Vec<String> =
        log.iter().map(|row| format!("{} {}", row.action, row.object_kind)).collect();
    let expected = ["member.update member", "member.update key", "member.update member"];
    assert_eq!(acts[..3], expected, "{acts:?}");
}
