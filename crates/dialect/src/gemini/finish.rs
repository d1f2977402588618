//! Why a candidate ended: `finishReason`.

use crate::event::FinishReason;

/// Reads the word. `called` says whether the candidate called a function, which has no word of its
/// own here. `None` when the word says that the candidate has not ended.
#[must_use]
pub fn finish_reason(native: &str, called: bool) -> Option<FinishReason> {
    Some(match native {
        "" | "FINISH_REASON_UNSPECIFIED" => return None,
        "STOP" if called => FinishReason::ToolCalls,
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => FinishReason::ContentFilter,
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE"
        | "MALFORMED_RESPONSE"
        | "NO_IMAGE"
        | "IMAGE_OTHER"
        | "OTHER" => FinishReason::Error,
        other => FinishReason::normalise(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_reason() {
        for (native, called, reason) in [
            ("FINISH_REASON_UNSPECIFIED", false, None),
            ("STOP", false, Some(FinishReason::Stop)),
            ("STOP", true, Some(FinishReason::ToolCalls)),
            ("MAX_TOKENS", true, Some(FinishReason::Length)),
            ("SAFETY", false, Some(FinishReason::ContentFilter)),
            ("IMAGE_PROHIBITED_CONTENT", false, Some(FinishReason::ContentFilter)),
            ("MALFORMED_FUNCTION_CALL", false, Some(FinishReason::Error)),
            ("OTHER", false, Some(FinishReason::Error)),
            ("A_WORD_OF_NEXT_YEAR", false, Some(FinishReason::Stop)),
        ] {
            assert_eq!(finish_reason(native, called), reason, "{native}");
        }
    }
}
