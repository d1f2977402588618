//! Whatever a client sends, it gets a typed error that it can act on, and nothing is reserved.

use http::Method;
use serde_json::{Value, json};
use signalbox_testkit::{Offer, Reply, Stand, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::speech::{ask, typed_error, with};

/// Retired, embedding, image, router and unconfigured models of the built-in catalogue.
const RETIRED: &str = "01-ai/yi-34b";
const EMBEDDING: &str = "baai/bge-m3";
const IMAGE: &str = "black-forest-labs/flux.2-max";
const ROUTER: &str = "openrouter/fusion";
const FOREIGN: &str = "openai/gpt-4o-mini";

async fn server() -> TestServer {
    let stands = [Stand::new("well", "tokens-5"), Stand::new("other", "tokens-5")];
    TestServer::start(Offer::new().embedded().model("acme/one", stands)).await
}

/// Nothing was reserved, nothing was stored, nobody was called, and good requests still work.
async fn untouched(server: &TestServer) {
    let facts = server.platform.store().facts().await.unwrap();
    assert!(facts.reservations.is_empty(), "{:?}", facts.reservations);
    assert!(facts.generations.is_empty(), "{:?}", facts.generations);
    assert_eq!(server.ledger.open_count(), 0);
    assert!(server.journal().entries().is_empty());
    assert_eq!(server.caller().chat(&ask("acme/one", false)).await.status, 200);
    server.closes_clean().await;
}

fn good() -> Value {
    ask("acme/one", false)
}

#[tokio::test]
async fn bytes_that_are_no_request_are_named_as_such() {
    let server = server().await;
    let deep = format!(
        r#"{{"model":"acme/one","messages":{}1{}}}"#,
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    let crowded: String = (0..600).map(|index| format!(r#""k{index}":1,"#)).collect();
    let text = good().to_string();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("blanks", b" \n\t ".to_vec()),
        ("null", b"null".to_vec()),
        ("a list", b"[]".to_vec()),
        ("a number", b"3".to_vec()),
        ("an open brace", b"{".to_vec()),
        ("half", text.as_bytes()[..text.len() / 2].to_vec()),
        ("almost all", text.as_bytes()[..text.len() - 1].to_vec()),
        ("two documents", format!("{text}{text}").into_bytes()),
        ("a comma too many", text.replace('}', ",}").into_bytes()),
        ("single quotes", text.replace('"', "'").into_bytes()),
        ("no UTF-8", [&text.as_bytes()[..20], b"\xff\xfe", &text.as_bytes()[20..]].concat()),
        ("a NUL", text.replace("Say", "\u{0}").into_bytes()),
        ("too deep", deep.into_bytes()),
        ("too many members", format!(r#"{{{crowded}"x":1}}"#).into_bytes()),
        ("a key twice", text.replacen('{', r#"{"model":"acme/one","#, 1).into_bytes()),
        (
            "a key twice, spelled differently",
            text.replacen('{', r#"{"mod\u0065l":"a/b","#, 1).into(),
        ),
        ("form data", b"model=acme/one&messages=hi".to_vec()),
        ("an empty object", b"{}".to_vec()),
    ];
    for (name, bytes) in cases {
        let reply = server.caller().chat_bytes(bytes).await;
        let error = typed_error(&reply, 400, "invalid_request");
        assert!(error["availability"].is_null(), "{name}: {error}");
    }
    untouched(&server).await;
}

#[tokio::test]
async fn a_field_of_the_wrong_type_or_range_is_named() {
    let server = server().await;
    let huge: Value = serde_json::from_str("18446744073686646784").unwrap();
    let words = json!([["a", "b", "c", "d", "e"]]);
    let many: Value = (0..40).map(|index| json!(format!("a/{index}"))).collect();
    let entries: Value = (0..17).map(|index| (format!("k{index}"), json!("v"))).collect();
    let cases = [
        ("messages", vec![json!([]), json!("hi"), json!({}), json!([1]), json!([{}])]),
        ("messages", vec![json!([{"role": "robot", "content": "x"}])]),
        ("messages", vec![json!([{"role": "user", "content": 5}])]),
        ("messages", vec![json!([{"role": "tool", "content": "x"}])]),
        ("n", vec![json!(0), json!(129), json!(-1), json!(1.5), json!("2"), huge]),
        ("max_tokens", vec![json!(0), json!(-1), json!(1.5), json!(1e30), json!("9"), json!([])]),
        ("max_completion_tokens", vec![json!(0), json!(-1), json!(4_000_000_000_u64)]),
        ("temperature", vec![json!(3), json!(-1), json!("hot"), json!(true)]),
        ("top_p", vec![json!(2)]),
        ("top_logprobs", vec![json!(21)]),
        ("seed", vec![json!(1.5)]),
        ("stream", vec![json!("yes"), json!(1)]),
        ("stream_options", vec![json!(true)]),
        ("stop", vec![json!(5), words[0].clone()]),
        ("logit_bias", vec![json!([1]), json!({"1": 101})]),
        ("tools", vec![json!("x"), json!([{"type": "function"}])]),
        ("tools", vec![json!([{"type": "function", "function": {"name": "no spaces"}}])]),
        ("tool_choice", vec![json!("perhaps")]),
        ("response_format", vec![json!({"type": "xml"}), json!("json")]),
        ("reasoning", vec![json!("much"), json!({"effort": "huge"})]),
        ("reasoning_effort", vec![json!("huge")]),
        ("modalities", vec![json!(["smell"]), json!("text")]),
        ("model", vec![json!(5), json!("")]),
        ("models", vec![json!("acme/one"), json!([5]), json!([""]), many]),
        ("route", vec![json!("scenic")]),
        ("service_tier", vec![json!("royal")]),
        ("plugins", vec![json!({}), json!([{"id": "web"}]), json!([{}])]),
        ("preset", vec![json!(["mine"]), json!(5), json!("")]),
        ("session_id", vec![json!("x".repeat(257)), json!(5)]),
        ("user", vec![json!("x".repeat(257))]),
        ("metadata", vec![json!([]), entries, json!({"a[b]": "c"}), json!({"a": 5})]),
        ("provider", vec![json!([]), json!("well"), json!({"order": "well"})]),
        ("provider", vec![json!({"sort": "random"}), json!({"data_collection": "maybe"})]),
        ("provider", vec![json!({"max_price": {"prompt": -1}}), json!({"only": [1]})]),
        ("provider", vec![json!({"quantizations": ["int3"]}), json!({"allow_fallbacks": "no"})]),
    ];
    for (field, values) in cases {
        for value in values {
            let shown = value.to_string().chars().take(80).collect::<String>();
            let reply = server.caller().chat(&with(good(), field, value)).await;
            assert_eq!(reply.status, 400, "{field}: {shown}");
            let error = typed_error(&reply, 400, "invalid_request");
            let message = error["message"].as_str().unwrap();
            let group = ["messages", "tools", "provider", "plugins"].contains(&field);
            let named = message.contains(field) || (group && !message.is_empty());
            assert!(named, "{field}: {shown}: {message}");
        }
    }
    let both = with(good(), "reasoning", json!({"effort": "low"}));
    let reply = server.caller().chat(&with(both, "reasoning_effort", json!("high"))).await;
    typed_error(&reply, 400, "invalid_request");
    for missing in ["messages", "model"] {
        let mut body = good();
        body.as_object_mut().unwrap().remove(missing);
        let error = typed_error(&server.caller().chat(&body).await, 400, "invalid_request");
        assert!(error["message"].as_str().unwrap().contains(missing), "{error}");
    }
    let long = server.caller().with("x-session-id", &"x".repeat(257));
    typed_error(&long.chat(&good()).await, 400, "invalid_request");
    let path = "/api/v1/completions";
    for prompt in [json!(null), json!(5), json!([]), json!(["a", "b"]), json!([1, 2])] {
        let body = json!({"model": "acme/one", "prompt": prompt}).to_string();
        let reply = server.caller().send(Method::POST, path, body.into()).await;
        typed_error(&reply, 400, "invalid_request");
    }
    untouched(&server).await;
}

/// The availability object of an error, checked against its `docs_url` and `requested_models`.
fn availability(reply: &Reply, status: u16, kind: &str, code: &str, model: &str) -> Value {
    let error = typed_error(reply, status, kind);
    let found = error["availability"].clone();
    assert_eq!(found["code"], code, "{error}");
    assert_eq!(found["retryable"], false, "{error}");
    assert_eq!(found["requested_models"], json!([model]), "{error}");
    let url = found["docs_url"].as_str().unwrap();
    assert!(url.ends_with(&format!("/docs/errors#{code}")), "{error}");
    error
}

#[tokio::test]
async fn a_model_that_can_not_be_called_is_explained() {
    let server = server().await;
    let cases = [
        ("acme/none", 400, "invalid_request", "model_not_found"),
        ("nobody", 400, "invalid_request", "model_not_found"),
        ("acme/one:batch", 400, "invalid_request", "model_not_found"),
        ("acme/one::", 400, "invalid_request", "model_not_found"),
        ("acme/one:thinking", 400, "invalid_request", "model_not_found"),
        ("acme/one:free", 404, "not_found", "free_variant_ended"),
        (RETIRED, 404, "not_found", "model_deprecated"),
        (EMBEDDING, 400, "invalid_request", "wrong_endpoint"),
        (IMAGE, 400, "invalid_request", "wrong_endpoint"),
        (ROUTER, 404, "not_found", "no_endpoints"),
        (FOREIGN, 404, "not_found", "no_endpoints"),
    ];
    for (model, status, kind, code) in cases {
        for stream in [false, true] {
            let reply = server.caller().chat(&ask(model, stream)).await;
            availability(&reply, status, kind, code, model);
        }
    }
    let reply = server.caller().chat(&ask("acme/none", true)).await;
    let error = availability(&reply, 400, "invalid_request", "model_not_found", "acme/none");
    assert_eq!(error["message"], "acme/none is not a valid model ID");
    assert_eq!(error["availability"]["fallback_models"], json!(["acme/one"]));
    let reply = server.caller().chat(&ask(EMBEDDING, false)).await;
    let error = availability(&reply, 400, "invalid_request", "wrong_endpoint", EMBEDDING);
    let detail = error["availability"]["constraint"]["detail"].as_str().unwrap();
    assert!(detail.contains("/api/v1/embeddings"), "{error}");
    for model in ["@preset/mine", "acme/one@preset/mine"] {
        typed_error(&server.caller().chat(&ask(model, true)).await, 404, "not_found");
    }
    // One wrong name in the list spoils it; one that has ended does not.
    let body = with(good(), "models", json!(["acme/none"]));
    typed_error(&server.caller().chat(&body).await, 400, "invalid_request");
    untouched(&server).await;
    let body = with(ask(RETIRED, false), "models", json!(["acme/one"]));
    assert_eq!(server.caller().chat(&body).await.json()["model"], "acme/one");
}

#[tokio::test]
async fn preferences_that_leave_nobody_are_explained() {
    let server = server().await;
    let long = "word ".repeat(60_000);
    let cases = [
        ("provider", json!({"only": ["nobody"]}), "no_endpoints", "allowed_providers"),
        ("provider", json!({"ignore": ["well", "other"]}), "no_endpoints", "allowed_providers"),
        (
            "provider",
            json!({"only": ["well"], "ignore": ["well"]}),
            "no_endpoints",
            "allowed_providers",
        ),
        (
            "provider",
            json!({"order": ["nobody"], "allow_fallbacks": false}),
            "no_endpoints",
            "allowed_providers",
        ),
        ("provider", json!({"max_price": {"prompt": 0.5}}), "constraint_filtered", "max_price"),
        ("provider", json!({"quantizations": ["fp8"]}), "constraint_filtered", "quantization"),
        ("max_tokens", json!(40_000), "constraint_filtered", "context_length"),
        (
            "messages",
            json!([{"role": "user", "content": long}]),
            "constraint_filtered",
            "context_length",
        ),
    ];
    for (field, value, code, excluded_by) in cases {
        let reply = server.caller().chat(&with(good(), field, value)).await;
        let error = availability(&reply, 404, "not_found", code, "acme/one");
        let by = error["availability"]["excluded_by"].as_array().unwrap();
        assert!(by.contains(&json!(excluded_by)), "{error}");
        assert!(error["availability"]["constraint"]["field"].is_string(), "{error}");
    }
    let body = with(good(), "provider", json!({"only": ["azure"]}));
    let error = typed_error(&server.caller().chat(&body).await, 404, "not_found");
    let expected = "No allowed providers are available for the selected model. Providers serving \
                    acme/one: well, other, but your request's provider.only preference permits \
                    only: azure.";
    assert_eq!(error["message"], expected);
    untouched(&server).await;
}

#[tokio::test]
async fn who_has_no_good_key_gets_no_further() {
    let server = server().await;
    let nobody = server.caller().without("authorization");
    let error = typed_error(&nobody.chat(&good()).await, 401, "authentication");
    assert_eq!(error["message"], "Missing Authentication header");
    let wrong = format!("sk-sb-v1-{}", "0".repeat(64));
    for value in ["Bearer", "Bearer ", "Basic abc", "x", &format!("Bearer {wrong}")] {
        let reply = nobody.with("authorization", value).chat(&good()).await;
        let error = typed_error(&reply, 401, "authentication");
        assert!(!error.to_string().contains(&wrong), "no key is repeated");
    }
    // The key is looked at before the body, the model and the money.
    typed_error(&nobody.chat_bytes("{").await, 401, "authentication");
    typed_error(&server.manager().chat(&good()).await, 403, "permission_denied");
    untouched(&server).await;
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_refused_before_it_is_sent() {
    let server = server().await;
    let head = |length: &str| {
        format!(
            "POST /api/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-length: {length}\r\n\r\n",
            server.owner.api_key
        )
    };
    for length in ["104857601", "1000000000000", "9223372036854775807"] {
        let mut socket = TcpStream::connect(server.address()).await.unwrap();
        socket.write_all(head(length).as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.windows(2).any(|two| two == b"}}") {
            let mut piece = [0; 1024];
            let count = socket.read(&mut piece).await.unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&piece[..count]);
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains(r#""error_type":"payload_too_large""#), "{answer}");
    }
    // A body that breaks off is nobody's request.
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    socket.write_all(format!("{}{{\"model\":", head("500")).as_bytes()).await.unwrap();
    drop(socket);
    untouched(&server).await;
}
