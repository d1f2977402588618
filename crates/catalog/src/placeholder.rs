//! The places in an address or a header that are filled in later: `{model}` and its kin.

use std::fmt;

/// What a place stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The provider's id of the model, percent-encoded.
    Model,
    /// The endpoint's region, else the credential's, else the provider's.
    Region,
    /// The cloud project: the provider's, else the credential's.
    Project,
    /// The provider's `api_version`.
    ApiVersion,
}

/// A text with a brace that opens no placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected braces only around model, region, project or api_version")]
pub struct BadPlaceholder;

/// A stretch of a text with placeholders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As it stands.
    Text(&'a str),
    /// To be filled in.
    Place(Placeholder),
}

impl Placeholder {
    const ALL: [Self; 4] = [Self::Model, Self::Region, Self::Project, Self::ApiVersion];

    /// The name between the braces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Region => "region",
            Self::Project => "project",
            Self::ApiVersion => "api_version",
        }
    }

    /// The placeholder with its braces.
    #[must_use]
    pub const fn written(self) -> &'static str {
        match self {
            Self::Model => "{model}",
            Self::Region => "{region}",
            Self::Project => "{project}",
            Self::ApiVersion => "{api_version}",
        }
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.written())
    }
}

/// Cuts a text at its placeholders.
///
/// # Errors
/// A brace without a partner, or a name that stands for nothing.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, BadPlaceholder> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or(BadPlaceholder)?;
        let place = Placeholder::ALL.into_iter().find(|place| place.name() == name);
        push_text(&mut found, before)?;
        found.push(Piece::Place(place.ok_or(BadPlaceholder)?));
        rest = after;
    }
    push_text(&mut found, rest)?;
    Ok(found)
}

fn push_text<'a>(found: &mut Vec<Piece<'a>>, text: &'a str) -> Result<(), BadPlaceholder> {
    if text.contains('}') {
        return Err(BadPlaceholder);
    }
    if !text.is_empty() {
        found.push(Piece::Text(text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_placeholders() {
        let model = Piece::Place(Placeholder::Model);
        assert_eq!(pieces("/chat"), Ok(vec![Piece::Text("/chat")]));
        assert_eq!(pieces(""), Ok(vec![]));
        assert_eq!(pieces("{model}{model}"), Ok(vec![model, model]));
        assert_eq!(
            pieces("/models/{model}:generate"),
            Ok(vec![Piece::Text("/models/"), model, Piece::Text(":generate")])
        );
        for bad in ["{account}", "{model", "model}", "{}", "{{model}}", "}{"] {
            assert_eq!(pieces(bad), Err(BadPlaceholder), "{bad}");
        }
        for place in Placeholder::ALL {
            assert_eq!(pieces(place.written()), Ok(vec![Piece::Place(place)]));
        }
    }
}
