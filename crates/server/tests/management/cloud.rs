//! A cloud that notes what it is sent, byte for byte, gives out access tokens and answers in two dialects.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use signalbox_runtime::task;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// With its query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        let mut named = self.headers.iter().filter(|(one, _)| one.eq_ignore_ascii_case(name));
        let value = named.next().map_or("", |(_, value)| value.as_str());
        assert!(named.next().is_none(), "{name} twice: {self:?}");
        value
    }

    /// The three parts of the assertion that a token was asked for with.
    pub fn assertion(&self) -> [String; 3] {
        let lead = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
        let parts = self.body.strip_prefix(lead).expect("a claim").split('.').map(str::to_owned);
        parts.collect::<Vec<_>>().try_into().unwrap()
    }

    /// Who asked for a token.
    fn issuer(&self) -> String {
        let [_, claims, _] = self.assertion();
        let claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        claims["iss"].as_str().unwrap().to_owned()
    }
}

/// On a free port of 127.0.0.1, for as long as the test lives.
pub struct Cloud {
    pub address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Cloud {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        drop(task::spawn("cloud", async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(task::spawn("connection", serve(stream, Arc::clone(&noted))));
            }
        }));
        Self { address, seen }
    }

    /// What came since this was last asked: requests for tokens, and all others.
    pub fn seen(&self) -> (Vec<Seen>, Vec<Seen>) {
        let all = std::mem::take(&mut *self.seen.lock().unwrap());
        all.into_iter().partition(|one| one.path == "/token")
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<Seen>>>) {
    let mut issued = 0;
    while let Some(request) = read(&mut stream).await {
        let answer = if request.path == "/token" {
            issued += 1;
            let before = seen.lock().unwrap().len();
            let token = format!("token-{before}-{issued}-of-{}", request.issuer());
            json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer"})
        } else if request.path.contains("generateContent") {
            json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]},
                "finishReason": "STOP"}],
                "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1,
                    "totalTokenCount": 4}})
        } else {
            json!({"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
                "stopReason": "end_turn", "metrics": {"latencyMs": 1},
                "usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4}})
        };
        seen.lock().unwrap().push(request);
        let text = answer.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        if stream.write_all([head, text].concat().as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 65_536];
    loop {
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let mut lines = head.lines();
        let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
        let (method, path) = (first.next().unwrap(), first.next().unwrap());
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers: Vec<_> =
            headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        let seen = Seen { method, path, headers, body: body.to_owned() };
        if body.len() >= seen.header("content-length").parse().unwrap_or(0) {
            return Some(seen);
        }
    }
}
