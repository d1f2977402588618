//! Single sign-on of organizations: who sets it up, and who gets in by it and no other way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use http::Method;
use serde_json::{Value, json};
use signalbox_core::Secret;
use signalbox_core::id::AccountId;
use signalbox_core::plan::Tier;
use signalbox_gateway::Reach;
use signalbox_platform::people::records::{Texts, TxtRecords};
use signalbox_platform::{Actor, By, NewAgreement, PeopleSettings, SignUp};
use signalbox_runtime::Clock;
use signalbox_store::{SsoConnection, SsoOrigin, SsoStatus};
use signalbox_testkit::{Setup, TestServer};

use crate::browser::{Browser, PASSWORD, SESSION, person, start_as};
use crate::idp::{CLIENT, FakeIdp};
use crate::site::told;
use crate::traveller::Traveller;

/// What domains say.
#[derive(Debug, Default)]
struct Said(Mutex<HashMap<String, Vec<String>>>);

impl TxtRecords for Said {
    fn texts<'a>(&'a self, name: &'a str) -> Texts<'a> {
        Box::pin(async move { self.0.lock().unwrap().get(name).cloned().unwrap_or_default() })
    }
}

struct House {
    server: TestServer,
    idp: FakeIdp,
    said: Arc<Said>,
    ada: Browser,
    id: String,
}

/// A server with an organization whose plan has single sign-on, and its admin.
async fn house() -> House {
    house_within(Reach::PublicOnly).await
}

/// The same, where tenants' identity providers may be here too.
async fn house_within(reach: Reach) -> House {
    let clock = Clock::manual(signalbox_core::Timestamp::from_seconds(1_800_000_000));
    let (idp, said) = (FakeIdp::start(&clock).await, Arc::new(Said::default()));
    let people = PeopleSettings {
        sign_up: SignUp::Open,
        providers: vec![idp.provider("work")],
        break_glass: vec!["glass@works.example".to_owned()],
        reach,
        ..PeopleSettings::default()
    };
    let records = Arc::clone(&said) as _;
    let setup = Setup { people, clock, records, credit: "0", ..Setup::default() };
    let server = start_as(setup).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    let made = told(&ada.post("/organizations", json!({"name": "Works"})).await, 201);
    let id = made["data"]["id"].as_str().unwrap().to_owned();
    enterprise(&server, &id).await;
    House { server, idp, said, ada, id }
}

async fn enterprise(server: &TestServer, id: &str) {
    let contract = Some(Some(Tier::Enterprise));
    let wanted = NewAgreement { contract, ..NewAgreement::default() };
    server.platform.agree(&AccountId::new(id), wanted).await.unwrap();
}

impl House {
    fn path(&self, rest: &str) -> String {
        format!("/organizations/{}/sso{rest}", self.id)
    }

    /// A connection of `works.example` that is active, by the operator's word.
    async fn connect(&self) -> String {
        let (store, account) = (self.server.platform.store(), AccountId::new(self.id.as_str()));
        let now = store.clock().now();
        let by = By {
            account: account.clone(),
            actor: Actor::Operator("test".to_owned()),
            address: None,
        };
        let one = SsoConnection {
            id: "0b1e7c52-5d7e-4c1a-9b55-3a5ff8f3a111".to_owned(),
            account,
            domain: "works.example".to_owned(),
            origin: SsoOrigin::Operator,
            status: SsoStatus::Active,
            dns_token: String::new(),
            verified_at: Some(now),
            issuer: Some(self.idp.issuer()),
            client_id: Some(CLIENT.to_owned()),
            secret_version: None,
            tested_at: None,
            created_by: None,
            created_at: now,
            updated_at: now,
        };
        store.add_sso_connection(by.clone(), one.clone()).await.unwrap();
        let secret = Some(Some(Secret::new("a secret: with + and /".to_owned())));
        let done = store.set_sso_connection(by, &one, one.clone(), secret).await.unwrap();
        assert_eq!(done, signalbox_store::SsoChange::Done);
        one.id
    }

    fn will_vouch_for(&self, subject: &str, email: &str) {
        let claims = json!({"sub": subject, "email": email, "email_verified": null});
        self.idp.will(|script| {
            script.claims = claims;
            script.metadata = json!({"userinfo_endpoint": null});
        });
    }

