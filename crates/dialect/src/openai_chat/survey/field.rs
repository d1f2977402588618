//! Readers of single fields. Each checks type and range and names the field when it is wrong.

use std::fmt;
use std::ops::RangeInclusive;

use signalbox_core::ApiError;

use crate::document::{Kind, Raw};

/// Longest piece of a client's own text that an error repeats.
const MAX_ECHO_CHARS: usize = 64;

/// Where a value is, written only when something is wrong with it.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// A top-level member.
    pub(crate) const fn key(key: &'a str) -> Self {
        Self { parent: None, step: Step::Key(key) }
    }

    /// A member of the object here.
    pub(crate) const fn member(&'a self, key: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }

    /// An element of the array here.
    pub(crate) const fn element(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => {
                let dot = if self.parent.is_some() { "." } else { "" };
                write!(f, "{dot}{}", echo(key))
            }
        }
    }
}

/// The beginning of a text that the client sent.
pub(crate) fn echo(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(MAX_ECHO_CHARS).collect()
}

/// The error for a value that is not what it must be.
pub(crate) fn wrong(path: &Path<'_>, must_be: &str) -> ApiError {
    ApiError::invalid(format!("`{path}` must be {must_be}."))
}

/// The error for a member that must be there.
pub(crate) fn missing(path: &Path<'_>) -> ApiError {
    ApiError::invalid(format!("`{path}` is required."))
}

pub(crate) fn boolean(path: &Path<'_>, raw: Raw<'_>) -> Result<bool, ApiError> {
    raw.bool().ok_or_else(|| wrong(path, "true or false"))
}

pub(crate) fn string(path: &Path<'_>, raw: Raw<'_>) -> Result<String, ApiError> {
    raw.string().map(|text| text.into_owned()).ok_or_else(|| wrong(path, "a string"))
}

/// A string of at most `limit` characters.
pub(crate) fn short_string(
    path: &Path<'_>,
    raw: Raw<'_>,
    limit: usize,
) -> Result<String, ApiError> {
    let text = string(path, raw)?;
    if text.chars().count() > limit {
        return Err(wrong(path, &format!("at most {limit} characters long")));
    }
    Ok(text)
}

/// One of a few words.
pub(crate) fn word(path: &Path<'_>, raw: Raw<'_>, words: &[&str]) -> Result<String, ApiError> {
    let text = string(path, raw)?;
    if words.contains(&text.as_str()) {
        return Ok(text);
    }
    Err(wrong(path, &format!("one of {}, not \"{}\"", words.join(", "), echo(&text))))
}

/// A whole number in a range. `1.0` and `1e3` are no whole numbers here: providers refuse them.
pub(crate) fn integer(
    path: &Path<'_>,
    raw: Raw<'_>,
    range: RangeInclusive<i64>,
) -> Result<i64, ApiError> {
    let value = raw.integer().and_then(|value| i64::try_from(value).ok());
    value.filter(|value| range.contains(value)).ok_or_else(|| {
        wrong(path, &format!("an integer between {} and {}", range.start(), range.end()))
    })
}

/// A number in a range.
pub(crate) fn number(
    path: &Path<'_>,
    raw: Raw<'_>,
    range: RangeInclusive<f64>,
) -> Result<f64, ApiError> {
    raw.number().filter(|value| range.contains(value)).ok_or_else(|| {
        wrong(path, &format!("a number between {} and {}", range.start(), range.end()))
    })
}

pub(crate) fn object(path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    if raw.kind() == Kind::Object { Ok(()) } else { Err(wrong(path, "an object")) }
}

pub(crate) fn array(path: &Path<'_>, raw: Raw<'_>) -> Result<(), ApiError> {
    if raw.kind() == Kind::Array { Ok(()) } else { Err(wrong(path, "a list")) }
}

/// A list of at most `limit` strings.
pub(crate) fn strings(
    path: &Path<'_>,
    raw: Raw<'_>,
    limit: usize,
) -> Result<Vec<String>, ApiError> {
    array(path, raw)?;
    let mut texts = Vec::new();
    for (index, (_, element)) in raw.elements().enumerate() {
        if index >= limit {
            return Err(wrong(path, &format!("at most {limit} long")));
        }
        texts.push(string(&path.element(index), element)?);
    }
    Ok(texts)
}

/// A member that must be a string.
pub(crate) fn required_string<'a>(
    path: &Path<'_>,
    object: Raw<'a>,
    key: &str,
) -> Result<Raw<'a>, ApiError> {
    let path = path.member(key);
    let value = object.get(key).filter(|value| !value.is_null()).ok_or_else(|| missing(&path))?;
    if value.kind() == Kind::String { Ok(value) } else { Err(wrong(&path, "a string")) }
}
