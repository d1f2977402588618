//! The table of roles (platform spec 1.3): each of its sentences, as the register has it and as an admin
//! and a member of an organization meet it.

use http::Method;
use serde_json::{Value, json};
use signalbox_server::{Credential, Members, Route, Verb, routes};
use signalbox_testkit::Caller;

use crate::browser::Browser;
use crate::idor::estate::Town;
use crate::site::{delete, patch, put, told};

/// What a sentence of the table is about: the beginnings of paths, and the verbs.
struct Sentence {
    says: &'static str,
    paths: &'static [&'static str],
    verbs: &'static [Verb],
    members: Members,
}

const ALL: &[Verb] = &[Verb::Get, Verb::Post, Verb::Put, Verb::Patch, Verb::Delete];
const LOOK: &[Verb] = &[Verb::Get];
const CHANGE: &[Verb] = &[Verb::Post, Verb::Put, Verb::Patch, Verb::Delete];

const TABLE: &[Sentence] = &[
    Sentence {
        says: "Buy credits, see billing, payment methods, invoices: admins",
        paths: &["/api/v1/credits*"],
        verbs: ALL,
        members: Members::Nothing,
    },
    Sentence {
        says: "Create inference keys: members in workspaces they belong to; see, edit, delete: only own",
        paths: &["/api/v1/keys*", "/api/v1/auth/keys/code"],
        verbs: ALL,
        members: Members::Own,
    },
    Sentence {
        says: "Provider settings, privacy, guardrails, allowlist: admins",
        paths: &[
            "/api/v1/byok*",
            "/api/v1/privacy*",
            "/api/v1/guardrails*",
            "/api/v1/workspaces/{id}/defaults",
        ],
        verbs: ALL,
        members: Members::Nothing,
    },
    Sentence {
        says: "Members view budgets",
        paths: &["/api/v1/workspaces/{id}/budgets*"],
        verbs: LOOK,
        members: Members::Own,
    },
    Sentence {
        says: "and don't edit them",
        paths: &["/api/v1/workspaces/{id}/budgets*"],
        verbs: CHANGE,
        members: Members::Nothing,
    },
    Sentence {
        says: "Members, roles, SSO, SCIM: admins",
        paths: &["/api/v1/organization/*", "/api/v1/scim/*"],
        verbs: ALL,
        members: Members::Nothing,
    },
    Sentence {
        says: "Add and remove workspace members: admins",
        paths: &["/api/v1/workspaces/{id}/members*"],
        verbs: ALL,
        members: Members::Nothing,
    },
    Sentence {
        says: "Create and delete workspaces: admins",
        paths: &["/api/v1/workspaces", "/api/v1/workspaces/{id}"],
        verbs: CHANGE,
        members: Members::Nothing,
    },
    Sentence {
        says: "The switcher has only one's own workspaces (1.5)",
        paths: &["/api/v1/workspaces", "/api/v1/workspaces/{id}"],
        verbs: LOOK,
        members: Members::Own,
    },
    Sentence {
        says: "Use all org presets",
        paths: &["/api/v1/presets*"],
        verbs: LOOK,
        members: Members::Everything,
    },
    Sentence {
        says: "those of the workspaces they belong to",
        paths: &["/api/v1/workspaces/{id}/presets*"],
        verbs: LOOK,
        members: Members::Own,
    },
    Sentence {
        says: "Presets: admins",
        paths: &["/api/v1/presets*", "/api/v1/workspaces/{id}/presets*"],
        verbs: CHANGE,
        members: Members::Nothing,
    },
    Sentence {
        says: "The audit log has what admins do: for admins (ours)",
        paths: &["/api/v1/audit-log"],
        verbs: ALL,
        members: Members::Nothing,
    },
];

fn is_about(sentence: &Sentence, route: &Route) -> bool {
    let named = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => route.path.starts_with(start),
        None => route.path == pattern,
    };
    sentence.verbs.contains(&route.verb) && sentence.paths.iter().any(|path| named(path))
}

fn is_shared(route: &Route) -> bool {
    matches!(route.credential, Credential::Management | Credential::InferenceOrSession)
}

#[test]
fn the_register_says_what_the_table_of_roles_says() {
    for route in routes().filter(|route| is_shared(route)) {
        let of: Vec<_> = TABLE.iter().filter(|one| is_about(one, route)).collect();
        let [sentence] = of[..] else {
            panic!("{:?} {}: {} sentences are about it", route.verb, route.path, of.len())
        };
        let told = format!("{:?} {}: {}", route.verb, route.path, sentence.says);
        assert_eq!(route.members, sentence.members, "{told}");
    }
    for sentence in TABLE {
        let some = routes().any(|route| is_shared(route) && is_about(sentence, route));
        assert!(some, "no route is about: {}", sentence.says);
    }
}

