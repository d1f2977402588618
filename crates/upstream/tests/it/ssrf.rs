//! `sec::ssrf_matrix` (reliability design, test 15): whatever a tenant writes where an address is asked
//! for, nobody inside is connected to.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use signalbox_catalog::Dialect;
use signalbox_core::{Secret, Timeouts, Timestamp};
use signalbox_runtime::task;
use signalbox_upstream::dial::{Resolve, Resolved};
use signalbox_upstream::reach::is_public;
use signalbox_upstream::{
    Call, CallError, Client, Credential, Fetch, FetchError, Guarded, HeaderMap, Limits, Net, Reach,
    Target,
};
use tokio::net::TcpListener;

use crate::seen;

mod timing;

/// Every place where a tenant's address is called from. A new one is a row here, or the build fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sink {
    /// A document or a hook: [`Guarded`].
    Fetch,
    /// The token server of a cloud's credentials file.
    TokenServer,
    /// The address of a deployment in a list of credentials.
    Deployment,
}

impl Sink {
    const ALL: [Self; 3] = [Self::Fetch, Self::TokenServer, Self::Deployment];

    /// Calls an address; `true` when anything was answered.
    async fn call(self, client: &Client, address: &str) -> bool {
        match self {
            Self::Fetch => Guarded::new(client.clone()).fetch(Fetch::get(address)).await.is_ok(),
            Self::TokenServer => {
                let file = json!({"type": "authorized_user", "client_id": "c", "region": "r",
                    "client_secret": "s", "refresh_token": "r", "token_uri": address});
                own(client, "vertex", &file.to_string()).await
            }
            Self::Deployment => {
                let list = json!([{"api_key": "k", "model_slug": "m", "model_id": "d",
                    "endpoint_url": address}]);
                own(client, "azure", &list.to_string()).await
            }
        }
    }
}

/// The files that may call tenants' addresses by [`Guarded`], beside the client itself: each is a place
/// of its own and has tests of its own. Another one is to be added knowingly.
const CALLERS: [&str; 1] = ["platform/src/people/oidc/outside.rs"];

