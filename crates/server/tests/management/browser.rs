//! A browser that keeps its cookie, at a page of ours.

use bytes::Bytes;
use http::{Method, header};
use serde_json::{Value, json};
use signalbox_core::Timestamp;
use signalbox_platform::PeopleSettings;
use signalbox_runtime::Clock;
use signalbox_testkit::{Caller, Offer, Reply, Setup, Stand, TestServer, eventually};

use crate::site::told;

pub const PASSWORD: &str = "correct horse battery";
pub const SESSION: &str = "/api/v1/session";

/// A server by a clock that the test moves.
pub async fn start(people: PeopleSettings) -> (TestServer, Clock) {
    let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    let setup = Setup { people, clock: clock.clone(), credit: "3", ..Setup::default() };
    (start_as(setup).await, clock)
}

pub async fn start_as(setup: Setup) -> TestServer {
    let offer = Offer::new().model("acme/one", [Stand::new("well", "tokens-5")]);
    TestServer::start_as(offer, setup).await
}

/// The secret in the latest letter to an address.
pub async fn mailed(server: &TestServer, address: &str, subject: &str) -> String {
    let letter = || {
        let letters = server.mail.to(address);
        letters.into_iter().rfind(|letter| letter.subject == subject)
    };
    let patience = std::time::Duration::from_secs(30);
    let letter = eventually(patience, "a letter", async || letter()).await;
    letter.text.split("#token=").nth(1).unwrap().trim().to_owned()
}

#[derive(Clone)]
pub struct Browser {
    pub caller: Caller,
    pub email: String,
    token: Option<String>,
}

impl Browser {
    pub fn new(server: &TestServer, email: &str) -> Self {
        let origin = format!("http://{}", server.address());
        let caller = server.caller().without("authorization").with("origin", &origin);
        Self { caller, email: email.to_owned(), token: None }
    }

    /// The cookie that it shows.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("a session")
    }

    /// The same with another cookie.
    pub fn showing(&self, token: &str) -> Self {
        let cookie = format!("other=1; signalbox_session={token}");
        let caller = self.caller.without("cookie").with("cookie", &cookie);
        Self { caller, token: Some(token.to_owned()), ..self.clone() }
    }

    pub async fn sign_up(&self, more: Value) -> Reply {
        let mut wish = json!({"email": self.email, "password": PASSWORD});
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.caller.post(&format!("{SESSION}/sign-up"), &wish).await
    }

    pub async fn try_sign_in(&self, password: &str, code: Option<&str>) -> Reply {
        let wish = json!({"email": self.email, "password": password, "code": code});
        self.caller.post(&format!("{SESSION}/sign-in"), &wish).await
    }

    /// Takes the cookie of an answer.
    pub fn keep(&mut self, reply: &Reply) {
        let cookie = reply.headers[header::SET_COOKIE].to_str().unwrap();
        let token = cookie.split(['=', ';']).nth(1).unwrap();
        *self = self.showing(token);
    }

    pub async fn sign_in(&mut self) -> Value {
        let reply = self.try_sign_in(PASSWORD, None).await;
        let body = told(&reply, 201);
        self.keep(&reply);
        body["data"].clone()
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.caller.get(&format!("{SESSION}{path}")).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.caller.post(&format!("{SESSION}{path}"), &body).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Value) -> Reply {
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        self.caller.send(method, &format!("{SESSION}{path}"), body).await
    }
}

/// Somebody who has signed up, proven the address and signed in.
pub async fn person(server: &TestServer, email: &str, more: Value) -> Browser {
    let mut browser = Browser::new(server, email);
    told(&browser.sign_up(more).await, 202);
    let seen = browser.sign_in().await;
    if seen["user"]["email_verified"] == false {
        let token = mailed(server, email, "Verify your e-mail address").await;
        told(&browser.post("/email/verify", json!({ "token": token })).await, 200);
    }
    browser
}
