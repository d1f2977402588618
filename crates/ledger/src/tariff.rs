//! Which of an endpoint's prices apply to one generation.

use signalbox_core::{PriceOverride, PriceTable, Rates, Timestamp};

/// Whether all conditions of an override hold (inference spec A.4).
///
/// `prompt_tokens` is the whole prompt, cached or not, and must lie strictly above the threshold.
/// `hhmm` is the UTC time of day; a window includes its start, excludes its end and may run past
/// midnight. A window with only one end begins or ends at midnight. Start equal to end is no time.
#[must_use]
pub fn applies(entry: &PriceOverride, prompt_tokens: u64, hhmm: u16) -> bool {
    let long_enough = entry.min_prompt_tokens.is_none_or(|least| prompt_tokens > least);
    long_enough && in_window(entry.utc_start, entry.utc_end, hhmm)
}

fn in_window(start: Option<u16>, end: Option<u16>, hhmm: u16) -> bool {
    let start = start.unwrap_or(0);
    let end = end.unwrap_or(2400);
    if start <= end { start <= hhmm && hhmm < end } else { hhmm >= start || hhmm < end }
}

/// The prices for a prompt of this many tokens at this moment: the base row with every matching
/// override laid over it in order. An override changes only the kinds that it names, for the whole
/// request.
#[must_use]
pub fn rates_at(table: &PriceTable, prompt_tokens: u64, at: Timestamp) -> Rates {
    overlaid(table, prompt_tokens, at).unwrap_or(table.rates)
}

/// The same, or `None` where no override applies and the base row is all.
pub(crate) fn overlaid(table: &PriceTable, prompt_tokens: u64, at: Timestamp) -> Option<Rates> {
    if table.overrides.is_empty() {
        return None;
    }
    let hhmm = at.utc_hhmm();
    let matching = table.overrides.iter().filter(|entry| applies(entry, prompt_tokens, hhmm));
    matching.fold(None, |rates, entry| Some(rates.unwrap_or(table.rates).overlaid(&entry.rates)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalbox_core::{PriceKind, Rate};

    /// `min start end | prompt hhmm -> yes/no`, `-` for an absent condition.
    const CONDITIONS: &str = "
        -      -    -    | 0       0    -> yes
        200000 -    -    | 199999  0    -> no
        200000 -    -    | 200000  0    -> no
        200000 -    -    | 200001  0    -> yes
        -      0830 1630 | 1       829  -> no
        -      0830 1630 | 1       830  -> yes
        -      0830 1630 | 1       1629 -> yes
        -      0830 1630 | 1       1630 -> no
        -      1630 0030 | 1       1630 -> yes
        -      1630 0030 | 1       2359 -> yes
        -      1630 0030 | 1       0    -> yes
        -      1630 0030 | 1       29   -> yes
        -      1630 0030 | 1       30   -> no
        -      1630 0030 | 1       1200 -> no
        -      1200 -    | 1       1159 -> no
        -      1200 -    | 1       2359 -> yes
        -      -    1200 | 1       0    -> yes
        -      -    1200 | 1       1200 -> no
        -      0000 2400 | 1       2359 -> yes
        -      0900 0900 | 1       900  -> no
        10     0900 1000 | 10      930  -> no
        10     0900 1000 | 11      930  -> yes
        10     0900 1000 | 11      1030 -> no
    ";

    fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
        text.parse().ok()
    }

    #[test]
    fn an_override_applies_only_while_all_its_conditions_hold() {
        for line in CONDITIONS.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let entry = PriceOverride {
                min_prompt_tokens: number(words[0]),
                utc_start: number(words[1]),
                utc_end: number(words[2]),
                rates: Rates::default(),
            };
            let found = applies(&entry, words[4].parse().unwrap(), words[5].parse().unwrap());
            assert_eq!(found, words[7] == "yes", "{line}");
        }
    }

    #[test]
    fn the_last_matching_override_wins_and_absent_kinds_keep_their_price() {
        let rate = |text: &str| text.parse::<Rate>().unwrap();
        let row = |pairs: &[(PriceKind, &str)]| {
            pairs.iter().fold(Rates::default(), |mut rates, (kind, text)| {
                rates.set(*kind, rate(text));
                rates
            })
        };
        let step = |least, rates| PriceOverride {
            min_prompt_tokens: Some(least),
            rates,
            ..PriceOverride::default()
        };
        let table = PriceTable {
            rates: row(&[(PriceKind::Prompt, "1"), (PriceKind::Completion, "2")]),
            overrides: vec![
                step(100, row(&[(PriceKind::Prompt, "3"), (PriceKind::Completion, "4")])),
                step(50, row(&[(PriceKind::Prompt, "5")])),
            ],
        };
        for (prompt, expected) in [(50, ("1", "2")), (51, ("5", "2")), (101, ("5", "4"))] {
            let rates = rates_at(&table, prompt, Timestamp::default());
            assert_eq!(rates.get(PriceKind::Prompt), Some(rate(expected.0)), "{prompt}");
            assert_eq!(rates.get(PriceKind::Completion), Some(rate(expected.1)), "{prompt}");
        }
    }
}
