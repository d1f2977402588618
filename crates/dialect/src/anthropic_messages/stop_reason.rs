//! Why an answer ended, in this dialect's words (inference spec 2.2).

use crate::event::FinishReason;

/// Words of the dialect, which an answer that comes from it keeps.
const WORDS: &[&str] = &[
    "end_turn",
    "max_tokens",
    "model_context_window_exceeded",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "compaction",
];

/// What the content of an answer says about its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// The model called tools.
    pub called: bool,
    /// The model declined in so many words.
    pub refused: bool,
}

/// The `stop_reason` for an ended answer; `None` is null, for one that the provider failed to finish.
///
/// A provider's own word is kept when it is one of the dialect's and means what the reason says.
/// In this dialect an answer with calls ends for them, whatever a chat provider says.
#[must_use]
pub fn stop_reason(reason: FinishReason, native: Option<&str>, seen: Seen) -> Option<&'static str> {
    let own = native.and_then(|native| WORDS.iter().find(|word| **word == native).copied());
    if let Some(own) = own.filter(|own| FinishReason::normalise(own) == reason) {
        return Some(own);
    }
    match reason {
        FinishReason::ToolCalls => Some("tool_use"),
        FinishReason::Stop if seen.called => Some("tool_use"),
        FinishReason::Stop if seen.refused => Some("refusal"),
        FinishReason::Stop => Some("end_turn"),
        FinishReason::Length => Some("max_tokens"),
        FinishReason::ContentFilter => Some("refusal"),
        FinishReason::Error => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_words_are_kept_and_others_translated() {
        for (reason, native, refused, expected) in [
            (FinishReason::Stop, Some("end_turn"), false, Some("end_turn")),
            (FinishReason::Stop, Some("stop"), false, Some("end_turn")),
            (FinishReason::Stop, Some("stop_sequence"), false, Some("stop_sequence")),
            (FinishReason::Stop, Some("pause_turn"), false, Some("pause_turn")),
            (FinishReason::Stop, None, true, Some("refusal")),
            (FinishReason::ToolCalls, Some("tool_calls"), false, Some("tool_use")),
            (FinishReason::ToolCalls, Some("end_turn"), false, Some("tool_use")),
            (FinishReason::Length, Some("length"), false, Some("max_tokens")),
            (
                FinishReason::Length,
                Some("model_context_window_exceeded"),
                false,
                Some("model_context_window_exceeded"),
            ),
            (FinishReason::ContentFilter, Some("SAFETY"), false, Some("refusal")),
            (FinishReason::Error, None, false, None),
        ] {
            let seen = Seen { called: false, refused };
            assert_eq!(stop_reason(reason, native, seen), expected, "{reason:?} {native:?}");
        }
    }

    #[test]
    fn calls_are_a_reason_to_stop() {
        let seen = Seen { called: true, refused: false };
        assert_eq!(stop_reason(FinishReason::Stop, Some("stop"), seen), Some("tool_use"));
        assert_eq!(stop_reason(FinishReason::Length, Some("length"), seen), Some("max_tokens"));
    }
}
