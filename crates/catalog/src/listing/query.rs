//! The query of `GET /models`, read and checked.

use signalbox_core::{ApiError, Parameter, ParameterSet, Rate};

use super::filter::{Filter, Range};
use super::{Region, Sort};
use crate::Modality;

/// Rows of a page when only an offset is given.
const DEFAULT_LIMIT: usize = 500;
/// Most rows of a page.
const MAX_LIMIT: usize = 1000;
/// Longest search text.
const MAX_SEARCH_CHARS: usize = 256;
/// The use cases that `category` may name. There are no figures per use case: the list is empty.
const CATEGORIES: [&str; 12] = [
    "programming",
    "roleplay",
    "marketing",
    "marketing/seo",
    "technology",
    "science",
    "translation",
    "legal",
    "finance",
    "health",
    "trivia",
    "academia",
];

/// Which rows of a list to give. With neither member: all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Page {
    /// Rows to pass over.
    pub offset: Option<usize>,
    /// Rows to give, 1 to 1000.
    pub limit: Option<usize>,
}

impl Page {
    /// Reads `offset` and `limit` from decoded pairs; others are passed over.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ApiError> {
        let mut page = Self::default();
        for (key, value) in pairs {
            page.take(key, value)?;
        }
        Ok(page)
    }

    /// Takes a pair if it is one of the two.
    fn take(&mut self, key: &str, value: &str) -> Result<bool, ApiError> {
        match key {
            "offset" => self.offset = number(key, value)?,
            "limit" => {
                self.limit = number(key, value)?;
                if self.limit.is_some_and(|limit| !(1..=MAX_LIMIT).contains(&limit)) {
                    return Err(invalid(key, "expected a number from 1 to 1000"));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// How many rows to pass over and how many to give.
    pub(super) fn window(&self, rows: usize) -> (usize, usize) {
        match (self.offset, self.limit) {
            (None, None) => (0, rows),
            (offset, limit) => (offset.unwrap_or(0), limit.unwrap_or(DEFAULT_LIMIT)),
        }
    }
}

/// The whole query of `GET /models`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelsQuery {
    pub(super) filter: Filter,
    pub(super) sort: Option<Sort>,
    pub(super) page: Page,
    /// The other parameters, encoded for the link to the next page; each begins with `&`.
    pub(super) rest: String,
}

impl ModelsQuery {
    /// Reads decoded pairs. Unknown parameters are passed over, empty values count as absent. A bad
    /// value is a 400 that names its parameter.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ApiError> {
        let mut query = Self::default();
        for (key, value) in pairs {
            if query.page.take(key, value)? {
                continue;
            }
            if !value.is_empty() {
                query.take(key, value)?;
                query.rest.push('&');
                encode(key, &mut query.rest);
                query.rest.push('=');
                encode(value, &mut query.rest);
            }
        }
        Ok(query)
    }

    fn take(&mut self, key: &str, value: &str) -> Result<(), ApiError> {
        let filter = &mut self.filter;
        match key {
            "sort" => {
                let sort = Sort::from_name(value);
                self.sort = Some(sort.ok_or_else(|| invalid(key, "no such order"))?);
            }
            "q" if value.chars().count() > MAX_SEARCH_CHARS => {
                return Err(invalid(key, "expected at most 256 characters"));
            }
            "q" => filter.words = value.split_whitespace().map(str::to_lowercase).collect(),
            "category" if CATEGORIES.contains(&value) => filter.nothing = true,
            "category" => return Err(invalid(key, "no such category")),
            "supported_parameters" => filter.parameters = parameters(key, value)?,
            "input_modalities" => filter.inputs = modalities(key, value)?,
            "output_modalities" if value == "all" => filter.outputs = Some(Vec::new()),
            "output_modalities" => filter.outputs = Some(modalities(key, value)?),
            "context" => filter.context = number(key, value)?,
            "arch" => filter.family = Some(value.to_lowercase()),
            "model_authors" => filter.authors = list(value),
            "providers" => filter.providers = list(value),
            "distillable" => filter.distillable = Some(flag(key, value)?),
            "zdr" => filter.zdr = flag(key, value)?,
            "routable" => filter.routable = flag(key, value)?,
            "region" => {
                let region = Region::from_name(value);
                filter.region = Some(region.ok_or_else(|| invalid(key, "expected eu or us"))?);
            }
            "min_age_days" => filter.age_days.min = number(key, value)?,
            "max_age_days" => filter.age_days.max = number(key, value)?,
            "min_price" => filter.price.min = Some(price(key, value)?),
            "max_price" => filter.price.max = Some(price(key, value)?),
            "min_output_price" => filter.output_price.min = Some(price(key, value)?),
            "max_output_price" => filter.output_price.max = Some(price(key, value)?),
            _ => return self.take_score(key, value),
        }
        Ok(())
    }

    fn take_score(&mut self, key: &str, value: &str) -> Result<(), ApiError> {
        let (bound, what) = match key.split_once('_') {
            Some((bound @ ("min" | "max"), what)) => (bound, what),
            _ => return Ok(()),
        };
        let (range, most): (&mut Range<f64>, f64) = match what {
            "intelligence_index" => (&mut self.filter.intelligence, f64::MAX),
            "coding_index" => (&mut self.filter.coding, f64::MAX),
            "agentic_index" => (&mut self.filter.agentic, f64::MAX),
            "tool_success_rate" => (&mut self.filter.tool_success, 1.0),
            _ => return Ok(()),
        };
        let score: f64 = value.parse().map_err(|_| invalid(key, "expected a number"))?;
        if !(0.0..=most).contains(&score) {
            return Err(invalid(key, "the number is out of range"));
        }
        *(if bound == "min" { &mut range.min } else { &mut range.max }) = Some(score);
        Ok(())
    }
}

fn invalid(key: &str, problem: &str) -> ApiError {
    ApiError::invalid(format!("{key}: {problem}"))
}

fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<Option<T>, ApiError> {
    if value.is_empty() {
        return Ok(None);
    }
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { value.parse().ok() } else { None };
    number.map(Some).ok_or_else(|| invalid(key, "expected a whole number, 0 or more"))
}

fn flag(key: &str, value: &str) -> Result<bool, ApiError> {
    value.parse().map_err(|_| invalid(key, "expected true or false"))
}

/// A price in USD per million tokens.
fn price(key: &str, value: &str) -> Result<Rate, ApiError> {
    value.parse().map_err(|_| invalid(key, "expected a price in USD, 0 or more"))
}

fn list(value: &str) -> Vec<String> {
    let items = value.split(',').map(|item| item.trim().to_lowercase());
    items.filter(|item| !item.is_empty()).collect()
}

fn modalities(key: &str, value: &str) -> Result<Vec<Modality>, ApiError> {
    list(value)
        .iter()
        .map(|name| {
            Modality::from_name(name).ok_or_else(|| invalid(key, &format!("no modality {name:?}")))
        })
        .collect()
}

fn parameters(key: &str, value: &str) -> Result<ParameterSet, ApiError> {
    list(value)
        .iter()
        .map(|name| {
            let parameter = Parameter::from_name(name);
            parameter.ok_or_else(|| invalid(key, &format!("no parameter {name:?}")))
        })
        .collect()
}

/// Percent-encodes all but unreserved characters.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_value_names_its_parameter() {
        for (key, value) in [
            ("limit", "0"),
            ("limit", "1001"),
            ("offset", "-1"),
            ("sort", "by-mood"),
            ("category", "cooking"),
            ("supported_parameters", "magic"),
            ("output_modalities", "smell"),
            ("context", "many"),
            ("max_price", "-1"),
            ("max_price", "NaN"),
            ("min_coding_index", "inf"),
            ("min_tool_success_rate", "2"),
            ("region", "mars"),
            ("zdr", "yes"),
            ("min_age_days", "99999999999999999999999"),
        ] {
            let error = ModelsQuery::parse([(key, value)]).unwrap_err();
            assert_eq!(error.kind.status(), 400);
            assert!(error.message.starts_with(&format!("{key}:")), "{key}={value}: {error}");
        }
    }

    #[test]
    fn unknown_parameters_and_empty_values_are_passed_over() {
        let query = ModelsQuery::parse([("fmt", "cards"), ("min_price", ""), ("limit", "")]);
        let query = query.unwrap();
        assert_eq!(query.filter, Filter::default());
        assert_eq!(query.page, Page::default());
    }
}
