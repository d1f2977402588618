//! The second factor.

use std::time::Duration;

use aws_lc_rs::hmac;
use serde_json::json;
use signalbox_platform::{PeopleSettings, SignUp};
use signalbox_runtime::Clock;

use crate::browser::{Browser, PASSWORD, mailed, person, start};
use crate::site::told;

/// What a telephone shows (RFC 6238).
pub fn code(secret: &str, clock: &Clock) -> String {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digits = secret.chars().map(|letter| letters.find(letter).unwrap());
    let bits: String = digits.map(|digit| format!("{digit:05b}")).collect();
    let bytes: Vec<u8> = (0..bits.len() / 8)
        .map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap())
        .collect();
    let step = clock.now().seconds() / 30;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn open() -> PeopleSettings {
    PeopleSettings { sign_up: SignUp::Open, ..PeopleSettings::default() }
}

/// Sets it up: the secret and the recovery codes.
async fn set_up(browser: &Browser, clock: &Clock) -> (String, Vec<String>) {
    let wish = json!({ "password": PASSWORD });
    let offer = told(&browser.post("/second-factor", wish).await, 200)["data"].clone();
    let secret = offer["secret"].as_str().unwrap().to_owned();
    assert!(offer["uri"].as_str().unwrap().contains(&format!("secret={secret}&")));
    told(&browser.post("/second-factor/confirm", json!({"code": "000000"})).await, 400);
    let wish = json!({ "code": code(&secret, clock) });
    let codes = told(&browser.post("/second-factor/confirm", wish).await, 200);
    let codes = codes["data"]["recovery_codes"].as_array().unwrap().clone();
    assert_eq!(codes.len(), 10);
    (secret, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn a_code_is_asked_for_and_good_once() {
    let (server, clock) = start(open()).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    told(&ada.post("/second-factor", json!({"password": "wrong password"})).await, 403);
    let (secret, codes) = set_up(&ada, &clock).await;
    let wish = json!({ "password": PASSWORD });
    told(&ada.post("/second-factor", wish).await, 409);
    assert_eq!(told(&ada.get("").await, 200)["data"]["user"]["second_factor"], true);

    let refused = told(&ada.try_sign_in(PASSWORD, None).await, 401);
    assert_eq!(refused["error"]["metadata"]["second_factor"], true);
    let wrong = told(&ada.try_sign_in("wrong password", Some("000000")).await, 401);
    assert!(
        wrong["error"]["metadata"]["second_factor"].is_null(),
        "the password comes first: {wrong}"
    );
    // The code that confirmed it is used up.
    told(&ada.try_sign_in(PASSWORD, Some(&code(&secret, &clock))).await, 401);
    clock.advance(Duration::from_secs(30));
    let fresh = code(&secret, &clock);
    told(&ada.try_sign_in(PASSWORD, Some(&fresh)).await, 201);
    told(&ada.try_sign_in(PASSWORD, Some(&fresh)).await, 401);
    // A clock that is late by one step, then by four.
    clock.advance(Duration::from_secs(60));
    let early = code(&secret, &clock);
    clock.advance(Duration::from_secs(30));
    told(&ada.try_sign_in(PASSWORD, Some(&early)).await, 201);
    let early = code(&secret, &clock);
    clock.advance(Duration::from_secs(120));
    told(&ada.try_sign_in(PASSWORD, Some(&early)).await, 401);
    // Recovery codes, however they are typed, once each.
    let typed = codes[0].to_lowercase().replace('-', " ");
    told(&ada.try_sign_in(PASSWORD, Some(&typed)).await, 201);
    told(&ada.try_sign_in(PASSWORD, Some(&codes[0])).await, 401);
    told(&ada.try_sign_in(PASSWORD, Some(&codes[1])).await, 201);
}

#[tokio::test]
async fn it_survives_a_new_password_and_ends_with_password_and_code() {
    let (server, clock) = start(open()).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    let (secret, codes) = set_up(&ada, &clock).await;
    told(&ada.post("/password/forgot", json!({"email": "ada@example.com"})).await, 202);
    let token = mailed(&server, "ada@example.com", "Set a new password").await;
    let wish = json!({"token": token, "password": PASSWORD});
    told(&ada.post("/password/reset", wish).await, 200);
    told(&ada.try_sign_in(PASSWORD, None).await, 401);
    let mut ada = ada.clone();
    let reply = ada.try_sign_in(PASSWORD, Some(&codes[2])).await;
    told(&reply, 201);
    ada.keep(&reply);
    let remove = |password: &str, code: &str| json!({"password": password, "code": code});
    told(&ada.post("/second-factor/remove", remove(PASSWORD, "000000")).await, 403);
    told(&ada.post("/second-factor/remove", remove("wrong password", &codes[3])).await, 403);
    clock.advance(Duration::from_secs(60));
    let fresh = code(&secret, &clock);
    told(&ada.post("/second-factor/remove", remove(PASSWORD, &fresh)).await, 200);
    told(&ada.try_sign_in(PASSWORD, None).await, 201);
}

/// Whoever has a session and the password has as many tries of the code as anybody.
#[tokio::test]
async fn the_right_password_gives_no_more_tries_of_the_code() {
    let (server, clock) = start(open()).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    let (_, codes) = set_up(&ada, &clock).await;
    let wish = |code: &str| json!({"password": PASSWORD, "code": code});
    for _ in 0..10 {
        told(&ada.post("/second-factor/remove", wish("000000")).await, 403);
    }
    told(&ada.post("/second-factor/remove", wish(&codes[0])).await, 429);
    clock.advance(Duration::from_secs(181));
    told(&ada.post("/second-factor/remove", wish(&codes[0])).await, 200);
}

#[tokio::test]
async fn whoever_signs_up_with_the_address_of_somebody_else_gets_nothing_of_it() {
    let (server, _) = start(open()).await;
    let mut eve = Browser::new(&server, "ada@example.com");
    told(&eve.sign_up(json!({})).await, 202);
    eve.sign_in().await;
    told(&eve.post("/second-factor", json!({ "password": PASSWORD })).await, 403);
    let callback = json!({"callback_url": "https://app.example/", "code_challenge": "x"});
    let refused = eve.caller.post("/api/v1/auth/keys/code", &callback).await;
    told(&refused, 403);
    told(&eve.post("/organizations", json!({"name": "Acme"})).await, 403);
    // The owner of the address comes.
    let ada = Browser::new(&server, "ada@example.com");
    told(&ada.sign_up(json!({"password": "ada's own password"})).await, 202);
    let token = mailed(&server, "ada@example.com", "You have an account").await;
    let wish = json!({"token": token, "password": "ada's own password"});
    told(&ada.post("/password/reset", wish).await, 200);
    told(&eve.get("").await, 401);
    told(&eve.try_sign_in(PASSWORD, None).await, 401);
    let mine = told(&ada.try_sign_in("ada's own password", None).await, 201);
    assert_eq!(mine["data"]["user"]["email_verified"], true);
}