async fn post(browser: &Browser, path: &str, body: Value) -> (u16, Value) {
    let reply = browser.caller.post(&format!("/api/v1{path}"), &body).await;
    (reply.status, reply.json())
}

/// Everything that a member may nothing with is refused, whatever the body.
#[tokio::test]
async fn members_are_refused_what_is_for_admins() {
    let town = Town::start().await;
    let (member, mut rows) = (&town.home.member.caller, 0);
    for route in routes().filter(|one| is_shared(one) && one.members == Members::Nothing) {
        let path = route.path.replace(['{', '}'], "");
        let reply = member.send(route.verb.method(), &path, "{}".into()).await;
        let told = told(&reply, 403);
        assert_eq!(told["error"]["message"], "Only admins of the organization may", "{path}");
        rows += 1;
    }
    assert!(rows >= 60, "{rows}");
    // The same person, for themselves.
    let own =
        told(&town.home.member.get("").await, 200)["data"]["contexts"][0]["account_id"].clone();
    let context = json!({ "account_id": own });
    told(&town.home.member.send(Method::PUT, "/context", context).await, 200);
    for path in ["/credits", "/privacy", "/guardrails", "/byok", "/audit-log", "/workspaces"] {
        told(&member.get(&format!("/api/v1{path}")).await, 200);
    }
}

