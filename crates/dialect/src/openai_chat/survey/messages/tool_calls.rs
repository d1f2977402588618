//! Calls that an assistant made before.

use std::borrow::Cow;

use signalbox_core::ApiError;

use super::parts::nested;
use crate::document::{Kind, Raw};
use crate::openai_chat::survey::field::{self, Path, wrong};
use crate::openai_chat::survey::{Survey, add, estimate};

/// Reads the list. Of a function call name and arguments count as text, of any other all it has.
pub(super) fn read(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::array(path, raw)?;
    for (index, (_, call)) in raw.elements().enumerate() {
        let path = path.element(index);
        field::object(&path, call)?;
        field::required_string(&path, call, "id")?;
        survey.needs.tool_history = true;
        let kind = call.get("type").and_then(Raw::string).unwrap_or(Cow::Borrowed("function"));
        if kind != "function" {
            add(survey, estimate(call));
            continue;
        }
        let function = nested(&path, call, "function")?;
        let at = path.member("function");
        add(survey, field::required_string(&at, function, "name")?.string_bytes());
        if let Some(arguments) = function.get("arguments").filter(|value| !value.is_null()) {
            if arguments.kind() != Kind::String {
                return Err(wrong(&at.member("arguments"), "a string that holds JSON"));
            }
            add(survey, arguments.string_bytes());
        }
    }
    Ok(())
}
