//! What holds for every answer, whatever its bytes.

use super::*;

/// A part of a model's turn as the provider wrote it.
fn model_part() -> impl Strategy<Value = Value> {
    let signature = select(vec![None, Some("AQ+/=="), Some("Zm9v"), Some("-_-")]);
    (0..3u8, "[a-zé\"\\\\\n]{1,6}", signature).prop_map(|(kind, text, signature)| {
        let mut part = match kind {
            0 => json!({"text": text}),
            1 => json!({"text": text, "thought": true}),
            _ => json!({"functionCall": {"name": "f", "args": {"x": text}}}),
        };
        if let Some(signature) = signature {
            part["thoughtSignature"] = json!(signature);
        }
        part
    })
}

/// Parts as they are after a stream: text goes on until something else comes or it is signed.
fn joined(parts: &[Value]) -> Vec<Value> {
    let mut list: Vec<Value> = Vec::new();
    for part in parts {
        if let (Some(last), Some(more)) = (list.last_mut(), part["text"].as_str())
            && let Some(text) = last["text"].as_str()
            && last["thought"] == part["thought"]
            && last["thoughtSignature"].is_null()
        {
            let whole = format!("{text}{more}");
            *last = part.clone();
            last["text"] = json!(whole);
        } else {
            list.push(part.clone());
        }
    }
    list
}

/// The turn that a client sends back, in the order of the events.
fn turn(events: &[Event]) -> Vec<Part> {
    let folded = Folded::of(events);
    let blocks = folded.choices[0].blocks.iter();
    let body = |block: &signalbox_dialect::event::FoldedBlock| match &block.block {
        Block::Text => PartBody::Text(block.text.clone()),
        Block::ToolCall { id, name } => {
            PartBody::ToolCall { id: id.clone(), name: name.clone(), arguments: block.text.clone() }
        }
        Block::Reasoning { form: ReasoningForm::Encrypted, id, format } => {
            PartBody::RedactedReasoning(RedactedReasoning {
                data: block.opaque.concat(),
                id: id.clone(),
                format: format.clone(),
                verbatim: None,
            })
        }
        Block::Reasoning { form, id, format } => PartBody::Reasoning(Reasoning {
            form: *form,
            text: block.text.clone(),
            signature: block.signature.clone(),
            id: id.clone(),
            format: format.clone(),
            verbatim: None,
        }),
        other => panic!("{other:?}"),
    };
    blocks.map(|block| Part::new(body(block))).collect()
}

fn replayed(parts: Vec<Part>) -> Vec<Value> {
    let conversation = Conversation {
        messages: vec![Message::new(Role::Assistant, parts)],
        ..Conversation::default()
    };
    let written = write(&conversation, TWO);
    assert_eq!(written.losses, []);
    contents(&written)[0]["parts"].as_array().unwrap().clone()
}

fn answer(parts: &[Value]) -> Value {
    json!({"candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP"}]})
}

/// Values that mean something somewhere, and some that mean trouble.
fn odd() -> impl Strategy<Value = Value> {
    select(vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(3),
        json!(1e300),
        json!(""),
        json!("STOP"),
        json!("SAFETY"),
        json!([]),
        json!({}),
        json!([[]]),
        json!([{}]),
        json!({"name": 1, "args": []}),
        json!({"mimeType": "image/png", "data": "aGk="}),
        json!({"mimeType": "text/plain", "data": "aGk="}),
        json!({"blockReason": "OTHER"}),
        json!({"promptTokenCount": -1, "totalTokenCount": 5}),
        json!({"promptTokenCount": 5, "candidatesTokenCount": 5}),
        json!({"groundingChunks": [{"web": {"uri": "https://a.test"}}, 3]}),
        json!({"code": 500, "message": "m"}),
    ])
}

fn object(names: &'static [&'static str], inner: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    vec((select(names), prop_oneof![3 => inner, 1 => odd()]), 0..5)
        .prop_map(|members| {
            Value::Object(
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            )
        })
        .boxed()
}

