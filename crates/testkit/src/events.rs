//! A streamed answer, as a client saw it.

use serde_json::Value;

/// Every event in the order it came.
#[derive(Debug, Clone, Default)]
pub struct Events {
    /// The JSON of each event with data.
    pub data: Vec<Value>,
    /// The text of each comment.
    pub comments: Vec<String>,
    /// Whether `[DONE]` came, and nothing after it.
    pub done: bool,
}

impl Events {
    /// Reads what arrived. An event that had not arrived whole is left out.
    ///
    /// # Panics
    /// When a whole event is no JSON, or something comes after `[DONE]`.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut events = Self::default();
        let mut blocks: Vec<&str> = text.split("\n\n").collect();
        // What follows the last blank line is no whole event.
        blocks.pop();
        for block in blocks {
            assert!(!events.done, "something comes after [DONE]: {block}");
            for line in block.lines() {
                if let Some(comment) = line.strip_prefix(':') {
                    events.comments.push(comment.trim().to_owned());
                } else if line == "data: [DONE]" {
                    events.done = true;
                } else {
                    let json = line.strip_prefix("data: ");
                    let json = json.unwrap_or_else(|| panic!("no event: {line}"));
                    let value = serde_json::from_str(json);
                    events.data.push(value.unwrap_or_else(|error| panic!("{error}: {json}")));
                }
            }
        }
        events
    }

    /// The text of the first choice: chat or legacy.
    #[must_use]
    pub fn text(&self) -> String {
        let piece = |event: &Value| {
            let choice = event.pointer("/choices/0")?;
            let piece = choice.pointer("/delta/content").or_else(|| choice.get("text"))?;
            piece.as_str().map(str::to_owned)
        };
        self.data.iter().filter_map(piece).collect()
    }

    /// Every `usage` object.
    #[must_use]
    pub fn usages(&self) -> Vec<&Value> {
        self.data.iter().filter_map(|event| event.get("usage").filter(|u| !u.is_null())).collect()
    }

    /// Every event with a top-level `error`.
    #[must_use]
    pub fn errors(&self) -> Vec<&Value> {
        self.data.iter().filter(|event| event.get("error").is_some()).collect()
    }

    /// Every finish reason, in order.
    #[must_use]
    pub fn finishes(&self) -> Vec<String> {
        let reason = |event: &Value| {
            event.pointer("/choices/0/finish_reason").and_then(Value::as_str).map(str::to_owned)
        };
        self.data.iter().filter_map(reason).collect()
    }

    /// The id that every event carries.
    ///
    /// # Panics
    /// When there is none, or there are several.
    #[must_use]
    pub fn id(&self) -> String {
        let mut ids: Vec<_> = self.data.iter().filter_map(|event| event["id"].as_str()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "one id in a stream: {ids:?}");
        ids[0].to_owned()
    }
}
