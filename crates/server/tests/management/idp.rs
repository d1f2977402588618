//! An identity provider in the test's own process, which does whatever it is told to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use signalbox_core::Secret;
use signalbox_platform::people::oidc::{Manner, PlainEndpoints, Provider};
use signalbox_runtime::{Clock, task};
use tokio::net::TcpListener;

/// Who Signalbox is at it.
pub const CLIENT: &str = "signalbox at work";
const SECRET: &str = "a secret: with + and /";

/// How an ID token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// By the key that is published.
    Right,
    /// By another one, under the name of the published one.
    ByAnother,
    /// With a byte changed.
    Changed,
    /// Not at all.
    None,
}

/// What it does. Members of `claims`, `head` and `metadata` replace what would be there; null removes.
pub struct Script {
    pub claims: Value,
    pub head: Value,
    pub metadata: Value,
    pub key: Value,
    pub signature: Signature,
    /// The status and body of the answer to a code instead of tokens.
    pub tokens: Option<(u16, String)>,
    /// The answer about a person.
    pub userinfo: Value,
    /// What is changed in a payload after it was signed.
    pub forged: Option<Value>,
    pub kid: String,
    /// How often the keys were asked for.
    pub keys_asked: usize,
    codes: HashMap<String, HashMap<String, String>>,
}

impl Script {
    fn new() -> Self {
        Self {
            claims: json!({}),
            head: json!({}),
            metadata: json!({}),
            key: json!({}),
            signature: Signature::Right,
            tokens: None,
            userinfo: json!({}),
            forged: None,
            kid: "1".to_owned(),
            keys_asked: 0,
            codes: HashMap::new(),
        }
    }
}

pub struct Inner {
    issuer: String,
    key: EcdsaKeyPair,
    other: EcdsaKeyPair,
    clock: Clock,
    pub script: Mutex<Script>,
}

/// It runs as long as the test.
#[derive(Clone)]
pub struct FakeIdp(pub Arc<Inner>);

fn key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

/// One object with the members of another.
fn laid(mut under: Value, over: &Value) -> Value {
    let members = under.as_object_mut().unwrap();
    for (name, value) in over.as_object().unwrap() {
        match value {
            Value::Null => drop(members.remove(name)),
            value => drop(members.insert(name.clone(), value.clone())),
        }
    }
    under
}

/// The query of an address.
pub fn query(url: &str) -> HashMap<String, String> {
    let uri: http::Uri = url.parse().unwrap();
    let Some(text) = uri.query() else { return HashMap::new() };
    let uri: http::Uri = format!("/?{text}").parse().unwrap();
    axum::extract::Query::try_from_uri(&uri).unwrap().0
}

