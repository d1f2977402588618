//! What a model's name asks for.

use std::time::Duration;

/// Most tokens of one answer.
const MAX_TOKENS: u64 = 1_000_000;
/// Longest pause.
const MAX_PAUSE_MS: u64 = 600_000;
/// Largest single piece of text, in bytes.
const MAX_BLOB: u64 = 128 * 1024 * 1024;

/// What the answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The last user message.
    Echo,
    /// That many numbered tokens.
    Tokens(u64),
    /// One piece of that many bytes.
    Big(u64),
    /// Calls of the offered tools.
    Tools,
    /// A call that reads the file the user names, then what it said.
    Agent,
    /// A value valid for the JSON schema asked for.
    Json,
    /// A picture.
    Image,
    /// A refusal in the dialect's form.
    Refuse,
    /// A list of the media that arrived.
    Describe,
    /// Nothing, finished properly.
    Empty,
    /// Nothing, without a finish reason.
    Blank,
}

/// How usage is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageStyle {
    /// The truth.
    True,
    /// Not at all.
    Absent,
    /// Completion tokens below zero.
    Negative,
    /// Completion tokens of 9e18.
    Huge,
    /// Completion tokens as a string.
    Text,
    /// Completion tokens of 1e308.
    Vast,
    /// Completion tokens of `null`.
    Null,
    /// Zero everywhere, said explicitly.
    Zero,
    /// A wrong one first, then the truth.
    Twice,
}

/// What goes wrong. Counts are of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No byte is ever sent.
    Hang,
    /// Silence after so many tokens.
    HangAfter(u64),
    /// The connection closes after so many tokens.
    CutAfter(u64),
    /// The connection closes after so many bytes of body.
    CutAt(u64),
    /// An HTTP error.
    Status {
        /// 400 to 599.
        status: u16,
        /// Seconds in `Retry-After`.
        retry_after: Option<u64>,
        /// `error.code`, where the provider names one.
        code: Option<&'static str>,
    },
    /// An `error` object inside a 200 after so many tokens.
    Inband(u64),
    /// The role chunk, then an `error` object of code 503.
    RoleThenError,
    /// Bytes that are no JSON.
    Garbage,
    /// A web page.
    Html,
    /// One line of so many bytes.
    Line(u64),
    /// One token, then half an object.
    TruncatedJson,
    /// JSON of the wrong shape.
    WrongType,
}

/// Where an answer waits until [`Simulator::go_on`](crate::Simulator::go_on) lets it go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// Before the head of the answer.
    BeforeHeaders,
    /// Between the head and the first byte of the body.
    BeforeBody,
    /// After so many tokens.
    AfterTokens(u64),
    /// Before the usage, after all tokens.
    BeforeUsage,
    /// After the usage, before the end.
    BeforeDone,
}

/// Everything that a model's name asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    /// What the answer says.
    pub content: Content,
    /// Whether reasoning comes first.
    pub reason: bool,
    /// Whether a block of reasoning that can't be read comes before the answer.
    pub redacted: bool,
    /// Whether the reasoning is a plan for the tools, where the dialect has one.
    pub plan: bool,
    /// Whether the text has a citation.
    pub cite: bool,
    /// Whether the prompt itself is refused, where the dialect tells the two apart.
    pub blocked: bool,
    /// Whether function calls need their signatures back.
    pub strict_signatures: bool,
    /// Whether `max_tokens` is ignored.
    pub over_max: bool,
    /// Wait before the headers.
    pub headers: Duration,
    /// Wait before the first chunk.
    pub first: Duration,
    /// Wait before each token.
    pub gap: Duration,
    /// How usage is reported.
    pub usage: UsageStyle,
    /// Whether half of the prompt counts as cached.
    pub cached: bool,
    /// Whether a quarter of the prompt counts as written to the cache.
    pub cache_write: bool,
    /// Whether the stream ends as the dialect's streams end.
    pub done: bool,
    /// Whether comments come before chunks.
    pub comments: bool,
    /// Whether numbered tokens carry the time they were sent at.
    pub stamped: bool,
    /// Whether numbered tokens have as many bytes as a token of the prompt.
    pub even: bool,
    /// Percent of requests that fail with 503.
    pub flaky: u64,
    /// Where it waits to be let on.
    pub halt: Option<Halt>,
    /// What goes wrong.
    pub fault: Option<Fault>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            content: Content::Echo,
            reason: false,
            redacted: false,
            plan: false,
            cite: false,
            blocked: false,
            strict_signatures: false,
            over_max: false,
            headers: Duration::ZERO,
            first: Duration::ZERO,
            gap: Duration::ZERO,
            usage: UsageStyle::True,
            cached: false,
            cache_write: false,
            done: true,
            comments: false,
            stamped: false,
            even: false,
            flaky: 0,
            halt: None,
            fault: None,
        }
    }
}

