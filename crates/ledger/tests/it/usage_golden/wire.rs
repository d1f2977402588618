//! Answers around usage objects, streamed and whole, as each dialect has them.

use signalbox_dialect::answer::read_unary;
use signalbox_dialect::document::Document;
use signalbox_dialect::embeddings::{self, EmbeddingsForm};
use signalbox_dialect::{AnswerStyle, Facts, RelayOptions, WireDialect, laws, rerank};

/// What a provider says of usage in the course of one answer.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    pub dialect: String,
    pub name: String,
    /// In the first message.
    start: Option<String>,
    /// In messages with content.
    running: Vec<String>,
    /// In the message that finishes.
    finish: Option<String>,
    /// In messages of their own, or in the dialect's last.
    usage: Vec<String>,
    /// In the whole answer.
    body: Option<String>,
    /// The provider's own billing beside usage, for reranks.
    meta: Option<String>,
    tier: Option<String>,
    end: Option<String>,
}

impl Shape {
    pub fn new(dialect: &str, name: &str) -> Self {
        Self { dialect: dialect.to_owned(), name: name.to_owned(), ..Self::default() }
    }

    pub fn add(&mut self, word: &str, rest: &str) {
        let rest = rest.trim().to_owned();
        match word {
            "usage" => self.usage.push(rest),
            "start" => self.start = Some(rest),
            "running" => self.running.push(rest),
            "running-null" => self.running.push("null".to_owned()),
            "in-finish" => self.finish = Some(rest),
            "body" => self.body = Some(rest),
            "meta" => self.meta = Some(rest),
            "tier" => self.tier = Some(rest),
            "end" => self.end = Some(rest),
            _ => panic!("what is {word:?}?"),
        }
    }

