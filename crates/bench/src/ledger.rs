//! How fast one hot account settles, and what a reservation costs while its lease is warm.
//!
//! The ledger alone, on a database of its own: no HTTP, no provider. A settlement is a posting with
//! its generation row and its projections, durable when it is answered. The kernel's counters for this
//! process tell whether the reservations wrote anything.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use serde::Serialize;
use signalbox_core::id::{AccountId, GenerationId, KeyHash, RequestId};
use signalbox_core::{PriceKind, PriceTable, Rates, Usage, Usd};
use signalbox_ledger::{Grant, Reserve};
use signalbox_runtime::{Clock, entropy, task};
use signalbox_store::{GenerationRow, KeyRecord, Ledger, Store, StoreSettings, Sync};

/// What is held, and what is charged, in nano-dollars.
const AMOUNTS: (i64, i64) = (100, 60);
/// Reservations that are made before the first is settled.
const HELD: usize = 2_000;
/// Ticks of processor time in a second, as Linux shows them to programs.
const TICKS_PER_SECOND: u64 = 100;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Wishes {
    /// Database to use; left out: a SQLite file of its own, deleted afterwards.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Folder for that file; the folder for temporary files may be in memory.
    #[arg(long, default_value = "target")]
    folder: PathBuf,
    /// Settlements that wait at a time, one run for each.
    #[arg(long, value_delimiter = ',', default_value = "1,8,64,512")]
    clients: Vec<usize>,
    /// What a settlement survives when it is answered, as in `ledger.sync`.
    #[arg(long, value_delimiter = ',', default_value = "process,power", value_parser = sync)]
    sync: Vec<(&'static str, Sync)>,
    /// Seconds of each run.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// File for all measurements as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn sync(name: &str) -> Result<(&'static str, Sync), String> {
    let known = ["process", "power"].into_iter().find(|known| *known == name);
    known.zip(Sync::from_name(name)).ok_or_else(|| "process or power".to_owned())
}

/// One run.
#[derive(Debug, Serialize)]
struct Run {
    clients: usize,
    settlements: usize,
    seconds: f64,
    per_second: f64,
    cpu_micros: f64,
    p50_micros: u128,
    p99_micros: u128,
    longest_micros: u128,
}

/// Reservations under a warm lease.
#[derive(Debug, Serialize)]
struct Held {
    reservations: usize,
    p50_nanos: u128,
    p99_nanos: u128,
    /// Bytes handed to files meanwhile by this process, whoever's they were.
    written_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Report {
    database: String,
    sync: &'static str,
    held: Held,
    runs: Vec<Run>,
}

/// An account with credit and a key.
struct Bench {
    store: Store,
    ledger: Ledger,
    key: KeyRecord,
    clock: Clock,
}

impl Bench {
    async fn open(url: &str, settings: StoreSettings) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let store = Store::open_as(url, clock.clone(), settings).await?;
        let account = AccountId::generate(entropy::bytes());
        store.create_account(account.clone(), &format!("{account}@example.com")).await?;
        let grant = Grant {
            id: format!("bench:{account}"),
            account: account.clone(),
            amount: "1000".parse()?,
            reason: "benchmark".to_owned(),
            operator: "bench".to_owned(),
            at: clock.now(),
        };
        store.grant(grant).await?;
        let key = key(&account, &clock);
        store.create_keys(vec![key.clone()]).await?;
        let ledger = Ledger::open(&store).await?;
        ledger.warm(&account, &key.spender(&[]), clock.now()).await?;
        Ok(Self { store, ledger, key, clock })
    }

    fn wish(&self) -> Reserve {
        let now = self.clock.now();
        Reserve {
            generation: GenerationId::generate(now, entropy::bytes()),
            account: self.key.account.clone(),
            key: self.key.hash.clone(),
            amount: Usd::from_nanos(AMOUNTS.0),
            byok: Usd::ZERO,
            together: None,
            free: None,
            spender: self.key.spender(&[]).into(),
            now,
        }
    }

    /// Reserves and settles until the time is up; gives how long each settlement waited.
    async fn settle_until(&self, end: Duration) -> anyhow::Result<Vec<Duration>> {
        let mut waits = Vec::new();
        while self.clock.monotonic() < end {
            let hold = self.ledger.reserve(&self.wish()).map_err(|refusal| anyhow!("{refusal}"))?;
            let row = row(&self.clock);
            let began = self.clock.monotonic();
            self.ledger.settle(hold, Usd::from_nanos(AMOUNTS.1), row).await?;
            waits.push(self.clock.monotonic().saturating_sub(began));
        }
        Ok(waits)
    }

    /// Many reservations that nobody settles before all of them are held.
    async fn hold(&self) -> anyhow::Result<Held> {
        let (mut holds, mut took) = (Vec::with_capacity(HELD), Vec::with_capacity(HELD));
        let before = written()?;
        for _ in 0..HELD {
            let wish = self.wish();
            let began = self.clock.monotonic();
            let hold = self.ledger.reserve(&wish).map_err(|refusal| anyhow!("{refusal}"))?;
            took.push(self.clock.monotonic().saturating_sub(began));
            holds.push(hold);
        }
        let written_bytes = written()?.saturating_sub(before);
        for hold in holds {
            self.ledger.release(hold, Vec::new(), None).await?;
        }
        self.store.flush().await?;
        took.sort_unstable();
        let nanos = |part| at(&took, part).as_nanos();
        Ok(Held { reservations: HELD, p50_nanos: nanos(500), p99_nanos: nanos(990), written_bytes })
    }
}

/// The value below which so many of a thousand lie.
fn at(sorted: &[Duration], per_mille: usize) -> Duration {
    let index = sorted.len().saturating_mul(per_mille) / 1_000;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Bytes that this process has handed to the file systems' storage.
fn written() -> anyhow::Result<u64> {
    let text = fs::read_to_string("/proc/self/io").context("the kernel's counters")?;
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.context("write_bytes")?.trim().parse()?)
}

/// User and system time of this process.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse().ok()).unwrap_or(0);
    let ticks: u64 = ticks(11_usize) + ticks(12);
    Duration::from_millis(ticks.saturating_mul(1_000 / TICKS_PER_SECOND))
}