fn number(word: &str, prefix: &str, most: u64) -> Option<u64> {
    let digits = word.strip_prefix(prefix)?;
    digits.parse::<u64>().ok().map(|n| n.min(most))
}

fn millis(word: &str, prefix: &str) -> Option<Duration> {
    number(word, prefix, MAX_PAUSE_MS).map(Duration::from_millis)
}

/// `big-200kb`: the digits between a prefix and a suffix, times a unit.
fn sized(word: &str, prefix: &str, suffix: &str, unit: u64) -> Option<u64> {
    let n = number(word.strip_suffix(suffix)?, prefix, MAX_BLOB)?;
    Some(n.saturating_mul(unit).min(MAX_BLOB))
}

impl Behaviour {
    /// Reads a model's name by the grammar in the crate's documentation. Never fails.
    #[must_use]
    pub fn parse(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        let mut out = Self { strict_signatures: name.contains("gemini-3"), ..Self::default() };
        for word in name.split('+') {
            if !out.plain(word) && !out.numbered(word) {
                out.fault = fault(word).or(out.fault.take());
            }
        }
        out
    }

    fn plain(&mut self, word: &str) -> bool {
        match word {
            "echo" => self.content = Content::Echo,
            "tools" => self.content = Content::Tools,
            "agent" => self.content = Content::Agent,
            "json" => self.content = Content::Json,
            "image-out" => self.content = Content::Image,
            "empty" => self.content = Content::Empty,
            "blank" => self.content = Content::Blank,
            "refuse" => self.content = Content::Refuse,
            "blocked" => (self.content, self.blocked) = (Content::Refuse, true),
            "describe" => self.content = Content::Describe,
            "reason" => self.reason = true,
            "plan" => (self.reason, self.plan) = (true, true),
            "redacted" => self.redacted = true,
            "cite" => self.cite = true,
            "signed" => self.strict_signatures = true,
            "cache-write" => self.cache_write = true,
            "over-max" => self.over_max = true,
            "headers-slow" => self.headers = Duration::from_secs(2),
            "no-usage" => self.usage = UsageStyle::Absent,
            "usage-negative" => self.usage = UsageStyle::Negative,
            "usage-huge" => self.usage = UsageStyle::Huge,
            "usage-string" => self.usage = UsageStyle::Text,
            "usage-twice" => self.usage = UsageStyle::Twice,
            "usage-vast" => self.usage = UsageStyle::Vast,
            "usage-null" => self.usage = UsageStyle::Null,
            "usage-zero" => self.usage = UsageStyle::Zero,
            "cached" => self.cached = true,
            "no-done" => self.done = false,
            "comments" => self.comments = true,
            "stamped" => self.stamped = true,
            "halt-headers" => self.halt = Some(Halt::BeforeHeaders),
            "halt-body" => self.halt = Some(Halt::BeforeBody),
            "halt-usage" => self.halt = Some(Halt::BeforeUsage),
            "halt-done" => self.halt = Some(Halt::BeforeDone),
            "even" => self.even = true,
            _ => return false,
        }
        true
    }

