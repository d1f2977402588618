//! People: signing up, signing in, sessions, passwords.

use std::time::Duration;

use http::{Method, header};
use serde_json::json;
use signalbox_platform::{PeopleSettings, SignUp};
use signalbox_server::{Credential, Verb, routes};

use crate::browser::{Browser, PASSWORD, SESSION, mailed, person, start};
use crate::site::told;

const DAY: Duration = Duration::from_secs(86_400);

fn open() -> PeopleSettings {
    PeopleSettings { sign_up: SignUp::Open, ..PeopleSettings::default() }
}

#[tokio::test]
async fn the_first_person_signs_up_and_whoever_comes_later_needs_an_invitation() {
    let (server, _) = start(PeopleSettings::default()).await;
    let mut ada = Browser::new(&server, "Ada@Example.com");
    let wish = json!({"first_name": " Ada ", "last_name": "Lovelace"});
    told(&ada.sign_up(wish).await, 202);
    let seen = ada.sign_in().await;
    assert_eq!(seen["user"]["email"], "ada@example.com");
    assert_eq!(
        (&seen["user"]["first_name"], &seen["user"]["email_verified"]),
        (&json!("Ada"), &json!(false))
    );
    assert_eq!(seen["context"]["kind"], "personal");
    assert_eq!(told(&ada.get("").await, 200)["data"], seen);
    told(&Browser::new(&server, "bob@example.com").sign_up(json!({})).await, 403);
    let made_up = json!({"invitation": "0".repeat(64)});
    told(&Browser::new(&server, "bob@example.com").sign_up(made_up).await, 403);

    // The address is proven by whoever has both the session and the mail.
    let token = mailed(&server, "ada@example.com", "Verify your e-mail address").await;
    let nobody = Browser::new(&server, "ada@example.com");
    told(&nobody.post("/email/verify", json!({ "token": token })).await, 401);
    told(&ada.post("/email/verify", json!({ "token": "0".repeat(64) })).await, 400);
    told(&ada.post("/email/verify", json!({ "token": token })).await, 200);
    told(&ada.post("/email/verify", json!({ "token": token })).await, 400);
    assert_eq!(told(&ada.get("").await, 200)["data"]["user"]["email_verified"], true);
    told(&ada.post("/email/send", json!({})).await, 409);

    // Signed out is signed out, and the browser forgets.
    let reply = ada.send(Method::DELETE, "", json!(null)).await;
    told(&reply, 200);
    assert!(reply.headers[header::SET_COOKIE].to_str().unwrap().contains("=; Path=/; Max-Age=0;"));
    told(&ada.get("").await, 401);
}

#[tokio::test]
async fn a_closed_house_lets_nobody_sign_up() {
    let closed = PeopleSettings { sign_up: SignUp::Closed, ..PeopleSettings::default() };
    let (server, _) = start(closed).await;
    told(&Browser::new(&server, "ada@example.com").sign_up(json!({})).await, 403);
}

#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let (server, _) = start(open()).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    let nobody = Browser::new(&server, "nobody@example.com");
    let known = Browser::new(&server, "ada@example.com");
    let (one, other) =
        (known.try_sign_in("wrong password", None).await, nobody.try_sign_in(PASSWORD, None).await);
    assert_eq!((told(&one, 401), &one.body), (told(&other, 401), &other.body));
    // Signing up again changes nothing, looks the same, and is told to the owner.
    let again = known.sign_up(json!({"password": "another password", "first_name": "Eve"})).await;
    let fresh = Browser::new(&server, "fresh@example.com").sign_up(json!({})).await;
    assert_eq!((again.status, again.body), (fresh.status, fresh.body));
    told(&known.try_sign_in("another password", None).await, 401);
    told(&ada.get("").await, 200);
    mailed(&server, "ada@example.com", "You have an account").await;
    let forgot = |browser: Browser| async move {
        let wish = json!({"email": browser.email});
        let reply = browser.post("/password/forgot", wish).await;
        (reply.status, reply.body)
    };
    assert_eq!(forgot(known.clone()).await, forgot(nobody.clone()).await);
    mailed(&server, "ada@example.com", "Set a new password").await;
    assert!(server.mail.to("nobody@example.com").is_empty());
    // What the operator's account has no password for is reached by mail alone.
    let owner = Browser::new(&server, "owner@localhost");
    told(&owner.try_sign_in("", None).await, 401);
    told(&owner.sign_up(json!({})).await, 202);
    told(&owner.try_sign_in(PASSWORD, None).await, 401);
}

