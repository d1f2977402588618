use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value};
use signalbox_core::ParameterSet;
use signalbox_dialect::document::{Document, Edits, Raw};
use signalbox_dialect::openai_chat::error::{read_error, read_inband};
use signalbox_dialect::openai_chat::write_relay::{Outbound, ReasoningStyle};
use signalbox_dialect::patch::Patches;
use signalbox_dialect::{openai_chat, openai_completions};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop_oneof![Just("user"), Just("text"), Just("function"), Just("json_schema"), Just("low")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Keys that the survey looks at, and others.
fn key() -> impl Strategy<Value = String> {
    let known = [
        "messages",
        "role",
        "content",
        "type",
        "text",
        "image_url",
        "url",
        "detail",
        "tool_calls",
        "id",
        "function",
        "name",
        "arguments",
        "tools",
        "tool_choice",
        "prompt",
        "model",
        "models",
        "reasoning",
        "effort",
        "max_tokens",
        "n",
        "stop",
        "user",
        "metadata",
        "response_format",
        "json_schema",
        "plugins",
        "stream",
        "logit_bias",
        "debug",
    ];
    prop_oneof![3 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((key(), value()), 0..8).prop_map(|members| members.into_iter().collect())
}

/// A request that a survey accepts, with hostile content.
fn request() -> impl Strategy<Value = Value> {
    let message = (
        prop_oneof![Just("user"), Just("assistant"), Just("system")],
        any::<String>(),
        any::<Option<String>>(),
    )
        .prop_map(
            |(role, content, name)| serde_json::json!({"role":role,"content":content,"name":name}),
        );
    (prop::collection::vec(message, 1..4), any::<String>(), any::<String>()).prop_map(
        |(messages, odd, text)| {
            let mut body = serde_json::json!({"messages":messages,"max_tokens":5,"user":"u"});
            body.as_object_mut().unwrap().entry(format!("x-{odd}")).or_insert(text.into());
            body
        },
    )
}

fn pretty_or_plain(value: &Value, pretty: bool) -> Bytes {
    let text =
        if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    Bytes::from(text.unwrap())
}

fn read_everything(document: &Document) {
    let patches: Patches = serde_json::from_str(
        r#"[{"rename":"/messages/*/name","to":"n"},{"drop":"/reasoning/effort"},{"wrap":"/stop"},
        {"set":"/metadata/a","value":1},{"clamp":"/n","max":1},{"move":"/model","to":"/reasoning/model"}]"#,
    )
    .unwrap();
    let out = Outbound {
        provider_model_id: "m",
        stream: true,
        unsupported: ParameterSet::EMPTY,
        max_output: Some(1),
        endpoint_max_output: None,
        service_tier: None,
        user: Some("h"),
        patches: &patches,
        reasoning: ReasoningStyle::Object,
        asking: Default::default(),
        caches_prompts: true,
        traits: Default::default(),
        template: Default::default(),
        betas: &[],
        forward_name: false,
        cache: Default::default(),
    };
    let mut edits = Edits::default();
    patches.apply(document, &mut edits);
    Document::parse(document.edited(&edits)).expect("patched text is a document");
    if let Ok(survey) = openai_chat::survey::survey(document) {
        let bytes = openai_chat::write_relay::write_relay(document, &survey, &out).unwrap();
        Document::parse(bytes.whole()).expect("relayed text is a document");
    }
    if let Ok(survey) = openai_completions::survey::survey(document) {
        let bytes = openai_completions::write_relay::write_relay(document, &survey, &out).unwrap();
        Document::parse(bytes.whole()).expect("relayed text is a document");
    }
}

proptest! {
    #[test]
    fn a_document_agrees_with_serde_json_about_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        agrees(&bytes)?;
    }

    #[test]
    fn a_document_agrees_with_serde_json_about_nearly_json(object in object(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = serde_json::to_vec(&object).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        agrees(&bytes)?;
    }

    #[test]
    fn members_are_what_serde_json_reads(object in object(), pretty in any::<bool>()) {
        let document = Document::parse(pretty_or_plain(&Value::Object(object.clone()), pretty)).unwrap();
        let read: Map<String, Value> = document
            .members()
            .map(|(key, raw)| (key.to_owned(), serde_json::from_str(raw).unwrap()))
            .collect();
        // Numbers are compared as serde_json reads them back.
        let expected: Map<String, Value> = serde_json::from_slice(document.bytes()).unwrap();
        prop_assert_eq!(read, expected);
        read_everything(&document);
    }

    #[test]
    fn edits_come_true_and_touch_nothing_else(object in object(), edits in prop::collection::vec((key(), any::<Option<bool>>()), 0..6), pretty in any::<bool>()) {
        let document = Document::parse(pretty_or_plain(&Value::Object(object), pretty)).unwrap();
        let mut expected: Map<String, Value> = serde_json::from_slice(document.bytes()).unwrap();
        let mut list = Edits::default();
        for (key, value) in edits {
            match value {
                Some(value) => {
                    list.set(key.clone(), value.to_string());
                    expected.insert(key, value.into());
                }
                None => {
                    list.remove(key.clone());
                    expected.remove(&key);
                }
            }
        }
        let edited = document.edited(&list);
        prop_assert_eq!(serde_json::from_slice::<Map<String, Value>>(&edited).unwrap(), expected);
        let again = Document::parse(edited.clone()).unwrap();
        prop_assert_eq!(again.edited(&list), edited, "edits made twice change nothing more");
    }

    #[test]
    fn strings_are_read_as_serde_json_reads_them(text in any::<String>()) {
        let quoted = serde_json::to_string(&text).unwrap();
        let escaped: String = text.encode_utf16().fold("\"".to_owned(), |out, unit| out + &format!("\\u{unit:04x}")) + "\"";
        for json in [quoted, escaped] {
            let raw = Raw::new(&json);
            prop_assert_eq!(raw.string().unwrap(), text.as_str());
            prop_assert_eq!(raw.string_bytes(), text.len() as u64);
        }
    }

    #[test]
    fn accepted_requests_are_relayed_with_their_text(body in request(), pretty in any::<bool>()) {
        let document = Document::parse(pretty_or_plain(&body, pretty)).unwrap();
        prop_assert!(openai_chat::survey::survey(&document).is_ok());
        read_everything(&document);
    }

    #[test]
    fn raw_walks_survive_any_text(text in any::<String>()) {
        let raw = Raw::new(&text);
        let _ = (raw.members().count(), raw.elements().count(), raw.string(), raw.string_bytes());
        let _ = (read_error(400, text.as_bytes()), read_inband(&text));
    }

    #[test]
    fn provider_errors_are_read_from_any_object(object in object(), status in 0_u16..1000) {
        let bytes = serde_json::to_vec(&serde_json::json!({"error":object})).unwrap();
        let error = read_error(status, &bytes);
        prop_assert!(error.message.chars().count() <= 2000);
        prop_assert!(!error.message.chars().any(char::is_control));
    }
}

fn agrees(bytes: &[u8]) -> Result<(), TestCaseError> {
    let ours = Document::parse(Bytes::copy_from_slice(bytes));
    let theirs = serde_json::from_slice::<Map<String, Value>>(bytes);
    match (ours, theirs) {
        (Ok(_), Ok(_)) | (Err(_), Err(_)) => {}
        // We refuse keys given twice; serde_json refuses lone surrogates and huge numbers.
        (Err(error), Ok(_)) => prop_assert!(error.to_string().contains("twice"), "{}", error),
        (Ok(_), Err(error)) => {
            let text = error.to_string();
            let known =
                ["surrogate", "out of range", "hex escape"].iter().any(|word| text.contains(word));
            prop_assert!(known, "{}", text);
        }
    }
    Ok(())
}
