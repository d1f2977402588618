//! Signing in by OpenID Connect, with identity providers and browsers that do what they should not.

use std::time::Duration;

use http::header;
use serde_json::{Value, json};
use signalbox_platform::{PeopleSettings, SignUp};
use signalbox_runtime::Clock;
use signalbox_server::Proxies;
use signalbox_testkit::{Setup, TestServer};

use crate::browser::{SESSION, start_as};
use crate::idp::{CLIENT, FakeIdp, Script, Signature, query};
use crate::site::told;
use crate::traveller::{Traveller, location};

/// A server that knows two identity providers, `work` and `other`, and `plain`, which has no ID tokens.
pub async fn start(sign_up: SignUp) -> (TestServer, FakeIdp, FakeIdp, Clock) {
    let clock = Clock::manual(signalbox_core::Timestamp::from_seconds(1_800_000_000));
    let (idp, other) = (FakeIdp::start(&clock).await, FakeIdp::start(&clock).await);
    let providers = vec![idp.provider("work"), other.provider("other"), idp.plain("plain")];
    let people = PeopleSettings { sign_up, providers, ..PeopleSettings::default() };
    let setup = Setup { people, clock: clock.clone(), credit: "0", ..Setup::default() };
    (start_as(setup).await, idp, other, clock)
}

#[tokio::test]
async fn whoever_an_identity_provider_vouches_for_is_signed_in() {
    let (server, idp, _, _) = start(SignUp::Open).await;
    let mut ada = Traveller::new(&server);
    let listed = ada.get(&format!("{SESSION}/providers")).await.json();
    let begin = "/api/v1/session/begin/work";
    assert_eq!(
        listed["data"][0],
        json!({"id": "work", "name": "Work", "kind": "provider", "url": begin})
    );
    let there = ada.begin("work").await;
    let asked = query(&there);
    assert_eq!(
        (asked["client_id"].as_str(), asked["scope"].as_str()),
        (CLIENT, "openid email profile")
    );
    assert!(asked["state"].len() >= 43 && asked["nonce"].len() >= 43);
    assert_eq!(ada.back(&idp.agree(&there, "code")).await, "/chat");
    let me = ada.me().await;
    assert_eq!(me["user"]["email"], "ada@example.com");
    assert_eq!(
        (&me["user"]["email_verified"], &me["user"]["first_name"], &me["user"]["last_name"]),
        (&json!(true), &json!("Ada"), &json!("Lovelace"))
    );
    // The same person again, by who they are there and not by their address.
    idp.will(|script| script.claims = json!({"email": "ada@elsewhere.example"}));
    let mut again = Traveller::new(&server);
    assert_eq!(again.travel(&idp, "work").await, "/chat");
    assert_eq!(again.me().await["user"], me["user"]);
    // Without ID tokens, the service's own API is asked.
    let mut plain = Traveller::new(&server);
    idp.will(|script| script.claims = json!({"email": "bob@example.com"}));
    assert_eq!(plain.travel(&idp, "plain").await, "/chat");
    assert_eq!(plain.me().await["user"]["email"], "bob@example.com");
}

type Change = fn(&mut Script);

