//! A gateway that dies again and again under load: what clients saw is charged, once, and nothing
//! beyond what the provider did (I6, I8, I10).

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::time::Duration;

use signalbox_core::Usd;
use signalbox_runtime::task;
use signalbox_simulator::Entry;
use signalbox_store::{GenerationRow, Store};

use crate::books::Books;
use crate::caller::{Wish, chat};
use crate::node::Node;
use crate::offer::{Offer, Stand};
use crate::seen::Seen;
use crate::site::Site;
use crate::watch;
use signalbox_testkit::{Draw, rounds};

/// Time between two requests: fifty in a second.
const EVERY: Duration = Duration::from_millis(20);
/// A gateway dies within this time of being ready, in milliseconds, and now and then this much later.
const LONGEST_LIFE: u64 = 2_000;
const RESPITE: (u64, Duration) = (5, Duration::from_secs(2));
/// The end of a process may take what the last second of a stream costs.
const UNBILLED: Duration = Duration::from_secs(1);
/// What a slow machine may add to it, beside twice the longest time without a token.
const LATE: Duration = Duration::from_millis(700);
/// Tokens that an estimated prompt may have for its one message's template.
const TEMPLATE: u64 = 3;
/// What a token costs, in nano-dollars: the prompt's and the answer's.
const PRICES: (u64, u64) = (1_000, 3_000);

fn offer() -> Offer {
    let flaky = |provider| Stand::new(provider, "flaky-40+tokens-15+even");
    Offer::new()
        .model("sim/whole", [Stand::new("sim-one", "tokens-12+even")])
        .model("sim/quick", [Stand::new("sim-one", "tokens-20+even+slow-ms-5")])
        .model("sim/slow", [Stand::new("sim-one", "tokens-900+even+slow-ms-10")])
        .model("sim/stubborn", [Stand::new("sim-two", "tokens-40+even+slow-ms-10").never_stops()])
        .model("sim/flaky", [flaky("sim-one"), flaky("sim-two"), flaky("sim-three")])
        .model("sim/silent", [Stand::new("sim-one", "empty")])
}

/// A request of the mix.
fn wish(draw: &mut Draw, keys: &[String], tag: String) -> Wish {
    let key = draw.one(keys).clone();
    let of = |model| Wish::new(&key, model, tag);
    match draw.below(20) {
        0..5 => of("sim/whole"),
        5..9 => of("sim/quick").streamed(),
        9..12 => of("sim/slow").streamed(),
        12 => of("sim/quick").streamed().leaving_after(5),
        13 => of("sim/slow").streamed().leaving_after(20),
        14 => of("sim/stubborn").streamed().leaving_after(4),
        15 | 16 => of("sim/flaky").streamed(),
        17 | 18 => of("sim/flaky"),
        _ => of("sim/silent").streamed(),
    }
}

/// What one world came to.
#[derive(Debug, Default)]
struct Tally {
    requests: usize,
    finished: usize,
    /// Streams that were cut by a death after content, and those of them that were charged.
    cut: (usize, usize),
    /// Tokens that their clients had, and tokens that were charged for them.
    cut_tokens: (u64, u64),
    /// Longest end of a stream that was not charged.
    longest_unbilled: Duration,
    /// Answers that clients left, and those of them that were charged.
    left: (usize, usize),
    failed: usize,
    slowest_start: Duration,
    /// Longest time after a start in which a reservation of the dead process was open.
    longest_open: Duration,
}

struct World {
    site: Site,
    store: Store,
    keys: Vec<String>,
    draw: Draw,
    known: HashSet<String>,
    tally: Tally,
}

impl World {
    async fn new(seed: u64) -> Self {
        let draw = Draw::seeded(seed);
        let site = Site::new(&offer(), draw.seed()).await;
        let (owner, other) = (site.owner("500"), site.customer("two@example.com", "500"));
        let limited = site.key(&owner, &["--limit", "400", "--limit-reset", "daily"]);
        let keys = vec![owner.key, other.key, limited];
        let store = site.store().await;
        let (known, tally) = (HashSet::new(), Tally::default());
        Self { site, store, keys, draw, known, tally }
    }

