//! No secret gets to where it has no business (reliability design, test 18, `sec::secret_canaries`):
//! everything that is secret is a text of its own, everything is used and goes wrong, and then neither
//! the log at its most talkative, nor an answer, nor the audit log, nor a byte on the disk has it.

use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use signalbox_core::{Plans, Secret, Timestamp};
use signalbox_platform::purchase::settings::{CryptoSettings, StripeSettings};
use signalbox_platform::{PeopleSettings, PurchaseSettings, SignUp};
use signalbox_runtime::Clock;
use signalbox_server::{Credential, routes};
use signalbox_testkit::{Caller, Offer, Reply, Setup, Stand, TestServer, refused};

use crate::browser::{Browser, mailed};
use crate::site::{delete, patch, told};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is secret.
struct Canary {
    what: &'static str,
    text: String,
}

/// The same text as others would write it.
fn spellings(text: &str) -> Vec<String> {
    let percent: String = text
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    // Base64 of a text inside of another has one of three forms; its middle is the same in each.
    let inside = |lead: usize| {
        let whole = STANDARD.encode(["x".repeat(lead), text.to_owned()].concat());
        whole[4 * lead.div_ceil(3)..whole.len() - 4].to_owned()
    };
    let url = URL_SAFE_NO_PAD.encode(text);
    vec![text.to_owned(), percent, inside(0), inside(1), inside(2), url]
}

struct Trap {
    server: TestServer,
    canaries: Vec<Canary>,
    /// Answers that have no business to show a secret.
    answers: Vec<String>,
}

impl Trap {
    fn secret(&mut self, what: &'static str, text: &str) {
        assert!(text.len() >= 10, "{what} is too short to be looked for");
        self.canaries.push(Canary { what, text: text.to_owned() });
    }

    fn hear(&mut self, reply: &Reply) {
        self.answers.push(String::from_utf8_lossy(&reply.body).into_owned());
        self.answers.push(format!("{:?}", reply.headers));
    }
}

const PASSWORD: &str = "canary-password-7Qz1";
const PROMPT: &str = "canary prompt of Ada 8Rw2";
const ADDRESS: &str = "canary.pii.9sx3@private.example";

fn purchases(dead: &str) -> PurchaseSettings {
    let secret = |text: &str| Secret::new(text.to_owned());
    let address = |digit: &str| {
        signalbox_platform::purchase::settings::Address::read(&format!("0x{}", digit.repeat(40)))
    };
    let stripe = StripeSettings {
        base_url: format!("http://{dead}"),
        secret_key: secret("sk_live_canary_stripe_0"),
        webhook_secrets: vec![secret("whsec_canary_webhook_0")],
        success_url: "https://gate.example/done".to_owned(),
        cancel_url: "https://gate.example/back".to_owned(),
        automatic_tax: false,
    };
    let crypto = CryptoSettings {
        rpc_url: secret(&format!("http://{dead}/canary-of-the-node")),
        chain_id: 1,
        token: address("1").unwrap(),
        recipient: address("2").unwrap(),
        confirmations: 1,
    };
    let (stripe, crypto) = (Some(stripe), Some(crypto));
    PurchaseSettings { stripe, crypto, ..PurchaseSettings::default() }
}

