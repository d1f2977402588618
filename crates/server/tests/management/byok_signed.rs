//! Own credentials of clouds on a whole server: what is signed is right by the published rules, and what
//! is fetched with one credential is nobody else's (platform spec 5.4).

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use signalbox_core::{Plans, Timestamp};
use signalbox_gateway::Reach;
use signalbox_runtime::Clock;
use signalbox_testkit::{Caller, Offer, Setup, Stand, TestServer};

use crate::cloud::{Cloud, Seen};
use crate::site::{patch, told};

/// 2015-08-30T12:36:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_440_938_160);
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// The operator's; nobody's requests but those without a key of their own carry it.
const HOUSE: &str = "the-key-of-the-house";

/// The built-in rows of two clouds, at the address of this one.
async fn start(cloud: &Cloud, reach: Reach) -> TestServer {
    let terms = json!({"free": {"byok_allowed": true, "byok_free": {"requests": 1000}}});
    let plans = Plans::default().with(&serde_json::from_value(terms).unwrap()).unwrap();
    let base = format!("http://{}", cloud.address);
    let place = format!("{base}/v1/projects/{{project}}/locations/{{region}}");
    let offer = Offer::new()
        .embedded()
        .provider("amazon-bedrock", json!({"base_url": base}))
        .provider("google-vertex", json!({"base_url": place, "hosts": {}}))
        .provider("house", json!({"name": "House", "transport": "bearer"}))
        .credential("house", HOUSE)
        .model(
            "acme/signed",
            [Stand::new("amazon-bedrock", "acme.one-v1:0")
                .with("dialect", json!("bedrock-converse"))],
        )
        .model(
            "acme/token",
            [
                Stand::new("google-vertex", "one").with("dialect", json!("gemini")),
                Stand::new("house", "tokens-5")
                    .with("pricing", json!({"prompt": "0.00001", "completion": "0.00001"})),
            ],
        );
    let clock = Clock::manual(NOW);
    TestServer::start_as(offer, Setup { plans, reach, clock, ..Setup::default() }).await
}

fn near() -> Reach {
    Reach::also(vec!["127.0.0.1/32".parse().unwrap()])
}

async fn keep(manager: &Caller, provider: &str, key: &Value) -> String {
    let wish = json!({"provider": provider, "key": key.to_string()});
    let made = told(&manager.post("/api/v1/byok", &wish).await, 201);
    assert_eq!(made["data"]["label"], "{...}");
    format!("/api/v1/byok/{}", made["data"]["id"].as_str().unwrap())
}

/// Asks, and whether an own key answered.
async fn ask(caller: &Caller, model: &str) -> bool {
    let body = json!({"model": model, "max_tokens": 20, "messages": [
        {"role": "user", "content": "Grüß Gott, \"cloud\"."}]});
    told(&caller.chat(&body).await, 200)["usage"]["is_byok"].as_bool().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 2104 over SHA-256.
fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(one, key)| *one ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

/// What the `authorization` of a request has to be, computed from nothing but what arrived and the rules
/// in the IAM user guide, "Create a signed AWS API request".
fn authorization(seen: &Seen, id: &str, secret: &str, region: &str) -> String {
    let stamp = seen.header("x-amz-date");
    let written = seen.header("authorization");
    let names = written.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap();
    let headers: String =
        names.split(';').map(|name| format!("{name}:{}\n", seen.header(name))).collect();
    // Each part of the path is encoded once more; the services' names of models have no other signs.
    let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
    let path = path.replace('%', "%25");
    let body = hex(&Sha256::digest(&seen.body));
    let canonical = format!("{}\n{path}\n{query}\n{headers}\n{names}\n{body}", seen.method);
    let scope = format!("{}/{region}/bedrock/aws4_request", &stamp[..8]);
    let canonical = hex(&Sha256::digest(canonical));
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{canonical}");
    let key = [&stamp[..8], region, "bedrock", "aws4_request"]
        .into_iter()
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part));
    let signature = hex(&hmac(&key, &text));
    format!(
        "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
}

