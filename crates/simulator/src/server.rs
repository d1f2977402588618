//! The HTTP side.

use std::convert::Infallible;
use std::fs::{File, OpenOptions};
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use signalbox_runtime::task;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::answer::Answer;
use crate::behaviour::{Behaviour, Fault};
use crate::body::ScriptBody;
use crate::journal::{Entry, Journal, MAX_KEPT_BODY, Outcome, Page};
use crate::request::ChatRequest;
use crate::retrieval::{self, Retrieval};
use crate::script::{Recipient, Script, error_json};

/// Most connections at a time; more wait.
const MAX_CONNECTIONS: usize = 20_000;
/// Largest request body.
const MAX_BODY: usize = 128 * 1024 * 1024;
/// What `GET /models` lists.
const LISTED: [&str; 8] =
    ["echo", "tokens-50", "reason", "tools", "json", "cached", "image-out", "slow-ms-20"];

/// A scripted provider. Clones share the journal and the counter.
#[derive(Clone)]
pub struct Simulator(Arc<Shared>);

struct Shared {
    journal: Journal,
    writes_journal: bool,
    seed: u64,
    requests: AtomicU64,
}

impl Default for Simulator {
    fn default() -> Self {
        Self::new()
    }
}

impl Simulator {
    /// A simulator with seed 0 and a journal in memory.
    #[must_use]
    pub fn new() -> Self {
        Self::seeded(0)
    }

    /// A simulator whose draws come from a seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::build(seed, None, true)
    }

    /// A simulator that writes each ended request as a JSON line to the end of a file, too.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn with_file(seed: u64, path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self::build(seed, Some(file), true))
    }

    /// A simulator that writes no journal, for benchmarks.
    #[must_use]
    pub fn without_journal() -> Self {
        Self::build(0, None, false)
    }

    fn build(seed: u64, file: Option<File>, writes_journal: bool) -> Self {
        let journal = Journal::new(file);
        Self(Arc::new(Shared { journal, writes_journal, seed, requests: AtomicU64::new(0) }))
    }

    /// What was really done.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.0.journal.clone()
    }

    fn page(&self, head: Head, body: &[u8], value: Value, read: &ChatRequest) -> Page {
        if !self.0.writes_journal {
            return Page::blank();
        }
        let (arrived_at, since) = self.0.journal.arrived_at();
        let entry = Entry {
            number: 0,
            path: head.path,
            id: head.id,
            model: read.model.clone(),
            stream: read.stream,
            body_sha256: hex::encode(Sha256::digest(body)),
            body_bytes: body.len(),
            body: (body.len() <= MAX_KEPT_BODY).then_some(value),
            authorization: head.authorization,
            arrived_at,
            tokens: 0,
            usage: None,
            prompt_tokens: read.prompt_tokens,
            outcome: Outcome::Running,
            ended_after: None,
            disconnected_after: None,
        };
        self.0.journal.open(entry, since)
    }
}

struct Head {
    path: String,
    id: String,
    authorization: Option<String>,
}

/// A simulator that serves in the background until it is dropped.
pub struct Running {
    address: SocketAddr,
    simulator: Simulator,
    task: JoinHandle<Option<io::Result<()>>>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL that a provider row names, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What was really done.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.simulator.journal()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts a simulator on a free port of 127.0.0.1.
///
/// # Errors
/// No port can be bound.
pub async fn start(simulator: Simulator) -> io::Result<Running> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let task = task::spawn("simulator", serve(listener, simulator.clone()));
    Ok(Running { address, simulator, task })
}

/// Serves until the future is dropped; connections that are open then go on.
///
/// # Errors
/// None in practice: a failed accept is tried again.
pub async fn serve(listener: TcpListener, simulator: Simulator) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        // Without it answers are only slower.
        let _ = stream.set_nodelay(true);
        let simulator = simulator.clone();
        let connection = async move {
            let service = service_fn(|request| answer(simulator.clone(), request));
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            // A connection that breaks is in the journal already.
            let _ = served.await;
            drop(place);
        };
        drop(task::spawn("simulator-connection", connection));
    }
}

async fn answer(
    simulator: Simulator,
    request: Request<Incoming>,
) -> Result<Response<ScriptBody>, Infallible> {
    let path = request.uri().path().to_owned();
    let is = |method: Method, end: &str| *request.method() == method && path.ends_with(end);
    if is(Method::GET, "/models") {
        let data: Vec<_> = LISTED
            .iter()
            .map(|id| json!({"id": id, "object": "model", "created": 0, "owned_by": "simulator"}))
            .collect();
        return Ok(plain(StatusCode::OK, json!({"object": "list", "data": data}), Page::blank()));
    }
    if *request.method() == Method::POST && retrieval::is_path(&path) {
        return Ok(retrieve(&simulator, path, request).await);
    }
    if !is(Method::POST, "/chat/completions") {
        return Ok(plain(StatusCode::NOT_FOUND, error_json(404, None), Page::blank()));
    }
    let authorization = text(request.headers(), AUTHORIZATION.as_str());
    let Ok(body) = Limited::new(request.into_body(), MAX_BODY).collect().await else {
        return Ok(plain(StatusCode::BAD_REQUEST, error_json(400, None), Page::blank()));
    };
    let body = body.to_bytes();
    let value: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(read) = ChatRequest::read(&value) else {
        return Ok(plain(StatusCode::BAD_REQUEST, error_json(400, None), Page::blank()));
    };
    let number = simulator.0.requests.fetch_add(1, Ordering::Relaxed);
    let id = format!("sim-{:x}-{number}", simulator.0.seed);
    let head = Head { path, id: id.clone(), authorization };
    let page = simulator.page(head, &body, value, &read);
    Ok(perform(simulator.0.seed, number, &id, read, page).await)
}