async fn trap() -> Trap {
    let transport = |kind: &str| json!({"name": "OpenAI", "transport": kind});
    let offer = Offer::new()
        .provider("well", transport("bearer"))
        .credential("well", "sk-canary-of-the-provider-0")
        .provider("sick", transport("bearer"))
        .credential("sick", "sk-canary-of-the-provider-1")
        .model("acme/one", [Stand::new("well", "tokens-5")])
        .model(
            "acme/sick",
            [Stand::new("sick", "status-500"), Stand::new("well", "error-inband-2")],
        )
        .model("acme/odd", [Stand::new("sick", "status-401")])
        .provider("cloud", transport("sigv4"))
        .model("acme/cloud", [Stand::new("cloud", "status-403")])
        .provider("tokens", transport("vertex"))
        .model("acme/tokens", [Stand::new("tokens", "tokens-5")]);
    let terms = json!({"free": {"byok_allowed": true, "byok_free": {"requests": 1000}}});
    let plans = Plans::default().with(&serde_json::from_value(terms).unwrap()).unwrap();
    let people = PeopleSettings { sign_up: SignUp::Open, ..PeopleSettings::default() };
    let setup = Setup {
        plans,
        people,
        purchases: purchases(&refused().await),
        clock: Clock::manual(Timestamp::from_seconds(1_800_000_000)),
        ..Setup::default()
    };
    let server = TestServer::start_as(offer, setup).await;
    let mut trap = Trap { server, canaries: Vec::new(), answers: Vec::new() };
    let owner = trap.server.owner.clone();
    for (what, text) in [
        ("the API key", owner.api_key.as_str()),
        ("the management key", owner.management_key.as_str()),
        ("a provider's credential", "sk-canary-of-the-provider-0"),
        ("another provider's credential", "sk-canary-of-the-provider-1"),
        ("the card processor's key", "sk_live_canary_stripe_0"),
        ("a webhook's secret", "whsec_canary_webhook_0"),
        ("the node's address", "canary-of-the-node"),
        ("a password", PASSWORD),
        ("an unknown key", "sk-or-v1-canary-of-nobody-5"),
        ("a prompt", PROMPT),
        ("what a filter found", ADDRESS),
    ] {
        trap.secret(what, text);
    }
    trap
}

/// People: passwords, sessions, second factors, mailed links, codes of apps.
async fn people(trap: &mut Trap) -> Browser {
    let mut ada = Browser::new(&trap.server, "ada@example.com");
    let wish = json!({"email": ada.email, "password": PASSWORD});
    let reply = ada.caller.post("/api/v1/session/sign-up", &wish).await;
    trap.hear(&reply);
    let reply = ada.try_sign_in("canary-password-wrong-6", None).await;
    trap.secret("a wrong password", "canary-password-wrong-6");
    trap.hear(&reply);
    let reply = ada.try_sign_in(PASSWORD, None).await;
    ada.keep(&reply);
    trap.secret("a session", ada.token());
    trap.answers.push(String::from_utf8_lossy(&reply.body).into_owned());
    let token = mailed(&trap.server, &ada.email, "Verify your e-mail address").await;
    trap.secret("a mailed link", &token);
    trap.hear(&ada.post("/email/verify", json!({ "token": token })).await);
    trap.hear(&ada.post("/email/verify", json!({ "token": token })).await);
    trap.hear(&ada.post("/password/forgot", json!({"email": ada.email})).await);
    let token = mailed(&trap.server, &ada.email, "Set a new password").await;
    trap.secret("a link to a new password", &token);
    let offered = told(&ada.post("/second-factor", json!({ "password": PASSWORD })).await, 200);
    let factor = offered["data"]["secret"].as_str().unwrap().to_owned();
    trap.secret("the secret of a second factor", &factor);
    trap.hear(&ada.post("/second-factor/confirm", json!({"code": "000000"})).await);
    let code = crate::oauth_pkce::code_for(&ada).await;
    trap.secret("a code of an app", &code);
    let key = crate::oauth_pkce::key_for(&ada).await;
    trap.secret("the key of an app", &key);
    trap.hear(&ada.get("").await);
    trap.hear(&ada.get("/sessions").await);
    ada
}

