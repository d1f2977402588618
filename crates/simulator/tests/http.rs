//! The simulator as a client sees it, over a real socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use serde_json::{Value, json};
use signalbox_simulator::{Outcome, Running, Simulator, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn simulator() -> Running {
    start(Simulator::new()).await.unwrap()
}

async fn ask(to: &Running, body: &Value) -> TcpStream {
    let mut stream = TcpStream::connect(to.address()).await.unwrap();
    let body = body.to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: sim\r\nauthorization: Bearer k\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    stream
}

/// The whole answer; a reset connection ends it.
async fn rest(mut stream: TcpStream) -> String {
    let mut out = Vec::new();
    let _ = stream.read_to_end(&mut out).await;
    String::from_utf8_lossy(&out).into_owned()
}

async fn answer(to: &Running, model: &str, stream: bool) -> String {
    rest(ask(to, &chat(model, stream)).await).await
}

fn chat(model: &str, stream: bool) -> Value {
    json!({"model": model, "stream": stream, "stream_options": {"include_usage": true},
        "messages": [{"role": "user", "content": "one two three"}]})
}

fn json_body(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn a_stream_and_its_journal_agree() {
    let sim = simulator().await;
    let text = answer(&sim, "tokens-50", true).await;
    assert!(text.contains("text/event-stream"));
    assert!(text.contains("\"t49 \"") && text.contains("[DONE]"));
    let entries = sim.journal().settled().await;
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].tokens, entries[0].outcome), (50, Outcome::Complete));
    let usage = json!({"prompt_tokens": 4, "completion_tokens": 50, "total_tokens": 54});
    assert_eq!(entries[0].usage, Some(usage));
    assert_eq!(entries[0].body.as_ref().unwrap()["model"], "tokens-50");
    assert_eq!(entries[0].authorization.as_deref(), Some("Bearer k"));
}

#[tokio::test]
async fn a_stamped_token_tells_when_it_left() {
    let sim = simulator().await;
    let before = signalbox_runtime::Clock::system().now().micros();
    let text = answer(&sim, "tokens-2+stamped+first-ms-2+slow-ms-2", true).await;
    let stamps: Vec<i64> = text.split('@').skip(1).map(|t| t[..16].parse().unwrap()).collect();
    assert_eq!(stamps.len(), 2);
    assert!(stamps[0] >= before + 2000 && stamps[1] >= stamps[0] + 2000, "{stamps:?}");
}

