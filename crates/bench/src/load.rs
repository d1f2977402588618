//! The load: workers with one kept connection each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use memchr::memmem;
use signalbox_runtime::{Clock, task};
use tokio::net::TcpStream;

use crate::case::{Case, Volume};

/// A request that takes longer counts as failed and ends the run.
const PATIENCE: Duration = Duration::from_secs(60);
/// Digits of a stamp.
const DIGITS: usize = 16;
/// Bytes that tell whether a stream ended as it should.
const END: usize = 32;

/// Whom to ask, and how.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub address: SocketAddr,
    pub key: String,
    pub path: &'static str,
    pub body: Bytes,
    pub case: Case,
    /// Whether the answer is read as a chat client would, and must be whole.
    pub is_chat: bool,
}

/// What a run measured.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Wall time of the whole run.
    pub took: Duration,
    /// Whole requests; for paced streams, the transit of single chunks. In microseconds, sorted.
    pub latencies: Vec<u64>,
    pub requests: u64,
    pub chunks: u64,
}

/// Runs a volume of calls.
///
/// # Errors
/// The first answer that is not whole, or not 200.
pub(crate) async fn run(call: &Call, volume: Volume) -> anyhow::Result<Outcome> {
    let clock = Clock::system();
    let left = Arc::new(AtomicU32::new(volume.requests));
    let mut workers = Vec::new();
    for _ in 0..volume.at_once {
        let (call, left, clock) = (call.clone(), Arc::clone(&left), clock.clone());
        workers.push(task::spawn("load", async move { work(&call, &left, &clock).await }));
    }
    let mut out = Outcome::default();
    for worker in workers {
        let done = worker.await?.context("a load worker panicked")??;
        out.latencies.extend(done.latencies);
        out.requests = out.requests.saturating_add(done.requests);
        out.chunks = out.chunks.saturating_add(done.chunks);
    }
    out.took = clock.monotonic();
    out.latencies.sort_unstable();
    Ok(out)
}

async fn work(call: &Call, left: &AtomicU32, clock: &Clock) -> anyhow::Result<Outcome> {
    let mut sender = connect(call.address).await?;
    let mut out = Outcome::default();
    let take = |n: u32| n.checked_sub(1);
    while left.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok() {
        let asked = clock.monotonic();
        let answered = tokio::time::timeout(PATIENCE, ask(&mut sender, call, clock, &mut out));
        answered.await.context("no answer in a minute")??;
        if call.case != Case::PacedStreams {
            let took = clock.monotonic().saturating_sub(asked).as_micros();
            out.latencies.push(u64::try_from(took).unwrap_or(u64::MAX));
        }
        out.requests = out.requests.saturating_add(1);
    }
    Ok(out)
}

async fn connect(address: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    drop(task::spawn("load-connection", connection));
    Ok(sender)
}

async fn ask(
    sender: &mut SendRequest<Full<Bytes>>,
    call: &Call,
    clock: &Clock,
    out: &mut Outcome,
) -> anyhow::Result<()> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(call.path)
        .header(HOST, "bench")
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, format!("Bearer {}", call.key))
        .body(Full::new(call.body.clone()))?;
    sender.ready().await?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    if status != 200 {
        let body = answer.into_body().collect().await?.to_bytes();
        bail!("status {status}: {}", String::from_utf8_lossy(body.get(..300).unwrap_or(&body)));
    }
    read(answer.into_body(), call, clock, out).await
}

/// Reads an answer to its end and checks that it is whole.
async fn read(
    mut body: Incoming,
    call: &Call,
    clock: &Clock,
    out: &mut Outcome,
) -> anyhow::Result<()> {
    let case = call.case;
    let (mut chunks, mut bytes, mut end) = (0_u32, 0_usize, Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        bytes = bytes.saturating_add(data.len());
        if !case.streams() {
            continue;
        }
        // A token that two reads share is not counted, so nearly all of them are enough.
        let found = memmem::find_iter(&data, b"\"content\":\"t").count();
        chunks = chunks.saturating_add(u32::try_from(found).unwrap_or(u32::MAX));
        keep_end(&mut end, &data);
        if case == Case::PacedStreams {
            transits(&data, clock, &mut out.latencies);
        }
    }
    out.chunks = out.chunks.saturating_add(u64::from(chunks));
    let done = end.ends_with(b"data: [DONE]\n\n");
    let whole = if case.streams() && call.is_chat {
        done && chunks >= case.chunks() * 9 / 10
    } else {
        bytes > 100
    };
    if !whole {
        bail!("case {}: an answer of {bytes} bytes, {chunks} chunks, is not whole", case.letter());
    }
    Ok(())
}

/// Keeps the last bytes of an answer.
fn keep_end(end: &mut Vec<u8>, data: &[u8]) {
    let kept = data.len().saturating_sub(END);
    end.extend_from_slice(data.get(kept..).unwrap_or_default());
    end.drain(..end.len().saturating_sub(END));
}

/// Time from the simulator's stamp to here, for each stamped token.
fn transits(data: &[u8], clock: &Clock, latencies: &mut Vec<u64>) {
    let now = clock.now().micros();
    for at in memchr::memchr_iter(b'@', data) {
        let digits = data.get(at.saturating_add(1)..at.saturating_add(1 + DIGITS));
        let stamp = digits.and_then(|d| std::str::from_utf8(d).ok()?.parse::<i64>().ok());
        if let Some(stamp) = stamp {
            latencies.push(u64::try_from(now.saturating_sub(stamp)).unwrap_or(0));
        }
    }
}

/// The value that a share of sorted values lies below.
pub(crate) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let at = sorted.len().saturating_sub(1).saturating_mul(percent) / 100;
    sorted.get(at).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_of_the_list() {
        let values: Vec<u64> = (0..=100).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99)), (50, 99));
        assert_eq!(percentile(&[], 99), 0);
    }

    #[test]
    fn stamps_become_transits() {
        let mut found = Vec::new();
        transits(b"t1@0000000000000001 t2@x t3@12", &Clock::system(), &mut found);
        assert_eq!(found.len(), 1);
    }
}