    async fn members(&self) -> Vec<Value> {
        let path = format!("/organizations/{}/members", self.id);
        told(&self.ada.get(&path).await, 200)["data"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn only_admins_of_organizations_with_the_plan_see_single_sign_on() {
    let house = house().await;
    let bob = person(&house.server, "bob@example.com", json!({})).await;
    let invite = json!({"email": "bob@example.com", "role": "org:member"});
    let path = format!("/organizations/{}/invitations", house.id);
    told(&house.ada.post(&path, invite).await, 201);
    let token = crate::browser::mailed(&house.server, "bob@example.com", "You are invited").await;
    told(&bob.post("/invitations/accept", json!({ "token": token })).await, 200);
    let eve = person(&house.server, "eve@example.com", json!({})).await;
    let made = told(&eve.post("/organizations", json!({"name": "Evil"})).await, 201);
    let poor = format!("/organizations/{}/sso", made["data"]["id"].as_str().unwrap());
    for (who, path) in [(&bob, house.path("")), (&eve, house.path("")), (&eve, poor)] {
        let connection = format!("{path}/connections/0b1e7c52-5d7e-4c1a-9b55-3a5ff8f3a111");
        told(&who.get(&path).await, 404);
        told(&who.post(&format!("{path}/enable"), json!({})).await, 404);
        let wish = json!({"domain": "works.example"});
        told(&who.post(&format!("{path}/connections"), wish).await, 404);
        told(&who.post(&format!("{connection}/verify"), json!({})).await, 404);
        told(&who.post(&format!("{connection}/test"), json!({})).await, 404);
        told(&who.send(Method::PATCH, &connection, json!({"status": "active"})).await, 404);
        told(&who.send(Method::DELETE, &connection, json!(null)).await, 404);
    }
    assert_eq!(told(&house.ada.get(&house.path("")).await, 200)["data"]["enabled_at"], json!(null));
}

#[tokio::test]
async fn a_domain_is_proven_before_an_identity_provider_counts() {
    let house = house().await;
    let ada = &house.ada;
    let wish = json!({"domain": "Works.Example"});
    told(&ada.post(&house.path("/connections"), wish.clone()).await, 409);
    let enabled = told(&ada.post(&house.path("/enable"), json!({})).await, 200);
    assert!(enabled["data"]["enabled_at"].is_string());
    told(&ada.post(&house.path("/connections"), json!({"domain": "localhost"})).await, 400);
    let made = told(&ada.post(&house.path("/connections"), wish.clone()).await, 201);
    let made = &made["data"];
    assert_eq!((&made["domain"], &made["status"]), (&json!("works.example"), &json!("pending")));
    assert_eq!(made["origin"], "self-serve");
    assert_eq!(
        (&made["dns"]["name"], &made["dns"]["host"], &made["dns"]["type"]),
        (&json!("_signalbox.works.example"), &json!("_signalbox"), &json!("TXT"))
    );
    told(&ada.post(&house.path("/connections"), wish).await, 409);
    let path = house.path(&format!("/connections/{}", made["id"].as_str().unwrap()));
    let patch = async |edit: Value| ada.send(Method::PATCH, &path, edit).await;
    told(&patch(json!({"status": "active"})).await, 409);
    told(&ada.post(&format!("{path}/test"), json!({})).await, 409);
    told(&ada.post(&format!("{path}/verify"), json!({})).await, 409);
    let text = made["dns"]["value"].as_str().unwrap().to_owned();
    let say = |texts: Vec<String>| {
        house.said.0.lock().unwrap().insert("_signalbox.works.example.".to_owned(), texts);
    };
    say(vec!["v=spf1".to_owned(), format!("{text}0")]);
    told(&ada.post(&format!("{path}/verify"), json!({})).await, 409);
    say(vec!["v=spf1".to_owned(), text]);
    let proven = told(&ada.post(&format!("{path}/verify"), json!({})).await, 200);
    assert!(proven["data"]["verified_at"].is_string());
    told(&patch(json!({"status": "active"})).await, 409);
    for odd in
        ["http://idp.example", "ftp://x", "https://a.example/?b", "https://u:p@a.example", ""]
    {
        told(&patch(json!({"issuer": odd})).await, 400);
    }
    told(&patch(json!({"status": "pending"})).await, 400);
    told(&patch(json!({"domain": "other.example"})).await, 400);
    let edit = json!({"issuer": "https://idp.works.example", "client_id": "us", "client_secret": "canary"});
    let reply = patch(edit).await;
    let changed = told(&reply, 200);
    assert!(!String::from_utf8_lossy(&reply.body).contains("canary"));
    assert_eq!(changed["data"]["has_client_secret"], true);
    told(&patch(json!({"status": "active"})).await, 409);
    // Another provider is not told what this one was.
    let other = told(&patch(json!({"issuer": "https://idp2.works.example"})).await, 200);
    assert_eq!(other["data"]["has_client_secret"], false);
    // An identity provider of a tenant is nothing within the operator's own network.
    told(&patch(json!({"issuer": house.idp.issuer()})).await, 200);
    told(&ada.post(&format!("{path}/test"), json!({})).await, 502);
    let log = server_log(&house).await;
    assert!(!log.contains("canary") && log.contains("sso.update"), "{log}");
    told(&ada.send(Method::DELETE, &path, json!(null)).await, 200);
    told(&patch(json!({})).await, 404);
}

#[tokio::test]
async fn an_admin_connects_tests_and_makes_active() {
    let house = house_within(Reach::also(vec!["127.0.0.1".parse().unwrap()])).await;
    let ada = &house.ada;
    told(&ada.post(&house.path("/enable"), json!({})).await, 200);
    let wish = json!({"domain": "works.example"});
    let made = told(&ada.post(&house.path("/connections"), wish).await, 201)["data"].clone();
    let id = made["id"].as_str().unwrap();
    let path = house.path(&format!("/connections/{id}"));
    let patch = async |edit: Value| ada.send(Method::PATCH, &path, edit).await;
    let text = vec![made["dns"]["value"].as_str().unwrap().to_owned()];
    house.said.0.lock().unwrap().insert("_signalbox.works.example.".to_owned(), text);
    told(&ada.post(&format!("{path}/verify"), json!({})).await, 200);
    let edit = json!({
        "issuer": house.idp.issuer(), "client_id": CLIENT, "client_secret": "a secret: with + and /",
    });
    told(&patch(edit).await, 200);
    // The browser of the admin goes there and comes back as somebody of the domain.
    let mut browser = Traveller::new(&house.server);
    browser.session = Some(ada.token().to_owned());
    let test = format!("{path}/test");
    let away = async |browser: &mut Traveller| {
        let reply = browser.post(&test, json!({"return_to": "/settings"})).await;
        told(&reply, 200)["data"]["url"].as_str().unwrap().to_owned()
    };
    house.will_vouch_for("a", "ada@example.com");
    let there = away(&mut browser).await;
    let back = house.idp.agree(&there, "one");
    assert_eq!(browser.back(&back).await, "/settings?error=wrong_domain");
    told(&patch(json!({"status": "active"})).await, 409);
    house.will_vouch_for("b", "bob@works.example");
    let there = away(&mut browser).await;
    assert_eq!(browser.back(&house.idp.agree(&there, "two")).await, "/settings?done=works.example");
    assert_eq!(browser.me().await["user"]["email"], "ada@example.com", "nobody else is signed in");
    let seen = told(&patch(json!({"status": "active"})).await, 200);
    assert_eq!(seen["data"]["status"], "active");
    assert_eq!(Traveller::new(&house.server).travel(&house.idp, id).await, "/chat");
    // Another client there is another connection, as far as anybody knows.
    let other = told(&patch(json!({"client_id": "other"})).await, 200);
    assert_eq!(
        (&other["data"]["status"], &other["data"]["tested_at"]),
        (&json!("pending"), &json!(null))
    );
}

async fn server_log(house: &House) -> String {
    let account = AccountId::new(house.id.as_str());
    format!("{:?}", house.server.platform.store().audit_log(&account, None, 100).await.unwrap())
}

#[tokio::test]
async fn people_of_the_domain_come_through_their_identity_provider_alone() {
    let house = house().await;
    let bob = person(&house.server, "bob@works.example", json!({})).await;
    let id = told(&bob.get("").await, 200)["data"]["user"]["id"].clone();
    let glass = person(&house.server, "glass@works.example", json!({})).await;
    let connection = house.connect().await;
    // What began otherwise is over.
    told(&bob.get("").await, 401);
    told(&glass.get("").await, 200);
    told(&house.ada.get("").await, 200);
    // No password, no other provider, no letter; whoever breaks the glass excepted.
    let refused = told(&bob.try_sign_in(PASSWORD, None).await, 403);
    let begin = format!("/api/v1/session/begin/{connection}");
    let sso = json!({"id": connection, "url": begin});
    assert_eq!(refused["error"]["metadata"]["sso"], sso);
    told(&Browser::new(&house.server, "nobody@works.example").try_sign_in("x", None).await, 403);
    told(&Browser::new(&house.server, "new@works.example").sign_up(json!({})).await, 403);
    told(&glass.try_sign_in(PASSWORD, None).await, 201);
    let mut browser = Traveller::new(&house.server);
    house.idp.will(|script| script.claims = json!({"email": "bob@works.example"}));
    assert_eq!(browser.travel(&house.idp, "work").await, "/sign-in?error=sso_required");
    let listed = browser.get(&format!("{SESSION}/providers?email=bob@works.example")).await;
    let only = json!([{"id": connection, "name": "works.example", "kind": "sso", "url": begin}]);
    assert_eq!(told(&listed, 200)["data"], only);

    // The account that is there; whoever is new; both members from then on, once.
    house.will_vouch_for("b", "Bob@works.example");
    assert_eq!(browser.travel(&house.idp, &connection).await, "/chat");
    let me = browser.me().await;
    assert_eq!(me["user"]["id"], id);
    assert_eq!(me["contexts"][1]["account_id"], house.id.as_str());
    house.will_vouch_for("c", "carol@works.example");
    for _ in 0..2 {
        let mut carol = Traveller::new(&house.server);
        assert_eq!(carol.travel(&house.idp, &connection).await, "/chat");
        assert_eq!(carol.me().await["user"]["email_verified"], true);
    }
    let members = house.members().await;
    assert_eq!(members.len(), 3);
    assert!(
        members
            .iter()
            .filter(|one| one["email"] != "ada@example.com")
            .all(|one| { one["role"] == "org:member" && one["active"] == true })
    );
    // Of another domain, or not even verified there.
    for (email, verified, expected) in [
        ("eve@example.com", json!(true), "wrong_domain"),
        ("eve@sub.works.example", json!(true), "wrong_domain"),
        ("eve@works.example@evil.example", json!(true), "email_missing"),
        ("eve@wor\u{212a}s.example", json!(true), "email_missing"),
        ("eve@works.example", json!(false), "email_unverified"),
    ] {
        let claims = json!({"sub": "e", "email": email, "email_verified": verified});
        house.idp.will(|script| script.claims = claims);
        let to = Traveller::new(&house.server).travel(&house.idp, &connection).await;
        assert_eq!(to, format!("/sign-in?error={expected}"), "{email}");
    }
}

#[tokio::test]
async fn an_address_that_nobody_proved_is_the_domains_to_give() {
    let house = house().await;
    let mut squatter = Browser::new(&house.server, "dan@works.example");
    told(&squatter.sign_up(json!({})).await, 202);
    squatter.sign_in().await;
    let connection = house.connect().await;
    house.will_vouch_for("d", "dan@works.example");
    let mut dan = Traveller::new(&house.server);
    assert_eq!(dan.travel(&house.idp, &connection).await, "/chat");
    told(&squatter.get("").await, 401);
    assert_eq!(dan.me().await["user"]["email_verified"], true);
}

#[tokio::test]
async fn whoever_was_switched_off_stays_out_and_a_disabled_connection_lets_nobody_in() {
    let house = house().await;
    let connection = house.connect().await;
    house.will_vouch_for("b", "bob@works.example");
    let mut bob = Traveller::new(&house.server);
    assert_eq!(bob.travel(&house.idp, &connection).await, "/chat");
    let user = bob.me().await["user"]["id"].as_str().unwrap().to_owned();
    let member = format!("/organizations/{}/members/{user}", house.id);
    told(&house.ada.send(Method::PATCH, &member, json!({"active": false})).await, 200);
    told(&bob.get(SESSION).await, 401);
    let again = Traveller::new(&house.server).travel(&house.idp, &connection).await;
    assert_eq!(again, "/sign-in?error=deactivated");
    told(&house.ada.send(Method::PATCH, &member, json!({"active": true})).await, 200);
    assert_eq!(Traveller::new(&house.server).travel(&house.idp, &connection).await, "/chat");
    // Under way when it ends.
    let there = bob.begin(&connection).await;
    let path = house.path(&format!("/connections/{connection}"));
    told(&house.ada.send(Method::PATCH, &path, json!({"status": "disabled"})).await, 200);
    let back = house.idp.agree(&there, "late");
    assert_eq!(bob.back(&back).await, "/sign-in?error=provider_unknown");
    let unknown = Traveller::new(&house.server).begin(&connection).await;
    assert!(unknown.ends_with("/sign-in?error=provider_unknown"), "{unknown}");
    told(&house.ada.send(Method::PATCH, &path, json!({"client_id": "evil"})).await, 409);
    // The operator's own connection needs no test.
    told(&house.ada.send(Method::PATCH, &path, json!({"status": "active"})).await, 200);
    assert_eq!(Traveller::new(&house.server).travel(&house.idp, &connection).await, "/chat");
}
