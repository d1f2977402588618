//! Access tokens, with a token server that notes what it is asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use signalbox_core::{Secret, Timeouts, Timestamp};
use signalbox_runtime::{Clock, task};
use signalbox_upstream::{
    Call, CallError, Client, Credential, CredentialError, HeaderMap, Limits, SourceError, Target,
    TokenError,
};

use crate::seen::{self, Seen};

/// Answers `/token` from a script, everything else with an empty object, and notes it all.
struct Cloud {
    address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// One answer of the token server: status and body. The last one is repeated.
type Script = Vec<(u16, String)>;

impl Cloud {
    async fn start(script: Script) -> Self {
        let (listener, address) = seen::listener().await;
        let seen = Arc::new(Mutex::new(Vec::<Seen>::new()));
        let noted = Arc::clone(&seen);
        drop(task::spawn("cloud", async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (noted, script) = (Arc::clone(&noted), script.clone());
                drop(task::spawn("request", async move {
                    let request = seen::read(&mut stream).await;
                    let asked = request.path == "/token";
                    let before = {
                        let mut noted = noted.lock().unwrap();
                        noted.push(request);
                        noted.iter().filter(|one| one.path == "/token").count() - 1
                    };
                    let (status, body) = match script.get(before).or(script.last()) {
                        Some((status, body)) if asked => (*status, body.as_str()),
                        _ => (200, "{}"),
                    };
                    seen::answer(&mut stream, status, body).await;
                }));
            }
        }));
        Self { address, seen }
    }

    fn target(&self, credential: &str) -> Target {
        let credential = credential.replace("TOKEN_URI", &format!("http://{}/token", self.address));
        let speaks = "transport = 'vertex'\npath = '/projects/{project}/locations/{region}/c'";
        let base = format!("http://{}", self.address);
        let provider = seen::provider(&base, "region = 'global'", speaks);
        seen::target(&provider, Some(&credential)).unwrap()
    }

    /// How often it was asked for a token.
    fn asked(&self) -> usize {
        self.seen.lock().unwrap().iter().filter(|one| one.path == "/token").count()
    }

    /// The tokens that calls carried, in order.
    fn carried(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let calls = seen.iter().filter(|one| one.path != "/token");
        calls.map(|one| one.header("authorization").unwrap_or_default().to_owned()).collect()
    }
}

fn token(name: &str, lasts: u64) -> (u16, String) {
    let body =
        serde_json::json!({"access_token": name, "expires_in": lasts, "token_type": "Bearer"});
    (200, body.to_string())
}

fn refusal(status: u16) -> (u16, String) {
    (status, "{\"error\":\"invalid_grant\"}".to_owned())
}

/// A refresh token is quicker to make than a key.
const USER: &str = r#"{"type":"authorized_user","client_id":"id","client_secret":"s/1",
    "refresh_token":"r","quota_project_id":"p","token_uri":"TOKEN_URI"}"#;

async fn call(client: &Client, target: &Target, now: Timestamp) -> Result<(), CallError> {
    let headers = HeaderMap::new();
    let body = vec![Bytes::from_static(b"{}")];
    let call = Call { model: "m", region: None, stream: false, headers: &headers, body, now };
    client
        .post(target, call, Limits::of(&Timeouts::default()), Duration::from_secs(10))
        .await
        .map(drop)
}

#[tokio::test]
async fn a_service_account_signs_its_claim() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).unwrap();
    let text = STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    let credential = serde_json::json!({
        "type": "service_account", "project_id": "p-1", "private_key_id": "kid-1",
        "private_key": pem, "client_email": "me@p-1.example", "client_id": "1",
        "auth_uri": "https://a.example", "token_uri": "TOKEN_URI", "region": "eu",
    });
    let cloud = Cloud::start(vec![token("first", 3599)]).await;
    let target = cloud.target(&credential.to_string());
    assert!(!format!("{target:?}").contains(&text), "{target:?}");
    call(&Client::new(), &target, Timestamp::from_seconds(1000)).await.unwrap();
    let seen = cloud.seen.lock().unwrap();
    let [asked, called] = &seen[..] else { panic!() };
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
    let claim = asked.body.strip_prefix(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=",
    );
    let (signed, signature) = claim.unwrap().rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref())
        .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .unwrap();
    let parts = signed.split('.').map(|part| {
        let json = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice::<serde_json::Value>(&json).unwrap()
    });
    let parts: Vec<_> = parts.collect();
    assert_eq!(parts[0], serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": "kid-1"}));
    let claims = serde_json::json!({
        "iss": "me@p-1.example", "iat": 1000, "exp": 4600,
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": format!("http://{}/token", cloud.address),
    });
    assert_eq!(parts[1], claims);
    assert_eq!(called.path, "/projects/p-1/locations/eu/c");
    assert_eq!(called.all("authorization"), ["Bearer first"]);
}

