//! What a target cannot carry. A loss is reported, never silent.

/// One thing that was asked or sent and that the target's dialect has no place for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What was lost.
    pub what: Lost,
    /// Which one, such as a member's name or a part's type. Never content.
    pub detail: String,
}

/// Kinds of losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lost {
    /// A parameter of the request.
    Parameter,
    /// A part of a message, or a whole kind of content.
    Content,
    /// A property of a part: image detail, a name, an error mark.
    Property,
    /// Reasoning of another provider's format.
    Reasoning,
    /// A cache mark.
    CacheMark,
    /// A tool, or a choice of tool.
    Tool,
    /// A part of an answer.
    Answer,
}

impl Lost {
    /// The kind as a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parameter => "parameter",
            Self::Content => "content",
            Self::Property => "property",
            Self::Reasoning => "reasoning",
            Self::CacheMark => "cache_mark",
            Self::Tool => "tool",
            Self::Answer => "answer",
        }
    }
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the {} {}", self.what.name(), self.detail)
    }
}

impl Loss {
    /// One loss.
    #[must_use]
    pub fn new(what: Lost, detail: impl Into<String>) -> Self {
        Self { what, detail: detail.into() }
    }
}

/// What a member of a body is when it is lost: what is said about caches is no parameter.
pub(crate) fn of_member(key: &str) -> Lost {
    if key.starts_with("prompt_cache_") { Lost::CacheMark } else { Lost::Parameter }
}

/// More losses of one request are not told apart.
const MOST_LOSSES: usize = 64;
/// Longest detail: a name may be the client's own.
const MOST_DETAIL_CHARS: usize = 96;

/// Adds a loss, unless the same was said before: a hundred lost marks are one loss.
pub fn report(losses: &mut Vec<Loss>, what: Lost, detail: &str) {
    let cut = detail.char_indices().nth(MOST_DETAIL_CHARS).map_or(detail.len(), |(at, _)| at);
    let detail = detail.get(..cut).unwrap_or_default();
    let is_known = losses.iter().any(|loss| loss.what == what && loss.detail == detail);
    if !is_known && losses.len() < MOST_LOSSES {
        losses.push(Loss::new(what, detail));
    }
}
