//! A small text form of prices and usage, for tables that a person can check with a pencil.
//!
//! ```text
//! prices prompt=0.000003 completion=0.000015       a new price row
//! over >200000 0830-1630 prompt=0.000006           an override of it; conditions may be left out
//! use uncached=10 out=5 at=1200 => 0.000105        usage, and the charge in dollars
//! use uncached=10 => 0.00003 (0.00003 + 0)         ... with its prompt and completion parts
//! use uncached=10 => missing completion            ... or the reason why there is none
//! ```

use signalbox_core::{PriceKind, PriceOverride, PriceTable, Rates, Timestamp, Usage, Usd};

/// One `use` line with the price row above it.
pub struct Case {
    pub line: String,
    pub table: PriceTable,
    pub usage: Usage,
    pub at: Timestamp,
    pub requests: u64,
    pub expected: String,
}

pub fn cases(text: &str) -> Vec<Case> {
    let mut table = PriceTable::default();
    let mut cases = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "prices" => table = PriceTable { rates: rates(rest.split(' ')), overrides: vec![] },
            "over" => table.overrides.push(entry(rest)),
            "use" => cases.push(case(line, rest, &table)),
            _ => assert!(word.starts_with('#'), "what is {line:?}?"),
        }
    }
    cases
}

/// The expected text of a charge and, when the line names them, of its parts.
pub fn dollars(text: &str) -> Usd {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no amount"))
}

/// Prices such as `prompt=0.000003`.
pub fn rates<'a>(words: impl Iterator<Item = &'a str>) -> Rates {
    let mut rates = Rates::default();
    for word in words.filter(|word| !word.is_empty()) {
        let (kind, price) = word.split_once('=').unwrap();
        let kind = PriceKind::from_name(kind).unwrap_or_else(|| panic!("no kind {kind:?}"));
        rates.set(kind, price.parse().unwrap());
    }
    rates
}

fn entry(rest: &str) -> PriceOverride {
    let mut entry = PriceOverride::default();
    let mut prices = Vec::new();
    for word in rest.split(' ') {
        if let Some(least) = word.strip_prefix('>') {
            entry.min_prompt_tokens = Some(least.parse().unwrap());
        } else if let Some((start, end)) = word.split_once('-') {
            (entry.utc_start, entry.utc_end) = (start.parse().ok(), end.parse().ok());
        } else {
            prices.push(word);
        }
    }
    entry.rates = rates(prices.into_iter());
    entry
}

fn case(line: &str, rest: &str, table: &PriceTable) -> Case {
    let (quantities, expected) = rest.split_once("=>").unwrap();
    let (mut usage, mut at, mut requests) = (Usage::default(), Timestamp::default(), 1);
    for word in quantities.split_whitespace() {
        let (name, number) = word.split_once('=').unwrap();
        let number: u64 = if number == "max" { u64::MAX } else { number.parse().unwrap() };
        match name {
            "uncached" => usage.input_uncached = number,
            "read" => usage.cache_read = number,
            "write" => usage.cache_write_5m = number,
            "write1h" => usage.cache_write_1h = number,
            "audio" => usage.input_audio = number,
            "image" => usage.input_image = number,
            "out" => usage.output = number,
            "reasoning" => usage.reasoning = number,
            "out_audio" => usage.output_audio = number,
            "out_image" => usage.output_image = number,
            "searches" => usage.searches = number,
            "search_units" => usage.search_units = number,
            "read_audio" => usage.cache_read_audio = number,
            "fetches" => usage.fetches = number,
            "pages" => usage.file_pages = number,
            "requests" => requests = number,
            "at" => {
                let minutes = i64::try_from(number / 100 * 60 + number % 100).unwrap();
                at = Timestamp::from_seconds(minutes * 60);
            }
            _ => panic!("no quantity {name:?}"),
        }
    }
    let expected = expected.trim().to_owned();
    Case { line: line.to_owned(), table: table.clone(), usage, at, requests, expected }
}
