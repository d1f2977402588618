//! Embeddings in every form. Shapes are those of the providers' references, in our own words.

use serde_json::{Value, json};
use signalbox_core::Usage;
use signalbox_dialect::document::Document;
use signalbox_dialect::embeddings::{
    EmbeddingsForm, EmbeddingsRequest, Outbound, read_request, write_answer,
};
use signalbox_dialect::laws::{identity, report};
use signalbox_dialect::loss::{Loss, Lost};
use signalbox_dialect::patch::Patches;

fn request(body: &Value) -> EmbeddingsRequest {
    read_request(Document::parse(body.to_string().into()).unwrap()).unwrap()
}

fn asking(input: Value) -> Value {
    json!({"model": "acme/e1", "input": input})
}

fn patches(rows: Value) -> Patches {
    serde_json::from_value(rows).unwrap()
}

fn written(form: EmbeddingsForm, body: &Value, rows: Value) -> (Value, Vec<Loss>) {
    let patches = patches(rows);
    let out = Outbound { provider_model_id: "e1-large", user: Some("u1"), patches: &patches };
    let written = form.write_request(&request(body), &out).unwrap();
    (serde_json::from_slice(&written.body).unwrap(), written.losses)
}

fn answered(form: EmbeddingsForm, body: &Value, answer: &Value) -> (Value, Usage, bool) {
    let request = request(body);
    let answer = form.read_answer(answer.to_string().as_bytes(), &request).unwrap();
    let usage = answer.facts.usage.unwrap_or_default();
    let text = write_answer(&answer, &identity(), &report(usage));
    (serde_json::from_slice(&text).unwrap(), usage, answer.facts.usage_plausible)
}

#[test]
fn the_public_shape_is_patched_and_nothing_else() {
    let body = json!({
        "model": "acme/e1", "input": ["a", "b"], "dimensions": 256, "encoding_format": "base64",
        "input_type": "search_query", "user": "ann", "provider": {"only": ["x"]},
        "session_id": "s", "truncate": "END",
    });
    let (sent, losses) = written(EmbeddingsForm::Openai, &body, json!([]));
    assert_eq!(
        sent,
        json!({"model": "e1-large", "input": ["a", "b"], "dimensions": 256, "user": "u1",
            "encoding_format": "base64", "input_type": "search_query", "truncate": "END"})
    );
    assert!(losses.is_empty());
    let rows = json!([
        {"rename": "/dimensions", "to": "output_dimension"},
        {"map": "/input_type", "values": {"search_query": "query", "search_document": "document"}},
        {"drop": "/user"},
    ]);
    let (sent, _) = written(EmbeddingsForm::Openai, &body, rows);
    assert_eq!((&sent["output_dimension"], &sent["input_type"]), (&json!(256), &json!("query")));
    assert!(sent.get("user").is_none() && sent.get("dimensions").is_none());
}

#[test]
fn a_batch_of_contents_has_a_request_for_each_input() {
    let body = json!({"model": "acme/e1", "input": ["a", "b"], "dimensions": 9,
        "input_type": "search_document", "odd": 1});
    let (sent, losses) = written(EmbeddingsForm::GeminiBatch, &body, json!([]));
    let one = |text: &str| {
        json!({"model": "models/e1-large", "content": {"parts": [{"text": text}]},
            "taskType": "RETRIEVAL_DOCUMENT", "outputDimensionality": 9})
    };
    assert_eq!(sent, json!({"requests": [one("a"), one("b")]}));
    assert_eq!(losses, [Loss::new(Lost::Parameter, "odd")]);
}

#[test]
fn a_single_content_has_its_options_beside_it() {
    let body = json!({"model": "acme/e1", "dimensions": 9, "input_type": "Clustering", "input": [
        {"content": [{"type": "text", "text": "a"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "input_file", "input_file": {"data": "data:application/pdf;base64,AAAA"}}]}]});
    let (sent, losses) = written(EmbeddingsForm::GeminiSingle, &body, json!([]));
    assert_eq!(
        sent,
        json!({"content": {"parts": [{"text": "a"},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
            {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
            {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}}]},
            "embedContentConfig": {"taskType": "CLUSTERING", "outputDimensionality": 9}})
    );
    assert!(losses.is_empty());
    let two = request(&asking(json!(["a", "b"])));
    assert!(EmbeddingsForm::GeminiSingle.carries(&two).is_err());
}