    /// Every object with counts.
    pub fn objects_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let single = [&mut self.start, &mut self.finish, &mut self.body, &mut self.meta];
        let single = single.into_iter().flatten();
        single.chain(&mut self.running).chain(&mut self.usage).filter(|text| *text != "null")
    }

    /// The answer as bytes, streamed and whole.
    pub fn bytes(&self) -> Vec<Vec<u8>> {
        let stream = self.wire().map(|dialect| match dialect {
            // The law frames its text itself.
            WireDialect::BedrockConverse => self.converse().into_bytes(),
            _ => self.stream(dialect),
        });
        stream.into_iter().chain([self.whole().into_bytes()]).collect()
    }

    fn wire(&self) -> Option<WireDialect> {
        Some(match &*self.dialect {
            "openai-chat" => WireDialect::OpenaiChat,
            "openai-completions" => WireDialect::OpenaiCompletions,
            "openai-responses" => WireDialect::OpenaiResponses,
            "anthropic-messages" => WireDialect::AnthropicMessages,
            "gemini" => WireDialect::Gemini,
            "bedrock-converse" => WireDialect::BedrockConverse,
            "cohere-v2" => WireDialect::CohereV2,
            "embeddings" | "rerank" => return None,
            other => panic!("no dialect {other:?}"),
        })
    }

    /// What is seen of the streamed answer; `None` where nothing streams.
    pub fn read_stream(&self) -> Option<Facts> {
        let dialect = self.wire()?;
        let bytes = self.stream(dialect);
        let options = RelayOptions::default();
        let outcome = laws::relay_from(dialect, AnswerStyle::Chat, options, &[&bytes]);
        assert_eq!(outcome.result, Ok(()), "{}", self.name);
        assert!(outcome.facts.content_seen && outcome.facts.done, "{}", self.name);
        Some(outcome.facts)
    }

    /// What is seen of the whole answer.
    pub fn read_whole(&self) -> Facts {
        let body = self.whole();
        match self.wire() {
            Some(dialect) => read_unary(dialect, body.into()).unwrap().facts,
            None if self.dialect == "rerank" => {
                let request = r#"{"model":"a/b","query":"q","documents":["d"]}"#;
                let request = Document::parse(request.to_owned().into()).unwrap();
                let request = rerank::read_request(request).unwrap();
                rerank::read_answer(body.as_bytes(), &request).unwrap().facts
            }
            None => {
                let request = Document::parse(r#"{"model":"a/b","input":"i"}"#.into()).unwrap();
                let request = embeddings::read_request(request).unwrap();
                let answer = EmbeddingsForm::Openai.read_answer(body.as_bytes(), &request);
                answer.unwrap().facts
            }
        }
    }

    /// The tier as a member, with its comma.
    fn tier(&self) -> String {
        self.tier.as_ref().map_or_else(String::new, |tier| format!(r#","service_tier":"{tier}""#))
    }

    fn last(&self) -> &str {
        let body = self.body.as_ref().or(self.usage.last()).or(self.finish.as_ref());
        body.map_or("null", String::as_str)
    }

    fn stream(&self, dialect: WireDialect) -> Vec<u8> {
        match dialect {
            WireDialect::OpenaiChat => self.chunks(
                r#""object":"chat.completion.chunk""#,
                r#"{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}"#,
                r#"{"index":0,"delta":{},"finish_reason":"stop"}"#,
            ),
            WireDialect::OpenaiCompletions => self.chunks(
                r#""object":"text_completion""#,
                r#"{"index":0,"text":"Hi","logprobs":null,"finish_reason":null}"#,
                r#"{"index":0,"text":"","logprobs":null,"finish_reason":"stop"}"#,
            ),
            WireDialect::OpenaiResponses => self.responses(),
            WireDialect::AnthropicMessages => self.messages(),
            WireDialect::Gemini => self.gemini(),
            WireDialect::BedrockConverse => laws::bedrock::stream_of(self.converse().as_bytes()),
            WireDialect::CohereV2 => self.cohere(),
        }
    }

    fn chunks(&self, object: &str, content: &str, finish: &str) -> Vec<u8> {
        let chunk = |choices: &str, usage: Option<&String>| {
            let usage = usage.map_or_else(String::new, |usage| format!(r#","usage":{usage}"#));
            let head = format!(r#""id":"c-1",{object},"created":1700000000,"model":"m-1""#);
            format!("data: {{{head}{},\"choices\":[{choices}]{usage}}}\n\n", self.tier())
        };
        let mut text = String::new();
        if self.running.is_empty() {
            text.push_str(&chunk(content, None));
        }
        text.extend(self.running.iter().map(|usage| chunk(content, Some(usage))));
        text.push_str(&chunk(finish, self.finish.as_ref()));
        text.extend(self.usage.iter().map(|usage| chunk("", Some(usage))));
        text.push_str("data: [DONE]\n\n");
        text.into_bytes()
    }

    fn messages(&self) -> Vec<u8> {
        let event = |kind: &str, members: &str| {
            format!("event: {kind}\ndata: {{\"type\":\"{kind}\"{members}}}\n\n")
        };
        let start = self.start.as_deref().unwrap_or("{}");
        let message = format!(
            r#","message":{{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{start}}}"#
        );
        let mut text = event("message_start", &message);
        let block = r#","index":0,"content_block":{"type":"text","text":""}"#;
        text.push_str(&event("content_block_start", block));
        let delta = r#","index":0,"delta":{"type":"text_delta","text":"Hi"}"#;
        text.push_str(&event("content_block_delta", delta));
        text.push_str(&event("content_block_stop", r#","index":0"#));
        for (at, usage) in self.usage.iter().enumerate() {
            let reason = if at + 1 == self.usage.len() { r#""end_turn""# } else { "null" };
            let delta = format!(
                r#","delta":{{"stop_reason":{reason},"stop_sequence":null}},"usage":{usage}"#
            );
            text.push_str(&event("message_delta", &delta));
        }
        text.push_str(&event("message_stop", ""));
        text.into_bytes()
    }

    fn gemini(&self) -> Vec<u8> {
        let message = |finish: &str, usage: &str| {
            format!(
                "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"Hi\"}}],\"role\":\"model\"}}{finish},\
                 \"index\":0}}],\"usageMetadata\":{usage},\"modelVersion\":\"m\",\"responseId\":\"r\"}}\n\n"
            )
        };
        let mut text: String = self.running.iter().map(|usage| message("", usage)).collect();
        text.push_str(&message(r#","finishReason":"STOP""#, self.usage.last().unwrap()));
        text.into_bytes()
    }

    fn converse(&self) -> String {
        format!(
            "messageStart {{\"role\":\"assistant\"}}\n\
             contentBlockDelta {{\"contentBlockIndex\":0,\"delta\":{{\"text\":\"Hi\"}}}}\n\
             contentBlockStop {{\"contentBlockIndex\":0}}\n\
             messageStop {{\"stopReason\":\"end_turn\"}}\n\
             metadata {{\"usage\":{},\"metrics\":{{\"latencyMs\":5}}}}\n",
            self.usage.last().unwrap()
        )
    }

    fn cohere(&self) -> Vec<u8> {
        let event = |kind: &str, members: &str| {
            format!("event: {kind}\ndata: {{\"type\":\"{kind}\",{members}}}\n\n")
        };
        let start = r#""id":"c-1","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}"#;
        let open = r#""index":0,"delta":{"message":{"content":{"type":"text","text":""}}}"#;
        let delta = r#""index":0,"delta":{"message":{"content":{"text":"Hi"}}}"#;
        let usage = self.usage.last().unwrap();
        let end = format!(r#""delta":{{"finish_reason":"COMPLETE","usage":{usage}}}"#);
        let events = [
            event("message-start", start),
            event("content-start", open),
            event("content-delta", delta),
            event("content-end", r#""index":0"#),
            event("message-end", &end),
        ];
        events.concat().into_bytes()
    }

    fn responses(&self) -> Vec<u8> {
        let event = |kind: &str, members: &str| {
            format!("event: {kind}\ndata: {{\"type\":\"{kind}\",{members}}}\n\n")
        };
        let end = self.end.as_deref().unwrap_or("completed");
        let open = r#""sequence_number":0,"response":{"id":"r","object":"response","created_at":1,"status":"in_progress","model":"m","output":[],"usage":null}"#;
        let item = r#""sequence_number":1,"output_index":0,"item":{"id":"i","type":"message","status":"in_progress","role":"assistant","content":[]}"#;
        let part = r#""sequence_number":2,"item_id":"i","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}"#;
        let delta = r#""sequence_number":3,"item_id":"i","output_index":0,"content_index":0,"delta":"Hi","logprobs":[]"#;
        let done = format!(
            r#""sequence_number":4,"response":{}"#,
            self.response(self.usage.last().unwrap())
        );
        let events = [
            event("response.created", open),
            event("response.output_item.added", item),
            event("response.content_part.added", part),
            event("response.output_text.delta", delta),
            event(&format!("response.{end}"), &done),
        ];
        events.concat().into_bytes()
    }

    fn response(&self, usage: &str) -> String {
        let end = self.end.as_deref().unwrap_or("completed");
        let why = if end == "incomplete" { r#"{"reason":"max_output_tokens"}"# } else { "null" };
        format!(
            r#"{{"id":"r","object":"response","created_at":1,"status":"{end}","error":null,"incomplete_details":{why},"model":"m","output":[{{"id":"i","type":"message","status":"{end}","role":"assistant","content":[{{"type":"output_text","text":"Hi","annotations":[]}}]}}]{},"usage":{usage}}}"#,
            self.tier()
        )
    }

    fn whole(&self) -> String {
        let (usage, tier) = (self.last(), self.tier());
        match &*self.dialect {
            "openai-chat" => format!(
                r#"{{"id":"c-1","object":"chat.completion","created":1700000000,"model":"m-1"{tier},"choices":[{{"index":0,"message":{{"role":"assistant","content":"Hi"}},"finish_reason":"stop"}}],"usage":{usage}}}"#
            ),
            "openai-completions" => format!(
                r#"{{"id":"c-1","object":"text_completion","created":1700000000,"model":"m-1"{tier},"choices":[{{"index":0,"text":"Hi","logprobs":null,"finish_reason":"stop"}}],"usage":{usage}}}"#
            ),
            "openai-responses" => self.response(usage),
            "anthropic-messages" => format!(
                r#"{{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{{"type":"text","text":"Hi"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{usage}}}"#
            ),
            "gemini" => format!(
                r#"{{"candidates":[{{"content":{{"parts":[{{"text":"Hi"}}],"role":"model"}},"finishReason":"STOP","index":0}}],"usageMetadata":{usage},"modelVersion":"m","responseId":"r"}}"#
            ),
            "bedrock-converse" => format!(
                r#"{{"output":{{"message":{{"role":"assistant","content":[{{"text":"Hi"}}]}}}},"stopReason":"end_turn","usage":{usage},"metrics":{{"latencyMs":5}}}}"#
            ),
            "cohere-v2" => format!(
                r#"{{"id":"c-1","finish_reason":"COMPLETE","message":{{"role":"assistant","content":[{{"type":"text","text":"Hi"}}]}},"usage":{usage}}}"#
            ),
            "embeddings" => format!(
                r#"{{"object":"list","model":"m","data":[{{"object":"embedding","index":0,"embedding":[0.5,0.25]}}],"usage":{usage}}}"#
            ),
            _ => {
                let meta = self.meta.as_deref().unwrap_or("null");
                format!(
                    r#"{{"id":"r","results":[{{"index":0,"relevance_score":0.5}}],"meta":{meta},"usage":{usage}}}"#
                )
            }
        }
    }
}
