//! The key of all secrets is changed while gateways serve with them, by commands that are killed; and
//! what becomes of a gateway without its key (reliability design, test 38, `sec::byok_envelope`).

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use signalbox_core::Secret;
use signalbox_runtime::{entropy, task};
use signalbox_vault::{Kek, Label, Vault};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use tokio::task::JoinHandle;

use crate::caller::Line;
use crate::node::{Node, signalbox};
use crate::offer::{Offer, Stand};
use crate::site::{Site, key_file};

/// Rotations that are killed.
const KILLS: usize = 3;
const WORKERS: usize = 4;

fn kek(number: u8) -> Kek {
    let mut byte = number;
    Kek::new([(); 32].map(|()| {
        byte += 5;
        byte
    }))
}

/// The database, behind everybody's back.
enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    async fn open(url: &str) -> Self {
        match url.starts_with("sqlite") {
            true => Self::Sqlite(SqliteConnection::connect(url).await.unwrap()),
            false => Self::Postgres(PgConnection::connect(url).await.unwrap()),
        }
    }

    async fn run(&mut self, sql: String) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(one) => drop(sql.execute(one).await.unwrap()),
            Self::Postgres(one) => drop(sql.execute(one).await.unwrap()),
        }
    }

    /// Secrets under a key.
    async fn under(&mut self, kek: &Kek) -> i64 {
        let sql = format!("SELECT count(*) FROM secrets WHERE kek = '{}'", kek.id());
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(one) => sql.fetch_one(one).await.unwrap().get(0),
            Self::Postgres(one) => sql.fetch_one(one).await.unwrap().get(0),
        }
    }

    /// Secrets beside the one that is used: rotating them takes a while. PostgreSQL is slower.
    fn many(&self) -> usize {
        if matches!(self, Self::Sqlite(_)) { 1_000 } else { 60 }
    }

    async fn fill(&mut self, vault: &Vault) {
        let mut rows = Vec::new();
        for number in 0..self.many() {
            let text = str::to_owned;
            let (kind, id) = (text("test"), format!("secret-{number:06}"));
            let label = Label { kind, audience: text(""), owner: text("somebody"), id, version: 1 };
            let secret = Secret::new(format!("canary-{number}"));
            let sealed = vault.seal(&label, &secret, entropy::secret()).unwrap();
            let (id, kek, dek, text) = (label.id, sealed.kek, sealed.dek, sealed.text);
            rows.push(format!(
                "('test', '{id}', '', 'somebody', 1, '{kek}', '{dek}', '{text}', 1)"
            ));
        }
        self.run(format!("INSERT INTO secrets VALUES {}", rows.join(", "))).await;
    }
}

async fn ask(
    address: SocketAddr,
    method: Method,
    path: &str,
    key: &str,
    body: &Value,
) -> Option<(u16, Value)> {
    let mut line = Line::open(address).await?;
    let key = format!("Bearer {key}");
    let body = Bytes::from(body.to_string());
    let answer = line.send(method, path, &[("authorization", &key)], body).await?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    Some((status, serde_json::from_slice(&body).unwrap()))
}

/// On a machine that is too busy the database server may seem silent; that is no fault of a key's.
fn is_silent(status: u16, answer: &Value) -> bool {
    let text = answer["error"]["message"].as_str().unwrap_or_default();
    status == 503 && text.contains("database")
}

/// One request on an own provider key.
async fn chat(address: SocketAddr, key: &str) {
    let wish = json!({"model": "sim/quick", "max_tokens": 50,
        "messages": [{"role": "user", "content": "Say it again, please."}]});
    loop {
        let answer = ask(address, Method::POST, "/api/v1/chat/completions", key, &wish).await;
        let (status, answer) = answer.expect("an answer");
        if is_silent(status, &answer) {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["usage"]["is_byok"], true, "{answer}");
        return;
    }
}

/// What is needed to use and to change an own provider key.
#[derive(Clone)]
struct Tenant {
    api: String,
    management: String,
    byok: String,
}

