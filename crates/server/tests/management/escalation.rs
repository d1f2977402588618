//! Nobody gets more by asking for it (reliability design, test 17, `sec::authz_escalation`): members of
//! bodies that only the server decides about are refused wherever they stand, and so is every other that
//! is not in the description.

use http::Method;
use serde_json::{Value, json};
use signalbox_server::{Credential, Members, Route, routes};
use signalbox_testkit::Caller;

use crate::idor::estate::{Estate, Town};
use crate::idor::sample::{Sample, schema};
use crate::site::told;

/// What attackers set: rights, owners, sums, and fields of other systems.
const WISHES: [(&str, &str); 38] = [
    ("is_admin", "true"),
    ("admin", "true"),
    ("superuser", "true"),
    ("role", "\"org:owner\""),
    ("roles", "[\"admin\"]"),
    ("permissions", "[\"*\"]"),
    ("scopes", "[\"*\"]"),
    ("allowed_routes", "[\"/*\"]"),
    ("management", "true"),
    ("is_management_key", "true"),
    ("is_provisioning_key", "true"),
    ("kind", "\"management\""),
    ("account", "\"acc_other\""),
    ("account_id", "\"acc_other\""),
    ("org_id", "\"org_other\""),
    ("organization_id", "\"org_other\""),
    ("owner", "\"user_other\""),
    ("user_id", "\"user_other\""),
    ("team_id", "\"t\""),
    ("tier", "\"enterprise\""),
    ("plan", "\"enterprise\""),
    ("credits", "1000000"),
    ("balance", "1000000"),
    ("total_credits", "1000000"),
    ("usage", "0"),
    ("spend", "0"),
    ("limit_remaining", "1000000"),
    ("byok_usage", "0"),
    ("hash", "\"aa\""),
    ("label", "\"sk\""),
    ("id", "\"1\""),
    ("key_hash", "\"aa\""),
    ("created_at", "\"2000-01-01T00:00:00Z\""),
    ("rpm", "1000000"),
    ("locked", "false"),
    ("email_verified", "true"),
    ("source", "\"directory\""),
    ("__proto__", "{\"admin\":true}"),
];

async fn send(caller: &Caller, sample: &Sample) -> (u16, String) {
    let body = sample.body.as_ref().unwrap().to_string();
    let reply = caller.send(sample.verb.method(), &sample.path, body.into()).await;
    (reply.status, String::from_utf8_lossy(&reply.body).into_owned())
}

/// Bodies that only say what to do. Those of inference belong to providers, who read what they know.
fn has_a_body(route: &Route) -> bool {
    let closed = matches!(route.credential, Credential::Management | Credential::Session);
    closed && schema(route)["properties"].is_object()
}

fn best<'e>(estate: &'e Estate, route: &Route) -> &'e Caller {
    match route.credential {
        Credential::Management => &estate.manager,
        _ => &estate.admin.caller,
    }
}

#[tokio::test]
async fn no_body_takes_what_its_description_does_not_have() {
    let town = Town::start().await;
    let mut refused = 0;
    for route in routes().filter(|one| has_a_body(one)) {
        let mut ids = Vec::new();
        for (object, _) in route.objects {
            ids.push(town.home.make(&town, *object).await);
        }
        let known = schema(route);
        for (name, value) in WISHES {
            if known["properties"].get(name).is_some() {
                continue;
            }
            let mut sample = Sample::of(route, &ids);
            let value: Value = serde_json::from_str(value).unwrap();
            sample.body.as_mut().unwrap()[name] = value;
            let mut callers = vec![best(&town.home, route)];
            // A member is no better off: refused for the member, or for what is named.
            let own = route.members == Members::Own && route.credential == Credential::Management;
            callers.extend(own.then_some(&town.home.member.caller));
            for caller in callers {
                let (status, text) = send(caller, &sample).await;
                assert_eq!(status, 400, "{:?} {} took {name}: {text}", route.verb, route.path);
                refused += 1;
            }
        }
    }
    assert!(refused >= 1_000, "{refused}");
    town.server.audit().await;
}

/// What a member of an organization, who is no admin, may not make of themselves.
#[tokio::test]
async fn a_member_gets_no_further() {
    let town = Town::start().await;
    let (org, member) = (town.home.account.clone(), &town.home.member);
    let id = told(&member.get("").await, 200)["data"]["user"]["id"].clone();
    let own = format!("/organizations/{org}/members/{}", id.as_str().unwrap());
    for wish in [json!({"role": "org:admin"}), json!({"role": "org:admin", "active": true})] {
        let reply = member.send(Method::PATCH, &own, wish).await;
        assert_eq!(reply.status, 403);
    }
    let invitation = json!({"email": "friend@example.com", "role": "org:admin"});
    let path = format!("/organizations/{org}/invitations");
    assert_eq!(member.post(&path, invitation).await.status, 403);
    let admin = told(&town.home.admin.get("").await, 200)["data"]["user"]["id"].clone();
    let theirs = format!("/organizations/{org}/members/{}", admin.as_str().unwrap());
    assert_eq!(member.send(Method::DELETE, &theirs, Value::Null).await.status, 403);
    for (path, wish) in [
        ("/context", json!({"account_id": town.away.account})),
        ("/context", json!({"account_id": town.server.owner.account_id})),
    ] {
        let reply = member.send(Method::PUT, path, wish).await;
        assert!([403, 404].contains(&reply.status), "{path}: {}", reply.status);
    }
    let after = told(&member.get("").await, 200);
    let contexts = after["data"]["contexts"].as_array().unwrap();
    let here = contexts.iter().find(|one| one["account_id"] == org.as_str()).unwrap();
    assert_eq!(here["role"], "org:member");
}

/// A key of an app is for models alone, and for no more than its person consented to.
#[tokio::test]
async fn a_key_of_an_app_has_no_rights_of_its_person() {
    let town = Town::start().await;
    let key = crate::oauth_pkce::key_for(&town.home.admin).await;
    let app = town.server.caller().with_key(&key);
    for route in routes().filter(|route| route.credential == Credential::Management) {
        let path = route.path.replace(['{', '}'], "");
        let reply = app.send(route.verb.method(), &path, "{}".into()).await;
        assert_eq!(reply.status, 403, "{:?} {path}", route.verb);
    }
}
