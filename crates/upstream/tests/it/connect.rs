//! Connections that don't come about: one limit for all of it, and a second try at once.

use std::time::Duration;

use bytes::Bytes;
use signalbox_core::{Timeouts, Timestamp};
use signalbox_upstream::{Answer, Call, CallError, Client, HeaderMap, Limits, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const PATIENCE: Duration = Duration::from_secs(30);

async fn listener(scheme: &str) -> (TcpListener, Target) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{scheme}://{}/v1", listener.local_addr().unwrap());
    (listener, Target::plain(&url).unwrap())
}

async fn post(target: &Target) -> Result<Answer, CallError> {
    let headers = HeaderMap::new();
    let call = Call {
        model: "m",
        region: None,
        stream: false,
        headers: &headers,
        body: vec![Bytes::from_static(b"{}")],
        now: Timestamp::from_seconds(1),
    };
    Client::new().post(target, call, Limits::of(&Timeouts::default()), PATIENCE).await
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_shakes_hands_is_given_up_when_the_limit_is_over() {
    let (listener, target) = listener("https").await;
    let silent = async {
        let mut held = Vec::new();
        loop {
            held.push(listener.accept().await.unwrap());
        }
    };
    let soon = Timeouts::default().connect + Duration::from_millis(200);
    let called = tokio::select! {
        called = tokio::time::timeout(soon, post(&target)) => called,
        () = silent => unreachable!(),
    };
    let error = called.expect("one limit for TCP and TLS, and no second try").unwrap_err();
    assert_eq!(error, CallError::Connect);
}

#[tokio::test]
async fn a_connection_that_fails_at_once_is_tried_once_more() {
    let (listener, target) = listener("https").await;
    let mut accepted = 0;
    let closing = async {
        loop {
            drop(listener.accept().await.unwrap());
            accepted += 1;
        }
    };
    let error = tokio::select! {
        called = post(&target) => called.unwrap_err(),
        () = closing => unreachable!(),
    };
    assert_eq!((error, accepted), (CallError::Connect, 2));
}

#[tokio::test]
async fn a_request_that_was_sent_is_not_sent_again() {
    let (listener, target) = listener("http").await;
    let mut accepted = 0;
    let serving = async {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            accepted += 1;
            let mut head = [0; 4];
            stream.read_exact(&mut head).await.unwrap();
            assert_eq!(&head, b"POST");
            stream.write_all(b"HTTP/1.1 200").await.unwrap();
        }
    };
    let error = tokio::select! {
        called = post(&target) => called.unwrap_err(),
        () = serving => unreachable!(),
    };
    assert_eq!((error, accepted), (CallError::Broken, 1));
}

#[tokio::test]
async fn figures_of_a_limit_count_with_a_429_only() {
    for (status, wait) in [("429 Too Many Requests", Some(90)), ("500 Oops", None)] {
        let (listener, target) = listener("http").await;
        let serving = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 4];
            stream.read_exact(&mut head).await.unwrap();
            let answer = format!(
                "HTTP/1.1 {status}\r\nx-ratelimit-reset: 1m30s\r\ncontent-length: 0\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream
        };
        let (answer, _stream) = tokio::join!(post(&target), serving);
        let now = signalbox_core::Timestamp::from_seconds(1_000_000);
        assert_eq!(answer.unwrap().retry_after(now), wait, "{status}");
    }
}
