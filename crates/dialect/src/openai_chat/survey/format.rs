//! The shape of the answer: `response_format` and `modalities`.

use signalbox_core::ApiError;

use super::field::{self, Path, missing};
use super::{Survey, add, estimate};
use crate::document::Raw;

const FORMATS: &[&str] = &["text", "json_object", "json_schema", "grammar", "python"];
const MODALITIES: &[&str] = &["text", "image", "audio"];

/// Reads `response_format`.
pub(super) fn read(survey: &mut Survey, path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    field::object(path, raw)?;
    let kind = field::required_string(path, raw, "type")?;
    match field::word(&path.member("type"), kind, FORMATS)?.as_str() {
        "json_object" => survey.needs.json_object = true,
        "json_schema" => {
            survey.needs.json_schema = true;
            let inside = path.member("json_schema");
            let schema = raw.get("json_schema").ok_or_else(|| missing(&inside))?;
            field::object(&inside, schema)?;
            field::required_string(&inside, schema, "name")?;
            if let Some(value) = schema.get("schema").filter(|value| !value.is_null()) {
                field::object(&inside.member("schema"), value)?;
            }
            add(survey, estimate(schema));
        }
        "grammar" => {
            add(survey, estimate(field::required_string(path, raw, "grammar")?));
        }
        _ => {}
    }
    Ok(())
}

/// Reads `modalities`.
pub(super) fn modalities(path: &Path<'_>, raw: Raw<'_>) -> Result<Vec<String>, ApiError> {
    field::array(path, raw)?;
    let mut words = Vec::with_capacity(MODALITIES.len());
    for (index, (_, element)) in raw.elements().enumerate() {
        let word = field::word(&path.element(index), element, MODALITIES)?;
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Ok(words)
}
