//! Whether an answer may be kept or given again, and for how long: the caller's headers and the
//! preset's settings in their order (inference spec 14.3).

use signalbox_core::limits;

/// What the headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheHeaders {
    /// `X-OpenRouter-Cache`.
    pub enabled: Option<bool>,
    /// `X-OpenRouter-Cache-TTL` in seconds, within its range.
    pub ttl: Option<u32>,
    /// `X-OpenRouter-Cache-Clear`.
    pub clear: bool,
}

/// What a preset says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PresetCache {
    /// `cache_enabled`.
    pub enabled: Option<bool>,
    /// `cache_ttl_seconds`, as saved.
    pub ttl: Option<i64>,
}

/// An answer that may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Seconds for which it may be given again.
    pub ttl: u32,
    /// Whether what is kept must not be given.
    pub clear: bool,
}

impl CacheHeaders {
    /// Reads the texts of the three headers. Switches are `true` or `false`; anything else is as if it
    /// were not there.
    #[must_use]
    pub fn read(enabled: Option<&str>, ttl: Option<&str>, clear: Option<&str>) -> Self {
        Self {
            enabled: enabled.and_then(switch),
            ttl: ttl.and_then(leading_seconds),
            clear: clear.and_then(switch).unwrap_or(false),
        }
    }
}

/// The precedence: a preset's `false` is final; then the header's word, then the preset's; off when
/// nobody says anything. The header's time comes before the preset's.
pub(crate) fn wish(headers: &CacheHeaders, preset: Option<PresetCache>) -> Option<Wish> {
    let preset = preset.unwrap_or_default();
    if preset.enabled == Some(false) || !headers.enabled.or(preset.enabled).unwrap_or(false) {
        return None;
    }
    let ttl = headers.ttl.or_else(|| preset.ttl.map(within));
    Some(Wish { ttl: ttl.unwrap_or(limits::RESPONSE_CACHE_TTL), clear: headers.clear })
}

fn switch(text: &str) -> Option<bool> {
    let text = text.trim();
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") { Some(true) } else { is("false").then_some(false) }
}

/// The number that a text begins with, as JavaScript's `parseInt` reads it (platform spec 19.8).
fn leading_seconds(text: &str) -> Option<u32> {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.bytes().take_while(u8::is_ascii_digit);
    let number = digits.fold(None, |number: Option<i64>, digit| {
        let digit = i64::from(digit.saturating_sub(b'0'));
        Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit))
    })?;
    Some(within(if negative { number.saturating_neg() } else { number }))
}

fn within(seconds: i64) -> u32 {
    let (least, most) = limits::RESPONSE_CACHE_TTL_RANGE;
    u32::try_from(seconds.clamp(i64::from(least), i64::from(most))).unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ttl(text: &str, preset: Option<i64>) -> u32 {
        let headers = CacheHeaders::read(Some("true"), Some(text), None);
        let preset = preset.map(|seconds| PresetCache { enabled: None, ttl: Some(seconds) });
        wish(&headers, preset).unwrap().ttl
    }

    #[test]
    fn g72_the_ttl_is_the_number_that_the_header_begins_with() {
        for (text, expected) in [
            ("60abc", 60),
            ("1.5", 1),
            ("0", 1),
            ("999999", 86_400),
            ("86400", 86_400),
            ("86401", 86_400),
            ("99999999999999999999999999", 86_400),
            (" 7", 7),
            ("+8", 8),
            ("-5", 1),
            ("007", 7),
        ] {
            assert_eq!((text, ttl(text, Some(40))), (text, expected));
        }
        for text in ["abc", "", "-", "e9", ".5", "\u{661}"] {
            assert_eq!((text, ttl(text, None)), (text, 300), "as if it were not there");
            assert_eq!((text, ttl(text, Some(40))), (text, 40));
        }
        for (preset, expected) in [(0, 1), (-3, 1), (40, 40), (i64::MAX, 86_400)] {
            assert_eq!((preset, ttl("abc", Some(preset))), (preset, expected));
        }
    }

    #[test]
    fn g73_a_presets_no_is_final_and_the_header_comes_before_its_yes() {
        let asked = |header: Option<&str>, preset: Option<bool>| {
            let preset = PresetCache { enabled: preset, ttl: None };
            let with = wish(&CacheHeaders::read(header, None, None), Some(preset));
            if preset.enabled.is_none() {
                let without = wish(&CacheHeaders::read(header, None, None), None);
                assert_eq!(with, without, "a preset that says nothing is none");
            }
            with.is_some()
        };
        for (header, preset, expected) in [
            (None, None, false),
            (None, Some(false), false),
            (None, Some(true), true),
            (Some("true"), None, true),
            (Some("true"), Some(false), false),
            (Some("true"), Some(true), true),
            (Some("false"), None, false),
            (Some("false"), Some(false), false),
            (Some("false"), Some(true), false),
            (Some("TRUE"), None, true),
            (Some("1"), None, false),
            (Some("yes"), Some(true), true),
        ] {
            assert_eq!(asked(header, preset), expected, "{header:?} {preset:?}");
        }
    }

    #[test]
    fn clearing_is_a_switch_too_and_alone_turns_nothing_on() {
        let read = |enabled, clear| wish(&CacheHeaders::read(enabled, None, Some(clear)), None);
        assert!(read(Some("true"), "true").unwrap().clear);
        assert!(!read(Some("true"), "false").unwrap().clear);
        assert!(!read(Some("true"), "maybe").unwrap().clear);
        assert_eq!(read(None, "true"), None);
    }
}
