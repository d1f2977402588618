//! What routing needs to know of a request to the legacy `POST /completions`.

use signalbox_core::ApiError;

use crate::document::{Document, Kind, Raw};
use crate::openai_chat::survey::field::{self, Path};
use crate::openai_chat::survey::{Surface, Survey, survey_as};

/// Reads a legacy request. It needs a `prompt`; `messages` does not count here.
///
/// # Errors
/// `invalid_request` as for chat, for a prompt of tokens or of several texts, and for `suffix`,
/// `echo` and `best_of` above 1: no chat endpoint can do these.
pub fn survey(document: &Document) -> Result<Survey, ApiError> {
    for (key, text) in document.members() {
        let raw = Raw::new(text);
        if !raw.is_null() {
            refuse_unsupported(key, raw)?;
        }
    }
    survey_as(document, Surface::Completions)
}

fn refuse_unsupported(key: &str, raw: Raw<'_>) -> Result<(), ApiError> {
    let path = Path::key(key);
    let asked = match key {
        "echo" => field::boolean(&path, raw)?,
        "best_of" => field::integer(&path, raw, 1..=i64::MAX)? > 1,
        "suffix" => raw.kind() != Kind::String || raw.inner().is_some_and(|text| !text.is_empty()),
        _ => false,
    };
    if asked {
        return Err(ApiError::invalid(format!("`{path}` is not supported.")));
    }
    Ok(())
}
