//! What messages are made of.

use std::borrow::Cow;

use super::{Extra, WireDialect};
use crate::document::Raw;
use crate::event::ReasoningForm;
use crate::loss::{Loss, Lost, report};

/// A wish that the prompt be cached up to here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CacheMark {
    /// No lifetime was given: the provider's own, of five minutes.
    #[default]
    Default,
    /// Five minutes, said so.
    FiveMinutes,
    /// One hour.
    OneHour,
}

/// One part of a message, of the system's instructions or of a tool's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub body: PartBody,
    /// Whether the prompt is to be cached up to and with this part.
    pub cache_mark: Option<CacheMark>,
    /// Members that only the dialect of origin knows.
    pub extra: Vec<Extra>,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartBody {
    /// Text.
    Text(String),
    /// A picture.
    Image {
        /// Where it is.
        source: ImageSource,
        /// How closely to look at it: the chat dialect's word.
        detail: Option<String>,
    },
    /// A document.
    File {
        /// Where it is.
        source: FileSource,
        /// Its name or title.
        filename: Option<String>,
    },
    /// A recording inside the request.
    Audio {
        /// In base64.
        data: String,
        /// `wav`, `mp3` and so on.
        format: String,
    },
    /// A video, by its address or as a data URL.
    Video {
        /// Where it is.
        url: String,
    },
    /// The model called a tool.
    ToolCall {
        /// Id of the call.
        id: String,
        /// Name of the function.
        name: String,
        /// The arguments as JSON text: an object, when the model made no mistake.
        arguments: String,
    },
    /// What a tool gave back.
    ToolResult {
        /// Id of the call.
        call_id: String,
        /// The result: text, images and files; empty when there was none.
        parts: Vec<Part>,
        /// Whether the tool failed.
        is_error: bool,
    },
    /// The model's reasoning, to be sent back unchanged.
    Reasoning(Reasoning),
    /// Reasoning that only its provider can read.
    RedactedReasoning(RedactedReasoning),
    /// The model declined to answer.
    Refusal(String),
    /// A part that only one dialect knows. Others lose it.
    Opaque {
        /// Its type, for the report of a loss.
        kind: String,
        /// The part as it came, with its marks.
        verbatim: Verbatim,
    },
}

/// JSON as one dialect wrote it, to be given back to the same dialect byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verbatim {
    /// Whose it is.
    pub dialect: WireDialect,
    /// The JSON text.
    pub json: String,
}

/// Where a picture is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// At an address.
    Url(String),
    /// Inside the request.
    Base64 {
        /// Such as `image/png`.
        media_type: String,
        /// The bytes in base64.
        data: String,
    },
}

/// Where a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSource {
    /// At an address.
    Url(String),
    /// Inside the request.
    Base64 {
        /// Such as `application/pdf`.
        media_type: String,
        /// The bytes in base64.
        data: String,
    },
    /// Inside the request, as plain text.
    Text(String),
    /// Stored with the provider, under this id.
    Id(String),
}

impl FileSource {
    /// A name for a file that came without one, for dialects that insist.
    #[must_use]
    pub fn usual_name(&self) -> &'static str {
        match self {
            Self::Base64 { media_type, .. } if media_type == "application/pdf" => "file.pdf",
            Self::Text(_) => "file.txt",
            _ => "file",
        }
    }
}

/// A block of readable reasoning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasoning {
    /// The reasoning itself, or a summary.
    pub form: ReasoningForm,
    /// Its text; may be empty when only the signature was kept.
    pub text: String,
    /// What proves that the model wrote it.
    pub signature: Option<String>,
    /// The provider's id of the block.
    pub id: Option<String>,
    /// Whose format it is (inference spec 9.5); `None` when the client did not say.
    pub format: Option<String>,
    /// The block as it came.
    pub verbatim: Option<Verbatim>,
}

/// A block of encrypted reasoning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedactedReasoning {
    /// The encrypted text.
    pub data: String,
    /// The provider's id of the block.
    pub id: Option<String>,
    /// Whose format it is (inference spec 9.5); `None` when the client did not say.
    pub format: Option<String>,
    /// The block as it came.
    pub verbatim: Option<Verbatim>,
}

impl Part {
    /// A part without a cache mark.
    #[must_use]
    pub const fn new(body: PartBody) -> Self {
        Self { body, cache_mark: None, extra: Vec::new() }
    }

    /// Text without a cache mark.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(PartBody::Text(text.into()))
    }

    /// A member that only the dialect of origin knows, as JSON.
    #[must_use]
    pub fn other(&self, key: &str) -> Option<&str> {
        self.extra.iter().find(|extra| extra.key == key).map(|extra| extra.json.as_str())
    }

    /// Reports the members that only the dialect of origin knows, here and in a tool's result.
    pub(super) fn report_unheard(
        &self,
        losses: &mut Vec<Loss>,
        takes: impl Fn(&PartBody, &str) -> bool + Copy,
    ) {
        for extra in self.extra.iter().filter(|extra| !takes(&self.body, &extra.key)) {
            report(losses, Lost::Property, &format!("{}.{}", self.body.kind(), extra.key));
        }
        if let PartBody::ToolResult { parts, .. } = &self.body {
            parts.iter().for_each(|part| part.report_unheard(losses, takes));
        }
    }
}

impl ImageSource {
    /// The address of the picture, or the picture as a data URL.
    #[must_use]
    pub fn address(&self) -> Cow<'_, str> {
        match self {
            Self::Url(url) => Cow::Borrowed(url),
            Self::Base64 { media_type, data } => {
                Cow::Owned(format!("data:{media_type};base64,{data}"))
            }
        }
    }
}

impl PartBody {
    /// What the part is called in the report of a loss.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Text(_) => "text",
            Self::Image { .. } => "image",
            Self::File { .. } => "file",
            Self::Audio { .. } => "audio",
            Self::Video { .. } => "video",
            Self::ToolCall { .. } => "tool_call",
            Self::ToolResult { .. } => "tool_result",
            Self::Reasoning(_) => "reasoning",
            Self::RedactedReasoning(_) => "redacted_reasoning",
            Self::Refusal(_) => "refusal",
            Self::Opaque { kind, .. } => kind,
        }
    }
}

impl CacheMark {
    /// Reads a `cache_control` object.
    pub(crate) fn of_control(raw: Raw<'_>) -> Self {
        match raw.get("ttl").and_then(Raw::string).as_deref() {
            Some("1h") => Self::OneHour,
            Some("5m") => Self::FiveMinutes,
            _ => Self::Default,
        }
    }

    /// The lifetime on the wire, when one was given.
    #[must_use]
    pub const fn ttl(self) -> Option<&'static str> {
        match self {
            Self::Default => None,
            Self::FiveMinutes => Some("5m"),
            Self::OneHour => Some("1h"),
        }
    }
}