/// Embeddings and reranks: one document, or what goes wrong instead of it.
async fn retrieve(
    simulator: &Simulator,
    path: String,
    request: Request<Incoming>,
) -> Response<ScriptBody> {
    let authorization = text(request.headers(), AUTHORIZATION.as_str());
    let body = Limited::new(request.into_body(), MAX_BODY).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let value: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(read) = Retrieval::read(&path, &value) else {
        return plain(StatusCode::BAD_REQUEST, error_json(400, None), Page::blank());
    };
    let number = simulator.0.requests.fetch_add(1, Ordering::Relaxed);
    let id = format!("sim-{:x}-{number}", simulator.0.seed);
    let head = Head { path, id: id.clone(), authorization };
    let asked = ChatRequest {
        model: read.model.clone(),
        prompt_tokens: read.prompt_tokens,
        ..ChatRequest::default()
    };
    let page = simulator.page(head, &body, value, &asked);
    let mut behaviour = Behaviour::parse(&read.model);
    if draw(simulator.0.seed, number) < behaviour.flaky {
        behaviour.fault = Some(Fault::Status { status: 503, retry_after: None, code: None });
    }
    pause(behaviour.headers.saturating_add(behaviour.first)).await;
    match behaviour.fault {
        Some(Fault::Hang) => return hang(page).await,
        Some(Fault::Status { status, retry_after, code }) => {
            return refuse(status, retry_after, code, page);
        }
        Some(Fault::WrongType) => return plain(StatusCode::OK, json!({"data": 7}), page),
        Some(Fault::Garbage | Fault::Html) => {
            return plain(StatusCode::OK, json!("no answer"), page);
        }
        Some(Fault::Inband(_) | Fault::RoleThenError) => {
            return plain(StatusCode::OK, error_json(503, None), page);
        }
        _ => {}
    }
    let (answer, usage) = read.answer(&id, behaviour.usage);
    if let Some(usage) = usage {
        page.sent_usage(&usage);
    }
    plain(StatusCode::OK, answer, page)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

async fn perform(
    seed: u64,
    number: u64,
    id: &str,
    request: ChatRequest,
    page: Page,
) -> Response<ScriptBody> {
    let mut behaviour = Behaviour::parse(&request.model);
    if draw(seed, number) < behaviour.flaky {
        behaviour.fault = Some(Fault::Status { status: 503, retry_after: None, code: None });
    }
    pause(behaviour.headers).await;
    match behaviour.fault {
        Some(Fault::Hang) => return hang(page).await,
        Some(Fault::Status { status, retry_after, code }) => {
            return refuse(status, retry_after, code, page);
        }
        _ => {}
    }
    let answer = Answer::new(&behaviour, &request);
    let budget = match behaviour.fault {
        Some(Fault::CutAt(bytes)) => Some(bytes),
        _ => None,
    };
    let wants_usage = request.include_usage;
    let to = Recipient { id, model: &request.model, wants_usage };
    let html = behaviour.fault == Some(Fault::Html);
    if request.stream {
        let kind = if html { "text/html" } else { "text/event-stream" };
        let stamped = behaviour.stamped;
        let script = Script::streamed(answer, behaviour, to);
        let body = ScriptBody::new(script, page, Outcome::Complete, None, budget);
        return respond(kind, if stamped { body.stamped() } else { body });
    }
    let tokens = u32::try_from(answer.len()).unwrap_or(u32::MAX);
    pause(behaviour.first.saturating_add(behaviour.gap.saturating_mul(tokens))).await;
    let (script, length) = Script::whole(&answer, &behaviour, to);
    let length = length.map(|n| n as u64);
    let kind = if html { "text/html" } else { "application/json" };
    respond(kind, ScriptBody::new(script, page, Outcome::Complete, length, budget))
}

async fn pause(time: std::time::Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

/// Keeps the page open until the connection ends and drops this future.
async fn hang(page: Page) -> Response<ScriptBody> {
    let _page = page;
    pending().await
}

fn respond(kind: &'static str, body: ScriptBody) -> Response<ScriptBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn refuse(
    status: u16,
    retry_after: Option<u64>,
    code: Option<&str>,
    page: Page,
) -> Response<ScriptBody> {
    let known = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = plain(known, error_json(status, code), page);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn plain(status: StatusCode, value: Value, page: Page) -> Response<ScriptBody> {
    let bytes = Bytes::from(value.to_string());
    let length = Some(bytes.len() as u64);
    let outcome =
        if status.is_success() { Outcome::Complete } else { Outcome::Status(status.as_u16()) };
    let script = Script::once(bytes);
    let mut response =
        respond("application/json", ScriptBody::new(script, page, outcome, length, None));
    *response.status_mut() = status;
    response
}

/// A number below 100, the same for the same seed and request.
fn draw(seed: u64, number: u64) -> u64 {
    let mut bits = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (bits ^ (bits >> 31)) % 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_the_seed_and_are_spread() {
        let failures = |seed| (0..10_000).filter(|n| draw(seed, *n) < 30).count();
        assert!((2800..3200).contains(&failures(0)), "{}", failures(0));
        assert_eq!(failures(7), failures(7));
        assert_ne!(draw(1, 5), draw(2, 5));
    }
}
