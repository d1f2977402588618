//! Moments as values: microseconds since the Unix epoch.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A moment in microseconds since 1970-01-01 UTC. Reading the clock is `signalbox_runtime`'s job.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// How often a spending limit starts again, always at midnight UTC; weeks start on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResetInterval {
    /// Every day.
    Daily,
    /// Every Monday.
    Weekly,
    /// On the first of every month.
    Monthly,
}

impl ResetInterval {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// The interval with this wire name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Daily, Self::Weekly, Self::Monthly].into_iter().find(|one| one.name() == name)
    }
}

impl Timestamp {
    /// A moment from microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// A moment from whole seconds since the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Whole milliseconds from `earlier` to here; 0 when the clock went backwards.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> u64 {
        let micros = self.0.saturating_sub(earlier.0);
        if micros <= 0 { 0 } else { micros.unsigned_abs() / 1000 }
    }

    /// The moment this many milliseconds later.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis.saturating_mul(1000)))
    }

    fn civil(self) -> Option<jiff::civil::DateTime> {
        let moment = jiff::Timestamp::from_microsecond(self.0).ok()?;
        Some(moment.to_zoned(TimeZone::UTC).datetime())
    }

    /// RFC 3339 in UTC with milliseconds: `2026-08-08T15:31:00.000Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        match self.civil() {
            Some(at) => format!("{}Z", at.strftime("%Y-%m-%dT%H:%M:%S%.3f")),
            None => String::from("1970-01-01T00:00:00.000Z"),
        }
    }

    /// The time of day in UTC as HHMM, such as 1830.
    #[must_use]
    pub fn utc_hhmm(self) -> u16 {
        let minutes = self.seconds().div_euclid(60).rem_euclid(1440);
        u16::try_from(minutes / 60 * 100 + minutes % 60).unwrap_or(0)
    }

    /// Midnight UTC of this moment's day.
    #[must_use]
    pub const fn day_start(self) -> Self {
        const DAY: i64 = 86_400_000_000;
        Self(self.0.div_euclid(DAY).saturating_mul(DAY))
    }

    /// The start of the limit window that this moment lies in.
    #[must_use]
    pub fn window_start(self, interval: ResetInterval) -> Self {
        let Some(at) = self.civil() else { return Self(0) };
        let days_back = match interval {
            ResetInterval::Daily => 0,
            ResetInterval::Weekly => at.weekday().since(Weekday::Monday),
            ResetInterval::Monthly => at.day() - 1,
        };
        let day = self.day_start();
        Self(day.0.saturating_sub(i64::from(days_back).saturating_mul(86_400_000_000)))
    }

    /// The first moment after the limit window that this moment lies in.
    #[must_use]
    pub fn window_end(self, interval: ResetInterval) -> Self {
        let days: i64 = match interval {
            ResetInterval::Daily => 1,
            ResetInterval::Weekly => 7,
            // Every month is over after as many, and none that follows is.
            ResetInterval::Monthly => 31,
        };
        let beyond =
            self.window_start(interval).0.saturating_add(days.saturating_mul(86_400_000_000));
        Self(beyond).window_start(interval)
    }
}

/// The text is neither a day nor a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a day such as 2026-08-31, nor a moment such as 2026-08-31T12:00:00Z")]
pub struct ParseTimestampError;

impl std::str::FromStr for Timestamp {
    type Err = ParseTimestampError;

    /// Reads RFC 3339 with any offset, or a day, which is its first moment in UTC.
    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        if let Ok(moment) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(moment.as_microsecond()));
        }
        let day: jiff::civil::Date = text.parse().map_err(|_| ParseTimestampError)?;
        let start = day.to_zoned(TimeZone::UTC).map_err(|_| ParseTimestampError)?;
        // A date reads leniently from what begins with one; only the plain form is taken.
        if text.len() == 10 {
            Ok(Self(start.timestamp().as_microsecond()))
        } else {
            Err(ParseTimestampError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUNDAY: Timestamp = Timestamp::from_seconds(1_786_289_460); // 2026-08-09 15:31 UTC

    #[test]
    fn moments_are_written_as_rfc3339() {
        assert_eq!(SUNDAY.to_rfc3339(), "2026-08-09T15:31:00.000Z");
        assert_eq!(SUNDAY.utc_hhmm(), 1531);
    }

    #[test]
    fn windows_start_at_midnight_utc_and_weeks_on_monday() {
        let start = |interval| SUNDAY.window_start(interval).to_rfc3339();
        assert_eq!(start(ResetInterval::Daily), "2026-08-09T00:00:00.000Z");
        assert_eq!(start(ResetInterval::Weekly), "2026-08-03T00:00:00.000Z");
        assert_eq!(start(ResetInterval::Monthly), "2026-08-01T00:00:00.000Z");
    }

    #[test]
    fn a_day_and_a_moment_are_read() {
        for (text, shown) in [
            ("2026-08-09", "2026-08-09T00:00:00.000Z"),
            ("2026-08-09T15:31:00Z", "2026-08-09T15:31:00.000Z"),
            ("2026-08-09T15:31:00.5+02:00", "2026-08-09T13:31:00.500Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_rfc3339(), shown, "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "2026-08-09T15:31:00", "2026-8-9", "1786289460"]
        {
            assert_eq!(text.parse::<Timestamp>(), Err(ParseTimestampError), "{text}");
        }
    }

    #[test]
    fn a_window_ends_where_the_next_begins() {
        for (at, interval, end) in [
            ("2026-11-23T19:05:00Z", ResetInterval::Daily, "2026-11-24"),
            ("2026-11-23T19:05:00Z", ResetInterval::Weekly, "2026-11-30"),
            ("2026-11-29T23:59:59Z", ResetInterval::Weekly, "2026-11-30"),
            ("2026-11-30T00:00:00Z", ResetInterval::Monthly, "2026-12-01"),
            ("2026-12-31T12:00:00Z", ResetInterval::Monthly, "2027-01-01"),
            ("2028-02-01T00:00:00Z", ResetInterval::Monthly, "2028-03-01"),
        ] {
            let moment = |text: &str| text.parse::<Timestamp>().unwrap();
            assert_eq!(moment(at).window_end(interval), moment(end), "{at} {interval:?}");
        }
    }

    #[test]
    fn time_that_goes_backwards_counts_as_none() {
        assert_eq!(Timestamp::from_micros(5).millis_since(Timestamp::from_micros(9_000)), 0);
        assert_eq!(Timestamp::from_micros(-1).seconds(), -1);
    }
}