#[test]
fn cohere_is_told_what_the_inputs_are_for() {
    let (sent, losses) = written(EmbeddingsForm::Cohere, &asking(json!("a")), json!([]));
    assert_eq!(
        sent,
        json!({"model": "e1-large", "input_type": "search_document", "texts": ["a"],
            "embedding_types": ["float"]})
    );
    assert!(losses.is_empty());
    let body = json!({"model": "acme/e1", "input_type": "other", "encoding_format": "base64",
        "dimensions": 256, "input": [{"content": [{"type": "text", "text": "a"},
            {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]});
    let (sent, losses) = written(EmbeddingsForm::Cohere, &body, json!([]));
    assert_eq!(
        sent,
        json!({"model": "e1-large", "input_type": "search_document", "output_dimension": 256,
            "embedding_types": ["base64"], "inputs": [{"content": [
                {"type": "text", "text": "a"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]})
    );
    assert_eq!(losses, [Loss::new(Lost::Parameter, "input_type")]);
}

#[test]
fn tokens_go_only_where_they_are_understood() {
    for input in [json!([1, 2, 3]), json!([[1, 2], [3]])] {
        let asked = request(&asking(input.clone()));
        assert_eq!(asked.count, if input[0].is_array() { 2 } else { 1 });
        assert_eq!(asked.survey.prompt_bytes, 12, "three tokens");
        let (sent, _) = written(EmbeddingsForm::Openai, &asking(input.clone()), json!([]));
        assert_eq!(sent["input"], input);
        for form in [EmbeddingsForm::GeminiBatch, EmbeddingsForm::Cohere] {
            let error = form.carries(&asked).unwrap_err();
            assert_eq!(error.status(), 400);
        }
    }
}

#[test]
fn wrong_requests_name_their_field() {
    for (body, field) in [
        (json!({"input": "a"}), "model"),
        (json!({"model": "a/b"}), "input"),
        (json!({"model": 3, "input": "a"}), "model"),
        (asking(json!("")), "input"),
        (asking(json!([])), "input"),
        (asking(json!(["a", ""])), "input[1]"),
        (asking(json!(["a", 1])), "input[1]"),
        (asking(json!([1, "a"])), "input[1]"),
        (asking(json!([1.5])), "input[0]"),
        (asking(json!([-1])), "input[0]"),
        (asking(json!([[]])), "input[0]"),
        (asking(json!([{}])), "input[0].content"),
        (asking(json!([{"content": []}])), "input[0].content"),
        (asking(json!([{"content": [{"type": "text"}]}])), "input[0].content[0].text"),
        (asking(json!([{"content": [{"type": "odd"}]}])), "input[0].content[0].type"),
        (
            asking(json!([{"content": [{"type": "input_audio", "input_audio": {}}]}])),
            "input[0].content[0].input_audio.data",
        ),
        (json!({"model": "a/b", "input": "a", "dimensions": 0}), "dimensions"),
        (json!({"model": "a/b", "input": "a", "encoding_format": "hex"}), "encoding_format"),
        (json!({"model": "a/b", "input": "a", "input_type": 1}), "input_type"),
        (json!({"model": "a/b", "input": "a", "provider": []}), "provider"),
        (json!({"model": "a/b", "input": "a", "user": 7}), "user"),
    ] {
        let error = read_request(Document::parse(body.to_string().into()).unwrap()).unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(error.message.starts_with(&format!("`{field}`")), "{body}: {}", error.message);
    }
}

#[test]
fn an_answer_in_the_public_shape_comes_in_the_order_of_the_inputs() {
    let answer = json!({"object": "list", "model": "x", "data": [
        {"object": "embedding", "index": 1, "embedding": [0.25, -1]},
        {"object": "embedding", "index": 0, "embedding": [1e-3, 2]}],
        "usage": {"prompt_tokens": 8, "total_tokens": 8}});
    let (text, usage, plausible) =
        answered(EmbeddingsForm::Openai, &asking(json!(["a", "b"])), &answer);
    assert_eq!((text["object"].as_str(), text["model"].as_str()), (Some("list"), Some("acme/m1")));
    assert_eq!(text["id"], "gen-1700000000-abc");
    assert_eq!(text["data"][0]["embedding"], json!([1e-3, 2]));
    assert_eq!(
        text["data"][1],
        json!({"object": "embedding", "index": 1, "embedding": [0.25, -1]})
    );
    assert_eq!((text["usage"]["prompt_tokens"].as_u64(), usage.prompt()), (Some(8), 8));
    assert!(plausible && text["usage"]["cost"].is_number());
    assert!(text["usage"].get("prompt_tokens_details").is_none(), "one modality");
}

#[test]
fn vectors_come_as_they_were_asked_for() {
    let floats = json!({"data": [{"index": 0, "embedding": [1, -2.5]}]});
    let packed = json!({"data": [{"index": 0, "embedding": "AACAPwAAIMA="}]});
    let base64 = json!({"model": "a/b", "input": "a", "encoding_format": "base64"});
    for answer in [&floats, &packed] {
        let (text, usage, _) = answered(EmbeddingsForm::Openai, &base64, answer);
        assert_eq!(text["data"][0]["embedding"], "AACAPwAAIMA=");
        assert_eq!(usage, Usage::default(), "no counts");
        let (text, ..) = answered(EmbeddingsForm::Openai, &asking(json!("a")), answer);
        assert_eq!(text["data"][0]["embedding"].as_array().unwrap()[1], json!(-2.5));
    }
}

#[test]
fn answers_of_contents_are_read_with_their_modalities() {
    let answer = json!({"embeddings": [{"values": [0.5]}, {"values": [1]}], "usageMetadata": {
        "promptTokenCount": 266, "promptTokenDetails": [
            {"modality": "TEXT", "tokenCount": 8}, {"modality": "IMAGE", "tokenCount": 258}]}});
    let (text, usage, plausible) =
        answered(EmbeddingsForm::GeminiBatch, &asking(json!(["a", "b"])), &answer);
    assert_eq!(text["data"][1]["embedding"], json!([1]));
    assert_eq!((usage.input_uncached, usage.input_image, plausible), (266, 258, true));
    let details = json!({"text_tokens": 8, "image_tokens": 258});
    assert_eq!(text["usage"]["prompt_tokens_details"], details);
    let single = json!({"embedding": {"values": [0.5], "statistics": {"tokenCount": 7.0}}});
    let (_, usage, _) = answered(EmbeddingsForm::GeminiSingle, &asking(json!("a")), &single);
    assert_eq!(usage.prompt(), 7);
}

#[test]
fn answers_of_cohere_are_read() {
    let meta = json!({"api_version": {"version": "2"}, "billed_units": {"input_tokens": 4}});
    let answer = json!({"id": "c1", "embeddings": {"float": [[0.5], [1.5]]}, "texts": ["a", "b"],
        "meta": meta});
    let (text, usage, plausible) =
        answered(EmbeddingsForm::Cohere, &asking(json!(["a", "b"])), &answer);
    assert_eq!(text["data"][1]["embedding"], json!([1.5]));
    assert_eq!((usage.prompt(), plausible), (4, true));
}

#[test]
fn answers_that_violate_their_form_are_faults() {
    let request = request(&asking(json!(["a", "b"])));
    let one = json!({"index": 0, "embedding": [1]});
    for answer in [
        json!({}),
        json!({"data": []}),
        json!({"data": [one]}),
        json!({"data": [one, one]}),
        json!({"data": [one, {"index": 2, "embedding": [1]}]}),
        json!({"data": [one, {"index": -1, "embedding": [1]}]}),
        json!({"data": [one, {"index": 1}]}),
        json!({"data": [one, {"index": 1, "embedding": []}]}),
        json!({"data": [one, {"index": 1, "embedding": "AAA"}]}),
        json!({"data": [one, one, one]}),
        json!({"error": {"message": "no", "code": 503}}),
        json!({"embeddings": [{"values": [1]}]}),
        json!({"embeddings": {"int8": [[1], [2]]}}),
    ] {
        for form in EmbeddingsForm::ALL {
            assert!(form.read_answer(answer.to_string().as_bytes(), &request).is_err(), "{answer}");
        }
    }
}

#[test]
fn counts_that_cannot_be_true_are_marked() {
    for usage in [
        json!({"prompt_tokens": -1}),
        json!({"prompt_tokens": "many"}),
        json!({"prompt_tokens": 9e300}),
        json!({"prompt_tokens": 5, "total_tokens": 3}),
        json!({"prompt_tokens": 5, "prompt_tokens_details": {"image_tokens": 9}}),
    ] {
        let answer = json!({"data": [{"embedding": [1]}], "usage": usage});
        let (_, _, plausible) = answered(EmbeddingsForm::Openai, &asking(json!("a")), &answer);
        assert!(!plausible, "{answer}");
    }
}