    /// Load until a moment that is drawn, then the end of the process. Gives what the clients saw,
    /// and when it died.
    async fn live_and_die(&mut self, node: &mut Node, round: u64) -> (Vec<Seen>, Duration) {
        let respite = if round.is_multiple_of(RESPITE.0) { RESPITE.1 } else { Duration::ZERO };
        let life = Duration::from_millis(self.draw.below(LONGEST_LIFE)) + respite;
        let mut death = pin!(tokio::time::sleep(life));
        let mut clients = Vec::new();
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                biased;
                () = &mut death => break,
                _ = ticks.tick() => {}
            }
            let tag = format!("{:x}-{round}-{}", self.draw.seed(), clients.len());
            let wish = wish(&mut self.draw, &self.keys, tag);
            let address = node.address;
            clients.push(task::spawn("client", async move { chat(address, &wish).await }));
        }
        let died_at = watch::now();
        node.kill();
        let mut seen = Vec::with_capacity(clients.len());
        for client in clients {
            seen.push(client.await.unwrap().expect("a client that does not panic"));
        }
        (seen, died_at)
    }

    /// Starts the next process, waits until nothing of the dead one is held, and audits.
    async fn rise(&mut self, node: &mut Node) -> Books {
        self.tally.slowest_start = self.tally.slowest_start.max(node.start().await);
        let ready_at = watch::now();
        let books = loop {
            let books = Books::read(&self.store).await;
            let waited = watch::now() - ready_at;
            self.tally.longest_open = self.tally.longest_open.max(waited);
            if books.open() == 0 {
                break books;
            }
            assert!(waited < Duration::from_secs(60), "{} reservations are open", books.open());
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        self.site.audit();
        books
    }

    /// Compares rows, clients and provider.
    async fn compare(&mut self, books: &Books, seen: &[Seen], died_at: Duration) {
        let mut rows: HashMap<String, GenerationRow> = HashMap::new();
        let fresh: Vec<_> = books
            .facts
            .generations
            .iter()
            .map(|row| row.id.clone())
            .filter(|id| self.known.insert(id.clone()))
            .collect();
        for id in fresh {
            let row = books.row(&id).await.expect("a row");
            let charges = books.charges(&id);
            assert!(charges.len() <= 1, "{id} is charged {} times", charges.len());
            assert_eq!(charges.first().copied().unwrap_or(Usd::ZERO), row.cost, "{id}");
            let tag = row.external_user.clone().expect("the client's name");
            assert!(seen.iter().any(|one| one.tag == tag), "{tag} is of another life");
            if let Some(other) = rows.insert(tag, row) {
                panic!("{} has two rows", other.external_user.unwrap());
            }
        }
        let journal = self.site.provider.journal();
        let truth: HashMap<String, Entry> =
            journal.settled().await.into_iter().map(|entry| (entry.id.clone(), entry)).collect();
        journal.clear();
        for one in seen {
            let row = rows.get(&one.tag);
            let entry = row.and_then(|row| truth.get(row.upstream_id.as_ref()?));
            self.judge(one, row, entry, died_at);
        }
    }

    /// One request: what its client saw, what was charged, and what the provider did.
    fn judge(
        &mut self,
        seen: &Seen,
        row: Option<&GenerationRow>,
        entry: Option<&Entry>,
        died_at: Duration,
    ) {
        let tag = &seen.tag;
        let charged = row.map_or(Usd::ZERO, |row| row.cost);
        if charged > Usd::ZERO {
            let entry = entry.unwrap_or_else(|| panic!("{tag}: charged for no answer: {row:?}"));
            let template = row.map_or(0, |row| if row.usage.estimated { TEMPLATE } else { 0 });
            let most = cost(entry.prompt_tokens + template, entry.tokens);
            assert!(charged <= most, "{tag}: {charged} for {most}: {row:?} {entry:?}");
        }
        self.tally.requests += 1;
        if let Some(cost) = seen.cost {
            let row = row.unwrap_or_else(|| panic!("{tag}: lost {cost}: {seen:?}"));
            assert_eq!((row.cost, row.id.as_str()), (cost, seen.id.as_deref().unwrap()), "{tag}");
            let told = entry.map_or(0, |entry| entry.tokens);
            assert_eq!((seen.output, row.usage.output), (told, told), "{tag}");
            self.tally.finished += 1;
        } else if seen.left {
            self.tally.left.0 += 1;
            self.tally.left.1 += usize::from(charged > Usd::ZERO);
        } else if seen.error.is_some() || seen.status >= 400 {
            assert_eq!(charged, Usd::ZERO, "{tag}: {seen:?}");
            self.tally.failed += 1;
        } else if !seen.tokens.is_empty() {
            assert!(!seen.done, "{tag}: an end without a price: {seen:?}");
            self.cut(seen, row, died_at);
        }
    }

    /// A stream that broke off: all of it is charged but for its last second (and nothing at all
    /// when it did not last that long).
    fn cut(&mut self, seen: &Seen, row: Option<&GenerationRow>, died_at: Duration) {
        let billed = row.map_or(0, |row| row.usage.output);
        self.tally.cut.0 += 1;
        self.tally.cut.1 += usize::from(billed > 0);
        self.tally.cut_tokens.0 += seen.tokens.len() as u64;
        self.tally.cut_tokens.1 += billed;
        let Some(first_unbilled) = seen.tokens.get(usize::try_from(billed).unwrap()) else {
            return;
        };
        let unbilled = died_at.saturating_sub(*first_unbilled);
        self.tally.longest_unbilled = self.tally.longest_unbilled.max(unbilled);
        let gaps = seen.tokens.windows(2).map(|two| two[1] - two[0]);
        let slack = LATE + 2 * gaps.max().unwrap_or_default();
        let (tag, tokens) = (&seen.tag, seen.tokens.len());
        assert!(
            unbilled <= UNBILLED + slack,
            "{tag}: {billed} of {tokens} tokens are charged, the last {unbilled:?} are not"
        );
    }
}

/// What so many tokens cost.
fn cost(prompt: u64, output: u64) -> Usd {
    Usd::from_nanos(i64::try_from(prompt * PRICES.0 + output * PRICES.1).unwrap())
}

async fn world(seed: u64, rounds: u64) -> Tally {
    let mut world = World::new(seed).await;
    let mut node = world.site.node();
    node.start().await;
    for round in 0..rounds {
        let (seen, died_at) = world.live_and_die(&mut node, round).await;
        let books = world.rise(&mut node).await;
        world.compare(&books, &seen, died_at).await;
    }
    assert!(node.stop().await.success());
    world.site.audit();
    world.tally
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_finished_is_lost_or_charged_twice_however_often_the_gateway_dies() {
    let each = rounds(60).div_ceil(2);
    let (one, two) = tokio::join!(world(20_261_123, each), world(20_261_124, each));
    println!("{one:?}\n{two:?}");
    for tally in [one, two] {
        assert!(tally.finished > tally.requests / 4, "many requests finish: {tally:?}");
        assert!(tally.cut.1 > 0 && tally.left.1 > 0, "deaths and leaving clients: {tally:?}");
    }
}