#[tokio::test]
async fn a_token_is_kept_and_renewed_before_its_end() {
    let cloud = Cloud::start(vec![token("a", 3600), token("b", 3600)]).await;
    let (client, target) = (Client::new(), cloud.target(USER));
    let clock = Clock::manual(Timestamp::from_seconds(1_000_000));
    for (wait, asked) in [(0, 1), (3299, 1), (1, 2), (3000, 2)] {
        clock.advance(Duration::from_secs(wait));
        call(&client, &target, clock.now()).await.unwrap();
        assert_eq!(cloud.asked(), asked, "after {wait} s");
    }
    assert_eq!(cloud.carried(), ["Bearer a", "Bearer a", "Bearer b", "Bearer b"]);
    let form = &cloud.seen.lock().unwrap()[0].body;
    assert_eq!(form, "grant_type=refresh_token&client_id=id&client_secret=s%2F1&refresh_token=r");
}

#[tokio::test]
async fn calls_at_the_same_time_ask_once() {
    let cloud = Cloud::start(vec![token("a", 3600)]).await;
    let (client, target) = (Client::new(), cloud.target(USER));
    let now = Timestamp::from_seconds(1);
    let calls = (0..16).map(|_| {
        let (client, target) = (client.clone(), target.clone());
        task::spawn("call", async move { call(&client, &target, now).await })
    });
    for done in calls.collect::<Vec<_>>() {
        done.await.unwrap().unwrap().unwrap();
    }
    assert_eq!((cloud.asked(), cloud.carried().len()), (1, 16));
}

#[tokio::test]
async fn a_refusal_is_typed_and_the_next_token_is_tried_for_after_a_pause() {
    let cloud = Cloud::start(vec![refusal(400), token("a", 3600)]).await;
    let (client, target) = (Client::new(), cloud.target(USER));
    let clock = Clock::manual(Timestamp::from_seconds(1));
    for _ in 0..3 {
        let refused = call(&client, &target, clock.now()).await;
        assert_eq!(refused, Err(CallError::Credential(TokenError::Refused(400))));
    }
    assert_eq!((cloud.asked(), cloud.carried().len()), (1, 0), "asked once, nothing was sent");
    clock.advance(Duration::from_secs(1));
    call(&client, &target, clock.now()).await.unwrap();
    assert_eq!(cloud.carried(), ["Bearer a"]);
}

#[tokio::test]
async fn a_token_that_can_not_be_renewed_is_used_to_its_end() {
    let cloud = Cloud::start(vec![token("a", 3600), refusal(503)]).await;
    let (client, target) = (Client::new(), cloud.target(USER));
    let clock = Clock::manual(Timestamp::from_seconds(1));
    call(&client, &target, clock.now()).await.unwrap();
    clock.advance(Duration::from_secs(3500));
    call(&client, &target, clock.now()).await.unwrap();
    assert_eq!((cloud.asked(), cloud.carried()), (2, vec!["Bearer a".to_owned(); 2]));
    clock.advance(Duration::from_secs(100));
    let refused = call(&client, &target, clock.now()).await;
    assert_eq!(refused, Err(CallError::Credential(TokenError::Refused(503))));
}

#[tokio::test]
async fn a_token_server_that_answers_nonsense_is_typed() {
    for body in ["", "[]", "{}", r#"{"access_token":""}"#, "{\"access_token\":\"a\\nb\"}"] {
        let cloud = Cloud::start(vec![(200, body.to_owned())]).await;
        let answer = call(&Client::new(), &cloud.target(USER), Timestamp::from_seconds(1)).await;
        assert_eq!(answer, Err(CallError::Credential(TokenError::Malformed)), "{body}");
    }
    let (listener, address) = seen::listener().await;
    drop(listener);
    let gone = Cloud { address, seen: Arc::default() };
    let answer = call(&Client::new(), &gone.target(USER), Timestamp::from_seconds(1)).await;
    assert_eq!(answer, Err(CallError::Credential(TokenError::Unreachable)));
}

#[test]
fn a_bad_file_is_named_and_not_repeated() {
    let parse = |text: &str| Credential::parse(&Secret::new(text.to_owned())).unwrap_err();
    let account = r#"{"type":"service_account","client_email":"a@b""#;
    for (text, expected) in [
        (format!("{account}}}"), SourceError::Missing("private_key")),
        (format!("{account},\"private_key\":\"x\"}}"), SourceError::Key),
        (USER.replace("TOKEN_URI", "http://far.example/token"), SourceError::TokenUri),
        (USER.replace("TOKEN_URI", "ftp://a"), SourceError::TokenUri),
        (USER.replace("refresh_token\"", "other\""), SourceError::Missing("refresh_token")),
    ] {
        let error = parse(&text);
        assert_eq!(error, CredentialError::Source(expected));
        assert!(!error.to_string().contains('\n'));
    }
}
