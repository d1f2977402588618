//! What is sent, how often and how many at a time.

use bytes::Bytes;
use serde_json::json;

/// Tokens of a stream in case C. With role, finish, usage and `[DONE]` it has 54 frames.
const STREAM_TOKENS: u32 = 50;
/// Tokens of a stream in case D, one in 20 ms.
const PACED_TOKENS: u32 = 100;

/// One case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// 0.9 KB request, answer in one piece.
    SmallUnary,
    /// 206 KB request, answer in one piece.
    LargeUnary,
    /// Streams of 50 chunks as fast as they go.
    SaturatedStream,
    /// Many streams at 50 chunks a second each.
    PacedStreams,
}

/// How much of a case is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Volume {
    pub requests: u32,
    pub at_once: u32,
}

impl Case {
    pub(crate) const ALL: [Self; 4] =
        [Self::SmallUnary, Self::LargeUnary, Self::SaturatedStream, Self::PacedStreams];

    pub(crate) fn letter(self) -> char {
        match self {
            Self::SmallUnary => 'A',
            Self::LargeUnary => 'B',
            Self::SaturatedStream => 'C',
            Self::PacedStreams => 'D',
        }
    }

    /// What CPU time is divided by.
    pub(crate) fn unit(self) -> &'static str {
        if self.streams() { "chunk" } else { "request" }
    }

    pub(crate) fn streams(self) -> bool {
        matches!(self, Self::SaturatedStream | Self::PacedStreams)
    }

    /// The simulator's behaviour, which is also the upstream model's id.
    pub(crate) fn behaviour(self) -> &'static str {
        match self {
            Self::SmallUnary | Self::LargeUnary => "tokens-20",
            Self::SaturatedStream => "tokens-50",
            Self::PacedStreams => "tokens-100+slow-ms-20+stamped",
        }
    }

    /// The gateway's model id.
    pub(crate) fn model(self) -> &'static str {
        match self {
            Self::SmallUnary | Self::LargeUnary => "bench/unary",
            Self::SaturatedStream => "bench/stream",
            Self::PacedStreams => "bench/paced",
        }
    }

    /// Content chunks in one answer.
    pub(crate) fn chunks(self) -> u32 {
        match self {
            Self::SmallUnary | Self::LargeUnary => 0,
            Self::SaturatedStream => STREAM_TOKENS,
            Self::PacedStreams => PACED_TOKENS,
        }
    }

    /// The run that CPU and throughput are taken from.
    pub(crate) fn busy(self, scale: u32, streams: u32) -> Volume {
        let of = |full: u32| (full.saturating_mul(scale) / 100).max(1);
        match self {
            Self::SmallUnary => Volume { requests: of(20_000), at_once: 16 },
            Self::LargeUnary => Volume { requests: of(3_000), at_once: 8 },
            Self::SaturatedStream => Volume { requests: of(3_000), at_once: 16 },
            Self::PacedStreams => Volume { requests: streams, at_once: streams },
        }
    }

    /// The run that latency is taken from: one request at a time. Paced streams need none.
    pub(crate) fn calm(self, scale: u32) -> Option<Volume> {
        let of = |full: u32| (full.saturating_mul(scale) / 100).max(1);
        let requests = match self {
            Self::SmallUnary => of(2_000),
            Self::LargeUnary | Self::SaturatedStream => of(500),
            Self::PacedStreams => return None,
        };
        Some(Volume { requests, at_once: 1 })
    }

    /// The request's body for one model name.
    pub(crate) fn body(self, model: &str) -> Bytes {
        let size = match self {
            Self::LargeUnary => 206_000,
            _ => 800,
        };
        let text: String =
            "The signal box at the junction is manned. ".chars().cycle().take(size).collect();
        let mut body = json!({"model": model, "temperature": 0.7, "max_tokens": 400,
            "messages": [{"role": "user", "content": text}]});
        if let (true, Some(members)) = (self.streams(), body.as_object_mut()) {
            members.insert("stream".to_owned(), json!(true));
            members.insert("stream_options".to_owned(), json!({"include_usage": true}));
        }
        Bytes::from(body.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_the_sizes_they_are_named_for() {
        let size = |case: Case| case.body(case.model()).len();
        assert!((850..950).contains(&size(Case::SmallUnary)), "{}", size(Case::SmallUnary));
        assert!((206_000..206_300).contains(&size(Case::LargeUnary)));
    }
}