#[tokio::test]
async fn a_session_is_a_cookie_that_rotates_and_ends() {
    let (server, clock) = start(open()).await;
    let mut ada = person(&server, "ada@example.com", json!({})).await;
    let first = ada.clone();
    let reply = ada.try_sign_in(PASSWORD, None).await;
    let cookie = reply.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.split("; ").any(|one| one == part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "this server is reached by http");
    assert_eq!(reply.headers[header::CACHE_CONTROL], "private, no-store");
    ada.keep(&reply);
    assert_ne!(ada.token(), first.token());
    told(&first.get("").await, 401);
    assert_eq!(ada.get("").await.headers[header::CACHE_CONTROL], "private, no-store");
    // Two cookies of the name, half a token, another case: nobody.
    let twice = format!("signalbox_session={0}; signalbox_session={0}", ada.token());
    let odd = [twice, format!("signalbox_session={}", &ada.token()[..63]), String::new()];
    for cookie in odd {
        let caller = ada.caller.without("cookie").with("cookie", &cookie);
        told(&caller.get(SESSION).await, 401);
    }
    // A second browser, seen and ended from the first.
    let mut phone = Browser::new(&server, "ada@example.com");
    let seen = phone.sign_in().await;
    let rows = told(&ada.get("/sessions").await, 200)["data"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 2, "{rows}");
    assert_eq!(rows[0]["address"], "127.0.0.1");
    let path = format!("/sessions/{}", seen["id"].as_str().unwrap());
    let stranger = person(&server, "eve@example.com", json!({})).await;
    told(&stranger.send(Method::DELETE, &path, json!(null)).await, 404);
    told(&phone.get("").await, 200);
    told(&ada.send(Method::DELETE, &path, json!(null)).await, 200);
    told(&phone.get("").await, 401);
    phone.sign_in().await;
    told(&ada.send(Method::DELETE, "/sessions", json!(null)).await, 200);
    told(&phone.get("").await, 401);
    told(&ada.get("").await, 200);
    // In use it lives for thirty days, else for seven.
    for _ in 0..4 {
        clock.advance(6 * DAY);
        told(&ada.get("").await, 200);
    }
    clock.advance(6 * DAY);
    told(&ada.get("").await, 401);
    ada.sign_in().await;
    clock.advance(7 * DAY);
    told(&ada.get("").await, 401);
}

#[tokio::test]
async fn only_our_own_pages_change_anything_with_a_session() {
    let (server, _) = start(open()).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    let bare = ada.caller.without("origin");
    let ours = format!("http://{}", server.address());
    let foreign = [
        bare.clone(),
        bare.with("origin", "https://evil.example"),
        bare.with("origin", "null"),
        bare.with("origin", &format!("{ours}.evil.example")),
        bare.with("origin", &ours).with("sec-fetch-site", "cross-site"),
        bare.with("sec-fetch-site", "same-site"),
        bare.with("sec-fetch-site", "none"),
        bare.with("origin", "https://evil.example").with("sec-fetch-site", "same-origin"),
    ];
    let guarded = |credential| {
        matches!(
            credential,
            Credential::Session | Credential::Management | Credential::InferenceOrSession
        )
    };
    let mut tried = 0;
    for route in routes().filter(|row| guarded(row.credential) && row.verb != Verb::Get) {
        let parts =
            route.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        for caller in &foreign {
            let reply = caller.send(route.verb.method(), &path, "{}".into()).await;
            let why = told(&reply, 403)["error"]["message"].to_string();
            assert!(why.contains("public_url"), "{path}: {why}");
            tried += 1;
        }
    }
    assert!(tried >= 8 * 70, "{tried}");
    for path in ["sign-in", "sign-up", "password/forgot", "password/reset"] {
        let wish = json!({"email": "ada@example.com", "password": PASSWORD, "token": "x"});
        let mut wish = wish.as_object().unwrap().clone();
        let unknown: &[&str] = match path {
            "password/forgot" => &["password", "token"],
            "password/reset" => &["email"],
            _ => &["token"],
        };
        wish.retain(|name, _| !unknown.contains(&name.as_str()));
        told(&foreign[1].post(&format!("{SESSION}/{path}"), &json!(wish)).await, 403);
    }
    told(&ada.get("").await, 200);
    let same = bare.with("sec-fetch-site", "same-origin");
    told(&same.send(Method::DELETE, SESSION, "".into()).await, 200);
}

