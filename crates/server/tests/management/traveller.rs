//! A browser that signs in elsewhere: it keeps both cookies and follows one address at a time.

use http::header;
use serde_json::Value;
use signalbox_testkit::{Caller, Reply, TestServer};

use crate::browser::SESSION;
use crate::idp::FakeIdp;
use crate::site::told;

#[derive(Clone)]
pub struct Traveller {
    pub caller: Caller,
    pub session: Option<String>,
    pub journey: Option<String>,
}

/// Where an answer sends to, below the server's own address.
pub fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", String::from_utf8_lossy(&reply.body));
    reply.header("location").unwrap().to_owned()
}

impl Traveller {
    pub fn new(server: &TestServer) -> Self {
        let origin = format!("http://{}", server.address());
        let caller = server.caller().without("authorization").with("origin", &origin);
        Self { caller, session: None, journey: None }
    }

    fn caller(&self) -> Caller {
        let mut cookies = Vec::new();
        for (name, value) in [("session", &self.session), ("journey", &self.journey)] {
            if let Some(value) = value {
                cookies.push(format!("signalbox_{name}={value}"));
            }
        }
        self.caller.without("cookie").with("cookie", &cookies.join("; "))
    }

    /// Takes the cookies of an answer.
    pub fn keep(&mut self, reply: &Reply) {
        for cookie in reply.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = Some(rest.split(';').next().unwrap().to_owned());
            match name {
                "signalbox_session" => self.session = value,
                "signalbox_journey" => self.journey = value,
                other => panic!("{other}"),
            }
        }
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        let reply = self.caller().get(path).await;
        self.keep(&reply);
        reply
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Reply {
        let reply = self.caller().post(&format!("{SESSION}{path}"), &body).await;
        self.keep(&reply);
        reply
    }

    pub async fn send(&self, method: http::Method, path: &str, body: Value) -> Reply {
        let body = if body.is_null() { bytes::Bytes::new() } else { body.to_string().into() };
        self.caller().send(method, &format!("{SESSION}{path}"), body).await
    }

    /// Leaves for a provider: where it is sent to.
    pub async fn begin(&mut self, source: &str) -> String {
        let reply = self.get(&format!("{SESSION}/begin/{source}?return_to=/chat")).await;
        bare(&location(&reply))
    }

    /// Leaves, agrees there, comes back: the path that it is sent to.
    pub async fn travel(&mut self, idp: &FakeIdp, source: &str) -> String {
        let there = self.begin(source).await;
        self.back(&idp.agree(&there, "code")).await
    }

    /// Comes back by this path: the path that it is sent to.
    pub async fn back(&mut self, path: &str) -> String {
        let to = location(&self.get(path).await);
        let path = to.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
        bare(path.unwrap())
    }

    /// Who is signed in.
    pub async fn me(&mut self) -> Value {
        told(&self.get(SESSION).await, 200)["data"].clone()
    }
}

/// An address without the way back that a refused sign-in keeps in it, which has a test of its own.
fn bare(to: &str) -> String {
    let refused = to.contains("/sign-in?error=").then(|| to.strip_suffix("&return_to=%2Fchat"));
    refused.flatten().unwrap_or(to).to_owned()
}
