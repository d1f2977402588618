//! Reranks. Shapes are those of the providers' references, in our own words.

use serde_json::{Value, json};
use signalbox_dialect::document::Document;
use signalbox_dialect::embeddings::Outbound;
use signalbox_dialect::laws::{identity, report};
use signalbox_dialect::patch::Patches;
use signalbox_dialect::rerank::{
    RerankRequest, read_answer, read_request, write_answer, write_request,
};

fn request(body: &Value) -> RerankRequest {
    read_request(Document::parse(body.to_string().into()).unwrap()).unwrap()
}

fn asking() -> Value {
    json!({"model": "acme/r1", "query": "who", "documents": ["a", {"text": "bc"}, {"text": "d",
        "image": "data:image/png;base64,AAAA"}], "top_n": 2, "provider": {"zdr": true}})
}

#[test]
fn the_body_is_patched_and_texts_become_plain() {
    let rows = json!([{"rename": "/top_n", "to": "top_k"}]);
    let patches: Patches = serde_json::from_value(rows).unwrap();
    let out = Outbound { provider_model_id: "r1-pro", user: None, patches: &patches };
    let asked = request(&asking());
    let written = write_request(&asked, &out);
    let sent: Value = serde_json::from_slice(&written.body).unwrap();
    assert_eq!(
        sent,
        json!({"model": "r1-pro", "query": "who", "top_k": 2, "documents": ["a", "bc",
            {"text": "d", "image": "data:image/png;base64,AAAA"}]})
    );
    assert_eq!((asked.query_bytes, asked.document_bytes.as_slice()), (3, [1, 2, 1].as_slice()));
    assert!(asked.survey.needs.image);
    assert_eq!((asked.survey.prompt_bytes, asked.survey.media_bytes), (13, 4));
}

#[test]
fn the_answers_of_three_references_read_alike() {
    let asked = request(&asking());
    let results = json!([{"index": 1, "relevance_score": 0.25}, {"index": 0, "relevance_score": 0.75},
        {"index": 2, "relevance_score": 0.125}]);
    let meta = json!({"billed_units": {"search_units": 1}});
    let tokens = json!({"total_tokens": 42});
    for (answer, units, total) in [
        (json!({"id": "x", "results": results, "meta": meta}), 1, None),
        (json!({"object": "list", "data": results, "model": "r", "usage": tokens}), 0, Some(42)),
        (
            json!({"results": results, "usage": {"prompt_tokens": 42, "total_tokens": 42}}),
            0,
            Some(42),
        ),
    ] {
        let read = read_answer(answer.to_string().as_bytes(), &asked).unwrap();
        let usage = read.facts.usage.unwrap();
        assert_eq!((usage.search_units, read.facts.usage_plausible), (units, true));
        let text = write_answer(&read, &asked, &identity(), &report(usage));
        let text: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(
            text["results"],
            json!([{"index": 0, "relevance_score": 0.75, "document": {"text": "a"}},
                {"index": 1, "relevance_score": 0.25, "document": {"text": "bc"}}])
        );
        assert_eq!(text["usage"].get("total_tokens").and_then(Value::as_u64), total);
        assert_eq!(
            (text["model"].as_str(), text["id"].as_str()),
            (Some("acme/m1"), Some("gen-1700000000-abc"))
        );
        assert_eq!(text["provider"], "Acme \"Labs\"");
    }
}

#[test]
fn an_image_comes_back_with_its_document() {
    let asked = request(&asking());
    let answer = json!({"results": [{"index": 2, "relevance_score": 1}]});
    let read = read_answer(answer.to_string().as_bytes(), &asked).unwrap();
    assert_eq!(read.facts.usage, None);
    let text = write_answer(&read, &asked, &identity(), &report(signalbox_core::Usage::default()));
    let text: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(text["results"][0]["document"], asking()["documents"][2]);
}

#[test]
fn wrong_requests_name_their_field() {
    for (member, value, field) in [
        ("model", Value::Null, "model"),
        ("query", Value::Null, "query"),
        ("query", json!(["a"]), "query"),
        ("documents", Value::Null, "documents"),
        ("documents", json!([]), "documents"),
        ("documents", json!("a"), "documents"),
        ("documents", json!([1]), "documents[0]"),
        ("documents", json!(["a", {}]), "documents[1]"),
        ("documents", json!([{"text": 1}]), "documents[0].text"),
        ("documents", json!([{"image": {}}]), "documents[0].image"),
        ("top_n", json!(0), "top_n"),
        ("top_n", json!(1.5), "top_n"),
        ("provider", json!(1), "provider"),
    ] {
        let mut body = asking();
        body[member] = value;
        let error = read_request(Document::parse(body.to_string().into()).unwrap()).unwrap_err();
        assert!(error.message.starts_with(&format!("`{field}`")), "{body}: {}", error.message);
    }
}

#[test]
fn answers_that_violate_their_form_are_faults() {
    let asked = request(&asking());
    let one = json!({"index": 0, "relevance_score": 0.5});
    for answer in [
        json!({}),
        json!({"results": {}}),
        json!({"results": [one, one]}),
        json!({"results": [{"index": 3, "relevance_score": 0.5}]}),
        json!({"results": [{"index": 0}]}),
        json!({"results": [{"index": 0, "relevance_score": "high"}]}),
        json!({"error": "overloaded"}),
    ] {
        assert!(read_answer(answer.to_string().as_bytes(), &asked).is_err(), "{answer}");
    }
}
