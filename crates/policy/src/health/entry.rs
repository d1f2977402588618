//! One endpoint with one credential: its state, its statistics, and what of them is published.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use signalbox_core::Timestamp;

use super::control::{self, Control, Patience};
use super::tally::{Figures, Tally, Together};
use super::{Admission, EndpointHealth, Observation, Sending, Usual};

/// The least patience with an attempt (reliability design, test 6).
const LEAST_PATIENCE: Duration = Duration::from_secs(2);
/// How often what 95 in 100 take an attempt may take.
const PATIENCE_FACTOR: u32 = 3;
/// How old published figures may be, in milliseconds, when there is something new.
const FIGURES_AGE_MILLIS: u64 = 1_000;
/// The same when there is nothing new, but what there is gets old.
const IDLE_AGE_MILLIS: u64 = 10_000;
/// "No such moment" in the published ones.
const NEVER: i64 = i64::MIN;
/// No deadline is further away than this many seconds; if one is, the clock was set back.
const FURTHEST_SECONDS: i64 = 301;

/// What the endpoints of one model take.
#[derive(Debug, Default)]
pub(super) struct Pace {
    together: Mutex<Together>,
    first_ms: AtomicU32,
    whole_ms: AtomicU32,
}

impl Pace {
    fn note(&self, now: Timestamp, first: Option<u64>, total: u64) {
        let mut together = lock(&self.together);
        if together.note(now, first, total) {
            let (first, whole) = together.p95(now);
            for (cell, value) in [(&self.first_ms, first), (&self.whole_ms, whole)] {
                cell.store(value.map_or(0, |millis| millis as u32), Ordering::Relaxed);
            }
        }
    }
}

/// Figures, and when they were made.
#[derive(Debug, Clone, Copy, Default)]
struct Made {
    at: Timestamp,
    figures: Figures,
}

/// One endpoint with one credential.
///
/// Writers take one of two locks for about a microsecond. Readers take none: they see the moments
/// and figures that were published last; one of them makes new figures when those are too old.
#[derive(Debug)]
pub(super) struct Entry {
    control: Mutex<Control>,
    tally: Mutex<Tally>,
    /// What is usual for the endpoint, and for its model; known once it was asked for.
    known: OnceLock<(Usual, Arc<Pace>)>,
    made: ArcSwap<Made>,
    /// Whether the figures lack something.
    fresh: AtomicBool,
    /// Whether the store lacks something.
    pub unsaved: AtomicBool,
    /// When it was last written to.
    pub touched: AtomicI64,
    outage_until: AtomicI64,
    ejected_until: AtomicI64,
    cooling_until: AtomicI64,
    recovered: AtomicI64,
}

impl Default for Entry {
    fn default() -> Self {
        let never = || AtomicI64::new(NEVER);
        Self {
            control: Mutex::default(),
            tally: Mutex::default(),
            known: OnceLock::new(),
            made: ArcSwap::from_pointee(Made::default()),
            fresh: AtomicBool::new(false),
            unsaved: AtomicBool::new(false),
            touched: never(),
            outage_until: never(),
            ejected_until: never(),
            cooling_until: never(),
            recovered: never(),
        }
    }
}

impl Entry {
    pub(super) fn enter(
        &self,
        sending: &Sending<'_>,
        now: Timestamp,
        pace: impl FnOnce() -> Arc<Pace>,
    ) -> Admission {
        self.known.get_or_init(|| (sending.usual, pace()));
        let patience = self.patience();
        let mut control = self.changing(now);
        let admission = control.enter(now, sending.whole, sending.last_resort, patience);
        self.publish(&control, now);
        admission
    }

    pub(super) fn answering(&self, sent: Timestamp, now: Timestamp) {
        let mut control = self.changing(now);
        control.answering(sent, now);
        self.publish(&control, now);
    }

    pub(super) fn hanging(&self, sent: Timestamp, now: Timestamp) -> bool {
        let patience = self.patience();
        let mut control = self.changing(now);
        let hangs = control.hanging(sent, now, patience);
        self.publish(&control, now);
        hangs
    }

    pub(super) fn record(&self, sent: Timestamp, now: Timestamp, seen: Observation) {
        let mut control = self.changing(now);
        control.ended(sent, now, seen);
        self.publish(&control, now);
        drop(control);
        if seen == Observation::Neutral {
            return;
        }
        lock(&self.tally).note(now, seen);
        if let Observation::Success { first_content_ms, total_ms, .. } = seen
            && let Some((_, pace)) = self.known.get()
        {
            pace.note(now, first_content_ms, total_ms);
        }
        self.fresh.store(true, Ordering::Release);
        self.unsaved.store(true, Ordering::Release);
    }

