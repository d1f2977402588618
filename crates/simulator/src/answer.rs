//! The answer that was decided on, before it is written in any shape.

use serde_json::{Value, json};

use crate::agent;
use crate::ask::Ask;
use crate::behaviour::{Behaviour, Content, UsageStyle};
use crate::dialect::Dialect;
use crate::schema::instance;

/// Where the time goes in a stamped token; the body fills it in when the token leaves.
pub(crate) const STAMP: &str = "0000000000000000";
/// A picture of one transparent pixel, in base64.
pub(crate) const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
/// The picture's kind.
pub(crate) const PIXEL_KIND: &str = "image/png";
/// What a sealed block hides.
pub(crate) const HIDDEN: &str = "a thought that nobody may read";
/// Bytes of one token of generated JSON.
const JSON_TOKEN: usize = 8;
const THOUGHTS: [&str; 3] = ["Let ", "me ", "think. "];
const REFUSAL: &str = "I can't help with that.";

/// One token of the answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Reasoning(String),
    /// A block of reasoning that can't be read.
    Redacted,
    Text(String),
    Refusal(String),
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
    /// A picture, in base64.
    Image(&'static str),
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    Length,
    Calls,
    Refused,
}

/// A part of the whole answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Block {
    Reasoning(String),
    Redacted,
    Text(String),
    Refusal(String),
    Call { id: String, name: String, arguments: String },
    Image(&'static str),
}

/// Token counts to report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// All prompt tokens, with those from and into the cache.
    pub prompt: u64,
    /// All tokens of the answer, with the reasoning.
    pub output: u64,
    pub reasoning: u64,
    /// Prompt tokens read from the cache, where caching is played.
    pub cached: Option<u64>,
    /// Prompt tokens written to the cache, where that is played.
    pub written: Option<u64>,
    style: UsageStyle,
}

impl Counts {
    /// A count of output tokens in the style asked for.
    pub(crate) fn shown(&self, tokens: u64) -> Value {
        match self.style {
            UsageStyle::Negative => json!(-5),
            UsageStyle::Huge => json!(9_000_000_000_000_000_000_u64),
            UsageStyle::Text => json!(tokens.to_string()),
            UsageStyle::Vast => json!(1e308),
            UsageStyle::Null => Value::Null,
            UsageStyle::True | UsageStyle::Twice | UsageStyle::Absent | UsageStyle::Zero => {
                json!(tokens)
            }
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.prompt.saturating_add(self.output)
    }

    /// Prompt tokens that touch no cache.
    pub(crate) fn fresh(&self) -> u64 {
        self.prompt
            .saturating_sub(self.cached.unwrap_or_default())
            .saturating_sub(self.written.unwrap_or_default())
    }
}

#[derive(Debug)]
enum Source {
    Numbered { count: u64, stamped: bool, even: bool },
    List(Vec<Token>),
}

/// Everything that one request is answered with.
#[derive(Debug)]
pub(crate) struct Answer {
    thoughts: Vec<Token>,
    source: Source,
    length: u64,
    pub finish: Option<Finish>,
    pub choices: u64,
    pub prompt_tokens: u64,
    style: UsageStyle,
    cached: bool,
    written: bool,
    /// Whether the text has a citation.
    pub cite: bool,
    /// Whether the prompt had a file that a citation can be of.
    pub has_media: bool,
    /// Whether reasoning is a plan for the tools.
    pub plan: bool,
    /// Whether sealed reasoning was asked for.
    pub sealed: bool,
    /// Whether the prompt itself was blocked.
    pub blocked: bool,
}

impl Answer {
    pub(crate) fn new(behaviour: &Behaviour, ask: &Ask, dialect: Dialect) -> Self {
        let source = carried(source(behaviour, ask), dialect);
        let full = match &source {
            Source::Numbered { count, .. } => *count,
            Source::List(list) => list.len() as u64,
        };
        let first = if let Source::List(list) = &source { list.first() } else { None };
        let calls = matches!(first, Some(Token::Call { .. }));
        let thoughts = thoughts(behaviour, ask.thinks && calls, dialect);
        let full = full.saturating_add(thoughts.len() as u64);
        let most = ask.max_tokens.filter(|_| !behaviour.over_max).unwrap_or(u64::MAX);
        let finish = match behaviour.content {
            Content::Blank => None,
            _ if full > most => Some(Finish::Length),
            Content::Refuse => Some(Finish::Refused),
            _ if calls => Some(Finish::Calls),
            _ => Some(Finish::Stop),
        };
        Self {
            thoughts,
            source,
            length: full.min(most),
            finish,
            choices: ask.choices,
            prompt_tokens: ask.prompt_tokens,
            style: behaviour.usage,
            cached: behaviour.cached,
            written: behaviour.cache_write,
            cite: behaviour.cite,
            has_media: !ask.media.is_empty(),
            plan: behaviour.plan,
            sealed: ask.sealed,
            blocked: behaviour.blocked,
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
        if let Some(thought) = self.thoughts.get(index) {
            return Some(thought.clone());
        }
        let index = index.saturating_sub(self.thoughts.len());
        match &self.source {
            Source::Numbered { stamped: true, .. } => {
                Some(Token::Text(format!("t{index}@{STAMP} ")))
            }
            Source::Numbered { even: true, .. } => {
                Some(Token::Text(format!("{:03x} ", index % 0x1000)))
            }
            Source::Numbered { .. } => Some(Token::Text(format!("t{index} "))),
            Source::List(list) => list.get(index).cloned(),
        }
    }

    /// All tokens put together.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut out: Vec<Block> = Vec::new();
        for token in (0..self.length).map_while(|at| self.token(at)) {
            match (token, out.last_mut()) {
                (Token::Reasoning(piece), Some(Block::Reasoning(all)))
                | (Token::Text(piece), Some(Block::Text(all)))
                | (Token::Refusal(piece), Some(Block::Refusal(all))) => all.push_str(&piece),
                (Token::Arguments { piece, .. }, Some(Block::Call { arguments, .. })) => {
                    arguments.push_str(&piece);
                }
                (Token::Reasoning(piece), _) => out.push(Block::Reasoning(piece)),
                (Token::Text(piece), _) => out.push(Block::Text(piece)),
                (Token::Refusal(piece), _) => out.push(Block::Refusal(piece)),
                (Token::Redacted, _) => out.push(Block::Redacted),
                (Token::Image(data), _) => out.push(Block::Image(data)),
                (Token::Call { id, name, .. }, _) => {
                    out.push(Block::Call { id, name, arguments: String::new() });
                }
                (Token::Arguments { .. }, _) => {}
            }
        }
        out
    }

