//! The board as text, so that it survives a restart. One seat is one JSON object of a few hundred
//! bytes to about ten kilobytes. Slots carry absolute times: what got too old meanwhile is left out
//! when it is read back.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};
use signalbox_core::Timestamp;

use super::control::Control;
use super::histogram::Histogram;
use super::key::Named;
use super::ring::Ring;
use super::tally::{Outcomes, Speeds, Tally, Tools};
use super::{HealthBoard, Seat};

/// The version of the text. Others are not read.
const VERSION: u32 = 1;
/// Longest text that is read.
const LONGEST: usize = 256 * 1024;

/// What is kept of one seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The endpoint's id.
    pub endpoint: String,
    /// The id of the tenant's key; `None` is the operator's own.
    pub credential: Option<String>,
    /// Its state: JSON, for [`HealthBoard::restore`].
    pub state: String,
}

/// A state that can't be read: broken, or of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the state of an endpoint's health is broken or of another version")
    }
}

impl std::error::Error for Unreadable {}

/// Buckets that were hit, with their counts.
type Hits = Vec<(usize, u32)>;

#[derive(Debug, Serialize, Deserialize)]
struct State {
    v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ejected_until: Option<Timestamp>,
    #[serde(default)]
    ejections: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cooling_until: Option<Timestamp>,
    /// Slot, good, bad, limited.
    tens: Vec<(i64, u32, u32, u32)>,
    minutes: Vec<(i64, u32, u32, u32)>,
    halves: Vec<(i64, u32, u32, u32)>,
    /// Slot, asked, bad.
    tools: Vec<(i64, u32, u32)>,
    tool_halves: Vec<(i64, u32, u32)>,
    /// Slot, time to the first content, throughput.
    short: Vec<(i64, Hits, Hits)>,
    long: Vec<(i64, Hits, Hits)>,
    whole: Vec<(i64, Hits)>,
}

impl HealthBoard {
    /// The seats that changed since they were last asked for. Whoever can't save one says so with
    /// [`HealthBoard::not_saved`].
    #[must_use]
    pub fn unsaved(&self, now: Timestamp) -> Vec<Saved> {
        let mut changed: Vec<_> =
            self.all().filter(|(_, entry)| entry.unsaved.swap(false, Ordering::AcqRel)).collect();
        changed.sort_by(|(a, _), (b, _)| a.cmp(b));
        let saved = |(key, entry): (super::key::Key, std::sync::Arc<super::entry::Entry>)| {
            let state = entry.with(now, |control, tally| write(control, tally, now));
            let Seat { endpoint, credential } = key.seat();
            Saved { endpoint: endpoint.to_owned(), credential: credential.map(Into::into), state }
        };
        changed.into_iter().map(saved).collect()
    }

    /// Notes that a seat could not be saved, so that it is tried again.
    pub fn not_saved(&self, saved: &Saved) {
        let credential = saved.credential.as_deref();
        if let Some(entry) = self.find(Seat { endpoint: &saved.endpoint, credential }) {
            entry.unsaved.store(true, Ordering::Release);
        }
    }

    /// Puts back what was saved of a seat. Meant for an empty board, before the first request.
    ///
    /// # Errors
    /// [`Unreadable`]: nothing is put back then.
    pub fn restore(&self, seat: Seat<'_>, state: &str, now: Timestamp) -> Result<(), Unreadable> {
        if state.len() > LONGEST {
            return Err(Unreadable);
        }
        let state: State = serde_json::from_str(state).map_err(|_| Unreadable)?;
        if state.v != VERSION {
            return Err(Unreadable);
        }
        self.entry(seat, now).with(now, |control, tally| read(state, control, tally, now));
        Ok(())
    }
}

