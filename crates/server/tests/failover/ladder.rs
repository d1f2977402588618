//! Every timeout fires when its time is over, and closes the connection (reliability design, test 21).

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::Timeouts;
use signalbox_runtime::Clock;
use signalbox_testkit::{Blackhole, Offer, Reply, Setup, Stand, TestServer};

use crate::raw::{Beat, Raw, delta, stream_head};
use crate::speech::{Answered, ask, tokens, typed_error, with};

/// What a busy machine may add to a tenth of the setting.
const NOISE: Duration = Duration::from_millis(400);

const COMMENT: &str = ": wait\n\n";

fn role() -> String {
    delta(r#"{"role":"assistant","content":""}"#)
}

fn token() -> String {
    delta(r#"{"content":"sick "}"#)
}

fn fired(name: &str, took: Duration, setting: Duration) {
    eprintln!("{name}: set to {setting:?}, fired after {took:?}");
    assert!(took >= setting.mul_f64(0.9), "{name}: {took:?} is before {setting:?}");
    assert!(took <= setting.mul_f64(1.1) + NOISE, "{name}: {took:?} is after {setting:?}");
}

/// A model whose first provider is at this address with these timeouts, and whose second is well.
fn offer(address: &str, timeouts: Value, model: Value) -> Offer {
    Offer::new()
        .provider("sick", json!({
            "name": "Provider sick", "transport": "none", "base_url": address, "timeouts": timeouts,
        }))
        .model_with("acme/m", model, [
            Stand::new("sick", "m").with("context_length", json!(100_000_000)),
            Stand::new("well", "tokens-5").with("context_length", json!(100_000_000)),
        ])
}

fn first_sick(stream: bool) -> Value {
    with(ask("acme/m", stream), "provider", json!({"order": ["sick", "well"]}))
}

/// How long the request took, and its reply.
async fn timed(server: &TestServer, body: &Value) -> (Duration, Reply) {
    let clock = Clock::system();
    let reply = server.caller().chat(body).await;
    (clock.monotonic(), reply)
}

/// Before any content: the second provider answers once the time is over.
async fn moves_on(name: &str, offer: Offer, body: &Value, setting: Duration) -> TestServer {
    let server = TestServer::start(offer).await;
    let (took, reply) = timed(&server, body).await;
    let answer = Answered::read(&reply);
    assert_eq!((answer.text, answer.provider.as_str()), (tokens(5), "Provider well"), "{name}");
    fired(name, took, setting);
    server.closes_clean().await;
    server
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[tokio::test]
async fn timeout_ladder_connect_and_tls() {
    let hole = Blackhole::open().await;
    let url = format!("http://{}/v1", hole.address());
    let times = json!({"connect": 0.5});
    moves_on("connect", offer(&url, times.clone(), json!({})), &first_sick(true), seconds(0.5))
        .await;
    let mute = Raw::deaf().await;
    let url = format!("https://{}/v1", mute.address());
    moves_on("TLS", offer(&url, times, json!({})), &first_sick(false), seconds(0.5)).await;
}

#[tokio::test]
async fn timeout_ladder_write() {
    let deaf = Raw::deaf().await;
    let url = format!("http://{}/v1", deaf.address());
    let long = "word ".repeat(1_600_000);
    let body = with(first_sick(true), "messages", json!([{"role": "user", "content": long}]));
    let model = json!({"context_length": 100_000_000});
    let times = json!({"write_idle": 1.5, "headers": 20, "first_content": 20});
    let server = TestServer::start(offer(&url, times, model)).await;
    let (took, reply) = timed(&server, &body).await;
    assert_eq!(Answered::read(&reply).provider, "Provider well");
    // The time that it takes to receive and send eight megabytes comes on top.
    eprintln!("write: set to 1.5s, fired after {took:?}");
    assert!(took >= seconds(1.35) && took < seconds(15.0), "{took:?}");
    server.closes_clean().await;
}

#[tokio::test]
async fn timeout_ladder_headers_and_first_content() {
    let quiet = Raw::playing(vec![Beat::Hold]).await;
    let url = format!("http://{}/v1", quiet.address());
    let times = json!({"headers": 0.6});
    let body = first_sick(true);
    moves_on("headers", offer(&url, times.clone(), json!({})), &body, seconds(0.6)).await;
    // A model that thinks may send nothing at all until its first content.
    let times = json!({"headers": 0.3, "idle": 0.3, "first_content_thinking": 1.2});
    let thinks = json!({"reasoning": {"mandatory": true}});
    moves_on("thinking", offer(&url, times, thinks), &body, seconds(1.2)).await;
    // Comments and roles are signs of life, but no content.
    let beats = [Beat::Send(stream_head() + &role()), Beat::Repeat(COMMENT.into(), seconds(0.1))];
    let mut busy = Raw::playing(beats.into()).await;
    let url = format!("http://{}/v1", busy.address());
    let times = json!({"first_content": 1.0, "idle": 0.4});
    let began = busy.now();
    moves_on("first content", offer(&url, times, json!({})), &body, seconds(1.0)).await;
    let closed = busy.closed_at().await.saturating_sub(began + seconds(1.0));
    eprintln!("first content: its connection was closed {closed:?} after");
    assert!(closed <= Duration::from_millis(250) + NOISE * 2, "{closed:?}");
    let beats = [Beat::Send(stream_head() + &role()), Beat::Hold];
    let silent = Raw::playing(beats.into()).await;
    let url = format!("http://{}/v1", silent.address());
    let times = json!({"first_content": 5.0, "idle": 0.5});
    moves_on("idle before content", offer(&url, times, json!({})), &body, seconds(0.5)).await;
}

/// After content: the client is told inside the stream, and pays nothing.
async fn breaks_off(name: &str, beats: Vec<Beat>, times: Value, setting: Duration) {
    let mut raw = Raw::playing(beats).await;
    let url = format!("http://{}/v1", raw.address());
    let server = TestServer::start(offer(&url, times, json!({}))).await;
    let began = raw.now();
    let (took, reply) = timed(&server, &first_sick(true)).await;
    let events = reply.events();
    assert_eq!((reply.status, events.errors().len()), (200, 1), "{name}");
    assert_eq!(events.errors()[0]["error"]["code"], 504, "{name}: {:?}", events.errors());
    assert_eq!(events.finishes(), ["error"], "{name}");
    fired(name, took, setting);
    let closed = raw.closed_at().await.saturating_sub(began + setting);
    eprintln!("{name}: its connection was closed {closed:?} after");
    assert!(closed <= Duration::from_millis(250) + NOISE, "{name}: {closed:?}");
    assert_eq!(server.count("tokens-5").arrived, 0, "{name}: nobody else is asked");
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged.nanos(), 0, "{name}");
}

#[tokio::test]
async fn timeout_ladder_after_content() {
    let begins = || Beat::Send(stream_head() + &role() + &token());
    let long = 0.6;
    breaks_off("idle", vec![begins(), Beat::Hold], json!({"idle": long}), seconds(long)).await;
    let comments = Beat::Repeat(COMMENT.into(), seconds(0.1));
    let times = json!({"idle": 0.4, "progress": 1.2});
    breaks_off("progress", vec![begins(), comments], times, seconds(1.2)).await;
    let on = Beat::Repeat(token(), seconds(0.05));
    let times = json!({"idle": 0.4, "progress": 1.0, "stream_total": 1.5});
    breaks_off("total", vec![begins(), on], times, seconds(1.5)).await;
}

#[tokio::test]
async fn timeout_ladder_of_an_answer_in_one_piece() {
    let half = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{";
    let raw = Raw::playing(vec![Beat::Send(half.to_owned()), Beat::Hold]).await;
    let url = format!("http://{}/v1", raw.address());
    let times = json!({"idle": 0.5});
    moves_on("idle", offer(&url, times, json!({})), &first_sick(false), seconds(0.5)).await;
    // The total is for all attempts together: nobody else is asked after it.
    let quiet = Raw::playing(vec![Beat::Hold]).await;
    let timeouts = Timeouts { whole_total: seconds(1.0), ..Timeouts::default() };
    let offer = offer(&format!("http://{}/v1", quiet.address()), json!({}), json!({}));
    let setup = Setup { timeouts, ..Setup::default() };
    let server = TestServer::start_as(offer, setup).await;
    let (took, reply) = timed(&server, &first_sick(false)).await;
    typed_error(&reply, 503, "provider_overloaded");
    fired("total", took, seconds(1.0));
    assert_eq!(server.count("tokens-5").arrived, 0);
    server.closes_clean().await;
}