#[tokio::test]
async fn an_even_answer_has_four_bytes_for_each_token() {
    let sim = simulator().await;
    let body = json_body(&answer(&sim, "tokens-300+even", false).await);
    let text = body["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    assert_eq!((text.len(), text.split_whitespace().count()), (1_200, 300));
    assert!(answer(&sim, "tokens-3+even", true).await.contains("\"002 \""));
}

#[tokio::test]
async fn an_answer_in_one_piece_holds_the_stream_s_tokens() {
    let sim = simulator().await;
    let body = json_body(&answer(&sim, "acme/echo+reason", false).await);
    assert_eq!(body["choices"][0]["message"]["content"], "one two three");
    assert_eq!(body["choices"][0]["message"]["reasoning_content"], "Let me think. ");
    assert_eq!(body["usage"]["completion_tokens"], 6);
    assert_eq!(sim.journal().settled().await[0].tokens, 6);
}

#[tokio::test]
async fn both_tools_are_called_with_valid_arguments() {
    let sim = simulator().await;
    let mut body = chat("tools", false);
    let parameters = json!({"type": "object", "properties": {"city": {"enum": ["Bern"]}}});
    let tool = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": parameters}});
    body["tools"] = json!([tool("a"), tool("b")]);
    let whole = json_body(&rest(ask(&sim, &body).await).await);
    let calls = &whole["choices"][0]["message"]["tool_calls"];
    assert_eq!(calls.as_array().unwrap().len(), 2);
    assert_eq!(calls[1]["function"], json!({"name": "b", "arguments": "{\"city\":\"Bern\"}"}));
    assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");
    body["stream"] = json!(true);
    let text = rest(ask(&sim, &body).await).await;
    assert!(text.contains("\"id\":\"call_sim_1\",\"type\":\"function\""));
}

#[tokio::test]
async fn a_refusal_has_its_status_and_wait() {
    let sim = simulator().await;
    let text = answer(&sim, "status-429-retry-7", true).await;
    assert!(text.starts_with("HTTP/1.1 429") && text.contains("retry-after: 7"));
    let body = json_body(&answer(&sim, "status-400-context", false).await);
    assert_eq!(body["error"]["code"], "context_length_exceeded");
    assert_eq!(sim.journal().settled().await[0].outcome, Outcome::Status(429));
}

#[tokio::test]
async fn a_cut_sends_what_came_before_and_no_end() {
    let sim = simulator().await;
    let text = answer(&sim, "tokens-9+cut-after-3", true).await;
    assert!(text.contains("\"t2 \"") && !text.contains("\"t3 \""));
    assert!(!text.ends_with("0\r\n\r\n"), "the chunked body is unfinished");
    let cut = &sim.journal().settled().await[0];
    assert_eq!((cut.tokens, cut.outcome, &cut.usage), (3, Outcome::Cut, &None));
    let text = answer(&sim, "tokens-9+cut-at-7", true).await;
    assert!(text.ends_with("7\r\ndata: {\r\n"), "{text}");
    let text = answer(&sim, "tokens-9+cut-after-3", false).await;
    let body = text.split_once("\r\n\r\n").unwrap().1;
    assert!(serde_json::from_str::<Value>(body).is_err());
}

#[tokio::test]
async fn a_client_that_leaves_is_seen() {
    let sim = simulator().await;
    for model in ["hang", "tokens-5+hang-after-2"] {
        let mut stream = ask(&sim, &chat(model, true)).await;
        let of = |all: &[signalbox_simulator::Entry]| all.iter().any(|e| e.model == model);
        sim.journal().until(of).await;
        if model != "hang" {
            let mut seen = String::new();
            while !seen.contains("\"t1 \"") {
                let mut block = [0; 4096];
                let n = stream.read(&mut block).await.unwrap();
                seen.push_str(std::str::from_utf8(&block[..n]).unwrap());
            }
        }
        drop(stream);
    }
    let entries = sim.journal().settled().await;
    assert!(entries.iter().all(|e| e.outcome == Outcome::ClientGone));
    assert!(entries.iter().all(|e| e.disconnected_after.is_some()));
    assert_eq!(entries.iter().map(|e| e.tokens).collect::<Vec<_>>(), [0, 2]);
}

#[tokio::test]
async fn hostile_answers_are_what_they_say() {
    let sim = simulator().await;
    assert!(answer(&sim, "html", true).await.contains("text/html"));
    assert!(answer(&sim, "line-2mb", true).await.len() > 2 << 20);
    assert!(answer(&sim, "error-inband-2", true).await.contains("{\"error\":"));
    assert!(json_body(&answer(&sim, "error-inband-0", false).await)["error"].is_object());
    assert!(answer(&sim, "usage-negative", true).await.contains("\"completion_tokens\":-5"));
    assert!(answer(&sim, "wrong-type", true).await.contains("\"choices\":\"none\""));
    let flaky = "tokens-1+flaky-100";
    assert!(answer(&sim, flaky, true).await.starts_with("HTTP/1.1 503"));
}

#[tokio::test]
async fn models_are_listed_and_other_paths_are_not_found() {
    let sim = simulator().await;
    for (path, expected) in [("/v1/models", "200"), ("/v1/nothing", "404")] {
        let mut stream = TcpStream::connect(sim.address()).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        assert!(rest(stream).await.starts_with(&format!("HTTP/1.1 {expected}")));
    }
    let text = rest(ask(&sim, &json!({"model": 7})).await).await;
    assert!(text.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn a_journal_file_gets_a_line_for_each_request() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let sim = start(Simulator::with_file(3, file.path()).unwrap()).await.unwrap();
    answer(&sim, "echo", false).await;
    answer(&sim, "echo", true).await;
    sim.journal().settled().await;
    let text = std::fs::read_to_string(file.path()).unwrap();
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["outcome"], &lines[0]["tokens"]), (&json!("complete"), &json!(3)));
    assert_eq!(lines[1]["id"], "sim-3-1");
}
