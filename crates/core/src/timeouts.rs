//! How long a provider may take for what (reliability design 5.3): one value for the process, which
//! a provider's row may change.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Longest time that may be configured: a day.
const LONGEST: f64 = 86_400.0;

/// How long each part of a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Opening a connection: name, TCP and TLS together.
    pub connect: Duration,
    /// Silence while the provider should take the request's body.
    pub write_idle: Duration,
    /// From sending to the response headers of a stream. Models that think have until their first
    /// content: their providers may send no headers before.
    pub headers: Duration,
    /// From sending to the first content of a stream.
    pub first_content: Duration,
    /// The same of a model that thinks first.
    pub first_content_thinking: Duration,
    /// Silence between two reads of an answer. Before the first content of a model that thinks it
    /// does not count.
    pub idle: Duration,
    /// Time in which a stream that had content goes on without any, whatever else it sends.
    pub progress: Duration,
    /// A whole stream, from the arrival of the request, attempts together. Time in which the client
    /// holds it up does not count.
    pub stream_total: Duration,
    /// The same of an answer in one piece.
    pub whole_total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            write_idle: Duration::from_secs(10),
            headers: Duration::from_secs(10),
            first_content: Duration::from_secs(30),
            first_content_thinking: Duration::from_secs(180),
            idle: Duration::from_secs(60),
            progress: Duration::from_secs(300),
            stream_total: Duration::from_secs(900),
            whole_total: Duration::from_secs(600),
        }
    }
}

/// The times that a row or the configuration changes, in seconds, such as `30` or `0.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `Timeouts`, as they are written")]
pub struct TimeoutsRow {
    #[serde(deserialize_with = "seconds")]
    pub connect: Option<Duration>,
    #[serde(deserialize_with = "seconds")]
    pub write_idle: Option<Duration>,
    #[serde(deserialize_with = "seconds")]
    pub headers: Option<Duration>,
    #[serde(deserialize_with = "seconds")]
    pub first_content: Option<Duration>,
    #[serde(deserialize_with = "seconds")]
    pub first_content_thinking: Option<Duration>,
    #[serde(deserialize_with = "seconds")]
    pub idle: Option<Duration>,
    #[serde(deserialize_with = "seconds")]
    pub progress: Option<Duration>,
    #[serde(deserialize_with = "seconds")]
    pub stream_total: Option<Duration>,
    #[serde(deserialize_with = "seconds")]
    pub whole_total: Option<Duration>,
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let Some(seconds) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
    if !(seconds > 0.0 && seconds <= LONGEST) {
        return Err(D::Error::custom("expected seconds above 0 and up to 86400"));
    }
    Duration::try_from_secs_f64(seconds).map(Some).map_err(D::Error::custom)
}

impl Timeouts {
    /// These times, but for those that the row names.
    #[must_use]
    pub fn with(&self, row: &TimeoutsRow) -> Self {
        Self {
            connect: row.connect.unwrap_or(self.connect),
            write_idle: row.write_idle.unwrap_or(self.write_idle),
            headers: row.headers.unwrap_or(self.headers),
            first_content: row.first_content.unwrap_or(self.first_content),
            first_content_thinking: row
                .first_content_thinking
                .unwrap_or(self.first_content_thinking),
            idle: row.idle.unwrap_or(self.idle),
            progress: row.progress.unwrap_or(self.progress),
            stream_total: row.stream_total.unwrap_or(self.stream_total),
            whole_total: row.whole_total.unwrap_or(self.whole_total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<TimeoutsRow, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_row_changes_what_it_names() {
        let row = read(r#"{"connect": 0.25, "idle": 7}"#).unwrap();
        let changed = Timeouts::default().with(&row);
        assert_eq!(changed.connect, Duration::from_millis(250));
        assert_eq!(changed.idle, Duration::from_secs(7));
        assert_eq!(changed.first_content, Timeouts::default().first_content);
        assert_eq!(Timeouts::default().with(&TimeoutsRow::default()), Timeouts::default());
    }

    #[test]
    fn absurd_times_are_refused() {
        for bad in ["0", "-1", "1e300", "\"5\"", "86401"] {
            assert!(read(&format!(r#"{{"idle": {bad}}}"#)).is_err(), "{bad}");
        }
        assert!(read(r#"{"idel": 5}"#).is_err());
    }
}
