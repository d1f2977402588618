//! A recogniser of the form of Presidio's `POST /analyze`, as small as can be.

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
use signalbox_gateway::{Analyzer, Recognition};
use signalbox_runtime::task;
use tokio::net::TcpListener;

pub const PERSON: &str = "Zoë Byron";
pub const PLACE: &str = "Springfield";

/// What it was asked. It knows one person and one place, and does as a text says.
#[derive(Debug, Default)]
pub struct Presidio {
    asked: Mutex<Vec<Value>>,
}

impl Presidio {
    /// One that listens, and the gateway's way to it.
    pub async fn start(deadline: Duration) -> (Arc<Self>, Recognition) {
        let presidio = Arc::new(Self::default());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        drop(task::spawn("presidio", Arc::clone(&presidio).listen(listener)));
        let key = Secret::new("presidio-key".to_owned());
        let analyzer = Analyzer::new(&base, Some(&key), "en".to_owned(), 0.5, deadline).unwrap();
        (presidio, Recognition::new(analyzer, deadline))
    }

    /// The bodies of all calls.
    pub fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }

    async fn listen(self: Arc<Self>, listener: TcpListener) {
        while let Ok((socket, _)) = listener.accept().await {
            let presidio = Arc::clone(&self);
            let service = service_fn(move |request| Arc::clone(&presidio).answer(request));
            let serve = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service);
            drop(task::spawn("recognising", async move { drop(serve.await) }));
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, hyper::Error> {
        assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/analyze"));
        assert_eq!(request.headers()["authorization"], "Bearer presidio-key");
        let body = request.into_body().collect().await?.to_bytes();
        let asked: Value = serde_json::from_slice(&body).unwrap();
        let texts: Vec<String> = serde_json::from_value(asked["text"].clone()).unwrap();
        let wanted: Vec<String> = serde_json::from_value(asked["entities"].clone()).unwrap();
        self.asked.lock().unwrap().push(asked);
        let told = texts.concat();
        if told.contains("please hang") {
            std::future::pending::<()>().await;
        }
        let (status, body) = if told.contains("please fail") {
            (500, json!({"error": "no model"}))
        } else if told.contains("please babble") {
            (200, json!([[{"entity_type": "PERSON", "start": -1}]]))
        } else if told.contains("please miss") {
            (200, json!([]))
        } else {
            (200, texts.iter().map(|text| places(text, &wanted)).collect())
        };
        let mut response = Response::new(Full::from(body.to_string()));
        *response.status_mut() = status.try_into().unwrap();
        Ok(response)
    }
}

/// Places are counted in characters.
fn places(text: &str, wanted: &[String]) -> Value {
    let known = [("PERSON", PERSON), ("LOCATION", PLACE)];
    let known = known.iter().filter(|(kind, _)| wanted.iter().any(|one| one == kind));
    let found = known.flat_map(|(kind, name)| {
        text.match_indices(name).map(move |(at, name)| {
            let start = text[..at].chars().count();
            json!({"entity_type": kind, "start": start, "end": start + name.chars().count(),
                "score": 0.85, "analysis_explanation": null})
        })
    });
    found.collect()
}
