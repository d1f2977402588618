//! However a path, a host or a target is written, who may call what stays the same (reliability design,
//! test 39, `sec::identity_and_meter_bypass`).

use std::net::SocketAddr;

use signalbox_server::{Credential, Members, Route, routes};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::idor::estate::Town;

/// Other ways to write a path that has at least two parts.
fn disguises(path: &str) -> Vec<String> {
    let last = path.rfind('/').unwrap();
    let (front, back) = path.split_at(last + 1);
    let first = back.as_bytes()[0];
    vec![
        format!("/{path}"),
        format!("{front}/{back}"),
        format!("{path}/"),
        format!("{path}."),
        path.to_uppercase(),
        format!("{front}%{first:02x}{}", &back[1..]),
        path.replace('/', "%2f"),
        path.replacen("/v1/", "%2fv1%2f", 1),
        format!("{front}./{back}"),
        format!("{front}x/../{back}"),
        format!("/health/live/..{path}"),
        format!("/health/live;{path}"),
        format!("{path};a=b"),
        format!("{path}%00"),
        format!("{path}%20"),
        format!("{path}%2f"),
        format!("{path}\\"),
        format!("{path}?x=/health/live"),
        format!("{path}#/health/live"),
        format!("http://127.0.0.1{path}"),
        format!("http://elsewhere.example{path}"),
        format!("http://user:pass@127.0.0.1{path}"),
        format!("https://127.0.0.1{path}"),
        format!("/health/live?{path}"),
    ]
}

/// Host fields that have confused routers.
const HOSTS: [&str; 7] = [
    "Host: 127.0.0.1\r\n",
    "Host: a/b?c#d\r\n",
    "Host: localhost/health/live?\r\n",
    "Host: user@127.0.0.1\r\n",
    "Host: 127.0.0.1\r\nHost: elsewhere.example\r\n",
    "Host: 127.0.0.1\r\nX-Forwarded-Host: elsewhere.example\r\nX-Forwarded-For: 127.0.0.1\r\n",
    "Host: 127.0.0.1\r\nX-Original-URL: /health/live\r\nX-Rewrite-URL: /health/live\r\n",
];

/// The status of an answer; 400 where the server hung up without one.
async fn status(address: SocketAddr, head: &str, body: &str) -> u16 {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let text = format!(
        "{head}Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    let _ = socket.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(400)
}

/// A key that does not open a route.
fn wrong_key<'t>(town: &'t Town, route: &Route) -> &'t str {
    match route.credential {
        Credential::Inference | Credential::InferenceOrSession => &town.server.owner.management_key,
        _ => &town.server.owner.api_key,
    }
}

#[tokio::test]
async fn no_other_way_to_write_a_path_opens_it() {
    let town = Town::start().await;
    let address = town.server.address();
    let (token, ours) = (town.home.member.token(), format!("http://{address}"));
    let member = format!("Cookie: signalbox_session={token}\r\nOrigin: {ours}\r\n");
    let mut tried = 0;
    for route in routes().filter(|route| {
        !matches!(
            route.credential,
            Credential::None | Credential::Optional | Credential::Signature | Credential::Any
        )
    }) {
        let path = route.path.replace(['{', '}'], "");
        let verb = route.verb.method();
        let key = format!("Authorization: Bearer {}\r\n", wrong_key(&town, route));
        let mut credentials = vec![String::new(), key];
        if route.members == Members::Nothing && route.credential != Credential::Session {
            credentials.push(member.clone());
        }
        for disguise in disguises(&path) {
            for credential in &credentials {
                let head = format!("{verb} {disguise} HTTP/1.1\r\n{}{credential}", HOSTS[0]);
                let status = status(address, &head, "{}").await;
                let open = disguise.starts_with("/health/live?") && verb == http::Method::GET;
                assert!(open || (400..500).contains(&status), "{verb} {disguise}: {status}");
                tried += 1;
            }
        }
        for host in HOSTS {
            for credential in &credentials {
                let head = format!("{verb} {path} HTTP/1.1\r\n{host}{credential}");
                let status = status(address, &head, "{}").await;
                assert!((400..404).contains(&status), "{verb} {path} {host:?}: {status}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 8_000, "{tried}");
    town.server.audit().await;
}

/// What reaches a provider is charged, however its path is written.
#[tokio::test]
async fn whatever_reaches_a_provider_is_charged() {
    let town = Town::start().await;
    let address = town.server.address();
    let key = format!("Authorization: Bearer {}\r\n", town.server.owner.api_key);
    let body = crate::site::chat().to_string();
    let (mut served, mut refused) = (0, 0);
    for disguise in disguises("/api/v1/chat/completions") {
        for host in HOSTS {
            let head = format!("POST {disguise} HTTP/1.1\r\n{host}{key}");
            match status(address, &head, &body).await {
                200 => served += 1,
                400..500 => refused += 1,
                other => panic!("{disguise}: {other}"),
            }
        }
    }
    town.server.settled().await;
    let requests = town.server.counted().arrived;
    assert_eq!(requests, served, "{refused} were refused");
    let key = town.server.caller().get("/api/v1/key").await.json()["data"].clone();
    let each = 0.000_016;
    let spent = key["usage"].as_f64().unwrap();
    assert!((spent - each * f64::from(u32::try_from(served).unwrap())).abs() < 1e-9, "{key}");
    assert!(served >= 7 && refused >= 100, "{served} served, {refused} refused");
    town.server.audit().await;
}