fn response() -> BoxedStrategy<Value> {
    let wild = object(
        &["text", "thought", "thoughtSignature", "functionCall", "inlineData", "odd"],
        odd().boxed(),
    );
    let parts = vec(prop_oneof![4 => model_part(), 1 => wild], 0..4).prop_map(Value::Array);
    let content = parts.prop_map(|parts| json!({"role": "model", "parts": parts})).boxed();
    let tidy = (content.clone(), 0..3u8, select(vec![json!(null), json!("STOP"), json!("MAX_TOKENS")]))
        .prop_map(|(content, index, end)| {
            json!({"content": content, "index": index, "finishReason": end})
        });
    let candidate = prop_oneof![
        4 => tidy,
        1 => object(&["content", "index", "finishReason", "groundingMetadata", "odd"], content),
    ];
    let candidates = vec(candidate, 0..3).prop_map(Value::Array).boxed();
    let tidy = candidates.clone().prop_map(|list| json!({"candidates": list, "responseId": "r/1"}));
    let names = &["candidates", "usageMetadata", "promptFeedback", "responseId", "error", "odd"];
    prop_oneof![5 => tidy, 1 => object(names, candidates)].boxed()
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        10 => response().prop_map(|json| format!("data: {json}\r\n\r\n")),
        1 => select(vec![
            ": c\n\n", "data: [DONE]\n\n", "data:\n\n", "data: {\n\n", "[{\n", "\"error\":{}}]\n",
            "{\"error\":{\"code\":429}}\n", "event: x\n", "data: [1]\n\n", "data: \"\n",
        ]).prop_map(str::to_owned),
    ];
    vec(line, 0..6).prop_map(|lines| lines.concat().into_bytes())
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), 0..12usize, vec(any::<u8>(), 0..4));
    let goldens: Vec<Vec<u8>> = cases(".sse").iter().map(|path| fs::read(path).unwrap()).collect();
    let mangled = (select(goldens), vec(edit, 0..4)).prop_map(|(mut bytes, edits)| {
        for (at, length, with) in edits {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..(at + length).min(bytes.len()), with);
        }
        bytes
    });
    prop_oneof![4 => stream(), 2 => mangled, 1 => vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_lawful_events(bytes in any_bytes(), cuts in vec(0..400usize, 0..6)) {
        let whole = read(&[&bytes]);
        laws::lawful(&whole.0).map_err(TestCaseError::fail)?;
        prop_assert_eq!(read(&laws::cut(&bytes, &cuts)), whole);
    }

    #[test]
    fn a_whole_answer_gives_the_events_of_a_stream_of_one(json in response()) {
        let text = json.to_string();
        let (events, result, _) = read(&[format!("data: {text}\n\n").as_bytes()]);
        match read_unary(text.as_bytes()) {
            Ok(answer) => prop_assert_eq!(answer.events, events),
            Err(fault) => prop_assert_eq!(Err(fault), result),
        }
    }

    #[test]
    fn signatures_return_to_their_parts(parts in vec(model_part(), 1..6)) {
        let read = read_unary(answer(&parts).to_string().as_bytes()).unwrap();
        prop_assert_eq!(replayed(turn(&read.events)), joined(&parts));
    }

    /// Chat clients send reasoning first, then the text, then the calls.
    #[test]
    fn calls_keep_their_signatures_in_any_order(parts in vec(model_part(), 1..6)) {
        let read = read_unary(answer(&parts).to_string().as_bytes()).unwrap();
        let mut turn = turn(&read.events);
        turn.sort_by_key(|part| match part.body {
            PartBody::Text(_) => 1,
            PartBody::ToolCall { .. } => 2,
            _ => 0,
        });
        let calls = |parts: &[Value]| -> Vec<Value> {
            parts
                .iter()
                .filter(|part| part["functionCall"].is_object() && part["thoughtSignature"].is_string())
                .cloned()
                .collect()
        };
        let replayed = calls(&replayed(turn));
        for call in calls(&parts) {
            prop_assert!(replayed.contains(&call), "{call} is not in {replayed:?}");
        }
    }

    #[test]
    fn turns_alternate_and_no_part_is_empty(
        turns in vec((any::<bool>(), vec(select(vec!["", "a", "b\n\""]), 0..3)), 0..6),
        system in vec(select(vec!["", "s"]), 0..3),
    ) {
        let message = |(model, texts): (bool, Vec<&str>)| {
            let role = if model { Role::Assistant } else { Role::User };
            Message::new(role, texts.into_iter().map(Part::text).collect())
        };
        let conversation = Conversation {
            system: system.into_iter().map(Part::text).collect(),
            messages: turns.into_iter().map(message).collect(),
            ..Conversation::default()
        };
        let contents = contents(&write(&conversation, THREE));
        for pair in contents.windows(2) {
            prop_assert_ne!(&pair[0]["role"], &pair[1]["role"]);
        }
        for content in &contents {
            let parts = content["parts"].as_array().unwrap();
            prop_assert!(!parts.is_empty());
            prop_assert!(parts.iter().all(|part| part["text"] != json!("")));
        }
    }
}