fn write(control: &Control, tally: &Tally, now: Timestamp) -> String {
    let state = State {
        v: VERSION,
        ejected_until: control.ejected_until(),
        ejections: control.ejections(),
        cooling_until: control.cooling_until().filter(|until| now < *until),
        tens: outcomes(&tally.tens, now),
        minutes: outcomes(&tally.minutes, now),
        halves: outcomes(&tally.halves, now),
        tools: tools(&tally.tools, now),
        tool_halves: tools(&tally.tool_halves, now),
        short: speeds(&tally.short, now),
        long: speeds(&tally.long, now),
        whole: {
            let slots = tally.whole.recent(now).map(|(number, slot)| (number, hits(slot)));
            slots.filter(|(_, hits)| !hits.is_empty()).collect()
        },
    };
    serde_json::to_string(&state).unwrap_or_default()
}

fn outcomes<const N: usize, const W: i64>(
    ring: &Ring<Outcomes, N, W>,
    now: Timestamp,
) -> Vec<(i64, u32, u32, u32)> {
    let used = ring.recent(now).filter(|(_, slot)| **slot != Outcomes::default());
    used.map(|(number, slot)| (number, slot.good, slot.bad, slot.limited)).collect()
}

fn tools<const N: usize, const W: i64>(
    ring: &Ring<Tools, N, W>,
    now: Timestamp,
) -> Vec<(i64, u32, u32)> {
    let used = ring.recent(now).filter(|(_, slot)| slot.asked > 0);
    used.map(|(number, slot)| (number, slot.asked, slot.bad)).collect()
}

fn speeds<const N: usize, const W: i64>(
    ring: &Ring<Speeds, N, W>,
    now: Timestamp,
) -> Vec<(i64, Hits, Hits)> {
    let slots =
        ring.recent(now).map(|(number, slot)| (number, hits(&slot.first), hits(&slot.flow)));
    slots.filter(|(_, first, flow)| !first.is_empty() || !flow.is_empty()).collect()
}

fn hits(histogram: &Option<Box<Histogram>>) -> Hits {
    histogram.iter().flat_map(|one| one.hits()).collect()
}

fn read(state: State, control: &mut Control, tally: &mut Tally, now: Timestamp) {
    control.restore(now, state.ejected_until, state.ejections, state.cooling_until);
    put_outcomes(&mut tally.tens, state.tens, now);
    put_outcomes(&mut tally.minutes, state.minutes, now);
    put_outcomes(&mut tally.halves, state.halves, now);
    put_tools(&mut tally.tools, state.tools, now);
    put_tools(&mut tally.tool_halves, state.tool_halves, now);
    put_speeds(&mut tally.short, state.short, now);
    put_speeds(&mut tally.long, state.long, now);
    for (number, hits) in state.whole {
        tally.whole.put(number, now, histogram(hits));
    }
}

fn put_outcomes<const N: usize, const W: i64>(
    ring: &mut Ring<Outcomes, N, W>,
    slots: Vec<(i64, u32, u32, u32)>,
    now: Timestamp,
) {
    for (number, good, bad, limited) in slots {
        ring.put(number, now, Outcomes { good, bad, limited });
    }
}

fn put_tools<const N: usize, const W: i64>(
    ring: &mut Ring<Tools, N, W>,
    slots: Vec<(i64, u32, u32)>,
    now: Timestamp,
) {
    for (number, asked, bad) in slots {
        ring.put(number, now, Tools { asked, bad: bad.min(asked) });
    }
}

fn put_speeds<const N: usize, const W: i64>(
    ring: &mut Ring<Speeds, N, W>,
    slots: Vec<(i64, Hits, Hits)>,
    now: Timestamp,
) {
    for (number, first, flow) in slots {
        ring.put(number, now, Speeds { first: histogram(first), flow: histogram(flow) });
    }
}

fn histogram(hits: Hits) -> Option<Box<Histogram>> {
    let mut histogram: Option<Box<Histogram>> = None;
    for (bucket, count) in hits {
        histogram.get_or_insert_default().add_many(bucket, count);
    }
    histogram
}