    /// What is known at this moment.
    pub(super) fn health(&self, now: Timestamp) -> EndpointHealth {
        let moment = |cell: &AtomicI64| match cell.load(Ordering::Relaxed) {
            NEVER => None,
            micros => Some(Timestamp::from_micros(micros)),
        };
        let furthest = now.plus_millis(FURTHEST_SECONDS * 1000);
        let deadlines = [&self.ejected_until, &self.cooling_until, &self.outage_until];
        if deadlines.into_iter().any(|cell| moment(cell) > Some(furthest)) {
            let mut control = self.changing(now);
            control.tick(now);
            self.publish(&control, now);
        }
        let figures = self.figures(now);
        EndpointHealth {
            outage: moment(&self.outage_until).is_some_and(|until| now < until),
            standing: control::standing(moment(&self.ejected_until), now),
            cooling_until: moment(&self.cooling_until).filter(|until| now < *until),
            ramp: control::ramp(moment(&self.recovered), now),
            uptime_5m: figures.uptime_5m,
            uptime_30m: figures.uptime_30m,
            uptime_1d: figures.uptime_1d,
            answered_5m: figures.answered_5m,
            failed_5m: figures.failed_5m,
            latency_ms: figures.latency_5m,
            throughput: figures.throughput_5m,
            requests_30m: figures.requests_30m,
            tool_requests_2h: figures.tool_requests_2h,
            tool_faults_2h: figures.tool_faults_2h,
        }
    }

    /// The figures, at most a second older than what was noted.
    pub(super) fn figures(&self, now: Timestamp) -> Figures {
        let made = self.made.load();
        let age = made.at.micros().abs_diff(now.micros()) / 1000;
        let fresh = self.fresh.load(Ordering::Acquire);
        let is_old = fresh && age >= FIGURES_AGE_MILLIS
            || !made.figures.is_blank() && age >= IDLE_AGE_MILLIS;
        if !is_old {
            return made.figures;
        }
        // Whoever comes second takes what there is.
        let Ok(mut tally) = self.tally.try_lock() else { return made.figures };
        self.fresh.store(false, Ordering::Release);
        let figures = tally.figures(now);
        self.made.store(Arc::new(Made { at: now, figures }));
        figures
    }

    /// How long attempts may take before they count as overdue: what was measured here, else at the
    /// model's other endpoints, else what is usual.
    pub(super) fn patience(&self) -> Patience {
        let figures = self.made.load().figures;
        let (usual, pace) = match self.known.get() {
            Some((usual, pace)) => (*usual, Some(pace)),
            None => (Usual::CHAT, None),
        };
        let of = |own: Option<f32>, model: Option<u32>, usual: u32| {
            let model = model.filter(|millis| *millis > 0);
            let p95 = own.map(|millis| millis as u32).or(model).unwrap_or(usual);
            let most = Duration::from_millis(u64::from(p95)).saturating_mul(PATIENCE_FACTOR);
            most.max(LEAST_PATIENCE)
        };
        let load = |cell: &AtomicU32| cell.load(Ordering::Relaxed);
        Patience {
            first: of(figures.first_p95, pace.map(|one| load(&one.first_ms)), usual.first_ms),
            whole: of(figures.whole_p95, pace.map(|one| load(&one.whole_ms)), usual.whole_ms),
        }
    }

    /// Looks at state and statistics together, to save them or to put them back.
    pub(super) fn with<R>(
        &self,
        now: Timestamp,
        look: impl FnOnce(&mut Control, &mut Tally) -> R,
    ) -> R {
        let mut control = self.changing(now);
        let result = look(&mut control, &mut lock(&self.tally));
        self.publish(&control, now);
        self.fresh.store(true, Ordering::Release);
        result
    }

    fn changing(&self, now: Timestamp) -> MutexGuard<'_, Control> {
        self.touched.store(now.micros(), Ordering::Relaxed);
        lock(&self.control)
    }

    /// Lets readers see the state, before the lock is given back.
    fn publish(&self, control: &Control, now: Timestamp) {
        let cells = [
            (&self.outage_until, control.outage_until(now)),
            (&self.ejected_until, control.ejected_until()),
            (&self.cooling_until, control.cooling_until()),
            (&self.recovered, control.recovered()),
        ];
        for (cell, moment) in cells {
            let micros = moment.map_or(NEVER, Timestamp::micros);
            // Most often nothing changed, and readers keep what they have in their caches.
            if cell.load(Ordering::Relaxed) != micros {
                cell.store(micros, Ordering::Relaxed);
            }
        }
    }
}

/// What is counted can't be left half done, so that a panic elsewhere spoils nothing.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
