//! A provider that plays bytes, whatever it is asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use signalbox_runtime::{Clock, task};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What a raw provider does with a request, one step after the other.
#[derive(Debug, Clone)]
pub enum Beat {
    Send(String),
    Wait(Duration),
    /// The same again and again, with a pause before each.
    Repeat(String, Duration),
    /// Nothing more, until the other end closes the connection.
    Hold,
}

/// A raw provider on a free port of 127.0.0.1.
#[derive(Debug)]
pub struct Raw {
    address: SocketAddr,
    requests: mpsc::UnboundedReceiver<()>,
    closed: mpsc::UnboundedReceiver<Duration>,
    clock: Clock,
    serving: JoinHandle<Option<()>>,
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The head of an event stream.
pub fn stream_head() -> String {
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_owned()
}

/// A chunk with this delta.
pub fn delta(json: &str) -> String {
    format!(
        "data: {{\"id\":\"raw-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
         \"choices\":[{{\"index\":0,\"delta\":{json},\"finish_reason\":null}}]}}\n\n"
    )
}

/// An answer with this status and these further header lines, each with its line end.
pub fn refusal(status: u16, headers: &str) -> String {
    let body = r#"{"error":{"message":"no","code":"no"}}"#;
    let length = body.len();
    format!(
        "HTTP/1.1 {status} No\r\ncontent-type: application/json\r\n{headers}content-length: \
         {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

impl Raw {
    /// One that does this for every request.
    pub async fn playing(beats: Vec<Beat>) -> Self {
        Self::scripted(vec![beats]).await
    }

    /// One that does the first of these for the first request, and so on; the last one is kept.
    pub async fn scripted(scripts: Vec<Vec<Beat>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        Self::serving(listener, scripts)
    }

    /// One that opens connections and reads nothing from them.
    pub async fn deaf() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        Self::serving(socket.listen(64).unwrap(), Vec::new())
    }

    fn serving(listener: TcpListener, scripts: Vec<Vec<Beat>>) -> Self {
        let address = listener.local_addr().unwrap();
        let (asked, requests) = mpsc::unbounded_channel();
        let (ended, closed) = mpsc::unbounded_channel();
        let clock = Clock::system();
        let (time, scripts) = (clock.clone(), Arc::new(scripts));
        let serving = task::spawn("raw provider", async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let script = scripts.get(number).or_else(|| scripts.last()).cloned();
                let (asked, ended, time) = (asked.clone(), ended.clone(), time.clone());
                drop(task::spawn("raw connection", async move {
                    if play(stream, script, &asked).await.is_none() {
                        ended.send(time.monotonic()).ok();
                    }
                }));
            }
        });
        Self { address, requests, closed, clock, serving }
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// How many requests arrived since this was last asked.
    pub fn asked(&mut self) -> usize {
        std::iter::from_fn(|| self.requests.try_recv().ok()).count()
    }

    /// The time on the clock by which this provider notes what happens.
    pub fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// When the other end closed a connection, by [`Raw::now`].
    pub async fn closed_at(&mut self) -> Duration {
        tokio::time::timeout(Duration::from_secs(5), self.closed.recv()).await.unwrap().unwrap()
    }
}

/// Plays; `None` when the other end closed the connection first.
async fn play(
    mut stream: TcpStream,
    script: Option<Vec<Beat>>,
    asked: &mpsc::UnboundedSender<()>,
) -> Option<()> {
    let Some(script) = script else {
        // What is not read stays in the way of the news that the other end has closed.
        return std::future::pending().await;
    };
    read_request(&mut stream).await?;
    asked.send(()).ok();
    let (mut from, mut to) = stream.into_split();
    let playing = async {
        for beat in script {
            match beat {
                Beat::Send(text) => to.write_all(text.as_bytes()).await.ok()?,
                Beat::Wait(time) => tokio::time::sleep(time).await,
                Beat::Repeat(text, pause) => loop {
                    tokio::time::sleep(pause).await;
                    to.write_all(text.as_bytes()).await.ok()?;
                },
                Beat::Hold => std::future::pending().await,
            }
        }
        to.shutdown().await.ok()
    };
    let mut byte = [0];
    tokio::select! {
        played = playing => played,
        _ = from.read(&mut byte) => None,
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<()> {
    let mut read = Vec::new();
    let mut buffer = vec![0; 65_536];
    loop {
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&buffer[..count]);
        let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |text| text.trim().parse().unwrap());
        if read.len() >= end + 4 + length {
            return Some(());
        }
    }
}
