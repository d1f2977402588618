//! Keys for apps, by authorization codes with a challenge (reliability design, test 36,
//! `sec::oauth_pkce`).

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_platform::{PeopleSettings, SignUp};
use signalbox_testkit::{Caller, Reply, Setup, TestServer};

use crate::browser::{Browser, person, start, start_as};
use crate::reference::conforms;
use crate::site::{chat, delete, patch, told};

const CODE: &str = "/api/v1/auth/keys/code";
const KEYS: &str = "/api/v1/auth/keys";
const CALLBACK: &str = "https://app.example/done";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const INVALID: &str = "Invalid code or code_verifier";
const METHOD: &str = "Invalid code_challenge_method";

fn open() -> PeopleSettings {
    PeopleSettings { sign_up: SignUp::Open, ..PeopleSettings::default() }
}

fn with(mut base: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        if value == "absent" {
            base.as_object_mut().unwrap().remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base
}

fn wish(more: &Value) -> Value {
    let base = json!({"callback_url": CALLBACK, "code_challenge": CHALLENGE,
        "code_challenge_method": "S256"});
    with(base, more)
}

fn trade(code: &str, more: &Value) -> Value {
    let base = json!({"code": code, "code_verifier": VERIFIER, "code_challenge_method": "S256"});
    with(base, more)
}

async fn issue(caller: &Caller, more: &Value) -> String {
    let made = told(&caller.post(CODE, &wish(more)).await, 200);
    conforms("POST", "/auth/keys/code", 200, &made);
    made["data"]["id"].as_str().unwrap().to_owned()
}

/// A code that whoever is signed in consents to.
pub async fn code_for(browser: &Browser) -> String {
    issue(&browser.caller, &json!({})).await
}

/// What an app does with a code, from a page of its own.
pub async fn exchange(caller: &Caller, code: &str) -> Reply {
    app(caller).post(KEYS, &trade(code, &json!({}))).await
}

fn app(caller: &Caller) -> Caller {
    let bare = caller.without("authorization").without("cookie").without("origin");
    bare.with("origin", "https://app.example")
}

/// A key that whoever is signed in gives an app.
pub async fn key_for(browser: &Browser) -> String {
    let reply = exchange(&browser.caller, &code_for(browser).await).await;
    told(&reply, 200)["key"].as_str().unwrap().to_owned()
}

/// One case: what is asked for, what is exchanged, and what comes of it.
struct Case {
    name: &'static str,
    /// Whether the setting allows weak challenges.
    weak: bool,
    issue: Value,
    trade: Value,
    /// The status of the exchange, or of the first step when that is refused; and a part of the text.
    expected: (u16, &'static str),
}

fn case(name: &'static str, issue: Value, trade: Value, expected: (u16, &'static str)) -> Case {
    Case { name, weak: false, issue, trade, expected }
}

fn challenges() -> Vec<Case> {
    let none = || json!({});
    let good = (200, "");
    let no_method = || json!({"code_challenge_method": "absent"});
    vec![
        case("S256", none(), none(), good),
        case("padded", json!({"code_challenge": format!("{CHALLENGE}=")}), none(), good),
        case(
            "the other alphabet",
            json!({"code_challenge": CHALLENGE.replace('-', "+").replace('_', "/")}),
            none(),
            good,
        ),
        case("S256 is the default", no_method(), no_method(), good),
        case("a method that was not said before", no_method(), none(), (400, METHOD)),
        case("a method that is not repeated", none(), no_method(), (400, METHOD)),
        case("another method", none(), json!({"code_challenge_method": "plain"}), (400, METHOD)),
        case(
            "the challenge as a plain verifier",
            none(),
            json!({"code_challenge_method": "plain", "code_verifier": CHALLENGE}),
            (400, METHOD),
        ),
        case("no verifier", none(), json!({"code_verifier": "absent"}), (403, INVALID)),
        case("an empty verifier", none(), json!({"code_verifier": ""}), (403, INVALID)),
        case(
            "the challenge as verifier",
            none(),
            json!({"code_verifier": CHALLENGE}),
            (403, INVALID),
        ),
        case(
            "a verifier and a line end",
            none(),
            json!({"code_verifier": format!("{VERIFIER}\n")}),
            (403, INVALID),
        ),
        case(
            "the verifier of another app",
            none(),
            json!({"code_verifier": "a-verifier-that-belongs-to-some-other-app-00"}),
            (403, INVALID),
        ),
        case("an unknown code", none(), json!({"code": "auth_code_0"}), (403, INVALID)),
        case("an empty code", none(), json!({"code": ""}), (403, INVALID)),
        case("plain is off", json!({"code_challenge_method": "plain"}), none(), (400, "S256 only")),
        case(
            "no challenge is off",
            json!({"code_challenge": "absent", "code_challenge_method": "absent"}),
            none(),
            (400, "needs one"),
        ),
        case("a method alone", json!({"code_challenge": "absent"}), none(), (400, "missing")),
        case(
            "an unknown method",
            json!({"code_challenge_method": "s256"}),
            none(),
            (400, "variant"),
        ),
        case(
            "half a digest",
            json!({"code_challenge": "E9Melhoa2OwvFrEM"}),
            none(),
            (400, "SHA-256"),
        ),
        case("headless", json!({"callback_url": "absent"}), none(), good),
        case(
            "headless without a challenge",
            json!({"callback_url": "absent", "code_challenge": "absent",
                "code_challenge_method": "absent"}),
            none(),
            (400, "callback_url"),
        ),
        case(
            "a member that nobody knows",
            json!({"is_admin": true}),
            none(),
            (400, "unknown field"),
        ),
        case(
            "an end that has passed",
            json!({"expires_at": "2001-01-01T00:00:00Z"}),
            none(),
            (400, "expires_at"),
        ),
        case("a limit below zero", json!({"limit": -1}), none(), (400, "limit")),
    ]
}

fn weak_challenges() -> Vec<Case> {
    let plain = json!({"code_challenge": VERIFIER, "code_challenge_method": "plain"});
    let bare = json!({"code_challenge": "absent", "code_challenge_method": "absent"});
    let method = |method: &str| json!({ "code_challenge_method": method });
    let good = (200, "");
    let mut cases = vec![
        case("allowed: plain", plain.clone(), method("plain"), good),
        case(
            "allowed: plain, another verifier",
            plain.clone(),
            json!({"code_challenge_method": "plain", "code_verifier": CHALLENGE}),
            (403, INVALID),
        ),
        case("allowed: plain, exchanged as S256", plain, method("S256"), (400, METHOD)),
        case(
            "allowed: plain, too short",
            json!({"code_challenge": "short", "code_challenge_method": "plain"}),
            method("plain"),
            (400, "43 to 128"),
        ),
        case(
            "allowed: no challenge",
            bare.clone(),
            json!({"code_verifier": "absent", "code_challenge_method": "absent"}),
            good,
        ),
        case("allowed: no challenge, any verifier", bare.clone(), method("absent"), good),
        case("allowed: no challenge, a method", bare, method("S256"), (400, METHOD)),
    ];
    for case in &mut cases {
        case.weak = true;
    }
    cases
}

fn callbacks() -> Vec<Case> {
    let refused = [
        ("userinfo", "https://app.example@evil.example/"),
        ("userinfo with a password", "https://me:secret@app.example/"),
        ("a double slash in the path", "https://app.example//evil.example"),
        ("no scheme", "//evil.example/"),
        ("a backslash before the host", "https:\\\\evil.example/"),
        ("a backslash in the host", "https://evil.example\\.app.example/"),
        ("javascript", "javascript:alert(1)"),
        ("javascript with slashes", "JavaScript://app.example/%0aalert(1)"),
        ("data", "data:text/html,x"),
        ("a scheme of an app", "app://done"),
        ("a dot after the host", "https://app.example./done"),
        ("a fragment", "https://app.example/done#x"),
        ("http to a named host", "http://app.example/done"),
        ("http to what begins as localhost", "http://localhost.evil.example/"),
        ("http to localhost as a user", "http://localhost@evil.example/"),
        ("http to another loopback address", "http://127.0.0.2:3000/"),
        ("a number for a host", "https://2130706433/"),
        ("a line end", "https://app.example/\r\nLocation: x"),
    ];
    let allowed = [
        ("mixed case", "HTTPS://App.Example:443/done?x=1"),
        ("localhost on any port", "http://localhost:51234/done"),
        ("127.0.0.1 on any port", "http://127.0.0.1:8976/done"),
    ];
    let of = |url: &str| json!({ "callback_url": url });
    let refused = refused
        .into_iter()
        .map(|(name, url)| case(name, of(url), json!({}), (400, "callback_url")));
    let allowed = allowed.into_iter().map(|(name, url)| case(name, of(url), json!({}), (200, "")));
    refused.chain(allowed).collect()
}

async fn run(server: &TestServer, case: &Case) {
    let manager = server.manager();
    let first = manager.post(CODE, &wish(&case.issue)).await;
    let (status, text) = case.expected;
    let last = if first.status == 200 {
        let code = first.json()["data"]["id"].as_str().unwrap().to_owned();
        let last = app(&manager).post(KEYS, &trade(&code, &case.trade)).await;
        assert_eq!(last.headers["cache-control"], "private, no-store");
        last
    } else {
        first
    };
    let body = String::from_utf8_lossy(&last.body).into_owned();
    assert_eq!(last.status, status, "{}: {body}", case.name);
    assert!(body.contains(text), "{}: {body}", case.name);
    if status == 200 {
        conforms("POST", "/auth/keys", 200, &last.json());
        let key = last.json()["key"].as_str().unwrap().to_owned();
        told(&server.caller().with_key(&key).get("/api/v1/key").await, 200);
    } else {
        conforms("POST", "/auth/keys", status, &last.json());
    }
}

#[tokio::test]
async fn every_challenge_and_every_callback_ends_as_the_table_says() {
    let (strict, clock) = start(open()).await;
    let weak = PeopleSettings { weak_challenges: true, ..open() };
    let weak = start_as(Setup { people: weak, clock: clock.clone(), ..Setup::default() }).await;
    let cases = [challenges(), weak_challenges(), callbacks()];
    let cases: Vec<Case> = cases.into_iter().flatten().collect();
    let names: std::collections::HashSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!((names.len(), cases.len()), (53, 53));
    for case in &cases {
        run(if case.weak { &weak } else { &strict }, case).await;
        clock.advance(Duration::from_secs(5));
    }
    // What was refused left nothing behind.
    let made = strict.platform.store().keys_of(&strict.owner.account_id).await.unwrap();
    let good = cases.iter().filter(|case| !case.weak && case.expected.0 == 200).count();
    assert_eq!(made.len(), 2 + good);
}

#[tokio::test]
async fn a_code_that_is_shown_twice_ends_the_key_it_was_exchanged_for() {
    let (server, _) = start(open()).await;
    let code = issue(&server.manager(), &json!({})).await;
    let first = told(&exchange(&server.manager(), &code).await, 200);
    let caller = server.caller().with_key(first["key"].as_str().unwrap());
    told(&caller.chat(&chat()).await, 200);
    let again = told(&exchange(&server.manager(), &code).await, 403);
    assert_eq!(again["error"]["message"], INVALID);
    told(&caller.chat(&chat()).await, 401);
    told(&exchange(&server.manager(), &code).await, 403);
    // Whoever shows it without the verifier may well be the thief who came second.
    let code = issue(&server.manager(), &json!({})).await;
    let first = told(&exchange(&server.manager(), &code).await, 200);
    let blind = trade(&code, &json!({"code_verifier": "absent"}));
    told(&app(&server.manager()).post(KEYS, &blind).await, 403);
    told(&server.caller().with_key(first["key"].as_str().unwrap()).chat(&chat()).await, 401);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes_and_for_whoever_knows_the_verifier() {
    let (server, clock) = start(open()).await;
    let manager = server.manager();
    let (one, other) = (issue(&manager, &json!({})).await, issue(&manager, &json!({})).await);
    let wrong = trade(&one, &json!({"code_verifier": CHALLENGE}));
    told(&app(&manager).post(KEYS, &wrong).await, 403);
    clock.advance(Duration::from_secs(599));
    told(&exchange(&manager, &one).await, 200);
    clock.advance(Duration::from_secs(1));
    let late = told(&exchange(&manager, &other).await, 403);
    assert_eq!(late["error"]["message"], "Authorization code expired");
}

#[tokio::test]
async fn a_workspace_that_has_ended_gets_no_key() {
    let (server, _) = start(open()).await;
    let manager = server.manager();
    let lab = manager.post("/api/v1/workspaces", &json!({"name": "Lab", "slug": "lab"})).await;
    let lab = told(&lab, 201)["data"]["id"].clone();
    let codes = [
        issue(&manager, &json!({"workspace_id": lab})).await,
        issue(&manager, &json!({"workspace_id": lab})).await,
    ];
    let made = told(&exchange(&manager, &codes[0]).await, 200);
    let caller = server.caller().with_key(made["key"].as_str().unwrap());
    told(&caller.chat(&chat()).await, 200);
    told(&delete(&manager, "/api/v1/workspaces/lab").await, 400);
    let id = lab.as_str().unwrap();
    let all = told(&manager.get(&format!("/api/v1/keys?workspace_id={id}")).await, 200);
    let path = format!("/api/v1/keys/{}", all["data"][0]["hash"].as_str().unwrap());
    told(&patch(&manager, &path, json!({"disabled": true})).await, 200);
    told(&delete(&manager, "/api/v1/workspaces/lab").await, 200);
    let late = told(&exchange(&manager, &codes[1]).await, 403);
    assert_eq!(late["error"]["message"], INVALID);
    told(&patch(&manager, &path, json!({"disabled": false})).await, 404);
    told(&caller.chat(&chat()).await, 401);
    server.closes_clean().await;
}

#[tokio::test]
async fn of_many_exchanges_at_once_one_gets_a_key() {
    let (server, clock) = start(open()).await;
    for _ in 0..5 {
        clock.advance(Duration::from_secs(60));
        let code = issue(&server.manager(), &json!({})).await;
        let mut at_once = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (caller, code) = (server.manager(), code.clone());
            at_once.spawn(async move { exchange(&caller, &code).await.status });
        }
        let statuses = at_once.join_all().await;
        assert_eq!(statuses.iter().filter(|one| **one == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|one| **one == 403).count(), 7, "{statuses:?}");
    }
    // Each was shown more than once, so no key is left.
    let made = server.platform.store().keys_of(&server.owner.account_id).await.unwrap();
    assert_eq!(made.len(), 2);
}

#[tokio::test]
async fn a_person_gives_an_app_a_key_with_the_limit_they_chose() {
    let (server, _) = start(open()).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    let eve = person(&server, "eve@example.com", json!({})).await;
    let seen = told(&ada.get("").await, 200)["data"].clone();
    let terms = json!({"limit": 0.5, "usage_limit_type": "weekly",
        "expires_at": "2999-12-31T23:59:59Z", "spawn_agent": "a", "spawn_cloud": "b"});
    let made = told(&ada.caller.post(CODE, &wish(&terms)).await, 200);
    let code = made["data"]["id"].as_str().unwrap();
    // Somebody else exchanges it: the key is still that of whoever consented.
    let trade = trade(code, &json!({}));
    let got = told(&eve.caller.post(KEYS, &trade).await, 200);
    assert_eq!(got["user_id"], seen["user"]["id"]);
    let caller = server.caller().with_key(got["key"].as_str().unwrap());
    let own = told(&caller.get("/api/v1/key").await, 200)["data"].clone();
    assert_eq!((&own["limit"], &own["limit_reset"]), (&json!(0.5), &json!("weekly")));
    assert_eq!(own["expires_at"], "2999-12-31T23:59:59.000Z");
    assert_eq!(own["creator_user_id"], seen["user"]["id"]);
    assert_eq!(own["is_management_key"], false);
    // Named after the app, or as the person says; apps of one origin are one.
    let again = told(&ada.caller.post(CODE, &wish(&json!({"key_label": "Mine"}))).await, 200);
    assert_eq!(again["data"]["app_id"], made["data"]["app_id"]);
    told(&exchange(&ada.caller, again["data"]["id"].as_str().unwrap()).await, 200);
    let local = json!({"callback_url": "http://localhost:3000/cb"});
    let local = told(&ada.caller.post(CODE, &wish(&local)).await, 200);
    assert_ne!(local["data"]["app_id"], made["data"]["app_id"]);
    told(&exchange(&ada.caller, local["data"]["id"].as_str().unwrap()).await, 200);
    let account =
        signalbox_core::id::AccountId::new(seen["context"]["account_id"].as_str().unwrap());
    let store = server.platform.store();
    let mut names: Vec<String> =
        store.keys_of(&account).await.unwrap().into_iter().map(|key| key.name).collect();
    names.sort();
    assert_eq!(names, ["Mine", "app.example", "localhost:3000"]);
    // A workspace of somebody else is not there.
    let theirs = store.default_workspace_of(&server.owner.account_id).await.unwrap().unwrap();
    let there = json!({"workspace_id": theirs.id});
    told(&ada.caller.post(CODE, &wish(&there)).await, 404);
    let log = format!("{:?}", store.audit_log(&account, None, 50).await.unwrap());
    assert!(!log.contains(code) && !log.contains(got["key"].as_str().unwrap()));
}

#[tokio::test]
async fn pages_of_apps_may_exchange_and_only_ours_may_consent() {
    let (server, _) = start(open()).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    let theirs = ada.caller.without("origin").with("origin", "https://app.example");
    told(&theirs.post(CODE, &wish(&json!({}))).await, 403);
    let preflight = app(&ada.caller).with("access-control-request-method", "POST");
    let reply = preflight.send(http::Method::OPTIONS, KEYS, "".into()).await;
    assert_eq!(reply.status, 204);
    assert_eq!(reply.headers["access-control-allow-origin"], "*");
    assert!(!reply.headers.contains_key("access-control-allow-credentials"));
    told(&app(&ada.caller).get(KEYS).await, 405);
    told(&server.caller().post(CODE, &wish(&json!({}))).await, 403);
    told(&app(&ada.caller).post(CODE, &wish(&json!({}))).await, 401);
    // Unknown codes are tried a few times and then no more.
    let mut tried = 0;
    while exchange(&ada.caller, "auth_code_x").await.status == 403 {
        tried += 1;
    }
    assert_eq!(tried, 60);
    told(&exchange(&ada.caller, &code_for(&ada).await).await, 429);
}
