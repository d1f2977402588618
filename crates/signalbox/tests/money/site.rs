//! A folder with a configuration and a database, the provider of its models, and its operator.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use signalbox_core::id::AccountId;
use signalbox_runtime::Clock;
use signalbox_simulator::{Running, Simulator};
use signalbox_store::Store;
use signalbox_vault::Kek;
use tempfile::TempDir;

use crate::node::{Node, signalbox};
use crate::offer::Offer;

/// What the gateways of a site seal secrets with.
const HOUSE: [u8; 32] = *b"the key of one site's gateways..";

/// A file with this key; gives its path.
pub fn key_file(folder: &Path, name: &str, key: Kek) -> String {
    let path = folder.join(name);
    std::fs::write(&path, key.written().expose()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Where a test takes place.
pub struct Site {
    folder: TempDir,
    pub database: String,
    pub provider: Running,
    nodes: AtomicU32,
    _server: Option<signalbox_pgserver::Database>,
}

/// An account and its first key.
#[derive(Debug, Clone)]
pub struct Customer {
    pub id: AccountId,
    pub key: String,
}

impl Site {
    /// With a database of its own.
    pub async fn new(offer: &Offer, seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", folder.path().join("signalbox.db").display());
        Self::on(folder, database, offer, seed).await
    }

    /// With a PostgreSQL database of its own; the test is skipped where there is no PostgreSQL.
    pub async fn on_postgres(offer: &Offer, seed: u64) -> Self {
        let database = signalbox_pgserver::database();
        let site = Self::on(tempfile::tempdir().unwrap(), database.url(), offer, seed).await;
        Self { _server: Some(database), ..site }
    }

    async fn on(folder: TempDir, database: String, offer: &Offer, seed: u64) -> Self {
        let provider = signalbox_simulator::start(Simulator::seeded(seed)).await.unwrap();
        let mut text = offer.toml(&database, &provider.base_url());
        // Gateways in folders of their own, on one database.
        let key = key_file(folder.path(), "secrets.key", Kek::new(HOUSE));
        text.push_str(&format!("[secrets]\nkey = \"file:{key}\"\n"));
        std::fs::write(folder.path().join("signalbox.toml"), text).unwrap();
        Self { folder, database, provider, nodes: AtomicU32::new(1), _server: None }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("signalbox.toml")
    }

    /// The folder that everything is in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The same configuration with other keys for secrets.
    pub fn sealed_with(&self, name: &str, secrets: &str) -> PathBuf {
        let text = std::fs::read_to_string(self.config()).unwrap();
        let (text, _) = text.split_once("[secrets]").unwrap();
        let path = self.folder.path().join(name);
        std::fs::write(&path, format!("{text}[secrets]\n{secrets}\n")).unwrap();
        path
    }

    /// A gateway with this configuration, not yet started.
    pub fn node_with(&self, config: &Path) -> Node {
        let number = self.nodes.fetch_add(1, Ordering::Relaxed);
        Node::new(config, &self.folder.path().join(format!("node-{number}")))
    }

    /// A gateway on this database, not yet started.
    pub fn node(&self) -> Node {
        self.node_with(&self.config())
    }

    /// Runs `signalbox admin` and gives the JSON it prints.
    pub fn admin(&self, arguments: &[&str]) -> Value {
        let (code, said, complaint) = self.try_admin(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}{complaint}");
        serde_json::from_str(&said).expect("JSON on stdout")
    }

    /// Runs `signalbox admin` and gives its exit code, stdout and stderr.
    pub fn try_admin(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = signalbox(self.folder.path());
        command.arg("admin").args(arguments).arg("--json").arg("--config").arg(self.config());
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// The owner's account, with credit.
    pub fn owner(&self, usd: &str) -> Customer {
        let made = self.admin(&["bootstrap"]);
        self.rich(&made, usd)
    }

    /// Another account, with credit.
    pub fn customer(&self, email: &str, usd: &str) -> Customer {
        let made = self.admin(&["account", "create", "--email", email]);
        self.rich(&made, usd)
    }

    fn rich(&self, made: &Value, usd: &str) -> Customer {
        let text = |member: &str| made[member].as_str().unwrap().to_owned();
        let id = text("account_id");
        self.admin(&["grant", "--account", &id, "--usd", usd]);
        Customer { key: text("api_key"), id: AccountId::new(id) }
    }

    /// Another key of an account.
    pub fn key(&self, customer: &Customer, terms: &[&str]) -> String {
        let arguments = [&["key", "create", "--account", customer.id.as_str()], terms].concat();
        self.admin(&arguments)["key"].as_str().unwrap().to_owned()
    }

    /// The database, as another process sees it.
    pub async fn store(&self) -> Store {
        Store::open(&self.database, Clock::system()).await.unwrap()
    }

    /// The auditor's word, from its own process.
    ///
    /// # Panics
    /// When it finds a breach.
    pub fn audit(&self) -> Value {
        let (code, report, complaint) = self.try_admin(&["audit"]);
        assert_eq!(code, Some(0), "the audit found: {report}{complaint}");
        serde_json::from_str(&report).unwrap()
    }
}
