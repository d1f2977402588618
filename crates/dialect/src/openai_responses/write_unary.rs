//! Whole answers in this dialect (inference spec 16.4).

use std::sync::Arc;

use bytes::Bytes;
use signalbox_core::ApiError;

use super::response::Asked;
use super::write_stream::{ResponsesWriter, status_of};
use crate::event::Event;
use crate::identity::{Extras, Identity, RelayOptions, UsageReport};

/// Writes a whole answer from events: the response object that a stream of them would end with.
#[must_use]
pub fn write_unary_events(
    events: &[Event],
    identity: &Identity,
    report: &UsageReport,
    options: RelayOptions,
    extras: &Extras<'_>,
    asked: &Arc<Asked>,
) -> Bytes {
    let writer = written(events, identity, options, asked);
    let status = writer.status();
    writer.whole(&status, Some(report), extras).into()
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
    asked: &Arc<Asked>,
) -> Bytes {
    let writer = written(events, identity, options, asked);
    writer.whole(&status_of(error), report, extras).into()
}

fn written(
    events: &[Event],
    identity: &Identity,
    options: RelayOptions,
    asked: &Arc<Asked>,
) -> ResponsesWriter {
    let mut writer = ResponsesWriter::new(identity, options, Arc::clone(asked));
    let mut nobody = Vec::new();
    for event in events {
        writer.write(event, &mut nobody);
        nobody.clear();
    }
    writer
}