impl Tenant {
    async fn new(site: &Site, node: &Node) -> Self {
        let owner = site.owner("50");
        let management = site.key(&owner, &["--management"]);
        let wish = json!({"provider": "sim-one", "key": "sk-own-canary-0123456789-abcd",
            "is_required": true});
        let made = ask(node.address, Method::POST, "/api/v1/byok", &management, &wish).await;
        let (status, made) = made.expect("an answer");
        assert_eq!(status, 201, "{made}");
        let byok = format!("/api/v1/byok/{}", made["data"]["id"].as_str().unwrap());
        Self { api: owner.key, management, byok }
    }
}

/// Requests without a pause, until they are told to end.
struct Traffic {
    end: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<Option<()>>>,
}

impl Traffic {
    fn start(nodes: &[SocketAddr], tenant: &Tenant) -> Self {
        let (end, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = Vec::new();
        for worker in 0..WORKERS {
            let (address, key) = (nodes[worker % nodes.len()], tenant.api.clone());
            let (end, count) = (Arc::clone(&end), Arc::clone(&count));
            tasks.push(task::spawn("worker", async move {
                while !end.load(Ordering::Relaxed) {
                    chat(address, &key).await;
                    count.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }));
        }
        // Each change makes all gateways open the key again.
        let (address, tenant, over) = (nodes[0], tenant.clone(), Arc::clone(&end));
        tasks.push(task::spawn("changes", async move {
            for number in 0.. {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let wish = json!({"name": format!("name {number}")});
                let key = &tenant.management;
                let done = ask(address, Method::PATCH, &tenant.byok, key, &wish).await;
                let (status, answer) = done.expect("an answer");
                assert!(status == 200 || is_silent(status, &answer), "{answer}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }));
        Self { end, count, tasks }
    }

    async fn stop(self) -> usize {
        self.end.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap().expect("a request that did not fail");
        }
        self.count.load(Ordering::Relaxed)
    }
}

/// To its end: it goes on where it was broken off, by whatever.
fn rotated(site: &Site, config: &Path) -> Value {
    for _ in 0..20 {
        let output = rotate(site, config).wait_with_output().unwrap();
        if output.status.success() {
            return serde_json::from_slice(&output.stdout).unwrap();
        }
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("the database is unavailable"), "{said}");
    }
    panic!("the database does not answer");
}

fn rotate(site: &Site, config: &Path) -> Child {
    let mut command = signalbox(site.folder());
    command.args(["admin", "secrets", "rotate", "--json", "--config"]).arg(config);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The code and the line of a gateway that does not start.
fn refused(site: &Site, config: &Path) -> (Option<i32>, String) {
    let mut command = signalbox(site.folder());
    command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(config);
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn offer() -> Offer {
    let plan = "[plans.free]\nbyok_allowed = true\nbyok_free = { requests = 1000000 }\n";
    Offer::new().model("sim/quick", [Stand::new("sim-one", "tokens-5+even")]).extra(plan)
}

/// Where the keys are.
struct Keys {
    both: std::path::PathBuf,
    turned: std::path::PathBuf,
    old: std::path::PathBuf,
    new: std::path::PathBuf,
}

impl Keys {
    fn of(site: &Site) -> Self {
        let file = |name: &str, number| key_file(site.folder(), name, kek(number));
        let (one, two) = (file("one.key", 1), file("two.key", 2));
        let with = |name: &str, key: &str, more: &str| {
            let text = format!("key = \"file:{key}\"\nmore_keys = [{more}]");
            site.sealed_with(name, &text)
        };
        Self {
            both: with("both.toml", &one, &format!("\"file:{two}\"")),
            turned: with("turned.toml", &two, &format!("\"file:{one}\"")),
            old: with("old.toml", &one, ""),
            new: with("new.toml", &two, ""),
        }
    }
}

/// Rotates under load, killed again and again; no request fails.
async fn rotate_under_load(site: &Site, keys: &Keys, nodes: &[SocketAddr], tenant: &Tenant) {
    let mut raw = Raw::open(&site.database).await;
    raw.fill(&Vault::new(kek(1), Vec::new())).await;
    let all = raw.under(&kek(1)).await;
    let traffic = Traffic::start(nodes, tenant);
    let mut kills = 0;
    for round in 0..KILLS {
        let part = all * (i64::try_from(round).unwrap() + 1) / 5;
        let mut rotation = rotate(site, &keys.turned);
        while raw.under(&kek(2)).await < part && rotation.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        rotation.kill().unwrap();
        rotation.wait().unwrap();
        let (old, new) = (raw.under(&kek(1)).await, raw.under(&kek(2)).await);
        assert_eq!(old + new, all, "nothing is lost or doubled");
        kills += usize::from(old > 0 && new > 0);
    }
    assert!(kills > 0, "none was killed in the middle");
    let left = raw.under(&kek(1)).await;
    let report = rotated(site, &keys.turned);
    assert_eq!(report["unreadable"], 0, "{report}");
    assert!(report["moved"].as_i64().unwrap() <= left, "{report}, {left} were left");
    assert_eq!((raw.under(&kek(1)).await, raw.under(&kek(2)).await), (0, all));
    let served = traffic.stop().await;
    println!("{served} requests, {kills} rotations killed in the middle");
    assert!(served >= WORKERS);
}

async fn change_the_key(site: Site, gateways: usize) {
    let keys = Keys::of(&site);
    let mut nodes: Vec<Node> = (0..gateways).map(|_| site.node_with(&keys.both)).collect();
    for node in &mut nodes {
        node.start().await;
    }
    let tenant = Tenant::new(&site, &nodes[0]).await;
    let addresses: Vec<_> = nodes.iter().map(|node| node.address).collect();
    for address in &addresses {
        chat(*address, &tenant.api).await;
    }
    rotate_under_load(&site, &keys, &addresses, &tenant).await;
    for node in &mut nodes {
        assert!(node.stop().await.success());
        assert!(!node.said().contains("canary"), "{}", node.said());
    }
    // The old key is not needed any more, and of no use alone.
    let (code, line) = refused(&site, &keys.old);
    let count = Raw::open(&site.database).await.many() + 2;
    assert_eq!(code, Some(2), "{line}");
    let expected = format!("{count} of {count} stored secrets can't be opened");
    assert!(line.contains(&expected) && line.contains(kek(2).id()), "{line}");
    assert_eq!(line.trim_end().lines().count(), 1, "{line}");
    let mut node = site.node_with(&keys.new);
    node.start().await;
    chat(node.address, &tenant.api).await;
    assert!(node.stop().await.success());
    site.audit();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_of_all_secrets_is_changed_under_load_and_no_request_fails() {
    change_the_key(Site::new(&offer(), 38).await, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_on_postgres_go_on_while_it_is_changed() {
    change_the_key(Site::on_postgres(&offer(), 38).await, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_copy_of_the_database_needs_the_key_of_its_time() {
    let site = Site::new(&offer(), 39).await;
    let keys = Keys::of(&site);
    let mut node = site.node_with(&keys.old);
    node.start().await;
    let tenant = Tenant::new(&site, &node).await;
    chat(node.address, &tenant.api).await;
    assert!(node.stop().await.success());
    let (live, copy) = (site.folder().join("signalbox.db"), site.folder().join("copy.db"));
    // The log belongs to the database.
    let copied = |from: &Path, to: &Path| {
        for end in ["", "-wal"] {
            let part = |path: &Path| format!("{}{end}", path.display());
            drop(std::fs::remove_file(part(to)));
            assert!(std::fs::copy(part(from), part(to)).is_ok() || end == "-wal");
        }
    };
    copied(&live, &copy);

    rotated(&site, &keys.turned);
    let mut node = site.node_with(&keys.new);
    node.start().await;
    let gone =
        ask(node.address, Method::DELETE, &tenant.byok, &tenant.management, &json!({})).await;
    assert_eq!(gone.expect("an answer").0, 200);
    assert!(node.stop().await.success());

    // As it was: the key that was deleted since is there again.
    drop(std::fs::remove_file(site.folder().join("signalbox.db-shm")));
    copied(&copy, &live);
    let (code, line) = refused(&site, &keys.new);
    assert_eq!(code, Some(2), "{line}");
    assert!(line.contains("2 of 2 stored secrets can't be opened"), "{line}");
    let mut node = site.node_with(&keys.turned);
    node.start().await;
    chat(node.address, &tenant.api).await;
    assert!(node.stop().await.success());
    site.audit();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_gateway_that_crashes_leaves_no_file_of_its_memory() {
    let site = Site::new(&offer(), 40).await;
    let mut node = site.node();
    node.start().await;
    let limits = node.kernel("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(words, ["0", "0"], "{core}");
}
