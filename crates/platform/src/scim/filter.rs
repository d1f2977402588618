//! Filters (RFC 7644, section 3.4.2.2) and the paths of patches (section 3.5.2), as far as they are
//! understood: comparisons with `eq`, joined by `and`.

use super::ScimError;

/// Longest filter or path, in bytes.
const LONGEST: usize = 2_048;
/// Most comparisons of one filter.
const MOST: usize = 8;

/// What an attribute is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// A text, without its quotes.
    Text(String),
    /// `true` or `false`.
    Truth(bool),
    /// `null`.
    Null,
    /// A number, as it was written.
    Number(String),
}

/// The name of an attribute, in lower case; names have no case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The schema, where it was named.
    pub schema: Option<String>,
    /// The attribute.
    pub name: String,
    /// The attribute of that attribute.
    pub sub: Option<String>,
}

/// `attribute eq literal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// What is compared.
    pub attribute: Attribute,
    /// With what.
    pub literal: Literal,
}

/// Where a patch applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The attribute; `sub` is what stands behind the brackets, if there are any.
    pub attribute: Attribute,
    /// Which values of it: those for which all of these hold.
    pub select: Option<Vec<Comparison>>,
}

fn odd(detail: &str) -> ScimError {
    ScimError::invalid("invalidFilter", detail)
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Result<Self, ScimError> {
        if text.len() > LONGEST {
            return Err(odd("The filter is too long"));
        }
        Ok(Self { rest: text })
    }

    fn spaces(&mut self) -> bool {
        let rest = self.rest.trim_start_matches(' ');
        let some = rest.len() < self.rest.len();
        self.rest = rest;
        some
    }

    fn take(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn until(&mut self, ends: impl Fn(char) -> bool) -> &'t str {
        let at = self.rest.find(ends).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(at).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn word(&mut self) -> &'t str {
        self.until(|one| !one.is_ascii_alphanumeric())
    }

    fn attribute(&mut self) -> Result<Attribute, ScimError> {
        let text = self.until(|one| matches!(one, ' ' | '[' | ']' | '(' | ')' | '"'));
        attribute(text)
    }

    fn literal(&mut self) -> Result<Literal, ScimError> {
        if self.rest.starts_with('"') {
            let mut texts = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
            let text =
                texts.next().and_then(Result::ok).ok_or_else(|| odd("A text is malformed"))?;
            self.rest = self.rest.get(texts.byte_offset()..).unwrap_or_default();
            return Ok(Literal::Text(text));
        }
        let word = self.until(|one| matches!(one, ' ' | ']' | '(' | ')'));
        match word.to_ascii_lowercase().as_str() {
            "true" => Ok(Literal::Truth(true)),
            "false" => Ok(Literal::Truth(false)),
            "null" => Ok(Literal::Null),
            _ if word.parse::<f64>().is_ok_and(f64::is_finite) => {
                Ok(Literal::Number(word.to_owned()))
            }
            _ => Err(odd("A comparison needs a text in double quotes, a number, true or false")),
        }
    }

    fn comparison(&mut self) -> Result<Comparison, ScimError> {
        let attribute = self.attribute()?;
        if !self.spaces() {
            return Err(odd("A comparison is `attribute eq \"value\"`"));
        }
        let operator = self.word();
        if !operator.eq_ignore_ascii_case("eq") {
            return Err(odd("Only `eq` and `and` are supported"));
        }
        if !self.spaces() {
            return Err(odd("A comparison is `attribute eq \"value\"`"));
        }
        Ok(Comparison { attribute, literal: self.literal()? })
    }

    /// Comparisons that are joined by `and`, up to whatever else follows.
    fn comparisons(&mut self) -> Result<Vec<Comparison>, ScimError> {
        self.spaces();
        let mut found = vec![self.comparison()?];
        loop {
            self.spaces();
            if self.rest.is_empty() || self.rest.starts_with(']') {
                return Ok(found);
            }
            if !self.word().eq_ignore_ascii_case("and") || !self.spaces() {
                return Err(odd("Only `eq` and `and` are supported"));
            }
            if found.len() == MOST {
                return Err(odd("There are too many comparisons"));
            }
            found.push(self.comparison()?);
        }
    }
}

/// `[schema:]name[.sub]`. The version in a schema has a dot, too: the schema ends at the last colon.
fn attribute(text: &str) -> Result<Attribute, ScimError> {
    let (schema, rest) = match text.rsplit_once(':') {
        Some((schema, rest)) => (Some(schema.to_ascii_lowercase()), rest),
        None => (None, text),
    };
    let (name, sub) = match rest.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (rest, None),
    };
    let plain = |name: &str| {
        let letter = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '-' | '$');
        !name.is_empty() && name.chars().all(letter)
    };
    // Extensions end in a version, such as `…:2.0`, when they are meant as a whole.
    let is_fine = plain(name) && sub.is_none_or(|sub| plain(sub) || schema.is_some());
    if !is_fine {
        return Err(ScimError::invalid("invalidPath", "The name of an attribute is malformed"));
    }
    let sub = sub.map(str::to_ascii_lowercase);
    Ok(Attribute { schema, name: name.to_ascii_lowercase(), sub })
}

/// Reads a filter.
///
/// # Errors
/// `invalidFilter` for what is malformed or not supported.
pub fn filter(text: &str) -> Result<Vec<Comparison>, ScimError> {
    let mut reader = Reader::new(text)?;
    let found = reader.comparisons().map_err(|error| odd(&error.detail))?;
    if reader.rest.is_empty() { Ok(found) } else { Err(odd("The filter goes on after its end")) }
}

/// Reads the path of a patch.
///
/// # Errors
/// `invalidPath`, and `invalidFilter` for what is in brackets.
pub fn path(text: &str) -> Result<Path, ScimError> {
    let malformed = || ScimError::invalid("invalidPath", "The path is malformed");
    let mut reader = Reader::new(text.trim())?;
    let mut attribute = reader.attribute()?;
    if reader.rest.is_empty() {
        return Ok(Path { attribute, select: None });
    }
    if !reader.take('[') || attribute.sub.is_some() {
        return Err(malformed());
    }
    let select = Some(reader.comparisons()?);
    if !reader.take(']') {
        return Err(malformed());
    }
    if !reader.rest.is_empty() {
        let sub = reader.rest.strip_prefix('.').ok_or_else(malformed)?;
        let sub = self::attribute(sub)?;
        if sub.sub.is_some() || sub.schema.is_some() {
            return Err(malformed());
        }
        attribute.sub = Some(sub.name);
    }
    Ok(Path { attribute, select })
}

#[cfg(test)]
mod tests;
