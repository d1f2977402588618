//! What clients ask, in their own languages.

use serde_json::{Value, json};

use crate::table::Inbound;

/// What the user says; every letter has to arrive.
pub const PLEA: &str = "Grüße an \"alle\"\tund\n你好 \\ 🦀, please answer.";
/// What the operator says.
pub const RULES: &str = "Be brief: ≤ 5 words.";
/// A picture of one pixel.
pub const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
/// Its size.
pub const PIXEL_BYTES: usize = 70;
/// `%PDF-1.4 nothing`, without padding at its end.
pub const PDF: &str = "JVBERi0xLjQgbm90aGluZ3Nz";
/// Its size.
pub const PDF_BYTES: usize = 18;
/// Names of the tools.
pub const TOOLS: [&str; 2] = ["get_weather", "find-town"];

/// What one request asks for.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    pub model: String,
    pub stream: bool,
    /// How many tools are offered.
    pub tools: usize,
    pub thinks: bool,
    pub image: bool,
    pub pdf: bool,
    /// Whether the answer has to fit a schema.
    pub shaped: bool,
    /// Providers in the order to be tried.
    pub order: Vec<String>,
    pub past: Option<Past>,
}

/// A turn that was answered with calls.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// What the client keeps of the answer, as its language sends it back.
    pub replay: Vec<Value>,
    /// The id of each call and its result.
    pub results: Vec<(String, String)>,
}

/// The arguments of a tool, and the answer's shape.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "town": {"type": "string", "minLength": 4, "description": "Which \"town\""},
            "days": {"type": "integer", "minimum": 2},
            "unit": {"type": "string", "enum": ["celsius", "kelvin"]},
            "list": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["town", "days", "unit", "list"],
        "additionalProperties": false,
    })
}

/// What the simulator makes of the schema.
pub fn shaped() -> Value {
    json!({"town": "simx", "days": 7, "unit": "celsius", "list": ["sim"]})
}

impl Ask {
    pub fn body(&self, inbound: Inbound) -> Value {
        let mut body = match inbound {
            Inbound::Chat => self.chat(),
            Inbound::Responses => self.responses(),
            Inbound::Messages => self.messages(),
            Inbound::Completions => self.completions(),
        };
        body["model"] = json!(self.model);
        body["stream"] = json!(self.stream);
        if !self.order.is_empty() {
            body["provider"] = json!({"order": self.order, "allow_fallbacks": true});
        }
        body
    }

    fn chat(&self) -> Value {
        let mut parts = vec![json!({"type": "text", "text": PLEA})];
        if self.image {
            let url = format!("data:image/png;base64,{PIXEL}");
            parts.push(json!({"type": "image_url", "image_url": {"url": url}}));
        }
        if self.pdf {
            let data = format!("data:application/pdf;base64,{PDF}");
            let file = json!({"filename": "a.pdf", "file_data": data});
            parts.push(json!({"type": "file", "file": file}));
        }
        let user = if parts.len() == 1 { json!(PLEA) } else { json!(parts) };
        let mut messages = vec![
            json!({"role": "system", "content": RULES}),
            json!({"role": "user", "content": user}),
        ];
        if let Some(past) = &self.past {
            messages.extend(past.replay.iter().cloned());
            for (id, text) in &past.results {
                messages.push(json!({"role": "tool", "tool_call_id": id, "content": text}));
            }
        }
        let mut body = json!({"messages": messages, "max_tokens": 4000});
        if self.tools > 0 {
            let tool = |name: &&str| {
                let function = json!({"name": name, "description": "does", "parameters": schema()});
                json!({"type": "function", "function": function})
            };
            body["tools"] = TOOLS.iter().take(self.tools).map(tool).collect();
        }
        if self.thinks {
            body["reasoning"] = json!({"effort": "high"});
        }
        if self.shaped {
            let named = json!({"name": "shape", "strict": true, "schema": schema()});
            body["response_format"] = json!({"type": "json_schema", "json_schema": named});
        }
        body
    }

    fn responses(&self) -> Value {
        let mut parts = vec![json!({"type": "input_text", "text": PLEA})];
        if self.image {
            let url = format!("data:image/png;base64,{PIXEL}");
            parts.push(json!({"type": "input_image", "image_url": url, "detail": "auto"}));
        }
        if self.pdf {
            let data = format!("data:application/pdf;base64,{PDF}");
            parts.push(json!({"type": "input_file", "filename": "a.pdf", "file_data": data}));
        }
        let mut input = vec![json!({"type": "message", "role": "user", "content": parts})];
        if let Some(past) = &self.past {
            input.extend(past.replay.iter().cloned());
            for (id, text) in &past.results {
                input.push(json!({"type": "function_call_output", "call_id": id, "output": text}));
            }
        }
        let mut body = json!({"input": input, "instructions": RULES, "max_output_tokens": 4000});
        if self.tools > 0 {
            let tool = |name: &&str| {
                json!({
                    "type": "function", "name": name, "description": "does",
                    "parameters": schema(), "strict": null,
                })
            };
            body["tools"] = TOOLS.iter().take(self.tools).map(tool).collect();
        }
        if self.thinks {
            body["reasoning"] = json!({"effort": "high"});
            body["include"] = json!(["reasoning.encrypted_content"]);
        }
        if self.shaped {
            let schema = schema();
            let format =
                json!({"type": "json_schema", "name": "shape", "strict": true, "schema": schema});
            body["text"] = json!({"format": format});
        }
        body
    }

    fn messages(&self) -> Value {
        let mut parts = vec![json!({"type": "text", "text": PLEA})];
        let media = |kind: &str, media_type: &str, data: &str| {
            let source = json!({"type": "base64", "media_type": media_type, "data": data});
            json!({"type": kind, "source": source})
        };
        if self.image {
            parts.push(media("image", "image/png", PIXEL));
        }
        if self.pdf {
            parts.push(media("document", "application/pdf", PDF));
        }
        let mut messages = vec![json!({"role": "user", "content": parts})];
        if let Some(past) = &self.past {
            messages.push(json!({"role": "assistant", "content": past.replay}));
            let result = |(id, text): &(String, String)| json!({"type": "tool_result", "tool_use_id": id, "content": text});
            let results: Vec<Value> = past.results.iter().map(result).collect();
            messages.push(json!({"role": "user", "content": results}));
        }
        let mut body = json!({"messages": messages, "system": RULES, "max_tokens": 4000});
        if self.tools > 0 {
            let tool = |name: &&str| json!({"name": name, "description": "does", "input_schema": schema()});
            body["tools"] = TOOLS.iter().take(self.tools).map(tool).collect();
        }
        if self.thinks {
            body["thinking"] = json!({"type": "enabled", "budget_tokens": 2000});
        }
        if self.shaped {
            let format = json!({"type": "json_schema", "schema": schema()});
            body["output_config"] = json!({"format": format});
        }
        body
    }

    /// What a prompt can't say is tried in the words of chat.
    fn completions(&self) -> Value {
        let mut body = self.chat();
        if !self.image && !self.pdf && !self.thinks && self.past.is_none() {
            body["prompt"] = json!(PLEA);
            if let Some(members) = body.as_object_mut() {
                members.remove("messages");
            }
        }
        body
    }
}