/// Requests that succeed, fail at the provider, are refused, and are no requests.
async fn requests(trap: &mut Trap) {
    let made = trap.server.manager().post("/api/v1/keys", &json!({"name": "new"})).await;
    let key = told(&made, 201)["key"].as_str().unwrap().to_owned();
    trap.secret("a new key", &key);
    let caller = trap.server.caller();
    let said = |model: &str, text: &str| json!({"model": model, "max_tokens": 20, "messages": [{"role": "user", "content": text}]});
    for model in ["acme/one", "acme/sick", "acme/odd", "acme/none"] {
        for stream in [false, true] {
            let mut body = said(model, PROMPT);
            body["stream"] = stream.into();
            trap.hear(&caller.chat(&body).await);
        }
    }
    let broken = format!("{{\"model\":\"acme/one\",\"messages\":\"{PROMPT}");
    trap.hear(&caller.chat_bytes(broken).await);
    let filters = json!({"content_filter_builtins": [{"slug": "email", "action": "block"}]});
    trap.server.guard(filters).await;
    trap.hear(&caller.chat(&said("acme/one", &format!("Write to {ADDRESS}"))).await);
    let nobody = trap.server.caller().with_key("sk-or-v1-canary-of-nobody-5");
    trap.hear(&nobody.chat(&said("acme/one", PROMPT)).await);
    trap.hear(&caller.get(&format!("/api/v1/nowhere?key={key}")).await);
    let manager = trap.server.manager();
    trap.hear(&manager.post("/api/v1/credits/checkout", &json!({"amount": 20})).await);
    let forged = trap.server.caller().with("stripe-signature", "t=1,v1=00");
    trap.hear(&forged.post("/webhooks/stripe", &json!({"note": PROMPT})).await);
    trap.hear(&manager.get("/api/v1/keys").await);
    trap.hear(&manager.get("/api/v1/audit-log?limit=1000").await);
}

const BYOK: &str = "/api/v1/byok";