    /// The usage to report after the whole answer; `None` when there is none to be.
    pub(crate) fn counts(&self) -> Option<Counts> {
        (self.style != UsageStyle::Absent).then(|| self.after(self.length))
    }

    /// The usage after so many tokens of each choice.
    pub(crate) fn after(&self, tokens: u64) -> Counts {
        if self.style == UsageStyle::Zero {
            let (cached, written) = (None, None);
            let style = self.style;
            return Counts { prompt: 0, output: 0, reasoning: 0, cached, written, style };
        }
        let thoughts = (self.thoughts.len() as u64).min(tokens);
        Counts {
            prompt: self.prompt_tokens,
            output: tokens.saturating_mul(self.choices),
            reasoning: thoughts.saturating_mul(self.choices),
            cached: self.cached.then_some(self.prompt_tokens / 2),
            written: self.written.then_some(self.prompt_tokens / 4),
            style: self.style,
        }
    }

    /// Whether all counts are said to be zero.
    pub(crate) fn says_zero(&self) -> bool {
        self.style == UsageStyle::Zero
    }

    /// Whether a wrong usage comes first, for a provider that reports twice.
    pub(crate) fn reports_twice(&self) -> bool {
        self.style == UsageStyle::Twice
    }
}

fn thoughts(behaviour: &Behaviour, expected: bool, dialect: Dialect) -> Vec<Token> {
    let mut out = Vec::new();
    if behaviour.reason || (expected && !behaviour.redacted) {
        out.extend(THOUGHTS.map(|text| Token::Reasoning(text.to_owned())));
    }
    if behaviour.redacted {
        out.push(Token::Redacted);
    }
    out.retain(|token| dialect.carries(token));
    out
}

fn carried(source: Source, dialect: Dialect) -> Source {
    match source {
        Source::List(mut list) => {
            list.retain(|token| dialect.carries(token));
            Source::List(list)
        }
        numbered @ Source::Numbered { .. } => numbered,
    }
}

fn source(behaviour: &Behaviour, ask: &Ask) -> Source {
    let may_call = !ask.tools.is_empty() && !ask.answers_tools;
    Source::List(match behaviour.content {
        Content::Tokens(count) => {
            let stamped = behaviour.stamped && ask.stream;
            return Source::Numbered { count, stamped, even: behaviour.even };
        }
        Content::Empty | Content::Blank => Vec::new(),
        Content::Big(bytes) => vec![Token::Text("x".repeat(usize::try_from(bytes).unwrap_or(0)))],
        Content::Image => vec![Token::Text("Here it is.".to_owned()), Token::Image(PIXEL)],
        Content::Refuse => vec![Token::Refusal(REFUSAL.to_owned())],
        Content::Describe if ask.media.is_empty() => words("nothing"),
        Content::Describe => words(&ask.media.join(" ")),
        Content::Json if ask.schema.is_none() && ask.forced && may_call => calls(ask),
        Content::Json => {
            let value = ask.schema.as_ref().map_or_else(|| json!({"ok": true}), instance);
            pieces(&value.to_string()).map(Token::Text).collect()
        }
        Content::Tools if may_call => calls(ask),
        Content::Agent => return Source::List(turn(ask)),
        Content::Tools if ask.answers_tools => words("The tools have answered."),
        Content::Echo | Content::Tools if ask.last_user_text.is_empty() => words("ok"),
        Content::Echo | Content::Tools => words(&ask.last_user_text),
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

fn calls(ask: &Ask) -> Vec<Token> {
    let mut out = Vec::new();
    for (index, tool) in ask.tools.iter().enumerate() {
        out.extend(call(index, &tool.name, &instance(&tool.parameters)));
    }
    out
}

fn call(index: usize, name: &str, arguments: &Value) -> Vec<Token> {
    let id = format!("call_sim_{index}");
    let mut out = vec![Token::Call { index, id, name: name.to_owned() }];
    let arguments = arguments.to_string();
    out.extend(pieces(&arguments).map(|piece| Token::Arguments { index, piece }));
    out
}

/// An agent's turn: the file is read first, and told of afterwards.
fn turn(ask: &Ask) -> Vec<Token> {
    if let Some(result) = &ask.result {
        return words(&format!("The file says: {result}"));
    }
    match agent::call(ask) {
        Some((name, arguments)) => call(0, &name, &arguments),
        None => words("There is no file to read."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(model: &str, ask: &Ask) -> Answer {
        Answer::new(&Behaviour::parse(model), ask, Dialect::OpenaiChat)
    }

    #[test]
    fn max_tokens_cuts_the_answer_unless_ignored() {
        let ask = Ask { max_tokens: Some(4), choices: 1, ..Ask::default() };
        let short = answer("tokens-9+reason", &ask);
        assert_eq!((short.len(), short.finish), (4, Some(Finish::Length)));
        assert_eq!(short.token(3), Some(Token::Text("t0 ".to_owned())));
        assert_eq!(short.token(4), None);
        assert_eq!(answer("tokens-9+over-max", &ask).len(), 9);
    }

    #[test]
    fn usage_counts_every_choice() {
        let ask = Ask { choices: 3, prompt_tokens: 8, ..Ask::default() };
        let counts = answer("tokens-5+cached+cache-write", &ask).counts().unwrap();
        assert_eq!((counts.output, counts.total()), (15, 23));
        assert_eq!((counts.cached, counts.written, counts.fresh()), (Some(4), Some(2), 2));
    }

    #[test]
    fn pieces_join_to_the_text() {
        let text = "{\"über\":\"ééééééé\"}";
        assert_eq!(pieces(text).collect::<String>(), text);
    }

    #[test]
    fn thinking_that_was_switched_on_comes_before_calls() {
        let tools = vec![crate::ask::Tool { name: "a".to_owned(), parameters: Value::Null }];
        let ask = Ask { tools, thinks: true, choices: 1, ..Ask::default() };
        assert!(matches!(answer("tools", &ask).blocks().first(), Some(Block::Reasoning(_))));
        assert!(matches!(answer("echo", &ask).blocks().first(), Some(Block::Text(_))));
    }
}
