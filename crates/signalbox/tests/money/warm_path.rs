//! While a lease is warm, the way from a request to the answer's last token asks nothing of the
//! database: a stranger keeps it to himself meanwhile. The end of an answer waits until it is durable.

use std::time::Duration;

use signalbox_runtime::task;
use tokio::sync::mpsc;

use crate::books::Books;
use crate::caller::{Line, Wish, chat, chat_on};
use crate::lock::Lock;
use crate::offer::{Offer, Stand};
use crate::site::Site;

const CLIENTS: usize = 24;
const TOKENS: usize = 30;
/// Time in which an end would be seen, if one came early.
const LOOK: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(60);

fn offer() -> Offer {
    let behaviour = format!("tokens-{TOKENS}+slow-ms-2");
    let broken = Stand::new("sim-broken", "status-503");
    Offer::new()
        .model("sim/slow", [Stand::new("sim-one", &behaviour)])
        .model("sim/second", [broken, Stand::new("sim-one", &behaviour)])
}

/// What a client has.
#[derive(Debug)]
enum News {
    Tokens,
    Price,
}

/// With an outbox the end of an answer does not wait for the database either.
async fn serve_under_lock(site: Site, outbox: bool) {
    let owner = site.owner("10");
    let mut node = site.node();
    node.start().await;
    let warm = chat(node.address, &Wish::new(&owner.key, "sim/slow", "warm".to_owned())).await;
    assert!(warm.cost.is_some(), "{warm:?}");
    let store = site.store().await;
    Books::with_charge(&store, &warm.id.unwrap()).await;

    let lock = Lock::take(&site.database).await;
    let (told, mut news) = mpsc::unbounded_channel();
    let mut clients = Vec::new();
    for n in 0..CLIENTS {
        let model = if n % 4 == 0 { "sim/second" } else { "sim/slow" };
        let wish = Wish::new(&owner.key, model, format!("locked-{n}")).streamed();
        let line = Line::open(node.address).await.unwrap();
        let told = told.clone();
        clients.push(task::spawn("client", async move {
            let mut whole = false;
            chat_on(line, &wish, |seen| {
                if seen.tokens.len() == TOKENS && !std::mem::replace(&mut whole, true) {
                    let _ = told.send(News::Tokens);
                }
                if seen.cost.is_some() {
                    let _ = told.send(News::Price);
                }
            })
            .await
        }));
    }
    let (mut whole, mut priced) = (0, 0);
    let expected = if outbox { CLIENTS } else { 0 };
    while (whole, priced) < (CLIENTS, expected) {
        let next = tokio::time::timeout(PATIENCE, news.recv()).await;
        match next.expect("tokens, though nobody may write").unwrap() {
            News::Tokens => whole += 1,
            News::Price => priced += 1,
        }
    }
    let early = tokio::time::timeout(LOOK, news.recv()).await;
    assert!(early.is_err(), "{early:?} before it could be durable");
    lock.let_go().await;
    for client in clients {
        let seen = client.await.unwrap().unwrap();
        let cost = seen.cost.unwrap_or_else(|| panic!("an end: {seen:?}"));
        let (books, _) = Books::with_charge(&store, seen.id.as_deref().unwrap()).await;
        assert_eq!(books.charges(seen.id.as_deref().unwrap()), [cost]);
    }
    site.audit();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warm_request_asks_nothing_of_the_database_before_its_end() {
    serve_under_lock(Site::new(&offer(), 1).await, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_it_ask_postgres_not_even_to_read() {
    serve_under_lock(Site::on_postgres(&offer(), 1).await, true).await;
}
