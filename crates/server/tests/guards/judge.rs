//! A moderation service of the form of OpenAI's `POST /moderations`, as small as can be.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use signalbox_core::Secret;
use signalbox_gateway::{ModerationService, Moderator};
use signalbox_runtime::task;
use tokio::net::TcpListener;

/// What it was asked, and what it says instead of a judgement.
#[derive(Debug, Default)]
pub struct Judge {
    asked: Mutex<Vec<Value>>,
    instead: Mutex<Option<(u16, String)>>,
}

impl Judge {
    /// One that listens, and the gateway's way to it.
    pub async fn start() -> (Arc<Self>, Arc<dyn Moderator>) {
        let judge = Arc::new(Self::default());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        drop(task::spawn("judge", Arc::clone(&judge).listen(listener)));
        let key = Secret::new("judge-key".to_owned());
        let service = ModerationService::new(
            &base,
            Some(&key),
            Some("strict-1".to_owned()),
            Duration::from_secs(30),
        );
        (judge, Arc::new(service.unwrap()))
    }

    /// Says this from now on.
    pub fn say(&self, status: u16, body: &str) {
        *self.instead.lock().unwrap() = Some((status, body.to_owned()));
    }

    /// The bodies of all calls.
    pub fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }

    async fn listen(self: Arc<Self>, listener: TcpListener) {
        while let Ok((socket, _)) = listener.accept().await {
            let judge = Arc::clone(&self);
            let service = service_fn(move |request| Arc::clone(&judge).answer(request));
            let serve = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service);
            drop(task::spawn("judging", async move { drop(serve.await) }));
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, hyper::Error> {
        assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v1/moderations"));
        assert_eq!(request.headers()["authorization"], "Bearer judge-key");
        let body = request.into_body().collect().await?.to_bytes();
        let asked: Value = serde_json::from_slice(&body).unwrap();
        let texts = asked["input"].as_array().unwrap().clone();
        self.asked.lock().unwrap().push(asked);
        let (status, body) = match self.instead.lock().unwrap().clone() {
            Some(instead) => instead,
            None => {
                let judged: Vec<Value> = texts.iter().map(judged).collect();
                (200, json!({"id": "modr-1", "model": "strict-1", "results": judged}).to_string())
            }
        };
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = status.try_into().unwrap();
        Ok(response)
    }
}

/// Every text with `wicked` in it is.
fn judged(text: &Value) -> Value {
    let flagged = text.as_str().unwrap().contains("wicked");
    let scores = json!({"hate": 0.9, "violence": 0.2, "self-harm": 0.8});
    json!({"flagged": flagged, "category_scores": scores,
        "categories": {"hate": flagged, "violence": false, "self-harm": flagged}})
}
