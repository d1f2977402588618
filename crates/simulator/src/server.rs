//! The HTTP side.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::{File, OpenOptions};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::header::{AUTHORIZATION, HeaderMap};
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

use crate::ask::{Ask, Wrong};
use crate::behaviour::Behaviour;
use crate::body::ScriptBody;
use crate::control::{Control, Count, Present};
use crate::dialect::{Dialect, Failure, Route};
use crate::journal::{Entry, Journal, MAX_KEPT_BODY, Outcome, Page};
use crate::perform::{perform, plain, refuse};
use crate::retrieval::Retrieval;
use crate::{retrieval, token};

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
    control: Arc<Control>,
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
        let (requests, control) = (AtomicU64::new(0), Arc::default());
        Self(Arc::new(Shared { journal, writes_journal, seed, requests, control }))
    }

    /// What was really done.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.0.journal.clone()
    }

    /// From now on, `switch-NAME` in a model's name is this behaviour.
    pub fn switch(&self, name: &str, behaviour: &str) {
        self.0.control.switch(name, behaviour);
    }

    /// Lets answers of the model of this name go on, those that have halted and those to come.
    pub fn go_on(&self, model: &str) {
        self.0.control.go_on(model);
    }

    /// How many answers of the model of this name have halted.
    #[must_use]
    pub fn halted(&self, model: &str) -> usize {
        self.0.control.halted(model)
    }

    /// From now on, requests with `gate-NAME` in their model's name are answered; those that came
    /// before have waited.
    pub fn open_gate(&self, name: &str) {
        self.0.control.open_gate(name);
    }

    /// How many requests there were, and are, for the model of this name. Counted without a journal,
    /// too; only of conversations.
    #[must_use]
    pub fn count(&self, model: &str) -> Count {
        self.0.control.count(model)
    }

    /// The same for all models together.
    #[must_use]
    pub fn counted(&self) -> Count {
        self.0.control.counted()
    }

    fn page(&self, head: Head, body: &[u8], value: Value, read: &Ask) -> Page {
        if !self.0.writes_journal {
            return Page::blank();
        }
        let (arrived_at, since) = self.0.journal.arrived_at();
        let entry = Entry {
            number: 0,
            path: head.path,
            dialect: head.dialect,
            headers: head.headers,
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

    fn next(&self) -> (u64, String) {
        let number = self.0.requests.fetch_add(1, Ordering::Relaxed);
        (number, format!("sim-{:x}-{number}", self.0.seed))
    }
}

/// What an entry takes from a request's head.
struct Head {
    path: String,
    dialect: &'static str,
    id: String,
    authorization: Option<String>,
    headers: BTreeMap<String, String>,
}

impl Head {
    fn of(request: &Request<Incoming>, dialect: &'static str) -> Self {
        let headers = request.headers();
        Self {
            path: request.uri().path().to_owned(),
            dialect,
            id: String::new(),
            authorization: text(headers, AUTHORIZATION.as_str())
                .or_else(|| text(headers, "api-key")),
            headers: told(headers, request.uri().query().unwrap_or_default()),
        }
    }
}

/// The headers that tests ask for: values of the harmless ones, the presence of the secret ones.
fn told(headers: &HeaderMap, query: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for name in ["anthropic-version", "anthropic-beta", "accept", "x-amz-date"] {
        if let Some(value) = text(headers, name) {
            out.insert(name.to_owned(), value);
        }
    }
    for name in ["x-api-key", "api-key", "x-goog-api-key", "x-amz-security-token"] {
        if headers.contains_key(name) {
            out.insert(name.to_owned(), "present".to_owned());
        }
    }
    if query.split('&').any(|pair| pair.starts_with("key=")) {
        out.insert("query-key".to_owned(), "present".to_owned());
    }
    if let Some(value) = text(headers, AUTHORIZATION.as_str()) {
        let scheme = value.split(' ').next().unwrap_or_default();
        out.insert("authorization".to_owned(), scheme.to_owned());
    }
    out
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

    /// The simulator itself.
    #[must_use]
    pub fn simulator(&self) -> Simulator {
        self.simulator.clone()
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
    if *request.method() == Method::GET && path.ends_with("/models") {
        let data: Vec<_> = LISTED
            .iter()
            .map(|id| json!({"id": id, "object": "model", "created": 0, "owned_by": "simulator"}))
            .collect();
        return Ok(plain(StatusCode::OK, json!({"object": "list", "data": data}), Page::blank()));
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let route = Route::of(&path, &query);
    if *request.method() == Method::POST && route.is_none() && path.ends_with("/token") {
        return Ok(grant(&simulator, request).await);
    }
    if *request.method() == Method::POST && retrieval::is_path(&path) {
        return Ok(retrieve(&simulator, request).await);
    }
    let Some(route) = route.filter(|_| *request.method() == Method::POST) else {
        let error =
            Dialect::OpenaiChat.error(crate::dialect::Carrier::Own, &Failure::simulated(404));
        return Ok(plain(StatusCode::NOT_FOUND, error, Page::blank()));
    };
    let mut head = Head::of(&request, route.dialect.slug());
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        let failure = Failure::refused(Wrong::new("The request body could not be read."));
        return Ok(refuse(&route, &failure, Page::blank()));
    };
    let body = body.to_bytes();
    let value: Value = serde_json::from_slice(&body).unwrap_or_default();
    let read = match route.dialect.read(&route, &parts.headers, &value) {
        Ok(read) => read,
        Err(wrong) => {
            let read = unread(&route, &value);
            let page = simulator.page(head, &body, value, &read);
            return Ok(refuse(&route, &Failure::refused(wrong), page));
        }
    };
    let (number, id) = simulator.next();
    head.id = route.dialect.answer_id(&id);
    let id = head.id.clone();
    let named = as_key(&read.model, head.authorization.as_deref());
    let page = simulator.page(head, &body, value, &read);
    let page = page.of(Present::new(&simulator.0.control, &read.model));
    let resolved = simulator.0.control.resolved(&named);
    simulator.0.control.pass_gates(&resolved).await;
    let behaviour = Behaviour::parse(&resolved);
    Ok(perform(simulator.0.seed, number, &id, &route, (behaviour, read), page).await)
}

/// The model's name with what the key says in the place of `as-key`.
fn as_key(model: &str, authorization: Option<&str>) -> String {
    let key = authorization.unwrap_or_default();
    model.replace("as-key", key.strip_prefix("Bearer ").unwrap_or(key))
}

/// Embeddings and reranks: what is no conversation.
async fn retrieve(simulator: &Simulator, request: Request<Incoming>) -> Response<ScriptBody> {
    let path = request.uri().path().to_owned();
    let mut head = Head::of(&request, "retrieval");
    let body = Limited::new(request.into_body(), MAX_BODY).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let value: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (number, id) = simulator.next();
    head.id.clone_from(&id);
    let read = Retrieval::read(&path, &value);
    let ask = read.as_ref().map(Retrieval::ask).unwrap_or_default();
    let page = simulator.page(head, &body, value, &ask);
    retrieval::perform(simulator.0.seed, number, &id, &path, read, page).await
}

/// What can be told of a request that is refused.
fn unread(route: &Route, body: &Value) -> Ask {
    let named = body.get("model").and_then(Value::as_str).map(str::to_owned);
    Ask {
        model: route.model.clone().or(named).unwrap_or_default(),
        stream: route.stream.unwrap_or_default(),
        ..Ask::default()
    }
}

/// Exchanges a signed assertion for an access token.
async fn grant(simulator: &Simulator, request: Request<Incoming>) -> Response<ScriptBody> {
    let mut head = Head::of(&request, "oauth-token");
    let body = Limited::new(request.into_body(), MAX_BODY).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let (_, id) = simulator.next();
    let granted = token::grant(&body, &id);
    head.id = id;
    // The assertion is a secret for as long as it lasts, and is not kept.
    let page = simulator.page(head, &body, Value::Null, &Ask::default());
    match granted {
        Ok(document) => plain(StatusCode::OK, document, page),
        Err(document) => plain(StatusCode::BAD_REQUEST, document, page),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
