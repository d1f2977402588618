//! When a provider wants to be asked again, in its various spellings.

use http::HeaderMap;
use signalbox_core::Timestamp;

/// The longest wait that is believed (reliability design 2.22). Hints are advice from outside.
const LONGEST: u64 = 300;
/// From here on a number is a moment in seconds since 1970, not a wait.
const EPOCH_SECONDS: u64 = 1_000_000_000;
/// From here on it is one in milliseconds.
const EPOCH_MILLIS: u64 = 100_000_000_000;

/// Where providers say when a limit starts anew, each with the header that says what is left of it.
const RESETS: [(&str, &str); 7] = [
    ("x-ratelimit-reset", "x-ratelimit-remaining"),
    ("x-ratelimit-reset-requests", "x-ratelimit-remaining-requests"),
    ("x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"),
    ("ratelimit-reset", "ratelimit-remaining"),
    ("anthropic-ratelimit-requests-reset", "anthropic-ratelimit-requests-remaining"),
    ("anthropic-ratelimit-input-tokens-reset", "anthropic-ratelimit-input-tokens-remaining"),
    ("anthropic-ratelimit-output-tokens-reset", "anthropic-ratelimit-output-tokens-remaining"),
];

/// Seconds to wait: from `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date. Absurd,
/// negative and malformed hints count as none or are cut to five minutes.
#[must_use]
pub fn read(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let millis = text(headers, "retry-after-ms").and_then(|value| value.parse::<u64>().ok());
    if let Some(millis) = millis {
        return Some(millis.div_ceil(1000).min(LONGEST));
    }
    let value = text(headers, "retry-after")?;
    if let Some(seconds) = seconds(value) {
        return Some(seconds.min(LONGEST));
    }
    until(jiff::fmt::rfc2822::parse(value).ok()?.timestamp(), now)
}

/// Seconds until the limit that was hit starts anew, from headers such as `x-ratelimit-reset`: the
/// latest of those limits of which nothing is left, else the earliest of all. To be read with a 429
/// only.
#[must_use]
pub fn reset(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let waits = || {
        RESETS.into_iter().filter_map(|(reset, remaining)| {
            let wait = moment(text(headers, reset)?, now)?;
            let spent = text(headers, remaining).and_then(seconds) == Some(0);
            Some((spent, wait.min(LONGEST)))
        })
    };
    let spent = waits().filter_map(|(spent, wait)| spent.then_some(wait)).max();
    spent.or_else(|| waits().map(|(_, wait)| wait).min())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// The wait until a moment; none when it is past.
fn until(moment: jiff::Timestamp, now: Timestamp) -> Option<u64> {
    let wait = moment.as_second().saturating_sub(now.seconds());
    u64::try_from(wait).ok().map(|wait| wait.min(LONGEST))
}

/// A wait as a number of seconds, a moment since 1970 in seconds or milliseconds, a moment in RFC
/// 3339, or a duration such as `1m30s`.
fn moment(value: &str, now: Timestamp) -> Option<u64> {
    if let Some(number) = seconds(value) {
        let epoch = match number {
            EPOCH_MILLIS.. => number.div_ceil(1000),
            EPOCH_SECONDS.. => number,
            wait => return Some(wait),
        };
        return epoch.checked_sub(u64::try_from(now.seconds()).ok()?);
    }
    match value.parse::<jiff::Timestamp>() {
        Ok(moment) => until(moment, now),
        Err(_) => duration(value),
    }
}

/// Whole seconds, rounding a fraction up.
fn seconds(value: &str) -> Option<u64> {
    let (whole, fraction) = number(value)?;
    Some(whole.saturating_add(u64::from(fraction > 0)))
}

/// A plain decimal: the whole part, and the fraction in billionths, what is smaller rounded up.
fn number(value: &str) -> Option<(u64, u64)> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let mut billionths = 0_u64;
    for at in 0..9 {
        let digit = fraction.as_bytes().get(at).map_or(0, |byte| u64::from(byte - b'0'));
        billionths = billionths * 10 + digit;
    }
    let rest = fraction.bytes().skip(9).any(|digit| digit != b'0');
    Some((whole.parse().unwrap_or(u64::MAX), billionths.saturating_add(u64::from(rest))))
}