impl FakeIdp {
    pub async fn start(clock: &Clock) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (clock, script) = (clock.clone(), Mutex::new(Script::new()));
        let this = Self(Arc::new(Inner { issuer, key: key(), other: key(), clock, script }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .route("/user", get(profile))
            .route("/user/emails", get(addresses))
            .with_state(this.clone());
        drop(task::spawn("identity provider", async move {
            axum::serve(listener, router).await.unwrap();
        }));
        this
    }

    pub fn issuer(&self) -> String {
        self.0.issuer.clone()
    }

    /// From now on it does this.
    pub fn will(&self, change: impl FnOnce(&mut Script)) {
        let mut script = self.0.script.lock().unwrap();
        let (kid, keys_asked) = (script.kid.clone(), script.keys_asked);
        let codes = std::mem::take(&mut script.codes);
        *script = Script { kid, keys_asked, codes, ..Script::new() };
        change(&mut script);
    }

    /// How Signalbox knows it.
    pub fn provider(&self, id: &str) -> Provider {
        Provider {
            id: id.to_owned(),
            name: "Work".to_owned(),
            issuer: self.issuer(),
            client_id: CLIENT.to_owned(),
            client_secret: Some(Secret::new(SECRET.to_owned())),
            scopes: "openid email profile".to_owned(),
            manner: Manner::Oidc,
        }
    }

    /// The same without ID tokens.
    pub fn plain(&self, id: &str) -> Provider {
        let at = |path: &str| format!("{}{path}", self.issuer());
        let manner = Manner::Plain(PlainEndpoints {
            authorization: at("/authorize"),
            token: at("/token"),
            user: at("/user"),
            emails: at("/user/emails"),
        });
        Provider { manner, ..self.provider(id) }
    }

    /// Somebody agrees: the path and query that the browser is sent back to.
    pub fn agree(&self, url: &str, code: &str) -> String {
        assert!(url.starts_with(&format!("{}/authorize?", self.0.issuer)), "{url}");
        let asked = query(url);
        for (name, value) in [("response_type", "code"), ("code_challenge_method", "S256")] {
            assert_eq!(asked[name], value, "{url}");
        }
        assert_eq!(asked["client_id"], CLIENT);
        let uri: http::Uri = asked["redirect_uri"].parse().unwrap();
        let back = format!("{}?code={code}&state={}", uri.path(), asked["state"]);
        self.0.script.lock().unwrap().codes.insert(code.to_owned(), asked);
        back
    }

    fn sign(&self, claims: &Value) -> String {
        let script = self.0.script.lock().unwrap();
        let head = laid(json!({"alg": "ES256", "typ": "JWT", "kid": script.kid}), &script.head);
        let part = |value: &Value| BASE64.encode(value.to_string());
        let text = format!("{}.{}", part(&head), part(claims));
        let key =
            if script.signature == Signature::ByAnother { &self.0.other } else { &self.0.key };
        let signed = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        let mut signed = signed.as_ref().to_vec();
        match script.signature {
            Signature::Changed => signed[10] ^= 1,
            Signature::None => signed.clear(),
            Signature::Right | Signature::ByAnother => {}
        }
        let text = match &script.forged {
            None => text,
            Some(over) => format!("{}.{}", part(&head), part(&laid(claims.clone(), over))),
        };
        format!("{text}.{}", BASE64.encode(signed))
    }
}

fn document(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

async fn metadata(State(idp): State<FakeIdp>) -> Response {
    let at = |path: &str| format!("{}{path}", idp.0.issuer);
    let plain = json!({
        "issuer": idp.0.issuer, "authorization_endpoint": at("/authorize"), "jwks_uri": at("/keys"),
        "token_endpoint": at("/token"), "userinfo_endpoint": at("/userinfo"),
    });
    document(&laid(plain, &idp.0.script.lock().unwrap().metadata))
}

async fn keys(State(idp): State<FakeIdp>) -> Response {
    let mut script = idp.0.script.lock().unwrap();
    script.keys_asked += 1;
    let point = idp.0.key.public_key().as_ref();
    let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
    let key = json!({"kty": "EC", "crv": "P-256", "kid": script.kid, "use": "sig", "x": x, "y": y});
    document(&json!({"keys": [{"kty": "oct", "k": "AA"}, laid(key, &script.key)]}))
}

async fn token(State(idp): State<FakeIdp>, headers: HeaderMap, body: String) -> Response {
    use sha2::Digest as _;
    let form = query(&format!("/?{body}"));
    let told = idp.0.script.lock().unwrap().tokens.clone();
    if let Some((status, body)) = told {
        return (StatusCode::from_u16(status).unwrap(), [("location", "/keys")], body)
            .into_response();
    }
    // RFC 6749, section 2.3.1: both parts in the form of a URL.
    let proof = STANDARD.encode("signalbox%20at%20work:a%20secret%3A%20with%20%2B%20and%20%2F");
    let proof =
        headers.get(header::AUTHORIZATION).is_some_and(|one| *one == format!("Basic {proof}"));
    let posted = form.get("client_secret").is_some_and(|one| one == SECRET);
    let asked = idp.0.script.lock().unwrap().codes.remove(&form["code"]);
    let Some(asked) = asked.filter(|_| proof || posted) else {
        return (StatusCode::BAD_REQUEST, "{\"error\":\"invalid_grant\"}").into_response();
    };
    let verifier = sha2::Sha256::digest(form["code_verifier"].as_bytes());
    assert_eq!(BASE64.encode(verifier), asked["code_challenge"], "PKCE");
    assert_eq!(form["redirect_uri"], asked["redirect_uri"]);
    let now = idp.0.clock.now().seconds();
    let claims = json!({
        "iss": idp.0.issuer, "sub": "ada", "aud": CLIENT, "exp": now + 300, "iat": now,
        "nonce": asked.get("nonce"), "email": "ada@example.com", "email_verified": true,
        "given_name": "Ada", "family_name": "Lovelace",
    });
    let claims = laid(claims, &idp.0.script.lock().unwrap().claims);
    document(
        &json!({"access_token": "shown", "token_type": "Bearer", "id_token": idp.sign(&claims)}),
    )
}

fn shown(headers: &HeaderMap) -> bool {
    headers.get(header::AUTHORIZATION).is_some_and(|one| one == "Bearer shown")
}

async fn userinfo(State(idp): State<FakeIdp>, headers: HeaderMap) -> Response {
    assert!(shown(&headers));
    let plain = json!({"sub": "ada", "email": "ada@example.com", "email_verified": true});
    document(&laid(plain, &idp.0.script.lock().unwrap().userinfo))
}

async fn profile(State(idp): State<FakeIdp>, headers: HeaderMap) -> Response {
    assert!(shown(&headers));
    document(&laid(
        json!({"id": 5, "login": "ada", "name": "Ada"}),
        &idp.0.script.lock().unwrap().userinfo,
    ))
}

async fn addresses(State(idp): State<FakeIdp>, headers: HeaderMap) -> Response {
    assert!(shown(&headers));
    let main = json!({"email": "ada@example.com", "primary": true, "verified": true});
    let main = laid(main, &idp.0.script.lock().unwrap().claims);
    document(&json!([{"email": "x@example.com", "primary": false, "verified": true}, main]))
}