#[test]
fn the_check_of_signatures_agrees_with_a_published_one() {
    // RFC 4231, test case 2.
    assert_eq!(
        hex(&hmac(b"Jefe", "what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    // The key of a day, as the guide derives it.
    let key = ["20150830", "us-east-1", "iam", "aws4_request"].into_iter().fold(
        format!("AWS4{}", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").into_bytes(),
        |key, part| hmac(&key, part),
    );
    assert_eq!(hex(&key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

#[tokio::test]
async fn a_request_with_an_own_pair_of_keys_is_signed_as_published() {
    let cloud = Cloud::start().await;
    let server = start(&cloud, Reach::PublicOnly).await;
    let pair =
        json!({"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": SECRET, "region": "eu-west-3"});
    let one = keep(&server.manager(), "amazon-bedrock", &pair).await;
    assert!(ask(&server.caller(), "acme/signed").await);
    let (tokens, calls) = cloud.seen();
    let [call] = &calls[..] else { panic!("{calls:?}") };
    assert!(tokens.is_empty());
    assert_eq!(call.path, "/model/acme.one-v1%3A0/converse");
    assert_eq!(
        (call.header("host"), call.header("x-amz-date")),
        (cloud.address.as_str(), "20150830T123600Z")
    );
    let signed = call.header("authorization");
    for name in ["content-type", "host", "x-amz-date"] {
        assert!(signed.contains(name), "{signed}");
    }
    assert_eq!(signed, authorization(call, "AKIDEXAMPLE", SECRET, "eu-west-3"));
    assert_ne!(signed, authorization(call, "AKIDEXAMPLE", SECRET, "us-east-1"));

    // Another pair in its place, with a session's token, signs the very next request.
    let pair = json!({"access_key_id": "ASIAOTHER", "secret_access_key": "other/secret+0",
        "session_token": "session-1", "region": "us-west-2"});
    told(&patch(&server.manager(), &one, json!({"key": pair.to_string()})).await, 200);
    assert!(ask(&server.caller(), "acme/signed").await);
    let (_, calls) = cloud.seen();
    let call = calls.last().unwrap();
    assert_eq!(call.header("x-amz-security-token"), "session-1");
    let signed = call.header("authorization");
    assert!(signed.contains("x-amz-security-token"), "{signed}");
    assert_eq!(signed, authorization(call, "ASIAOTHER", "other/secret+0", "us-west-2"));

    // A key of the service needs no signature.
    told(&patch(&server.manager(), &one, json!({"key": "bedrock-api-key-0123456789"})).await, 200);
    assert!(ask(&server.caller(), "acme/signed").await);
    let (_, calls) = cloud.seen();
    let call = calls.last().unwrap();
    assert_eq!(call.header("authorization"), "Bearer bedrock-api-key-0123456789");
    assert_eq!(call.header("x-amz-date"), "");
    server.closes_clean().await;
}

/// A service account and the key that its claims are checked with.
struct Account {
    file: Value,
    key: KeyPair,
}

fn account(name: &str, token_uri: &str) -> Account {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).unwrap();
    let text = STANDARD.encode(der.as_ref());
    let file = json!({
        "type": "service_account", "project_id": format!("p-{name}"), "private_key_id": "kid-1",
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"),
        "client_email": name, "client_id": "1", "auth_uri": "https://accounts.example/auth",
        "token_uri": token_uri, "universe_domain": "googleapis.com", "region": "europe-west4",
    });
    Account { file, key }
}

impl Account {
    /// Whether a request for a token is this account's claim, signed and made for the server that got it.
    fn claimed(&self, asked: &Seen) -> bool {
        let [head, claims, signature] = asked.assertion();
        let read = |part: &str| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(read(&head), json!({"alg": "RS256", "typ": "JWT", "kid": "kid-1"}));
        let (told, issued) = (read(&claims), NOW.seconds());
        assert_eq!(told["aud"], self.file["token_uri"]);
        assert_eq!(told["scope"], "https://www.googleapis.com/auth/cloud-platform");
        assert_eq!((&told["iat"], &told["exp"]), (&json!(issued), &json!(issued + 3600)));
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.key.public_key().as_ref())
            .verify(format!("{head}.{claims}").as_bytes(), &signature)
            .is_ok()
            && told["iss"] == self.file["client_email"]
    }
}

/// Who is named in the access tokens of calls.
fn carried(calls: &[Seen]) -> Vec<&str> {
    calls.iter().map(|call| call.header("authorization").rsplit("-of-").next().unwrap()).collect()
}

#[tokio::test]
async fn a_service_account_gets_one_token_which_is_nobody_elses() {
    let cloud = Cloud::start().await;
    let server = start(&cloud, near()).await;
    let token_uri = format!("http://{}/token", cloud.address);
    let (ann, ben) = (account("ann", &token_uri), account("ben", &token_uri));
    let other = server.account("b@example.com", "10").await;
    let one = keep(&server.manager(), "google-vertex", &ann.file).await;
    keep(&server.manager().with_key(&other.management_key), "google-vertex", &ben.file).await;
    let (mine, theirs) = (server.caller(), server.caller().with_key(&other.api_key));
    let made = told(&server.manager().post("/api/v1/keys", &json!({"name": "k"})).await, 201);
    let beside = mine.with_key(made["key"].as_str().unwrap());

    for caller in [&mine, &beside, &mine] {
        assert!(ask(caller, "acme/token").await);
    }
    let (tokens, calls) = cloud.seen();
    assert_eq!(tokens.len(), 1, "one token for all keys of the account: {tokens:?}");
    assert!(ann.claimed(&tokens[0]) && !ben.claimed(&tokens[0]));
    assert_eq!(carried(&calls), ["ann"; 3]);
    let path =
        "/v1/projects/p-ann/locations/europe-west4/publishers/google/models/one:generateContent";
    assert_eq!(calls[0].path, path);

    for caller in [&theirs, &mine, &theirs] {
        assert!(ask(caller, "acme/token").await);
    }
    let (tokens, calls) = cloud.seen();
    let [asked] = &tokens[..] else { panic!("{tokens:?}") };
    assert!(ben.claimed(asked) && !ann.claimed(asked));
    assert_eq!(carried(&calls), ["ben", "ann", "ben"]);
    assert!(calls[0].path.contains("/p-ben/"), "{}", calls[0].path);

    // What was fetched with the account before is not used for the one in its place.
    let new = account("new", &token_uri);
    let wish = json!({"key": new.file.to_string()});
    told(&patch(&server.manager(), &one, wish).await, 200);
    assert!(ask(&mine, "acme/token").await);
    let (tokens, calls) = cloud.seen();
    assert!(tokens.len() == 1 && new.claimed(&tokens[0]));
    assert_eq!(carried(&calls), ["new"]);
    server.closes_clean().await;
}

#[tokio::test]
async fn a_hostile_token_uri_is_refused_or_reaches_nobody() {
    let cloud = Cloud::start().await;
    let server = start(&cloud, Reach::PublicOnly).await;
    let port = cloud.address.rsplit(':').next().unwrap().to_owned();
    let base = account("eve", "").file;
    let with = |token_uri: &str| {
        let mut file = base.clone();
        file["token_uri"] = json!(token_uri);
        file.to_string()
    };
    for refused in [
        "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token",
        "http://far.example/token",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "https://",
        "no address",
    ] {
        let wish = json!({"provider": "google-vertex", "key": with(refused)});
        let told = told(&server.manager().post("/api/v1/byok", &wish).await, 400);
        let text = told["error"]["message"].as_str().unwrap();
        assert!(text.contains("token_uri") && !text.contains("169.254"), "{text}");
    }
    let first = with(&format!("http://127.0.0.1:{port}/token"));
    let wish = json!({"provider": "google-vertex", "key": first});
    let made = told(&server.manager().post("/api/v1/byok", &wish).await, 201);
    let one = format!("/api/v1/byok/{}", made["data"]["id"].as_str().unwrap());
    for inside in [
        format!("http://127.0.0.1:{port}/token"),
        format!("http://localhost:{port}/token"),
        format!("http://[::1]:{port}/token"),
        format!("https://127.0.0.1:{port}/token"),
        format!("https://2130706433:{port}/token"),
        format!("https://[::ffff:127.0.0.1]:{port}/token"),
        "https://169.254.169.254/token".to_owned(),
        "https://10.0.0.1/token".to_owned(),
    ] {
        let reply = patch(&server.manager(), &one, json!({"key": with(&inside)})).await;
        assert!(matches!(reply.status, 200 | 400), "{inside}: {}", reply.status);
        assert!(!ask(&server.caller(), "acme/token").await, "{inside}: shared capacity answers");
        let probed = json!({"provider": "google-vertex", "key": with(&inside)});
        let reply = server.manager().post("/api/v1/byok/probe", &probed).await;
        if reply.status == 200 {
            let told = reply.json()["data"].clone();
            assert_eq!((&told["ok"], &told["status"]), (&json!(false), &Value::Null), "{inside}");
        }
    }
    let (tokens, calls) = cloud.seen();
    assert!(tokens.is_empty() && calls.is_empty(), "{tokens:?} {calls:?}");
    server.closes_clean().await;
}
