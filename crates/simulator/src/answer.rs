//! The answer that was decided on, before it is written in any shape.

use serde_json::{Value, json};

use crate::behaviour::{Behaviour, Content, UsageStyle};
use crate::request::ChatRequest;
use crate::schema::instance;

/// Where the time goes in a stamped token; the body fills it in when the token leaves.
pub(crate) const STAMP: &str = "0000000000000000";
/// Bytes of one token of generated JSON.
const JSON_TOKEN: usize = 8;
/// A picture of one transparent pixel.
const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const THOUGHTS: [&str; 3] = ["Let ", "me ", "think. "];

/// One token of the answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Reasoning(String),
    Text(String),
    /// A tool call's beginning.
    Call {
        index: usize,
        id: String,
        name: String,
    },
    Arguments {
        index: usize,
        piece: String,
    },
    Image(&'static str),
}

#[derive(Debug)]
enum Source {
    Numbered { count: u64, stamped: bool },
    List(Vec<Token>),
}

/// Everything that one request is answered with.
#[derive(Debug)]
pub(crate) struct Answer {
    thoughts: usize,
    source: Source,
    length: u64,
    pub finish: Option<&'static str>,
    pub choices: u64,
    pub prompt_tokens: u64,
    style: UsageStyle,
    cached: bool,
}

impl Answer {
    pub(crate) fn new(behaviour: &Behaviour, request: &ChatRequest) -> Self {
        let source = source(behaviour, request);
        let full = match &source {
            Source::Numbered { count, .. } => *count,
            Source::List(list) => list.len() as u64,
        };
        let thoughts = if behaviour.reason { THOUGHTS.len() } else { 0 };
        let full = full.saturating_add(thoughts as u64);
        let most = request.max_tokens.filter(|_| !behaviour.over_max).unwrap_or(u64::MAX);
        let calls = matches!(&source, Source::List(list) if matches!(list.first(), Some(Token::Call { .. })));
        let finish = match behaviour.content {
            Content::Blank => None,
            _ if full > most => Some("length"),
            _ if calls => Some("tool_calls"),
            _ => Some("stop"),
        };
        Self {
            thoughts,
            source,
            length: full.min(most),
            finish,
            choices: request.choices,
            prompt_tokens: request.prompt_tokens,
            style: behaviour.usage,
            cached: behaviour.cached,
        }
    }

    /// Number of tokens of each choice.
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// Token `at`; `None` past the end.
    pub(crate) fn token(&self, at: u64) -> Option<Token> {
        if at >= self.length {
            return None;
        }
        let index = usize::try_from(at).ok()?;
        if index < self.thoughts {
            return THOUGHTS.get(index).map(|text| Token::Reasoning((*text).to_owned()));
        }
        let index = index.saturating_sub(self.thoughts);
        match &self.source {
            Source::Numbered { stamped: true, .. } => {
                Some(Token::Text(format!("t{index}@{STAMP} ")))
            }
            Source::Numbered { .. } => Some(Token::Text(format!("t{index} "))),
            Source::List(list) => list.get(index).cloned(),
        }
    }

    /// The usage to report after the whole answer, in the style asked for.
    pub(crate) fn usage(&self) -> Option<Value> {
        let completion = self.length.saturating_mul(self.choices);
        let shown = match self.style {
            UsageStyle::Absent => return None,
            UsageStyle::Negative => json!(-5),
            UsageStyle::Huge => json!(9_000_000_000_000_000_000_u64),
            UsageStyle::Text => json!(completion.to_string()),
            UsageStyle::True | UsageStyle::Twice => json!(completion),
        };
        let total = self.prompt_tokens.saturating_add(completion);
        let mut usage = json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": shown,
            "total_tokens": total,
        });
        if let Some(members) = usage.as_object_mut() {
            if self.cached {
                let details = json!({ "cached_tokens": self.prompt_tokens / 2 });
                members.insert("prompt_tokens_details".to_owned(), details);
            }
            if self.thoughts > 0 {
                let thoughts = (self.thoughts as u64).min(self.length);
                let details = json!({ "reasoning_tokens": thoughts.saturating_mul(self.choices) });
                members.insert("completion_tokens_details".to_owned(), details);
            }
        }
        Some(usage)
    }

    /// The wrong usage that comes first, for a provider that reports twice.
    pub(crate) fn early_usage(&self) -> Option<Value> {
        (self.style == UsageStyle::Twice).then(|| {
            json!({"prompt_tokens": self.prompt_tokens, "completion_tokens": 1,
                "total_tokens": self.prompt_tokens.saturating_add(1)})
        })
    }
}

fn source(behaviour: &Behaviour, request: &ChatRequest) -> Source {
    Source::List(match behaviour.content {
        Content::Tokens(count) => {
            return Source::Numbered { count, stamped: behaviour.stamped && request.stream };
        }
        Content::Empty | Content::Blank => Vec::new(),
        Content::Big(bytes) => vec![Token::Text("x".repeat(usize::try_from(bytes).unwrap_or(0)))],
        Content::Image => vec![Token::Text("Here it is.".to_owned()), Token::Image(PIXEL)],
        Content::Json => {
            let value = request.schema.as_ref().map_or_else(|| json!({"ok": true}), instance);
            pieces(&value.to_string()).map(Token::Text).collect()
        }
        Content::Tools if !request.tools.is_empty() && !request.answers_tools => calls(request),
        Content::Tools if request.answers_tools => words("The tools have answered."),
        Content::Echo | Content::Tools if request.last_user_text.is_empty() => words("ok"),
        Content::Echo | Content::Tools => words(&request.last_user_text),
    })
}

fn words(text: &str) -> Vec<Token> {
    text.split_inclusive(' ').map(|word| Token::Text(word.to_owned())).collect()
}

/// A text in short pieces that do not split a character.
fn pieces(text: &str) -> impl Iterator<Item = String> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = rest.split_at_checked(rest.ceil_char_boundary(JSON_TOKEN))?;
        rest = after;
        Some(piece.to_owned())
    })
}

fn calls(request: &ChatRequest) -> Vec<Token> {
    let mut out = Vec::new();
    for (index, tool) in request.tools.iter().enumerate() {
        let id = format!("call_sim_{index}");
        out.push(Token::Call { index, id, name: tool.name.clone() });
        let arguments = instance(&tool.parameters).to_string();
        out.extend(pieces(&arguments).map(|piece| Token::Arguments { index, piece }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(model: &str, request: &ChatRequest) -> Answer {
        Answer::new(&Behaviour::parse(model), request)
    }

    #[test]
    fn max_tokens_cuts_the_answer_unless_ignored() {
        let request = ChatRequest { max_tokens: Some(4), choices: 1, ..ChatRequest::default() };
        let short = answer("tokens-9+reason", &request);
        assert_eq!((short.len(), short.finish), (4, Some("length")));
        assert_eq!(short.token(3), Some(Token::Text("t0 ".to_owned())));
        assert_eq!(short.token(4), None);
        assert_eq!(answer("tokens-9+over-max", &request).len(), 9);
    }

    #[test]
    fn usage_counts_every_choice() {
        let request = ChatRequest { choices: 3, prompt_tokens: 8, ..ChatRequest::default() };
        let usage = answer("tokens-5+cached", &request).usage().unwrap();
        assert_eq!(usage["completion_tokens"], 15);
        assert_eq!(usage["total_tokens"], 23);
        assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 4);
    }

    #[test]
    fn pieces_join_to_the_text() {
        let text = "{\"über\":\"ééééééé\"}";
        assert_eq!(pieces(text).collect::<String>(), text);
    }
}
