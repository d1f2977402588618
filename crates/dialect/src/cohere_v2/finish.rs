//! Why an answer ended: `finish_reason`.

use signalbox_core::ErrorKind;

use crate::ProviderError;
use crate::event::FinishReason;

/// Reads the word.
///
/// # Errors
/// The answer failed. `said` is what the provider says about it.
pub fn finish_reason(native: &str, said: Option<&str>) -> Result<FinishReason, ProviderError> {
    let failed = |kind| {
        let message = said.filter(|text| !text.is_empty()).map_or_else(
            || format!("The provider ended the answer with an error: {native}"),
            str::to_owned,
        );
        let error = ProviderError::new(None, Some(native), &message);
        // Words that say what it is are believed more than the bare word for failure.
        let vague = error.kind == ErrorKind::ProviderUnavailable || kind == ErrorKind::Timeout;
        ProviderError { kind: if vague { kind } else { error.kind }, ..error }
    };
    match native {
        "TIMEOUT" => Err(failed(ErrorKind::Timeout)),
        // The context is full: a limit on tokens, as of the older interface.
        "ERROR_LIMIT" => Ok(FinishReason::Length),
        "USER_CANCEL" => Err(failed(ErrorKind::ProviderUnavailable)),
        other => match FinishReason::normalise(other) {
            FinishReason::Error => Err(failed(ErrorKind::ProviderUnavailable)),
            reason => Ok(reason),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_reason() {
        for (native, reason) in [
            ("COMPLETE", FinishReason::Stop),
            ("STOP_SEQUENCE", FinishReason::Stop),
            ("MAX_TOKENS", FinishReason::Length),
            ("TOOL_CALL", FinishReason::ToolCalls),
            ("ERROR_TOXIC", FinishReason::ContentFilter),
            ("ERROR_LIMIT", FinishReason::Length),
            ("A_WORD_OF_NEXT_YEAR", FinishReason::Stop),
        ] {
            assert_eq!(finish_reason(native, None), Ok(reason), "{native}");
        }
    }

    #[test]
    fn failures_are_typed() {
        for (native, said, kind) in [
            ("ERROR", None, ErrorKind::ProviderUnavailable),
            ("ERROR", Some("the prompt is too long"), ErrorKind::ContextLengthExceeded),
            ("TIMEOUT", Some("late"), ErrorKind::Timeout),
            ("USER_CANCEL", None, ErrorKind::ProviderUnavailable),
        ] {
            let error = finish_reason(native, said).unwrap_err();
            assert_eq!((error.kind, error.code.as_deref()), (kind, Some(native)));
        }
    }
}