/// A duration of numbers with units, such as `1m30s`, `250ms` or `6m0.5s`, in seconds, rounded up.
fn duration(value: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 6] = [
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let mut nanos = 0_u64;
    let mut rest = value;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| letter.is_ascii_alphabetic())?;
        let (count, tail) = rest.split_at_checked(end)?;
        let end = tail.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end)?;
        let (_, size) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        let (whole, billionths) = number(count)?;
        let part = u128::from(billionths) * u128::from(size) / 1_000_000_000;
        nanos = nanos
            .saturating_add(whole.saturating_mul(size))
            .saturating_add(u64::try_from(part).unwrap_or(u64::MAX));
        rest = tail;
    }
    (!value.is_empty()).then(|| nanos.div_ceil(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sun, 09 Aug 2026 15:31:00 GMT.
    const NOW: Timestamp = Timestamp::from_seconds(1_786_289_460);

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn every_spelling_is_understood_and_nonsense_is_not() {
        for (name, value, wait) in [
            ("retry-after", "7", Some(7)),
            ("retry-after", "0.5", Some(1)),
            ("retry-after", "Sun, 09 Aug 2026 15:31:30 GMT", Some(30)),
            ("retry-after", "Sun, 09 Aug 2026 15:30:00 GMT", None),
            ("retry-after", "1000000000", Some(LONGEST)),
            ("retry-after", "99999999999999999999999", Some(LONGEST)),
            ("retry-after", "-5", None),
            ("retry-after", "soon", None),
            ("retry-after", "", None),
            ("retry-after-ms", "1500", Some(2)),
            ("retry-after-ms", "9000000", Some(LONGEST)),
        ] {
            assert_eq!(read(&headers(&[(name, value)]), NOW), wait, "{name}: {value}");
        }
        assert_eq!(read(&HeaderMap::new(), NOW), None);
    }

    #[test]
    fn resets_come_as_seconds_moments_or_durations() {
        for (value, wait) in [
            ("7", Some(7)),
            ("0.2", Some(1)),
            ("1786289470", Some(10)),
            ("1786289470.5", Some(11)),
            ("1786289470250", Some(11)),
            ("1000000000", None),
            ("1786299460", Some(LONGEST)),
            ("2026-08-09T15:31:20Z", Some(20)),
            ("2026-08-09T15:30:20Z", None),
            ("1m30s", Some(90)),
            ("250ms", Some(1)),
            ("6m0s", Some(LONGEST)),
            ("1.5s", Some(2)),
            ("2.25m", Some(135)),
            ("88888888888888888888h99h", Some(LONGEST)),
            ("-5", None),
            ("1m-5s", None),
            ("5 minutes", None),
            ("ms", None),
            ("soon", None),
            ("", None),
        ] {
            let headers = headers(&[("x-ratelimit-reset", value)]);
            assert_eq!(reset(&headers, NOW), wait, "{value}");
            assert_eq!(read(&headers, NOW), None, "{value}");
        }
    }

    #[test]
    fn of_several_limits_the_spent_one_counts() {
        let several = |spent| {
            headers(&[
                ("x-ratelimit-reset-requests", "3s"),
                ("x-ratelimit-remaining-requests", "5"),
                ("x-ratelimit-reset-tokens", "1m30s"),
                ("x-ratelimit-remaining-tokens", spent),
            ])
        };
        assert_eq!(reset(&several("0"), NOW), Some(90));
        assert_eq!(reset(&several("100"), NOW), Some(3), "nobody says which: the shortest");
    }
}
