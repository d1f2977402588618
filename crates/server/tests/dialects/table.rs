//! The table as data: who asks, who answers, what is carried, and the few cells that can't be.

/// The dialect a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inbound {
    Chat,
    Responses,
    Messages,
    Completions,
}

/// The dialect a provider speaks, and what it travels in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outbound {
    Chat,
    Responses,
    Messages,
    /// Messages in the `invoke` calls of a cloud.
    Invoke,
    /// Messages in the `rawPredict` calls of a cloud.
    RawPredict,
    Gemini,
    Converse,
    Cohere,
    Completions,
}

/// What a cell is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feature {
    Text,
    Tools,
    ParallelTools,
    /// Thoughts, their signatures and their way back with the results of a call.
    Reasoning,
    Image,
    Pdf,
    StructuredOutput,
    ErrorBefore,
    ErrorAfter,
}

/// How a client is told that something can't be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The request is refused with this status and kind.
    Refused(u16, &'static str),
    /// The answer comes, with a loss of this kind and detail in its metadata.
    Lost(&'static str, &'static str),
}

/// Cells that can't be, and why.
#[derive(Debug)]
pub struct Limit {
    /// Empty: any.
    pub inbound: &'static [Inbound],
    /// Empty: any.
    pub outbound: &'static [Outbound],
    pub features: &'static [Feature],
    pub shown: Shown,
    pub reason: &'static str,
}

/// A cell.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub inbound: Inbound,
    pub outbound: Outbound,
    pub feature: Feature,
    pub stream: bool,
}

/// Every cell that can't be. `docs/dialects.md` lists the same.
pub static LIMITS: &[Limit] = &[
    Limit {
        inbound: &[Inbound::Completions],
        outbound: &[],
        features: &[Feature::Tools, Feature::ParallelTools],
        shown: Shown::Refused(400, "invalid_request"),
        reason: "a legacy answer has no place for a call",
    },
    Limit {
        inbound: &[Inbound::Completions],
        outbound: &[],
        features: &[Feature::Reasoning, Feature::Image, Feature::Pdf],
        shown: Shown::Refused(400, "invalid_request"),
        reason: "a legacy prompt is one text, without media and without history",
    },
    Limit {
        inbound: &[],
        outbound: &[Outbound::Completions],
        features: &[Feature::Tools, Feature::ParallelTools],
        shown: Shown::Lost("tool", "tool_calls"),
        reason: "the tools are described in the prompt, and what comes back is text",
    },
    Limit {
        inbound: &[],
        outbound: &[Outbound::Completions],
        features: &[Feature::Reasoning],
        shown: Shown::Lost("parameter", "reasoning"),
        reason: "a prompt can't ask for thoughts, and a text can't sign them",
    },
    Limit {
        inbound: &[],
        outbound: &[Outbound::Completions],
        features: &[Feature::Image],
        shown: Shown::Lost("content", "image"),
        reason: "a prompt is one text",
    },
    Limit {
        inbound: &[],
        outbound: &[Outbound::Completions],
        features: &[Feature::Pdf],
        shown: Shown::Lost("content", "file"),
        reason: "a prompt is one text",
    },
    Limit {
        inbound: &[],
        outbound: &[Outbound::Completions],
        features: &[Feature::StructuredOutput],
        shown: Shown::Refused(400, "invalid_request"),
        reason: "the provider of a prompt decides whether it knows the member; the inventor's does not",
    },
    Limit {
        inbound: &[],
        outbound: &[Outbound::Cohere],
        features: &[Feature::Pdf],
        shown: Shown::Lost("content", "file"),
        reason: "messages of this dialect have texts and images alone",
    },
];

impl Inbound {
    pub const ALL: [Self; 4] = [Self::Chat, Self::Responses, Self::Messages, Self::Completions];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Messages => "messages",
            Self::Completions => "completions",
        }
    }

    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/api/v1/chat/completions",
            Self::Responses => "/api/v1/responses",
            Self::Messages => "/api/v1/messages",
            Self::Completions => "/api/v1/completions",
        }
    }
}

impl Outbound {
    pub const ALL: [Self; 9] = [
        Self::Chat,
        Self::Responses,
        Self::Messages,
        Self::Invoke,
        Self::RawPredict,
        Self::Gemini,
        Self::Converse,
        Self::Cohere,
        Self::Completions,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "openai-chat",
            Self::Responses => "openai-responses",
            Self::Messages => "anthropic-messages",
            Self::Invoke => "anthropic-messages (invoke)",
            Self::RawPredict => "anthropic-messages (rawPredict)",
            Self::Gemini => "gemini",
            Self::Converse => "bedrock-converse",
            Self::Cohere => "cohere-v2",
            Self::Completions => "openai-completions",
        }
    }

    /// The slug of its provider; the second one's ends with `-spare`.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Invoke => "messages-by-invoke",
            Self::RawPredict => "messages-by-rawpredict",
            _ => self.name(),
        }
    }

    /// The public name of somebody who speaks it.
    pub const fn speaker(self) -> &'static str {
        match self {
            Self::Chat | Self::Responses | Self::Completions => "OpenAI",
            Self::Messages => "Anthropic",
            Self::Invoke | Self::Converse => "Amazon Bedrock",
            Self::RawPredict => "Google",
            Self::Gemini => "Google AI Studio",
            Self::Cohere => "Cohere",
        }
    }

    /// Whether thoughts come signed or sealed, and have to come back so.
    pub const fn seals(self) -> bool {
        !matches!(self, Self::Chat | Self::Cohere | Self::Completions)
    }
}

impl Feature {
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Tools,
        Self::ParallelTools,
        Self::Reasoning,
        Self::Image,
        Self::Pdf,
        Self::StructuredOutput,
        Self::ErrorBefore,
        Self::ErrorAfter,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Tools => "tools",
            Self::ParallelTools => "parallel tools",
            Self::Reasoning => "signed reasoning",
            Self::Image => "image",
            Self::Pdf => "PDF",
            Self::StructuredOutput => "structured output",
            Self::ErrorBefore => "error before content",
            Self::ErrorAfter => "error after content",
        }
    }
}

impl Cell {
    /// Every cell. An error after content needs a stream: before it there is no answer at all.
    pub fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for inbound in Inbound::ALL {
            for outbound in Outbound::ALL {
                for feature in Feature::ALL {
                    for stream in [false, true] {
                        if stream || feature != Feature::ErrorAfter {
                            cells.push(Self { inbound, outbound, feature, stream });
                        }
                    }
                }
            }
        }
        cells
    }

    /// Its name in models of the test's catalogue.
    pub fn name(&self) -> String {
        let Self { inbound, outbound, feature, stream } = self;
        let manner = if *stream { "stream" } else { "whole" };
        let feature = feature.name().replace(' ', "-").to_lowercase();
        format!("{}-to-{}-{feature}-{manner}", inbound.name(), outbound.slug())
    }

    /// Why it can't be; `None` when it can.
    pub fn limit(&self) -> Option<&'static Limit> {
        LIMITS.iter().find(|limit| limit.covers(self))
    }
}

impl Limit {
    pub fn covers(&self, cell: &Cell) -> bool {
        (self.inbound.is_empty() || self.inbound.contains(&cell.inbound))
            && (self.outbound.is_empty() || self.outbound.contains(&cell.outbound))
            && self.features.contains(&cell.feature)
    }
}
