//! Why a generation ended, in the five public words (inference spec 2.2).

/// The normalised finish reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FinishReason {
    /// The model calls tools and waits for their results.
    ToolCalls,
    /// The model was done, or wrote a stop sequence.
    Stop,
    /// A limit on tokens was reached.
    Length,
    /// Content was withheld.
    ContentFilter,
    /// The provider failed.
    Error,
}

impl FinishReason {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ToolCalls => "tool_calls",
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ContentFilter => "content_filter",
            Self::Error => "error",
        }
    }

    /// Reads any provider's word, in any case. A word that is not known means that the model
    /// stopped: the answer is whole as far as anyone can tell.
    #[must_use]
    pub fn normalise(native: &str) -> Self {
        // All known words are short; a longer one can't match and needs no copy.
        let mut lower = [0u8; 32];
        let Some(word) = lower.get_mut(..native.len()) else { return Self::Stop };
        word.copy_from_slice(native.as_bytes());
        word.make_ascii_lowercase();
        match &*word {
            b"tool_calls" | b"tool_call" | b"tool_use" | b"function_call" | b"tool-calls" => {
                Self::ToolCalls
            }
            b"length"
            | b"max_tokens"
            | b"max_output_tokens"
            | b"model_length"
            | b"max_length"
            | b"token_limit"
            | b"max_new_tokens"
            | b"model_context_window_exceeded"
            | b"context_length_exceeded"
            | b"incomplete" => Self::Length,
            b"content_filter"
            | b"content_filtered"
            | b"safety"
            | b"recitation"
            | b"blocklist"
            | b"prohibited_content"
            | b"spii"
            | b"language"
            | b"image_safety"
            | b"refusal"
            | b"guardrail_intervened"
            | b"sensitive"
            | b"content_policy"
            | b"error_toxic"
            | b"image_prohibited_content"
            | b"image_recitation"
            | b"moderation"
            | b"abusive" => Self::ContentFilter,
            b"error"
            | b"network_error"
            | b"malformed_function_call"
            | b"insufficient_system_resource"
            | b"abort"
            | b"failed"
            | b"server_error"
            | b"engine_overloaded"
            | b"cancelled"
            | b"unexpected_tool_call"
            | b"no_image"
            | b"malformed_tool_call" => Self::Error,
            _ => Self::Stop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_words_of_every_family_are_read() {
        for (native, reason) in [
            ("stop", FinishReason::Stop),
            ("STOP", FinishReason::Stop),
            ("end_turn", FinishReason::Stop),
            ("stop_sequence", FinishReason::Stop),
            ("eos", FinishReason::Stop),
            ("COMPLETE", FinishReason::Stop),
            ("", FinishReason::Stop),
            ("a word nobody has seen yet, longer than any other", FinishReason::Stop),
            ("tool_use", FinishReason::ToolCalls),
            ("function_call", FinishReason::ToolCalls),
            ("max_tokens", FinishReason::Length),
            ("MAX_TOKENS", FinishReason::Length),
            ("model_length", FinishReason::Length),
            ("SAFETY", FinishReason::ContentFilter),
            ("RECITATION", FinishReason::ContentFilter),
            ("MALFORMED_FUNCTION_CALL", FinishReason::Error),
            ("insufficient_system_resource", FinishReason::Error),
        ] {
            assert_eq!(FinishReason::normalise(native), reason, "{native}");
        }
    }

    #[test]
    fn the_public_words_stand_for_themselves() {
        for reason in [
            FinishReason::ToolCalls,
            FinishReason::Stop,
            FinishReason::Length,
            FinishReason::ContentFilter,
            FinishReason::Error,
        ] {
            assert_eq!(FinishReason::normalise(reason.name()), reason);
        }
    }
}
