//! A real process that is killed while it settles.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use signalbox_core::id::{AccountId, GenerationId};
use signalbox_runtime::{Clock, task};
use signalbox_store::Ledger;

use crate::world::{CENT, World, audit, open, usd};

const PLACE: &str = "SIGNALBOX_TEST_DATABASE";
const OUTBOX: &str = "SIGNALBOX_TEST_OUTBOX";
const COST: i64 = 7;

/// The victim: settles as fast as it can with eight tasks and says each id once it is durable.
#[ignore = "started and killed by another test"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "a test process takes its place from its parent")]
async fn victim() {
    let Ok(url) = std::env::var(PLACE) else { return };
    let outbox = PathBuf::from(std::env::var(OUTBOX).unwrap());
    let store = open(&url, Clock::system(), &outbox).await;
    let account = store.first_account().await.unwrap().unwrap().id;
    let key = store.keys_of(&account).await.unwrap().remove(0);
    let ledger = Ledger::open(&store).await.unwrap();
    let world = std::sync::Arc::new(World::with_clock(Clock::system()).await);
    world.warm(&ledger, &key).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (world, ledger, key) = (world.clone(), ledger.clone(), key.clone());
            task::spawn("victim", async move {
                loop {
                    let hold = ledger.reserve(&world.request(&key, CENT)).unwrap();
                    let id = hold.generation().clone();
                    ledger.settle(hold, usd(COST), world.row(COST)).await.unwrap();
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "settled {id}").unwrap();
                    out.flush().unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Kills a victim after `lines` answers and returns what it had said by then.
fn settle_until_killed(url: &str, outbox: &Path, lines: usize) -> Vec<GenerationId> {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::victim", "--ignored", "--nocapture"])
        .env(PLACE, url)
        .env(OUTBOX, outbox)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut output = BufReader::new(victim.stdout.take().unwrap()).lines();
    while let Some(Ok(line)) = output.next() {
        if let Some(id) = line.strip_prefix("settled ") {
            said.push(GenerationId::new(id));
        }
        if said.len() == lines {
            victim.kill().unwrap();
        }
    }
    victim.wait().unwrap();
    said
}

async fn check(url: &str, outbox: &Path, account: &AccountId, said: &[GenerationId]) {
    let store = open(url, Clock::system(), outbox).await;
    let ledger = Ledger::open(&store).await.unwrap();
    for id in said {
        let row = store.generation(account, id).await.unwrap();
        assert_eq!(row.unwrap().cost, usd(COST), "{id}");
    }
    let key = store.keys_of(account).await.unwrap().remove(0);
    ledger.warm(account, &key.spender(&[]), Clock::system().now()).await.unwrap();
    let posted = store.balance(account).await.unwrap().unwrap().posted();
    assert_eq!(ledger.available(account), Some(posted), "nothing of the dead process is held");
    ledger.shutdown().await.unwrap();
    let report = audit(&store).await;
    assert!(report.is_clean(), "{:?}", report.breaches.first());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_answered_is_durable_and_what_it_held_is_free() {
    let world = World::with_clock(Clock::system()).await;
    let account = world.account(100_000 * CENT).await;
    world.key(&account, None, None).await;
    let url = world.url();
    let outbox = world.folder.path().join("outbox.db");
    let mut said = Vec::new();
    for lines in [1, 40, 333] {
        let (place, file) = (url.clone(), outbox.clone());
        let killed = tokio::task::spawn_blocking(move || settle_until_killed(&place, &file, lines));
        said.extend(killed.await.unwrap());
        check(&url, &outbox, &account, &said).await;
    }
    assert!(said.len() >= 374, "{}", said.len());
    let charged = world.store.balance(&account).await.unwrap().unwrap().charged.nanos();
    let unheard = charged / COST - i64::try_from(said.len()).unwrap();
    // Each of the eight tasks can be between its commit and its word when it dies.
    assert!((0..=8 * 3).contains(&unheard), "{unheard}");
}