/// What an identity provider does, and what is said of it.
const HOSTILE: &[(&str, Change, &str)] = &[
    ("another nonce", |s| s.claims = json!({"nonce": "n"}), "token_invalid"),
    ("no nonce", |s| s.claims = json!({"nonce": null}), "token_invalid"),
    ("another audience", |s| s.claims = json!({"aud": "them"}), "token_invalid"),
    ("several audiences", |s| s.claims = json!({"aud": [CLIENT, "them"]}), "token_invalid"),
    ("no audience", |s| s.claims = json!({"aud": null}), "token_invalid"),
    ("another party", |s| s.claims = json!({"azp": "them"}), "token_invalid"),
    ("another issuer", |s| s.claims = json!({"iss": "https://evil.example"}), "token_invalid"),
    ("no issuer", |s| s.claims = json!({"iss": null}), "token_invalid"),
    ("expired", |s| s.claims = json!({"exp": 1_799_999_000}), "token_invalid"),
    ("for ever", |s| s.claims = json!({"exp": null}), "token_invalid"),
    ("from the future", |s| s.claims = json!({"iat": 1_900_000_000}), "token_invalid"),
    ("not yet good", |s| s.claims = json!({"nbf": 1_900_000_000}), "token_invalid"),
    ("nobody", |s| s.claims = json!({"sub": null}), "token_invalid"),
    (
        "no address",
        |s| {
            s.claims = json!({"email": null});
            s.userinfo = json!({"email": null});
        },
        "email_missing",
    ),
    ("an address that is none", |s| s.claims = json!({"email": "ada"}), "email_missing"),
    ("an unverified address", |s| s.claims = json!({"email_verified": false}), "email_unverified"),
    ("a word for true", |s| s.claims = json!({"email_verified": "yes"}), "email_unverified"),
    (
        "nothing about the address",
        |s| {
            s.claims = json!({"email_verified": null});
            s.userinfo = json!({"email_verified": null});
        },
        "email_unverified",
    ),
    (
        "another person",
        |s| {
            s.claims = json!({"email": null});
            s.userinfo = json!({"sub": "eve"});
        },
        "token_invalid",
    ),
    (
        "alg none",
        |s| {
            s.head = json!({"alg": "none", "kid": null});
            s.signature = Signature::None;
        },
        "token_invalid",
    ),
    ("alg none, with a signature", |s| s.head = json!({"alg": "none"}), "token_invalid"),
    ("a shared key", |s| s.head = json!({"alg": "HS256"}), "token_invalid"),
    ("another algorithm", |s| s.head = json!({"alg": "RS256"}), "token_invalid"),
    ("another key", |s| s.signature = Signature::ByAnother, "token_invalid"),
    ("a changed signature", |s| s.signature = Signature::Changed, "token_invalid"),
    ("no signature", |s| s.signature = Signature::None, "token_invalid"),
    ("another payload", |s| s.forged = Some(json!({"sub": "root"})), "token_invalid"),
    ("an unknown key", |s| s.head = json!({"kid": "9"}), "token_invalid"),
    (
        "a key of its own",
        |s| s.head = json!({"kid": "9", "jku": "http://evil.example"}),
        "token_invalid",
    ),
    ("an access token", |s| s.head = json!({"typ": "at+jwt"}), "token_invalid"),
    ("demands", |s| s.head = json!({"crit": ["exp"]}), "token_invalid"),
    ("no tokens", |s| s.tokens = Some((200, "{}".to_owned())), "token_invalid"),
    ("no JSON", |s| s.tokens = Some((200, "id_token".to_owned())), "provider_unreachable"),
    (
        "a text for a token",
        |s| s.tokens = Some((200, "{\"id_token\":\"a.b\"}".to_owned())),
        "token_invalid",
    ),
    ("a refusal", |s| s.tokens = Some((400, String::new())), "token_invalid"),
    ("a failure", |s| s.tokens = Some((500, String::new())), "provider_unreachable"),
    ("a redirect", |s| s.tokens = Some((302, String::new())), "provider_unreachable"),
    ("too much", |s| s.tokens = Some((200, "x".repeat(2_000_000))), "provider_unreachable"),
];

#[tokio::test]
async fn a_word_that_is_no_good_signs_nobody_in() {
    let (server, idp, _, clock) = start(SignUp::Open).await;
    for (what, change, expected) in HOSTILE {
        clock.advance(Duration::from_secs(10));
        idp.will(change);
        let mut eve = Traveller::new(&server);
        let to = eve.travel(&idp, "work").await;
        assert_eq!(to, format!("/sign-in?error={expected}"), "{what}");
        assert_eq!(eve.session, None, "{what}");
    }
    // What is right still goes.
    idp.will(|_| {});
    assert_eq!(Traveller::new(&server).travel(&idp, "work").await, "/chat");
}