/// Provider keys of a caller's own, by the provider: all that is secret in them is a canary.
async fn callers_keys() -> [(&'static str, String); 4] {
    let pair = json!({"access_key_id": "AKIDEXAMPLE", "region": "eu-west-1",
        "secret_access_key": "canary-secret-access-key-2",
        "session_token": "canary-session-token-2"});
    let user = json!({"type": "authorized_user", "client_id": "c", "region": "eu",
        "project_id": "p", "client_secret": "canary-secret-of-a-client-3",
        "refresh_token": "canary-refresh-token-4",
        "token_uri": format!("http://{}/token", refused().await)});
    [
        ("well", "sk-canary-of-a-callers-own-0".to_owned()),
        ("sick", "sk-canary-of-a-callers-own-1".to_owned()),
        ("cloud", pair.to_string()),
        ("tokens", user.to_string()),
    ]
}

/// A request with an own key, and what is told of it; the key that the last provider was sent.
async fn on_own_key(trap: &mut Trap, model: &str, stream: bool) -> (u16, Option<String>) {
    let caller = trap.server.caller().with("x-openrouter-metadata", "enabled");
    let body = json!({"model": model, "max_tokens": 20, "stream": stream,
        "messages": [{"role": "user", "content": "Hi"}]});
    let reply = caller.chat(&body).await;
    if let Some(id) = reply.header("x-generation-id") {
        let id = id.to_owned();
        trap.hear(&caller.get(&format!("/api/v1/generation?id={id}")).await);
    }
    trap.hear(&reply);
    trap.hear(&caller.post("/api/v1/routing/plan", &body).await);
    let sent = trap.server.journal().entries().last().and_then(|one| one.authorization.clone());
    (reply.status, sent)
}

/// Provider keys of a caller's own: made, tried, used by requests that succeed and that fail, replaced,
/// deleted, and some that can't be.
async fn own_keys(trap: &mut Trap) {
    let (manager, keys) = (trap.server.manager(), callers_keys().await);
    for (what, text) in [
        ("a caller's provider key", "sk-canary-of-a-callers-own-0"),
        ("another provider key of a caller", "sk-canary-of-a-callers-own-1"),
        ("a secret access key", "canary-secret-access-key-2"),
        ("a token of a session elsewhere", "canary-session-token-2"),
        ("a client's secret elsewhere", "canary-secret-of-a-client-3"),
        ("a refresh token", "canary-refresh-token-4"),
        ("a provider key that takes the place of one", "sk-canary-of-a-callers-new-5"),
        ("a provider key that can't be", "canary of two words 6"),
        ("a provider key that is only tried", "sk-canary-that-is-tried-7"),
    ] {
        trap.secret(what, text);
    }
    let mut paths = Vec::new();
    for (provider, key) in &keys {
        let wish = json!({"provider": provider, "key": key, "name": provider, "is_required": true});
        let made = manager.post(BYOK, &wish).await;
        trap.hear(&made);
        let id = told(&made, 201)["data"]["id"].as_str().unwrap().to_owned();
        paths.push(format!("{BYOK}/{id}"));
    }
    for wrong in [
        json!("canary of two words 6"),
        json!(["canary of two words 6"]),
        json!({"canary of two words 6": 1}),
        json!("{\"api_key\": \"canary of two words 6\"}"),
    ] {
        let reply = manager.post(BYOK, &json!({"provider": "well", "key": wrong})).await;
        told(&reply, 400);
        trap.hear(&reply);
    }
    for stream in [false, true] {
        let sent = Some("Bearer sk-canary-of-a-callers-own-0".to_owned());
        assert_eq!(on_own_key(trap, "acme/one", stream).await, (200, sent));
        let (refused, _) = on_own_key(trap, "acme/odd", stream).await;
        assert_eq!(refused == 401, !stream, "refused, then at rest: {refused}");
        for model in ["acme/sick", "acme/cloud", "acme/tokens"] {
            on_own_key(trap, model, stream).await;
        }
    }
    let mut tried = keys.to_vec();
    tried.extend(["well", "sick"].map(|one| (one, "sk-canary-that-is-tried-7".to_owned())));
    for (provider, key) in tried {
        let wish = json!({"provider": provider, "key": key});
        trap.hear(&manager.post(&format!("{BYOK}/probe"), &wish).await);
    }
    let wish = json!({"key": "sk-canary-of-a-callers-new-5", "name": null});
    trap.hear(&patch(&manager, &paths[0], wish).await);
    let sent = Some("Bearer sk-canary-of-a-callers-new-5".to_owned());
    assert_eq!(on_own_key(trap, "acme/one", false).await, (200, sent));
    trap.hear(&manager.get(BYOK).await);
    for path in &paths {
        trap.hear(&manager.get(path).await);
        trap.hear(&delete(&manager, path).await);
    }
    trap.hear(&manager.get("/api/v1/audit-log?limit=1000").await);
}

/// Every route, with a body that is none.
async fn nonsense(trap: &mut Trap, ada: &Browser) {
    let (api, manager) = (trap.server.caller(), trap.server.manager());
    for route in routes().filter(|route| route.path != "/api/v1/openapi.json") {
        let callers: &[&Caller] = match route.credential {
            Credential::Management => &[&manager, &ada.caller],
            Credential::InferenceOrSession => &[&api, &ada.caller],
            Credential::Session => &[&ada.caller],
            _ => &[&api],
        };
        for caller in callers {
            let path = route.path.replace(['{', '}'], "");
            let body = json!({"canary": PROMPT, "password": PASSWORD}).to_string();
            let reply = caller.send(route.verb.method(), &path, body.into()).await;
            assert!(reply.status < 500 || reply.status == 502, "{path}: {}", reply.status);
            trap.hear(&reply);
        }
    }
}

async fn everything() -> (Trap, Vec<u8>) {
    let mut trap = trap().await;
    let ada = people(&mut trap).await;
    requests(&mut trap).await;
    own_keys(&mut trap).await;
    nonsense(&mut trap, &ada).await;
    trap.server.settled().await;
    let files = trap.server.files();
    trap.server.stop().await;
    (trap, files)
}

#[test]
fn no_secret_gets_to_where_it_has_no_business() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (trap, files) = runtime.block_on(everything());
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (logged, files) = (lossy(&log.0.lock().unwrap()), lossy(&files));
    assert!(logged.len() > 1_000, "nothing was logged");
    assert!(files.contains("SQLite format 3") && files.contains("ada@example.com"), "no database");
    assert!(trap.answers.len() > 100);
    let mut found = Vec::new();
    for canary in &trap.canaries {
        for text in spellings(&canary.text) {
            if logged.contains(&text) {
                found.push(format!("{} is in the log as {text}", canary.what));
            }
            if files.contains(&text) {
                found.push(format!("{} is on the disk as {text}", canary.what));
            }
            for answer in trap.answers.iter().filter(|answer| answer.contains(&text)) {
                found.push(format!("{} is in an answer as {text}: {answer}", canary.what));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