async fn measure(bench: &Arc<Bench>, clients: usize, time: Duration) -> anyhow::Result<Run> {
    let (began, busy) = (bench.clock.monotonic(), cpu());
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let bench = bench.clone();
            task::spawn(
                "settle",
                async move { bench.settle_until(began.saturating_add(time)).await },
            )
        })
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await?.context("a task ended")??);
    }
    let took = bench.clock.monotonic().saturating_sub(began).as_secs_f64();
    let busy = cpu().saturating_sub(busy);
    waits.sort_unstable();
    let count = waits.len().max(1) as f64;
    Ok(Run {
        clients,
        settlements: waits.len(),
        seconds: took,
        per_second: count / took,
        cpu_micros: busy.as_secs_f64() * 1e6 / count,
        p50_micros: at(&waits, 500).as_micros(),
        p99_micros: at(&waits, 990).as_micros(),
        longest_micros: at(&waits, 1_000).as_micros(),
    })
}

/// Runs everything and prints it.
pub(crate) async fn run(wishes: &Wishes) -> anyhow::Result<()> {
    ensure!(wishes.clients.iter().all(|clients| *clients > 0), "--clients: at least one");
    fs::create_dir_all(&wishes.folder)?;
    let mut reports = Vec::new();
    for (name, sync) in &wishes.sync {
        let report = settle(wishes, name, *sync).await?;
        print(&report)?;
        reports.push(report);
    }
    if let Some(path) = &wishes.json {
        fs::write(path, serde_json::to_vec_pretty(&reports)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// All runs with one setting.
async fn settle(wishes: &Wishes, name: &'static str, sync: Sync) -> anyhow::Result<Report> {
    let folder = tempfile::tempdir_in(&wishes.folder)?;
    let own = || format!("sqlite://{}", folder.path().join("ledger.db").display());
    let url = wishes.database.clone().unwrap_or_else(own);
    let outbox = folder.path().join("outbox.db");
    let settings = StoreSettings { sync, outbox, ..StoreSettings::default() };
    let bench = Arc::new(Bench::open(&url, settings).await?);
    // The first settlements load pages and statements.
    measure(&bench, 8, Duration::from_millis(500)).await?;
    let held = bench.hold().await?;
    let mut runs = Vec::new();
    for clients in &wishes.clients {
        runs.push(measure(&bench, *clients, Duration::from_secs(wishes.seconds)).await?);
    }
    bench.ledger.shutdown().await?;
    let database = url.split(':').next().unwrap_or_default().to_owned();
    Ok(Report { database, sync: name, held, runs })
}

fn print(report: &Report) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let Held { reservations, p50_nanos, p99_nanos, written_bytes } = report.held;
    writeln!(out, "{}, ledger.sync = \"{}\"", report.database, report.sync)?;
    writeln!(
        out,
        "{reservations} reservations under a warm lease: p50 {p50_nanos} ns, p99 {p99_nanos} ns, \
         {written_bytes} bytes written meanwhile"
    )?;
    writeln!(out, "at once settlements/s    CPU us    p50 us    p99 us    max us")?;
    for run in &report.runs {
        writeln!(
            out,
            "{:>7} {:>13.0} {:>9.1} {:>9} {:>9} {:>9}",
            run.clients,
            run.per_second,
            run.cpu_micros,
            run.p50_micros,
            run.p99_micros,
            run.longest_micros
        )?;
    }
    Ok(())
}

fn key(account: &AccountId, clock: &Clock) -> KeyRecord {
    KeyRecord {
        hash: KeyHash::new(
            entropy::secret().iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        ),
        account: account.clone(),
        name: "benchmark".to_owned(),
        label: "sk-sb-v1-ben...nch".to_owned(),
        limit: None,
        limit_reset: None,
        rpm: None,
        management: false,
        disabled: false,
        include_byok_in_limit: false,
        expires_at: None,
        created_at: clock.now(),
        updated_at: None,
        workspace: None,
        creator: None,
        lineage: None,
    }
}

/// The row of a streamed chat: as much text as one has.
fn row(clock: &Clock) -> GenerationRow {
    let now = clock.now();
    let mut rates = Rates::default();
    let rate = |text: &str| text.parse().unwrap_or_default();
    rates.set(PriceKind::Prompt, rate("0.000000001"));
    rates.set(PriceKind::Completion, rate("0.000000002"));
    GenerationRow {
        id: GenerationId::generate(now, entropy::bytes()),
        request_id: RequestId::generate(now, entropy::bytes()),
        requested_model: "acme/large-model".to_owned(),
        model: "acme/large-model".to_owned(),
        provider: Some("acme".to_owned()),
        provider_name: Some("Acme".to_owned()),
        endpoint_id: Some("acme/large-model@acme".to_owned()),
        upstream_id: Some("chatcmpl-0123456789abcdef".to_owned()),
        api_type: "completions".to_owned(),
        streamed: true,
        finish_reason: Some("stop".to_owned()),
        native_finish_reason: Some("stop".to_owned()),
        created_at: now,
        latency_ms: Some(120),
        generation_ms: Some(900),
        usage: Usage { input_uncached: 20, output: 20, ..Usage::default() },
        tokens_prompt: 20,
        tokens_completion: 20,
        prices: Some(PriceTable { rates, overrides: Vec::new() }),
        external_user: Some("user-1".to_owned()),
        http_referer: Some("https://example.com/".to_owned()),
        origin: Some("https://example.com".to_owned()),
        user_agent: Some("benchmark/1".to_owned()),
        app_title: Some("Benchmark".to_owned()),
        num_media_prompt: Some(0),
        provider_responses: r#"[{"provider_name":"Acme","status":200,"latency":120}]"#.to_owned(),
        routing: Some("{}".to_owned()),
        ..GenerationRow::default()
    }
}
