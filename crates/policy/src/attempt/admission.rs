//! Who may be called now: cool-downs, credentials that rest, and the health board, asked in this order.

use signalbox_core::Timestamp;

use super::{Refusal, Refusals};
use crate::health::{Admission, Health, HealthBoard, Standing};
use crate::plan::Candidate;

/// Asks to call a candidate at `now`. When it may, the attempt counts as sent and its end has to be
/// recorded. `last_resort` says that the request has nobody else to ask.
///
/// # Errors
/// Why it may not be called.
pub fn admit(
    board: &HealthBoard,
    refusals: &Refusals,
    candidate: &Candidate,
    (streamed, last_resort): (bool, bool),
    now: Timestamp,
) -> Result<(), Refusal> {
    let past = board.of(&candidate.endpoint, candidate.seat().credential, now);
    if let Some(seconds) = past.cooling(now) {
        return Err(Refusal::Cooling { seconds });
    }
    let rests = refusals.enter(candidate, now);
    rests.map_err(|seconds| Refusal::Down { seconds: Some(seconds) })?;
    match board.enter(&candidate.sending(streamed, last_resort), now) {
        Admission::Go => Ok(()),
        Admission::Refused => {
            let seconds = match past.standing {
                Standing::Ejected { until } => Some(until.millis_since(now).div_ceil(1_000)),
                Standing::Fit | Standing::HalfOpen => None,
            };
            Err(Refusal::Down { seconds })
        }
    }
}