#[tokio::test]
async fn a_member_makes_sees_and_ends_keys_of_their_own() {
    let town = Town::start().await;
    let (admin, member) = (&town.home.admin, &town.home.member);
    let (me, boss) = (town.home.member_id().await, user_id(admin).await);
    let (status, mine) = post(member, "/keys", json!({"name": "mine"})).await;
    assert_eq!((status, mine["data"]["creator_user_id"].as_str()), (201, Some(me.as_str())));
    let (_, theirs) = post(admin, "/keys", json!({"name": "theirs"})).await;
    assert_eq!(theirs["data"]["creator_user_id"], boss);
    let system = json!({"name": "system", "creator_user_id": null});
    assert_eq!(
        post(admin, "/keys", system.clone()).await.1["data"]["creator_user_id"],
        Value::Null
    );
    // Neither the workspace's nor somebody else's.
    assert_eq!(post(member, "/keys", system).await.0, 403);
    let other = json!({"name": "other", "creator_user_id": boss});
    assert_eq!(post(member, "/keys", other).await.0, 403);
    let listed = async |browser: &Browser| {
        let page = told(&browser.caller.get("/api/v1/keys?include_disabled=true").await, 200);
        let names = page["data"].as_array().unwrap().iter().map(|key| key["name"].clone());
        names.map(|name| name.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(member).await, ["mine"]);
    assert!(listed(admin).await.len() >= 3);
    let hash = mine["data"]["hash"].as_str().unwrap();
    let path = format!("/api/v1/keys/{hash}");
    told(&patch(&member.caller, &path, json!({"name": "ours", "limit": 1})).await, 200);
    let (status, next) =
        post(member, &format!("/keys/{hash}/rotate"), json!({"grace_seconds": 0})).await;
    assert_eq!((status, next["data"]["creator_user_id"].as_str()), (201, Some(me.as_str())));
    told(&delete(&member.caller, &path).await, 200);
    // The keys work, and a member may use any key of the organization that they hold.
    let theirs = theirs["key"].as_str().unwrap();
    for key in [next["key"].as_str().unwrap(), theirs] {
        told(&town.server.caller().with_key(key).chat(&crate::site::chat()).await, 200);
    }
    let acts = told(&admin.caller.get("/api/v1/audit-log?limit=100").await, 200);
    let acts = acts["data"].as_array().unwrap();
    let done = |action: &str| {
        let by_me = |one: &&Value| one["actor_id"] == me && one["action"] == action;
        acts.iter().any(|one| by_me(&one))
    };
    for action in ["key.create", "key.update", "key.rotate", "key.delete"] {
        assert!(done(action), "{action} is nobody's: {acts:?}");
    }
}

async fn user_id(browser: &Browser) -> String {
    told(&browser.get("").await, 200)["data"]["user"]["id"].as_str().unwrap().to_owned()
}

/// Management keys are made by people who administer the account, and by no key.
#[tokio::test]
async fn admins_make_management_keys_and_lose_them_with_the_role() {
    let town = Town::start().await;
    let (admin, member) = (&town.home.admin, &town.home.member);
    let wish = json!({"name": "terraform"});
    told(&member.post("/management-keys", wish.clone()).await, 403);
    told(&member.get("/management-keys").await, 403);
    told(&town.home.manager.post("/api/v1/session/management-keys", &wish).await, 401);
    // Promoted, and back again.
    let me = town.home.member_id().await;
    let membership = format!("/organizations/{}/members/{me}", town.home.account);
    let role = async |role: &str| {
        told(&admin.send(Method::PATCH, &membership, json!({ "role": role })).await, 200);
    };
    role("org:admin").await;
    let past = json!({"name": "k", "expires_at": "2020-01-01T00:00:00Z"});
    told(&member.post("/management-keys", past).await, 400);
    let made = told(&member.post("/management-keys", wish).await, 201);
    crate::reference::conforms("post", "/session/management-keys", 201, &made);
    let manager = town.server.caller().with_key(made["key"].as_str().unwrap());
    told(&manager.get("/api/v1/credits").await, 200);
    told(&manager.chat(&crate::site::chat()).await, 403);
    let (_, mine) = post(member, "/keys", json!({"name": "mine"})).await;
    role("org:member").await;
    told(&manager.get("/api/v1/credits").await, 401);
    let key = town.server.caller().with_key(mine["key"].as_str().unwrap());
    told(&key.chat(&crate::site::chat()).await, 200);
    let listed = told(&admin.get("/management-keys").await, 200);
    crate::reference::conforms("get", "/session/management-keys", 200, &listed);
    let listed = listed["data"].as_array().unwrap();
    let one = listed.iter().find(|one| one["name"] == "terraform").unwrap();
    assert_eq!((&one["disabled"], &one["creator_user_id"]), (&json!(true), &json!(me)));
    let path = format!("/management-keys/{}", one["hash"].as_str().unwrap());
    told(&admin.send(Method::DELETE, &path, Value::Null).await, 200);
    told(&admin.send(Method::DELETE, &path, Value::Null).await, 404);
    // No key is shown by the routes of the other kind.
    let hash = made["data"]["hash"].as_str().unwrap();
    told(&admin.caller.get(&format!("/api/v1/keys/{hash}")).await, 404);
}

/// What moves money is in the audit log, with the person who did it.
#[tokio::test]
async fn whoever_redeems_a_voucher_is_in_the_audit_log() {
    let town = Town::start().await;
    let wanted = signalbox_platform::NewVoucher {
        amount: "2".parse().unwrap(),
        uses: 1,
        expires_at: None,
        reason: "fair".to_owned(),
        operator: "ops".to_owned(),
    };
    let code = town.server.platform.create_voucher(wanted).await.unwrap().code;
    let (status, _) = post(&town.home.admin, "/credits/redeem", json!({ "code": code })).await;
    assert_eq!(status, 200);
    let acts = told(&town.home.admin.caller.get("/api/v1/audit-log?limit=1").await, 200);
    let act = &acts["data"][0];
    let boss = user_id(&town.home.admin).await;
    assert_eq!((&act["action"], &act["actor_id"]), (&json!("credit.redeem"), &json!(boss)));
    assert_eq!(act["after"], json!({"amount": 2}));
    assert!(!act.to_string().contains(&code));
}

#[tokio::test]
async fn a_member_makes_keys_in_workspaces_they_belong_to_and_sees_no_others() {
    let town = Town::start().await;
    let (admin, member) = (&town.home.admin, &town.home.member);
    let made = |slug: &str| json!({"name": slug, "slug": slug});
    let (_, inside) = post(admin, "/workspaces", made("inside")).await;
    let (_, outside) = post(admin, "/workspaces", made("outside")).await;
    let (inside, outside) = (&inside["data"]["id"], &outside["data"]["id"]);
    let people = json!({"user_ids": [town.home.member_id().await]});
    let path = format!("/workspaces/{}/members/add", inside.as_str().unwrap());
    assert_eq!(post(admin, &path, people.clone()).await.0, 200);
    let key = |workspace: &Value| json!({"name": "k", "workspace_id": workspace});
    let (status, mine) = post(member, "/keys", key(inside)).await;
    assert_eq!(status, 201);
    assert_eq!(post(member, "/keys", key(outside)).await.0, 404);
    let page = told(&member.caller.get("/api/v1/workspaces").await, 200);
    let slugs: Vec<_> =
        page["data"].as_array().unwrap().iter().map(|one| one["slug"].as_str().unwrap()).collect();
    assert_eq!((slugs, &page["total_count"]), (vec!["default", "inside"], &json!(2)));
    for (path, status) in [
        ("/workspaces/inside", 200),
        ("/workspaces/outside", 404),
        ("/workspaces/inside/budgets", 200),
        ("/workspaces/outside/budgets", 404),
        ("/workspaces/inside/presets", 200),
        ("/workspaces/outside/presets", 404),
    ] {
        told(&member.caller.get(&format!("/api/v1{path}")).await, status);
    }
    let budget = json!({"limit_usd": 5});
    let path = "/api/v1/workspaces/inside/budgets/daily";
    told(&put(&member.caller, path, budget.clone()).await, 403);
    told(&put(&admin.caller, path, budget).await, 200);
    assert_eq!(told(&member.caller.get(path).await, 200)["data"]["limit_usd"], 5.0);
    // Whoever left a workspace has no key in it again.
    let key = format!("/api/v1/keys/{}", mine["data"]["hash"].as_str().unwrap());
    told(&patch(&member.caller, &key, json!({"disabled": true})).await, 200);
    let path = format!("/workspaces/{}/members/remove", inside.as_str().unwrap());
    assert_eq!(post(admin, &path, people).await.0, 200);
    told(&patch(&member.caller, &key, json!({"disabled": false})).await, 403);
    let path = format!("{key}/rotate");
    told(&member.caller.post(&path, &json!({"grace_seconds": 0})).await, 403);
}

#[tokio::test]
async fn a_member_switches_on_what_they_switched_off_and_an_admin_everything() {
    let town = Town::start().await;
    let (admin, member) = (&town.home.admin.caller, &town.home.member.caller);
    let (_, mine) = post(&town.home.member, "/keys", json!({"name": "mine"})).await;
    let path = format!("/api/v1/keys/{}", mine["data"]["hash"].as_str().unwrap());
    let switch = async |caller: &Caller, disabled: bool, status: u16| {
        told(&patch(caller, &path, json!({ "disabled": disabled })).await, status);
    };
    switch(member, true, 200).await;
    switch(member, false, 200).await;
    switch(admin, true, 200).await;
    switch(member, false, 403).await;
    switch(admin, false, 200).await;
    // Deactivation switches all of them off; to come back gives none back (2.4).
    let (organization, me) = (&town.home.account, town.home.member_id().await);
    let membership = format!("/organizations/{organization}/members/{me}");
    for active in [false, true] {
        let wish = json!({ "active": active });
        told(&town.home.admin.send(Method::PATCH, &membership, wish).await, 200);
    }
    // The session that acted for it is over.
    let mut member = town.home.member.clone();
    told(&member.get("").await, 401);
    member.sign_in().await;
    let context = json!({ "account_id": organization });
    told(&member.send(Method::PUT, "/context", context).await, 200);
    switch(&member.caller, false, 403).await;
    switch(admin, false, 200).await;
}

/// A key that is named goes before the cookie, whichever of them is better.
#[tokio::test]
async fn a_request_with_a_key_and_a_cookie_is_the_keys() {
    let town = Town::start().await;
    let admin = &town.home.admin.caller;
    let both = |from: &Caller, key: &str| from.with("authorization", &format!("Bearer {key}"));
    let server = &town.server;
    let elsewhere = both(admin, &server.owner.management_key);
    let own = told(&elsewhere.get("/api/v1/credits").await, 200);
    let theirs = told(&admin.get("/api/v1/credits").await, 200);
    assert_ne!(own["data"], theirs["data"]);
    told(&both(admin, &server.owner.api_key).get("/api/v1/credits").await, 403);
    told(&both(admin, "sk-or-v1-unknown").get("/api/v1/credits").await, 401);
    told(&admin.with("authorization", "Basic abc").get("/api/v1/credits").await, 401);
    // A bearer is no cookie: no page sends it by itself, so any may.
    let foreign = admin.without("origin").with("origin", "https://evil.example");
    let privacy = json!({"enforce_zdr": true});
    told(&patch(&foreign, "/api/v1/privacy", privacy.clone()).await, 403);
    let foreign = both(&foreign, &server.owner.management_key);
    told(&patch(&foreign, "/api/v1/privacy", json!({})).await, 200);
    // And a cookie opens no model.
    for route in routes().filter(|route| route.reaches_provider) {
        let body = crate::site::chat().to_string();
        told(&admin.send(route.verb.method(), route.path, body.into()).await, 401);
    }
}

/// The same key of a request twice is one key, for whoever made it, and for nobody else.
#[tokio::test]
async fn a_key_that_is_asked_for_twice_by_a_session_is_made_once() {
    let town = Town::start().await;
    let again = |browser: &Browser| browser.caller.with("idempotency-key", "one-key-0001");
    let wish = json!({"name": "once"});
    let member = again(&town.home.member);
    let first = told(&member.post("/api/v1/keys", &wish).await, 201);
    assert_eq!(first, told(&member.post("/api/v1/keys", &wish).await, 201));
    told(&again(&town.home.admin).post("/api/v1/keys", &wish).await, 409);
    let theirs = told(&again(&town.away.admin).post("/api/v1/keys", &wish).await, 201);
    assert_ne!(first["key"], theirs["key"]);
}