    fn numbered(&mut self, word: &str) -> bool {
        if let Some(n) = number(word, "tokens-", MAX_TOKENS) {
            self.content = Content::Tokens(n);
        } else if let Some(n) = sized(word, "big-", "kb", 1024) {
            self.content = Content::Big(n);
        } else if let Some(pause) = millis(word, "first-ms-") {
            self.first = pause;
        } else if let Some(pause) = millis(word, "slow-ms-") {
            self.gap = pause;
        } else if let Some(pause) = millis(word, "headers-slow-") {
            self.headers = pause;
        } else if let Some(percent) = number(word, "flaky-", 100) {
            self.flaky = percent;
        } else if let Some(tokens) = number(word, "halt-", MAX_TOKENS) {
            self.halt = Some(Halt::AfterTokens(tokens));
        } else {
            return false;
        }
        true
    }
}

fn fault(word: &str) -> Option<Fault> {
    let exact = match word {
        "hang" => Some(Fault::Hang),
        "role-only-then-503" => Some(Fault::RoleThenError),
        "garbage" => Some(Fault::Garbage),
        "html" => Some(Fault::Html),
        "truncated-json" => Some(Fault::TruncatedJson),
        "wrong-type" => Some(Fault::WrongType),
        _ => None,
    };
    exact
        .or_else(|| number(word, "hang-after-", MAX_TOKENS).map(Fault::HangAfter))
        .or_else(|| number(word, "cut-after-", MAX_TOKENS).map(Fault::CutAfter))
        .or_else(|| number(word, "cut-at-", u64::MAX).map(Fault::CutAt))
        .or_else(|| number(word, "error-inband-", MAX_TOKENS).map(Fault::Inband))
        .or_else(|| sized(word, "line-", "mb", 1024 * 1024).map(Fault::Line))
        .or_else(|| status(word))
}

fn status(word: &str) -> Option<Fault> {
    let rest = word.strip_prefix("status-")?;
    let (digits, extra) = rest.split_once('-').unwrap_or((rest, ""));
    let status = digits.parse::<u16>().ok().filter(|s| (400..600).contains(s))?;
    let code = match extra {
        "context" => Some("context_length_exceeded"),
        "policy" => Some("content_policy_violation"),
        _ => None,
    };
    Some(Fault::Status { status, retry_after: number(extra, "retry-", u64::MAX), code })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_compose_and_the_last_one_counts() {
        let b = Behaviour::parse("acme/tokens-50+slow-ms-20+reason+tokens-3+cut-after-2");
        assert_eq!(b.content, Content::Tokens(3));
        assert_eq!(b.gap, Duration::from_millis(20));
        assert!(b.reason);
        assert_eq!(b.fault, Some(Fault::CutAfter(2)));
    }

    #[test]
    fn an_unknown_name_is_an_echo() {
        for name in ["gpt-9", "", "+++", "tokens-", "tokens-x", "status-200", "line-64", "big-kb"] {
            assert_eq!(Behaviour::parse(name), Behaviour::default(), "{name}");
        }
    }

    #[test]
    fn a_status_may_name_a_wait_or_a_code() {
        let status = |status, retry_after, code| Some(Fault::Status { status, retry_after, code });
        assert_eq!(Behaviour::parse("status-503").fault, status(503, None, None));
        assert_eq!(Behaviour::parse("status-429-retry-7").fault, status(429, Some(7), None));
        let context = status(400, None, Some("context_length_exceeded"));
        assert_eq!(Behaviour::parse("status-400-context").fault, context);
    }

    #[test]
    fn sizes_and_counts_are_bounded() {
        assert_eq!(Behaviour::parse("line-64mb").fault, Some(Fault::Line(64 << 20)));
        assert_eq!(Behaviour::parse("line-99999999mb").fault, Some(Fault::Line(MAX_BLOB)));
        let huge = Behaviour::parse("tokens-18446744073709551615");
        assert_eq!(huge.content, Content::Tokens(MAX_TOKENS));
        let unread = Behaviour::parse("tokens-99999999999999999999999");
        assert_eq!(unread.content, Content::Echo, "more digits than a u64 has");
    }
}