#[tokio::test]
async fn a_password_is_set_anew_once_by_mail_and_all_sessions_end() {
    let (server, clock) = start(open()).await;
    let mut ada = person(&server, "ada@example.com", json!({})).await;
    let forgot = async || {
        told(&ada.post("/password/forgot", json!({"email": "ada@example.com"})).await, 202);
    };
    forgot().await;
    let late = mailed(&server, "ada@example.com", "Set a new password").await;
    clock.advance(Duration::from_secs(3_601));
    let reset = async |token: &str, password: &str| {
        let wish = json!({"token": token, "password": password});
        Browser::new(&server, "ada@example.com").post("/password/reset", wish).await.status
    };
    assert_eq!(reset(&late, "a new password").await, 400);
    let before = server.mail.to("ada@example.com").len();
    forgot().await;
    let fresh = async || (server.mail.to("ada@example.com").len() > before).then_some(());
    signalbox_testkit::eventually(Duration::from_secs(30), "a letter", fresh).await;
    let token = mailed(&server, "ada@example.com", "Set a new password").await;
    assert_eq!(reset(&token, "short").await, 400);
    assert_eq!(reset(&token, "a new password").await, 200);
    assert_eq!(reset(&token, "a new password").await, 400, "used");
    told(&ada.get("").await, 401);
    told(&ada.try_sign_in(PASSWORD, None).await, 401);
    let reply = ada.try_sign_in("a new password", None).await;
    told(&reply, 201);
    ada.keep(&reply);
    // Changing it needs the present one; this browser goes on with another cookie.
    let change = |old: &str| json!({"password": old, "new_password": PASSWORD});
    told(&ada.post("/password", change("wrong password")).await, 403);
    let reply = ada.post("/password", change("a new password")).await;
    told(&reply, 200);
    told(&ada.get("").await, 401);
    ada.keep(&reply);
    told(&ada.get("").await, 200);
    assert_eq!(reset(&token, "a new password").await, 400);
}

#[tokio::test]
async fn guessing_is_slowed_down_for_each_account() {
    let (server, clock) = start(open()).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    let eve = person(&server, "eve@example.com", json!({})).await;
    for _ in 0..10 {
        told(&ada.try_sign_in("wrong password", None).await, 401);
    }
    let reply = ada.try_sign_in(PASSWORD, None).await;
    told(&reply, 429);
    let wait: u64 = reply.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=180).contains(&wait), "{wait}");
    let wish = json!({"password": PASSWORD, "new_password": "a new password"});
    told(&ada.post("/password", wish).await, 429);
    told(&eve.try_sign_in(PASSWORD, None).await, 201);
    clock.advance(Duration::from_secs(181));
    told(&ada.try_sign_in(PASSWORD, None).await, 201);
    // It was right: all tries are back.
    for _ in 0..3 {
        told(&ada.try_sign_in("wrong password", None).await, 401);
    }
    told(&ada.try_sign_in(PASSWORD, None).await, 201);
    for _ in 0..5 {
        let wish = json!({"email": "someone@example.com"});
        told(&ada.post("/password/forgot", wish).await, 202);
    }
    told(&ada.post("/password/forgot", json!({"email": "someone@example.com"})).await, 429);
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_secrets_stay_out_of_the_books() {
    let (server, _) = start(open()).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    for wish in [
        json!({"email": "not an address", "password": PASSWORD}),
        json!({"email": "bob@example.com", "password": "short"}),
        json!({"email": "bob@example.com", "password": "x".repeat(1_025)}),
        json!({"email": "bob@example.com", "password": PASSWORD, "first_name": "x".repeat(101)}),
        json!({"email": "bob@example.com", "password": PASSWORD, "role": "org:admin"}),
        json!({"email": "bob@example.com", "password": PASSWORD, "email_verified": true}),
        json!({"email": "bob@example.com"}),
    ] {
        told(&ada.post("/sign-up", wish).await, 400);
    }
    let store = server.platform.store();
    let user = store.user_of_email("ada@example.com").await.unwrap().unwrap();
    assert!(
        user.password.as_ref().unwrap().expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
    );
    let account = store.account_of(&user.id).await.unwrap();
    let log = store.audit_log(&account, None, 50).await.unwrap();
    let acts: Vec<&str> = log.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(acts, ["user.verify_email", "user.sign_up"]);
    let mail = mailed(&server, "ada@example.com", "Verify your e-mail address").await;
    let text = format!("{log:?} {user:?} {:?}", server.mail);
    for secret in [ada.token(), PASSWORD, "argon2id"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(!format!("{log:?}").contains(&mail));
    assert!(store.session(ada.token()).await.unwrap().is_none(), "only its hash is stored");
}
