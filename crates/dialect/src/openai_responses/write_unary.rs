//! Whole answers in this dialect (inference spec 16.4).

use bytes::Bytes;
use signalbox_core::ApiError;

use super::response::Asked;
use super::write_stream::{ResponsesWriter, status_of};
use crate::event::Event;
use crate::identity::{Extras, Identity, RelayOptions, UsageReport};

/// Writes a whole answer from events: the response object that a stream of them would end with.
/// `completed_at` is in seconds since the epoch.
#[must_use]
pub fn write_unary_events(
    events: &[Event],
    identity: &Identity,
    report: &UsageReport,
    options: RelayOptions,
    extras: &Extras<'_>,
    asked: Asked,
    completed_at: i64,
) -> Bytes {
    let writer = written(events, identity, options, asked);
    let status = writer.status();
    writer.whole(&status, Some(report), extras, completed_at).into()
}

/// Writes what there is of an answer that failed after it began.
#[must_use]
pub fn write_failed_events(
    events: &[Event],
    error: &ApiError,
    identity: &Identity,
    report: Option<&UsageReport>,
    options: RelayOptions,
    extras: &Extras<'_>,
    asked: Asked,
) -> Bytes {
    let writer = written(events, identity, options, asked);
    writer.whole(&status_of(error), report, extras, identity.created).into()
}

fn written(
    events: &[Event],
    identity: &Identity,
    options: RelayOptions,
    asked: Asked,
) -> ResponsesWriter {
    let mut writer = ResponsesWriter::new(identity, options, asked);
    let mut nobody = Vec::new();
    for event in events {
        writer.write(event, &mut nobody);
        nobody.clear();
    }
    writer
}
