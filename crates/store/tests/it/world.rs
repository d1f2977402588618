//! A database in a folder of its own, with accounts and keys.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use signalbox_auditor::Report;
use signalbox_core::id::{AccountId, GenerationId, KeyHash, RequestId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{PriceKind, PriceTable, Rates, Timestamp, Usage, Usd};
use signalbox_ledger::{Draw, Grant, Refusal, Reserve};
use signalbox_pgserver::Database;
use signalbox_runtime::{Clock, entropy};
use signalbox_store::{
    GenerationRow, Granted, KeyRecord, Ledger, LedgerError, Store, StoreSettings,
};

pub const CENT: i64 = 10_000_000;
/// Whether this test binary, `postgres.rs`, runs against PostgreSQL; the others have SQLite files.
pub const POSTGRES: bool =
    matches!(module_path!().as_bytes(), [b'p', b'o', b's', b't', b'g', b'r', b'e', b's', ..]);

pub struct World {
    pub folder: tempfile::TempDir,
    pub clock: Clock,
    pub store: Store,
    url: String,
    /// With PostgreSQL: the database, which goes with the world.
    _database: Option<Database>,
}

static NEXT: AtomicU64 = AtomicU64::new(1);

pub fn usd(nanos: i64) -> Usd {
    Usd::from_nanos(nanos)
}

pub fn start() -> Timestamp {
    Timestamp::from_seconds(1_786_289_460) // Sunday 2026-08-09 15:31 UTC
}

impl World {
    pub async fn new() -> Self {
        Self::with_clock(Clock::manual(start())).await
    }

    pub async fn with_clock(clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = POSTGRES.then(signalbox_pgserver::database);
        let url = match &database {
            Some(database) => database.url(),
            None => format!("sqlite://{}", folder.path().join("data/test.db").display()),
        };
        Self::place(folder, url, database, clock).await
    }

    /// A world in a database that is there.
    pub async fn place(
        folder: tempfile::TempDir,
        url: String,
        database: Option<Database>,
        clock: Clock,
    ) -> Self {
        let store = open(&url, clock.clone(), &folder.path().join("outbox.db")).await;
        Self { folder, clock, store, url, _database: database }
    }

    #[allow(dead_code, reason = "there is none with PostgreSQL")]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("data/test.db")
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The database once more, as another process opens it.
    pub async fn again(&self) -> Store {
        self.again_at(self.clock.clone()).await
    }

    /// The same with a clock of its own.
    pub async fn again_at(&self, clock: Clock) -> Store {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let outbox = self.folder.path().join(format!("outbox-{number}.db"));
        open(&self.url(), clock, &outbox).await
    }

    pub async fn account(&self, credit: i64) -> AccountId {
        let id = AccountId::generate(entropy::bytes());
        self.store.create_account(id.clone(), &format!("{id}@example.com")).await.unwrap();
        if credit > 0 {
            assert_eq!(grant(&self.store, &id, credit).await, Granted::Now);
        }
        id
    }

    pub async fn key(
        &self,
        account: &AccountId,
        limit: Option<i64>,
        reset: Option<ResetInterval>,
    ) -> KeyRecord {
        let key = KeyRecord {
            hash: KeyHash::new(hex(&entropy::secret())),
            account: account.clone(),
            name: "test".to_owned(),
            label: "sk-sb-v1-abc...def".to_owned(),
            limit: limit.map(usd),
            limit_reset: reset,
            rpm: None,
            management: false,
            disabled: false,
            include_byok_in_limit: false,
            expires_at: None,
            created_at: self.clock.now(),
            updated_at: None,
            workspace: None,
            creator: None,
            lineage: None,
        };
        self.store.create_keys(vec![key.clone()]).await.unwrap();
        key
    }

    pub fn request(&self, key: &KeyRecord, amount: i64) -> Reserve {
        Reserve {
            generation: GenerationId::generate(self.clock.now(), entropy::bytes()),
            account: key.account.clone(),
            key: key.hash.clone(),
            amount: usd(amount),
            byok: Usd::ZERO,
            together: None,
            free: None,
            spender: key.spender(&[]).into(),
            now: self.clock.now(),
        }
    }

    /// The credit of an account does not cover a request.
    pub fn short(account: &AccountId, available: i64) -> Refusal {
        Refusal::Short { purse: Draw::credit(account).purse, available: usd(available) }
    }

    /// Makes the purses of a key ready.
    pub async fn warm(&self, ledger: &Ledger, key: &KeyRecord) -> Result<(), LedgerError> {
        ledger.warm(&key.account, &key.spender(&[]), self.clock.now()).await
    }

    pub async fn audit(&self) -> Report {
        audit(&self.store).await
    }

    /// Reserves and settles one request that costs `cost`.
    pub async fn spend(
        &self,
        ledger: &Ledger,
        key: &KeyRecord,
        hold: i64,
        cost: i64,
    ) -> GenerationId {
        let hold = ledger.reserve_or_refill(&self.request(key, hold)).await.unwrap();
        let id = hold.generation().clone();
        let settled = ledger.settle(hold, usd(cost), self.row(cost)).await.unwrap();
        assert_eq!(settled.charged, usd(cost));
        id
    }

    /// A row that the auditor prices at `cost`: one nano-dollar for each output token.
    pub fn row(&self, cost: i64) -> GenerationRow {
        let mut rates = Rates::default();
        rates.set(PriceKind::Prompt, "0".parse().unwrap());
        rates.set(PriceKind::Completion, "0.000000001".parse().unwrap());
        GenerationRow {
            id: fresh(),
            request_id: RequestId::generate(self.clock.now(), entropy::bytes()),
            requested_model: "acme/tiny".to_owned(),
            model: "acme/tiny".to_owned(),
            provider: Some("acme".to_owned()),
            provider_name: Some("Acme".to_owned()),
            endpoint_id: Some("acme/tiny@acme".to_owned()),
            upstream_id: Some("chatcmpl-1".to_owned()),
            api_type: "completions".to_owned(),
            streamed: true,
            finish_reason: Some("stop".to_owned()),
            native_finish_reason: Some("stop".to_owned()),
            created_at: self.clock.now(),
            latency_ms: Some(120),
            generation_ms: Some(900),
            usage: Usage {
                output: u64::try_from(cost).unwrap(),
                input_uncached: 12,
                ..Usage::default()
            },
            tokens_prompt: 12,
            tokens_completion: 3,
            cost: usd(cost),
            prices: Some(PriceTable { rates, overrides: Vec::new() }),
            external_user: Some("user-1".to_owned()),
            http_referer: Some("https://example.com/".to_owned()),
            origin: Some("https://example.com".to_owned()),
            user_agent: Some("test/1".to_owned()),
            app_title: Some("Test".to_owned()),
            num_media_prompt: Some(0),
            provider_responses: r#"[{"provider_name":"Acme","status":200,"latency":120}]"#
                .to_owned(),
            routing: Some("{}".to_owned()),
            trace: Some(r#"{"trace_id":"t-1","note":"\u0000 \" é"}"#.to_owned()),
            ..GenerationRow::default()
        }
    }
}

/// Opens a database for a process with this outbox, which SQLite has no use for.
pub async fn open(url: &str, clock: Clock, outbox: &Path) -> Store {
    let settings = StoreSettings { outbox: outbox.to_owned(), ..StoreSettings::default() };
    Store::open_as(url, clock, settings).await.unwrap()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn fresh() -> GenerationId {
    GenerationId::generate(start(), entropy::bytes())
}

pub async fn grant(store: &Store, account: &AccountId, amount: i64) -> Granted {
    let grant = Grant {
        id: format!("g{}", NEXT.fetch_add(1, Ordering::Relaxed)),
        account: account.clone(),
        amount: usd(amount),
        reason: "test | \\ grant".to_owned(),
        operator: "tester".to_owned(),
        at: store.clock().now(),
    };
    store.grant(grant).await.unwrap()
}

pub async fn audit(store: &Store) -> Report {
    store.audit().await.unwrap()
}
