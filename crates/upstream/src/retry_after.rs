//! When a provider wants to be asked again, in its various spellings.

use http::HeaderMap;
use signalbox_core::Timestamp;

/// The longest wait that is believed: an hour. Hints are advice from outside.
const LONGEST: u64 = 3600;

/// Seconds to wait: from `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date. Absurd,
/// negative and malformed hints count as none or are cut to an hour.
#[must_use]
pub fn read(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(millis) = text("retry-after-ms").and_then(|value| value.trim().parse::<u64>().ok())
    {
        return Some(millis.div_ceil(1000).min(LONGEST));
    }
    let value = text("retry-after")?.trim();
    if let Some(seconds) = seconds(value) {
        return Some(seconds.min(LONGEST));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp().as_second();
    u64::try_from(date.saturating_sub(now.seconds())).ok().map(|wait| wait.min(LONGEST))
}

/// Whole seconds, rounding a fraction up.
fn seconds(value: &str) -> Option<u64> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole = whole.parse::<u64>().unwrap_or(u64::MAX);
    let up = fraction.bytes().any(|digit| digit != b'0');
    Some(whole.saturating_add(u64::from(up)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_understood_and_nonsense_is_not() {
        let now = Timestamp::from_seconds(1_786_289_460); // Sun, 09 Aug 2026 15:31:00 GMT
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
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(read(&headers, now), wait, "{name}: {value}");
        }
        assert_eq!(read(&HeaderMap::new(), now), None);
    }
}
