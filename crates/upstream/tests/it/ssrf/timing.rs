//! The answer's time gives away no more than the answer.

use std::sync::Arc;
use std::time::Duration;

use signalbox_runtime::Clock;
use signalbox_upstream::{Client, Fetch, Guarded, Reach};
use tokio::net::TcpListener;

use super::{Sink, names};

/// How long each of the addresses takes, as the median of many turns that take them one by one.
async fn medians<const N: usize>(
    sink: Sink,
    client: &Client,
    addresses: &[String; N],
) -> [Duration; N] {
    let clock = Clock::system();
    let mut took = [const { Vec::new() }; N];
    for _ in 0..41 {
        for (address, took) in addresses.iter().zip(&mut took) {
            let began = clock.monotonic();
            assert!(!sink.call(client, address).await, "{address}");
            took.push(clock.monotonic() - began);
        }
    }
    took.map(|mut all| {
        all.sort();
        all[all.len() / 2]
    })
}

/// The design allows 20 ms between them.
#[tokio::test]
async fn how_long_it_takes_does_not_tell_who_listens() {
    const LEAST_TOLD: Duration = Duration::from_millis(20);
    let spread = |all: [Duration; 3]| *all.iter().max().unwrap() - *all.iter().min().unwrap();
    // The first is never accepted and the kernel answers for it; nobody listens at the second.
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let open = silent.local_addr().unwrap().port();
    let closed = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let client = Client::resolving(Reach::PublicOnly, Arc::new(names()));
    let at = |port| format!("http://127.0.0.1:{port}/");
    let addresses = [at(open), at(closed), "http://10.0.0.1/".to_owned()];
    for sink in Sink::ALL {
        let told = spread(medians(sink, &client, &addresses).await);
        assert!(told < LEAST_TOLD, "{sink:?} {told:?}");
    }
    // Where it may be called, the one who listens and says nothing can be told from nobody.
    let reach = Reach::also(vec!["127.0.0.1/32".parse().unwrap()]);
    let fetcher = Guarded::new(Client::resolving(reach, Arc::new(names())));
    let clock = Clock::system();
    let mut took = Vec::new();
    for port in [open, closed] {
        let url = at(port);
        let began = clock.monotonic();
        let fetch = Fetch { timeout: Duration::from_millis(500), ..Fetch::get(&url) };
        drop(fetcher.fetch(fetch).await);
        took.push(clock.monotonic() - began);
    }
    assert!(took[0] > took[1] + LEAST_TOLD, "{took:?}");
}
