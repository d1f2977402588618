//! One dollar, 500 requests at once over 50 keys and two gateways on one database: nothing is spent
//! that is not there (I2), and nobody who is refused reaches the provider.

use std::sync::Arc;
use std::time::Duration;

use signalbox_core::Usd;
use signalbox_runtime::task;
use tokio::sync::{Barrier, mpsc};

use crate::books::Books;
use crate::caller::{Line, Wish, chat_on};
use crate::node::Node;
use crate::offer::{Offer, Stand};
use crate::seen::Seen;
use crate::site::{Customer, Site};
use signalbox_testkit::Draw;

/// Longest that a storm may take.
const PATIENCE: Duration = Duration::from_secs(180);
const REQUESTS: usize = 500;
const KEYS: usize = 50;
/// Most tokens of an answer; each costs a hundredth of a cent, so that a request holds a cent.
const MOST_TOKENS: u64 = 100;
const TOKEN: &str = "0.0001";
/// What a process that has nothing to hold any more may keep of what others would want: less than
/// one request.
const STRANDED: u64 = 1;

/// Answers of 40 to 100 tokens that wait until the gate of their wave is open.
fn offer() -> Offer {
    (4..=10).fold(
        Offer::new().extra("[timeouts]\nfirst_content = 300\nheaders = 300"),
        |offer, tens| {
            let tokens = tens * 10;
            let behaviour = format!("tokens-{tokens}+gate-first");
            let stand = Stand::new("sim-one", &behaviour).priced("0", TOKEN);
            offer.model(&format!("sim/of-{tokens}"), [stand])
        },
    )
}

struct Storm {
    site: Site,
    nodes: Vec<Node>,
    customer: Customer,
    keys: Vec<String>,
    draw: Draw,
}

impl Storm {
    async fn new(site: Site, draw: Draw) -> Self {
        let customer = site.owner("1");
        let keys = (0..KEYS).map(|_| site.key(&customer, &[])).collect();
        let mut nodes = vec![site.node(), site.node()];
        for node in &mut nodes {
            node.start().await;
        }
        Self { site, nodes, customer, keys, draw }
    }

    /// Sends everything at one moment. Tells of each answer's head and gives what was seen.
    async fn wave(&mut self, gate: impl AsyncFn(&mut mpsc::UnboundedReceiver<u16>)) -> Vec<Seen> {
        let barrier = Arc::new(Barrier::new(REQUESTS));
        let (heads, mut seen_heads) = mpsc::unbounded_channel();
        let mut clients = Vec::with_capacity(REQUESTS);
        for n in 0..REQUESTS {
            let model = format!("sim/of-{}", 40 + 10 * self.draw.below(7));
            let key = self.draw.one(&self.keys);
            let mut wish = Wish::new(key, &model, format!("storm-{n}"));
            wish.max_tokens = Some(MOST_TOKENS);
            wish.stream = self.draw.below(2) == 0;
            let line = Line::open(self.nodes[n % 2].address).await.expect("a connection");
            let (barrier, heads) = (barrier.clone(), heads.clone());
            clients.push(task::spawn("client", async move {
                barrier.wait().await;
                let seen = chat_on(line, &wish, |_| {}).await;
                let _ = heads.send(seen.status);
                seen
            }));
        }
        gate(&mut seen_heads).await;
        let mut all = Vec::with_capacity(REQUESTS);
        for client in clients {
            all.push(client.await.unwrap().expect("a client that does not panic"));
        }
        all
    }

    /// The first wave: nobody is answered before everybody was admitted or refused.
    async fn first_wave(&mut self) -> Vec<Seen> {
        let simulator = self.site.provider.simulator();
        let arrived = simulator.clone();
        let seen = self
            .wave(async move |heads| {
                let mut refused = 0;
                while refused + usize::try_from(arrived.counted().arrived).unwrap() < REQUESTS {
                    match tokio::time::timeout(Duration::from_millis(20), heads.recv()).await {
                        Ok(Some(status)) => {
                            assert_eq!(status, 402);
                            refused += 1;
                        }
                        Ok(None) => panic!("every client has ended"),
                        Err(_) => {}
                    }
                }
                arrived.open_gate("first");
            })
            .await;
        assert!(simulator.counted().running == 0);
        seen
    }

    /// Everything that was admitted, from the clients' side: exact answers, or 402.
    fn count(seen: &[Seen]) -> (u64, Usd) {
        let (mut admitted, mut charged) = (0, Usd::ZERO);
        for one in seen {
            match one.cost {
                Some(cost) => {
                    assert_eq!((one.status, one.done), (200, true), "{one:?}");
                    charged = charged.checked_add(cost).unwrap();
                    admitted += 1;
                }
                None => assert_eq!(one.status, 402, "{one:?}"),
            }
        }
        (admitted, charged)
    }
}

async fn storm(site: Site, draw: Draw) {
    let mut storm = Storm::new(site, draw).await;
    let (admitted, mut charged) = Storm::count(&storm.first_wave().await);
    println!("the first wave admitted {admitted} of {REQUESTS} and charged {charged}");
    assert!((100 - STRANDED..=100).contains(&admitted), "{admitted}");
    let provider = storm.site.provider.simulator();
    assert_eq!(provider.counted().arrived, admitted, "who is refused reaches nobody");
    // The rest is spent in waves without a gate, until a request does not fit any more.
    let mut in_all = admitted;
    for _ in 0..20 {
        let (admitted, cost) = Storm::count(&storm.wave(async |_| {}).await);
        in_all += admitted;
        charged = charged.checked_add(cost).unwrap();
        assert_eq!(provider.counted().arrived, in_all, "who is refused reaches nobody");
        if admitted == 0 {
            break;
        }
    }
    let store = storm.site.store().await;
    let books = Books::read(&store).await;
    let balance = store.balance(&storm.customer.id).await.unwrap().unwrap();
    println!("{in_all} admitted in all, {charged} charged, {} left", balance.posted());
    assert_eq!(balance.charged, charged, "what clients were told is what was charged");
    assert!(balance.posted() >= Usd::ZERO, "overspent by {}", balance.posted());
    assert!(balance.posted() < Usd::from_nanos(20_000_000), "{} is spendable", balance.posted());
    assert_eq!(books.open(), 0);
    storm.site.audit();
}

async fn bounded(site: Site, draw: Draw) {
    tokio::time::timeout(PATIENCE, storm(site, draw)).await.expect("an end of the storm");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_on_two_gateways_spends_what_is_there_and_no_more() {
    let draw = Draw::seeded(1);
    bounded(Site::new(&offer(), draw.seed()).await, draw).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_it_on_postgres() {
    let draw = Draw::seeded(2);
    bounded(Site::on_postgres(&offer(), draw.seed()).await, draw).await;
}
