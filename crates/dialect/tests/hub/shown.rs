//! What of an answer each client is shown, and what is told as lost.

use serde_json::json;
use signalbox_core::Usd;
use signalbox_core::id::GenerationId;
use signalbox_dialect::answer::{read_unary, write_unary};
use signalbox_dialect::identity::{Extras, Identity, RelayOptions, UsageReport};
use signalbox_dialect::{AnswerStream, AnswerStyle, Skin};

use super::*;

fn identity() -> Identity {
    Identity {
        id: GenerationId::new("gen-1".to_owned()),
        model: "a/m".to_owned(),
        provider: "P".to_owned(),
        created: 7,
    }
}

fn report() -> UsageReport {
    let none = Usd::ZERO;
    UsageReport {
        usage: Default::default(),
        cost: none,
        is_byok: false,
        upstream_cost: None,
        prompt_cost: none,
        completion_cost: none,
    }
}

fn skin(style: AnswerStyle) -> Skin {
    Skin::new(style, RelayOptions::default())
}

/// The whole answer in a client's words, and what is lost of it.
fn shown(provider: WireDialect, answer: &Value, style: AnswerStyle) -> (Value, Vec<String>) {
    let answer = read_unary(provider, Bytes::from(answer.to_string())).unwrap();
    let extras = Extras::default();
    let body = write_unary(&skin(style), &answer, &identity(), &report(), &extras);
    (value(&body), answer.losses(style).iter().map(ToString::to_string).collect())
}

fn chat_answer() -> Value {
    json!({"id": "x", "choices": [{"index": 0, "finish_reason": "stop", "message": {
        "role": "assistant", "content": "Yes.",
        "annotations": [{"type": "url_citation", "url_citation": {"url": "https://a.test", "title": "A", "start_index": 0, "end_index": 4}}],
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}],
        "audio": {"id": "a1", "data": "AA=="}},
        "logprobs": {"content": [{"token": "Yes", "logprob": -0.5, "bytes": null, "top_logprobs": []}], "refusal": null}}]})
}

#[test]
fn a_chat_answer_is_shown_as_far_as_each_client_can_see() {
    let (body, losses) = shown(WireDialect::OpenaiChat, &chat_answer(), AnswerStyle::Messages);
    let citation = &body["content"][0]["citations"][0];
    assert_eq!((&citation["url"], &citation["title"]), (&json!("https://a.test"), &json!("A")));
    assert_eq!(citation["type"], "web_search_result_location");
    assert_eq!(losses, ["the answer audio", "the answer images", "the answer logprobs"]);
    let (body, losses) = shown(WireDialect::OpenaiChat, &chat_answer(), AnswerStyle::Responses);
    let text = &body["output"][0]["content"][0];
    assert_eq!(text["annotations"][0]["url"], "https://a.test");
    assert_eq!(text["logprobs"][0]["token"], "Yes");
    assert_eq!(body["output"][1]["type"], "image_generation_call");
    assert_eq!(losses, ["the answer audio"]);
    let (_, losses) = shown(WireDialect::OpenaiChat, &chat_answer(), AnswerStyle::Completions);
    assert_eq!(losses.len(), 4);
    assert_eq!(shown(WireDialect::OpenaiChat, &chat_answer(), AnswerStyle::Chat).1.len(), 0);
}

#[test]
fn probabilities_of_a_responses_provider_reach_a_chat_client() {
    let answer = json!({"id": "r", "status": "completed", "output": [{"type": "message", "id": "m", "role": "assistant",
        "content": [{"type": "output_text", "text": "Yes", "annotations": [],
            "logprobs": [{"token": "Yes", "logprob": -0.25, "bytes": [89], "top_logprobs": []}]}]}]});
    let (body, losses) = shown(WireDialect::OpenaiResponses, &answer, AnswerStyle::Chat);
    assert_eq!(body["choices"][0]["logprobs"]["content"][0]["logprob"], -0.25);
    assert!(losses.is_empty());
    let (_, losses) = shown(WireDialect::OpenaiResponses, &answer, AnswerStyle::Messages);
    assert_eq!(losses, ["the answer logprobs"]);
}

#[test]
fn sources_that_claude_cites_have_their_place_in_the_text() {
    let answer = json!({"id": "m", "type": "message", "role": "assistant", "stop_reason": "end_turn", "content": [
        {"type": "text", "text": "So: "},
        {"type": "text", "text": "é is a letter.", "citations": [
            {"type": "web_search_result_location", "url": "https://a.test", "title": "A", "encrypted_index": "e", "cited_text": "c"},
            {"type": "char_location", "document_index": 0, "cited_text": "d"}]}],
        "usage": {"input_tokens": 1, "output_tokens": 1}});
    let (body, _) = shown(WireDialect::AnthropicMessages, &answer, AnswerStyle::Chat);
    let expected = json!([{"type": "url_citation",
        "url_citation": {"url": "https://a.test", "title": "A", "start_index": 4, "end_index": 18}}]);
    assert_eq!(body["choices"][0]["message"]["annotations"], expected);
    let (body, losses) = shown(WireDialect::AnthropicMessages, &answer, AnswerStyle::Responses);
    assert_eq!(body["output"][1]["content"][0]["annotations"][0]["start_index"], 4);
    assert_eq!(losses, ["the answer citations"]);
}

#[test]
fn a_streamed_text_is_cited_before_it_ends() {
    let mut stream =
        AnswerStream::new(skin(AnswerStyle::Messages), WireDialect::OpenaiChat, identity());
    let chunks = concat!(
        r#"data: {"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"Yes."}}]}"#,
        "\n\n",
        r#"data: {"id":"x","choices":[{"index":0,"delta":{"annotations":[{"type":"url_citation","url_citation":{"url":"https://a.test","title":"A"}}]}}]}"#,
        "\n\n",
        r#"data: {"id":"x","choices":[{"index":0,"delta":{"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},"finish_reason":"stop"}]}"#,
        "\n\ndata: [DONE]\n\n"
    );
    let mut out = Vec::new();
    stream.push(chunks.as_bytes(), &mut out).unwrap();
    stream.end(&mut out).unwrap();
    out.extend(stream.usage_chunk(&report(), &Extras::default()));
    let text = String::from_utf8(out).unwrap();
    let at = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word} in {text}"));
    assert!(at("text_delta") < at("citations_delta"));
    assert!(at("citations_delta") < at("event: content_block_stop"));
    assert_eq!(text.matches("event: content_block_stop").count(), 1);
    let losses: Vec<String> = stream.losses().iter().map(ToString::to_string).collect();
    assert_eq!(losses, ["the answer images"]);
}

#[test]
fn citations_that_were_made_here_do_not_go_to_claude() {
    let body = br#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[
        {"type":"text","text":"b","citations":[{"type":"web_search_result_location","url":"https://a.test","title":"","encrypted_index":"","cited_text":""}]},
        {"type":"text","text":"c","citations":[{"type":"web_search_result_location","url":"https://b.test","title":"","encrypted_index":"E","cited_text":""}]}]},
        {"role":"user","content":"d"}]}"#;
    let document = Document::parse(Bytes::from_static(body)).unwrap();
    let survey = anthropic_messages::survey::survey(&document).unwrap();
    let patches = Patches::default();
    let out = outbound(&patches);
    let sent = anthropic_messages::write_relay::write_relay(&document, &survey, &out).unwrap();
    let sent = value(&sent.whole());
    assert_eq!(sent["messages"][1]["content"][0], json!({"type": "text", "text": "b"}));
    assert_eq!(sent["messages"][1]["content"][1]["citations"][0]["url"], "https://b.test");
}