/// Calls a model with a tenant's credential; the provider's own address leads nowhere.
async fn own(client: &Client, transport: &str, credential: &str) -> bool {
    let speaks = format!("transport = '{transport}'\npath = '/c'");
    let provider = seen::provider("https://203.0.113.1", "", &speaks);
    let Ok(credential) = Credential::parse(&Secret::new(credential.to_owned())) else {
        return false;
    };
    let Ok(part) = credential.part(Dialect::OpenaiChat, &|_| true) else { return false };
    let Ok(target) = Target::own(&provider, Dialect::OpenaiChat, &credential, part) else {
        return false;
    };
    let headers = HeaderMap::new();
    let now = Timestamp::from_seconds(1);
    let (body, model) = (Vec::new(), "m");
    let call = Call { model, region: None, stream: false, headers: &headers, body, now };
    let limits = Limits::of(&Timeouts::default());
    match client.post(&target, call, limits, Duration::from_secs(5)).await {
        Ok(_) => true,
        Err(CallError::OutOfReach | CallError::Credential(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

/// Knows no name but those of the test.
struct Names(Vec<(&'static str, Vec<IpAddr>)>);

impl Resolve for Names {
    fn resolve(&self, name: &str) -> Resolved {
        let found = self.0.iter().find(|(one, _)| *one == name).map(|(_, all)| all.clone());
        Box::pin(std::future::ready(Ok(found.unwrap_or_default())))
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Whoever connects is counted.
struct Canary {
    port: u16,
    hits: Arc<AtomicUsize>,
}

impl Canary {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let hits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&hits);
        drop(task::spawn("canary", async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        }));
        Self { port, hits }
    }

    fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

const V4: [&str; 40] = [
    "127.0.0.1",
    "127.0.0.2",
    "127.1.2.3",
    "127.255.255.254",
    "0.0.0.0",
    "0.0.0.1",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.17.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    // Not in their usual form.
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "0177.1",
    "127.0.0.01",
    "127.0.1",
];

const V6: [&str; 34] = [
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2002:a9fe:a9fe::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "::1%25lo",
];

const ODD: [&str; 40] = [
    "localhost",
    "localhost.",
    "LOCALHOST",
    "localhost.localdomain",
    "metadata",
    "inside.test",
    "mixed.test",
    "mapped.test",
    "nat64.test",
    "nobody.test",
    "127.0.0.1.",
    "u@127.0.0.1",
    "u:p@127.0.0.1",
    "a.example@127.0.0.1",
    "127.0.0.1@a.example",
    "a.example:80@127.0.0.1",
    "a.example\\@127.0.0.1",
    "127.0.0.1\\.a.example",
    "127.0.0.1%2f.a.example",
    "127.0.0.1%00",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "loc%61lhost",
    "\u{2460}\u{2461}\u{2466}.0.0.1",
    "127\u{3002}0\u{3002}0\u{3002}1",
    "\u{ff4c}ocalhost",
    "[::1]]",
    "[[::1]]",
    "[127.0.0.1]",
    "[::ffff:127.0.0.1%25x]",
    " 127.0.0.1",
    "127.0.0.1 ",
    "\t127.0.0.1",
    "127.0.0.1\r\nx:y",
    "127.0.0.1#a.example",
    "127.0.0.1?a.example",
    "-127.0.0.1",
    "127..0.0.1",
    "0x7f.test.0x1",
    "",
];

/// What a tenant may write, with the canary's port wherever a port has a place.
fn targets(port: u16) -> Vec<String> {
    let mut all = Vec::new();
    for host in V4.into_iter().chain(ODD) {
        all.push(format!("http://{host}:{port}/"));
        all.push(format!("https://{host}/"));
    }
    for host in V6 {
        all.push(format!("http://[{host}]:{port}/"));
        all.push(format!("https://[{host}]/"));
    }
    for scheme in ["file", "gopher", "data", "ftp", "ws", "HTTP", "dict", "ldap", "jar", "netdoc"] {
        all.push(format!("{scheme}://127.0.0.1:{port}/"));
    }
    all.push(format!("//127.0.0.1:{port}/"));
    all.push(format!("http:/127.0.0.1:{port}/"));
    all.push(format!("http:127.0.0.1:{port}/"));
    all.push("data:text/plain,x".to_owned());
    // Public, and not what may be called there.
    for (scheme, rest) in [("https", ":22"), ("https", ":8443"), ("http", ""), ("http", ":443")] {
        all.push(format!("{scheme}://8.8.8.8{rest}/"));
        all.push(format!("{scheme}://out.test{rest}/"));
    }
    all
}

fn names() -> Names {
    let (inside, outside) = (ip("127.0.0.1"), ip("8.8.8.8"));
    Names(vec![
        ("localhost", vec![inside]),
        ("localhost.localdomain", vec![inside]),
        ("metadata", vec![ip("169.254.169.254")]),
        ("inside.test", vec![inside]),
        ("mixed.test", vec![outside, inside]),
        ("mapped.test", vec![ip("::ffff:127.0.0.1")]),
        ("nat64.test", vec![ip("64:ff9b::7f00:1")]),
        ("out.test", vec![outside]),
    ])
}

#[tokio::test]
async fn no_address_of_a_tenant_leads_inside() {
    let canary = Canary::start().await;
    let client = Client::resolving(Reach::PublicOnly, Arc::new(names()));
    let targets = targets(canary.port);
    assert!(targets.len() >= 150, "{}", targets.len());
    for sink in Sink::ALL {
        for target in &targets {
            assert!(!sink.call(&client, target).await, "{sink:?} {target}");
        }
    }
    assert_eq!(canary.hits(), 0);
    // It would have been heard, and is where the operator says so.
    let reach = Reach::also(vec!["127.0.0.1/32".parse().unwrap()]);
    let client = Client::resolving(reach, Arc::new(names()));
    let hooked = format!("http://inside.test:{}/", canary.port);
    let fetch = Fetch { timeout: Duration::from_millis(200), ..Fetch::get(&hooked) };
    drop(Guarded::new(client).fetch(fetch).await);
    assert_eq!(canary.hits(), 1);
}

/// A name that leads elsewhere each time it is asked for.
struct Rebinding(Mutex<Vec<IpAddr>>);

impl Resolve for Rebinding {
    fn resolve(&self, _: &str) -> Resolved {
        let next = self.0.lock().unwrap().pop();
        Box::pin(std::future::ready(Ok(next.into_iter().collect())))
    }
}

/// The address that was judged is the one that is dialled: what the name says a moment later is another
/// connection, and judged again.
#[tokio::test]
async fn a_name_that_changes_is_dialled_as_it_was_judged() {
    let canary = Canary::start().await;
    let reach = Reach::also(vec!["127.0.0.2/32".parse().unwrap()]);
    for first in [vec!["127.0.0.2"], vec!["127.0.0.2", "127.0.0.2"]] {
        let mut answers = vec![ip("127.0.0.1"); 4];
        answers.extend(first.iter().map(|text| ip(text)));
        let client = Client::resolving(reach.clone(), Arc::new(Rebinding(Mutex::new(answers))));
        let url = format!("http://rebinding.test:{}/", canary.port);
        let error = Guarded::new(client).fetch(Fetch::get(&url)).await.unwrap_err();
        let refused =
            matches!(error, FetchError::OutOfReach | FetchError::Call(CallError::Connect));
        assert!(refused, "{error:?}");
    }
    assert_eq!(canary.hits(), 0);
}

/// A redirect is an answer: nobody goes there, whatever it names, and no credential does.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let canary = Canary::start().await;
    let (listener, address) = seen::listener().await;
    let to = [
        format!("http://127.0.0.1:{}/", canary.port),
        format!("//127.0.0.1:{}/", canary.port),
        "http://169.254.169.254/latest".to_owned(),
    ];
    let locations = to.to_vec();
    drop(task::spawn("redirector", async move {
        for location in locations {
            let (mut stream, _) = listener.accept().await.unwrap();
            drop(seen::read(&mut stream).await);
            let head = format!(
                "HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\
                 connection: close\r\n\r\n"
            );
            use tokio::io::AsyncWriteExt;
            stream.write_all(head.as_bytes()).await.unwrap();
        }
    }));
    let reach = Reach::also(vec!["127.0.0.1/32".parse::<Net>().unwrap()]);
    let guarded = Guarded::new(Client::reaching(reach));
    for location in &to {
        let url = format!("http://{address}/");
        let answer = guarded.fetch(Fetch::get(&url)).await.unwrap();
        assert_eq!(answer.status, 302);
        assert_eq!(answer.headers["location"], location.as_str());
    }
    assert_eq!(canary.hits(), 0);
}

/// More than was asked for is not read.
#[tokio::test]
async fn an_answer_is_bounded() {
    let (listener, address) = seen::listener().await;
    drop(task::spawn("large", async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(seen::read(&mut stream).await);
        seen::answer(&mut stream, 200, &"x".repeat(100_000)).await;
    }));
    let reach = Reach::also(vec!["127.0.0.1".parse().unwrap()]);
    let url = format!("http://{address}/");
    let fetch = Fetch { most: 1000, ..Fetch::get(&url) };
    let error = Guarded::new(Client::reaching(reach)).fetch(fetch).await.unwrap_err();
    assert_eq!(error, FetchError::Call(CallError::TooLarge(1000)));
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|one| one == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn whoever_calls_tenants_addresses_is_known() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for member in std::fs::read_dir(crates).unwrap().map(Result::unwrap) {
        let folder = member.path().join("src");
        if folder.is_dir() && !member.path().ends_with("upstream") {
            sources(&folder, &mut files);
        }
    }
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let known = CALLERS.iter().any(|one| path.ends_with(one));
        assert!(known || !text.contains("Guarded::new("), "{}: not in CALLERS", path.display());
    }
}

proptest! {
    /// What is public is global unicast, and no IPv4 address inside an IPv6 one is.
    #[test]
    fn no_form_of_an_ipv4_address_is_public_in_ipv6(bits in any::<u32>(), rest in any::<u64>()) {
        let (bits, rest) = (u128::from(bits), u128::from(rest));
        for form in [
            bits,
            0xffff << 32 | bits,
            0xffff << 48 | bits,
            0x0064_ff9b << 96 | bits,
            0x0064_ff9b_0001 << 80 | rest << 16 | bits & 0xffff,
            0x2002 << 112 | bits << 80 | rest,
            0x2001_0000 << 96 | bits << 64 | rest,
            0xfe80 << 112 | rest,
            0xfc00 << 112 | bits << 64 | rest,
            0xfec0 << 112 | rest,
        ] {
            prop_assert!(!is_public(IpAddr::V6(form.into())), "{:x}", form);
        }
    }

    /// The table agrees with the standard library where that has a say.
    #[test]
    fn what_the_standard_library_calls_special_is_not_public(bits in any::<u32>()) {
        let one = std::net::Ipv4Addr::from_bits(bits);
        let special = one.is_private() || one.is_loopback() || one.is_link_local()
            || one.is_broadcast() || one.is_documentation() || one.is_multicast()
            || one.is_unspecified();
        prop_assert!(!special || !is_public(IpAddr::V4(one)));
    }
}