#[tokio::test]
async fn a_browser_comes_back_once_to_where_it_left_for() {
    const STATE: &str = "/sign-in?error=state_invalid";
    let (server, idp, other, clock) = start(SignUp::Open).await;
    let mut ada = Traveller::new(&server);
    let there = ada.begin("work").await;
    let back = idp.agree(&there, "one");
    // Another browser, one without a cookie, another provider, another state, no state, no code.
    let mut eve = Traveller::new(&server);
    assert_eq!(eve.back(&back).await, STATE);
    eve.begin("work").await;
    assert_eq!(eve.back(&back).await, STATE);
    let state = query(&there)["state"].clone();
    assert_eq!(ada.back(&back.replace(&state, &"0".repeat(64))).await, STATE);
    assert_eq!(ada.back(&format!("{SESSION}/callback/work?code=one")).await, STATE);
    let twice = ada.get(&format!("{back}&state={state}")).await;
    assert_eq!(twice.status, 400, "one state, not two");
    assert_eq!(ada.back(&back).await, "/chat", "nobody but its own browser used it up");
    let session = ada.session.clone();
    assert_eq!(ada.back(&back).await, STATE, "once");
    assert_eq!(ada.session, session);

    // Mixed up: the code of one provider is brought as that of another.
    let there = ada.begin("work").await;
    let mixed = idp.agree(&there, "two").replace("/callback/work", "/callback/other");
    assert_eq!(ada.back(&mixed).await, STATE);
    let back = idp.agree(&ada.begin("work").await, "three");
    let by_other = format!("{back}&iss={}", other.issuer());
    assert_eq!(ada.back(&by_other).await, "/sign-in?error=token_invalid");
    let back = idp.agree(&ada.begin("work").await, "four");
    assert_eq!(ada.back(&format!("{back}&iss={}", idp.issuer())).await, "/chat");

    // Refused there; no code; too long a one; too late.
    let state = query(&ada.begin("work").await)["state"].clone();
    let refused = format!("{SESSION}/callback/work?error=access_denied&state={state}");
    assert_eq!(ada.back(&refused).await, "/sign-in?error=provider_refused");
    for code in ["", &format!("&code={}", "x".repeat(4_097))] {
        let state = query(&ada.begin("work").await)["state"].clone();
        let path = format!("{SESSION}/callback/work?state={state}{code}");
        assert_eq!(ada.back(&path).await, STATE);
    }
    let back = idp.agree(&ada.begin("work").await, "five");
    clock.advance(Duration::from_secs(601));
    assert_eq!(ada.back(&back).await, STATE);

    // Two tabs of one browser go on by themselves.
    let (one, two) = (ada.begin("work").await, ada.begin("work").await);
    for (there, code) in [(one, "six"), (two, "seven")] {
        assert_eq!(ada.back(&idp.agree(&there, code)).await, "/chat");
    }
}

#[tokio::test]
async fn an_issuer_that_promises_to_name_itself_has_to() {
    let (server, idp, _, _) = start(SignUp::Open).await;
    idp.will(|script| {
        script.metadata = json!({"authorization_response_iss_parameter_supported": true});
    });
    let mut ada = Traveller::new(&server);
    assert_eq!(ada.travel(&idp, "work").await, "/sign-in?error=token_invalid");
    let back = idp.agree(&ada.begin("work").await, "code");
    assert_eq!(ada.back(&format!("{back}&iss={}", idp.issuer())).await, "/chat");
}

#[tokio::test]
async fn a_provider_is_only_what_its_metadata_say_about_themselves() {
    for change in [
        json!({"issuer": "https://evil.example"}),
        json!({"issuer": null}),
        json!({"token_endpoint": "http://evil.example/token"}),
        json!({"authorization_endpoint": "javascript:alert(1)"}),
    ] {
        let (server, idp, _, clock) = start(SignUp::Open).await;
        idp.will(|script| script.metadata = change.clone());
        let page = format!("http://{}/sign-in?error=provider_unreachable", server.address());
        assert_eq!(Traveller::new(&server).begin("work").await, page, "{change}");
        idp.will(|_| {});
        clock.advance(Duration::from_secs(6));
        assert_eq!(Traveller::new(&server).travel(&idp, "work").await, "/chat");
    }
}

#[tokio::test]
async fn keys_are_asked_for_again_when_one_is_unknown_but_not_for_every_token() {
    let (server, idp, _, clock) = start(SignUp::Open).await;
    let asked = || idp.0.script.lock().unwrap().keys_asked;
    assert_eq!(Traveller::new(&server).travel(&idp, "work").await, "/chat");
    assert_eq!(Traveller::new(&server).travel(&idp, "work").await, "/chat");
    assert_eq!(asked(), 1);
    // Whoever makes keys up makes nobody ask within a minute.
    idp.will(|script| script.head = json!({"kid": "made up"}));
    for _ in 0..5 {
        let to = Traveller::new(&server).travel(&idp, "work").await;
        assert_eq!(to, "/sign-in?error=token_invalid");
    }
    assert_eq!(asked(), 1);
    // Another key is found once the minute is over, and the old one is no good any more.
    idp.will(|script| script.kid = "2".to_owned());
    clock.advance(Duration::from_secs(61));
    assert_eq!(Traveller::new(&server).travel(&idp, "work").await, "/chat");
    assert_eq!(asked(), 2);
    idp.will(|script| script.head = json!({"kid": "1"}));
    assert_eq!(Traveller::new(&server).travel(&idp, "work").await, "/sign-in?error=token_invalid");
    // One that is marked for something else signs nothing.
    idp.will(|script| script.key = json!({"use": "enc"}));
    clock.advance(Duration::from_secs(3_601));
    assert_eq!(Traveller::new(&server).travel(&idp, "work").await, "/sign-in?error=token_invalid");
}

#[tokio::test]
async fn nobody_is_sent_to_another_host() {
    let (server, _, _, clock) = start(SignUp::Open).await;
    let page = format!("http://{}/sign-in?error=return_to_invalid", server.address());
    for path in [
        "https://evil.example",
        "//evil.example",
        "/%5Cevil.example",
        "%5C%5Cevil.example",
        "chat",
        "javascript:alert(1)",
        "/%09/evil.example",
        "/%0d%0aSet-Cookie:a=b",
        "%2F%2Fevil.example",
    ] {
        clock.advance(Duration::from_secs(2));
        let begin = format!("{SESSION}/begin/work?return_to={path}");
        let reply = Traveller::new(&server).get(&begin).await;
        assert_eq!(location(&reply), page, "{path}");
        assert!(!reply.headers.contains_key(header::SET_COOKIE), "{path}");
    }
    let unknown = Traveller::new(&server).begin("nobody").await;
    assert!(unknown.ends_with("/sign-in?error=provider_unknown"), "{unknown}");
}

#[tokio::test]
async fn whoever_is_refused_still_knows_where_they_wanted_to_go() {
    let (server, idp, _, _) = start(SignUp::Open).await;
    let mut eve = Traveller::new(&server);
    let unknown = eve.get(&format!("{SESSION}/begin/nobody?return_to=/auth%3Fa%3Db%26c")).await;
    let page = format!("http://{}/sign-in?error=provider_unknown", server.address());
    assert_eq!(location(&unknown), format!("{page}&return_to=%2Fauth%3Fa%3Db%26c"));
    assert_eq!(location(&eve.get(&format!("{SESSION}/begin/nobody")).await), page);
    idp.will(|script| script.claims = json!({"email_verified": false}));
    let back = idp.agree(&eve.begin("work").await, "one");
    let refused = location(&eve.get(&back).await);
    assert!(refused.ends_with("/sign-in?error=email_unverified&return_to=%2Fchat"), "{refused}");
}

#[tokio::test]
async fn what_is_kept_of_a_journey_is_of_no_use_to_who_reads_it() {
    let (server, idp, _, _) = start(SignUp::Open).await;
    let mut ada = Traveller::new(&server);
    let there = ada.begin("work").await;
    let (asked, secret) = (query(&there), ada.journey.clone().unwrap());
    let hash = |text: &str| {
        use sha2::Digest as _;
        signalbox_core::id::hex(&sha2::Sha256::digest(text.as_bytes()))
    };
    let store = server.platform.store();
    let found = store.sign_in_under_way(&hash(&asked["state"]), &hash(&secret)).await.unwrap();
    let text = format!("{found:?}");
    for secret in [&asked["state"], &asked["nonce"], &secret] {
        assert!(!text.contains(secret.as_str()), "{text}");
    }
    let url: Value = json!(there);
    assert!(!url.to_string().contains(&secret));
    assert_eq!(ada.back(&idp.agree(&there, "code")).await, "/chat");
}

#[tokio::test]
async fn begun_too_often_is_begun_no_more_for_a_while() {
    let (server, _, _, _) = start(SignUp::Open).await;
    let mut eve = Traveller::new(&server);
    for _ in 0..60 {
        assert!(eve.begin("work").await.contains("/authorize?"));
    }
    assert!(eve.begin("work").await.ends_with("/sign-in?error=too_often"));
}

#[tokio::test]
async fn where_people_are_is_the_word_of_trusted_proxies_alone() {
    for (trusted, header, expected) in [
        ("192.0.2.0/24", "198.51.100.7", "127.0.0.1"),
        ("127.0.0.0/8", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.0/8", "10.9.9.9, 198.51.100.7", "198.51.100.7"),
    ] {
        let people = PeopleSettings { sign_up: SignUp::Open, ..PeopleSettings::default() };
        let proxies = Proxies { trusted: vec![trusted.parse().unwrap()], ..Proxies::default() };
        let server = start_as(Setup { people, proxies, credit: "0", ..Setup::default() }).await;
        let mut ada = crate::browser::Browser::new(&server, "ada@example.com");
        ada.caller = ada.caller.with("x-forwarded-for", header);
        told(&ada.sign_up(json!({})).await, 202);
        ada.sign_in().await;
        let rows = told(&ada.get("/sessions").await, 200);
        assert_eq!(rows["data"][0]["address"], expected, "{trusted}: {header}");
    }
}
