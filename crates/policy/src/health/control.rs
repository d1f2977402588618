//! Who may be called: outages, ejections, probes and cool-downs of one endpoint with one credential.
//! A state machine: moments come in, decisions go out.

use std::collections::VecDeque;
use std::time::Duration;

use signalbox_core::Timestamp;

use super::bucket::Bucket;
use super::cooling::Cooling;
use super::ring::Ring;
use super::{Admission, Observation, Standing};

/// Seconds for which an outage is remembered (inference spec 5.3).
const OUTAGE_SECONDS: i64 = 30;
/// With this many faults in 30 s, of at least one in [`OUTAGE_SHARE`], successes between them don't
/// end an outage.
const OUTAGE_FAULTS: u32 = 3;
/// One in five.
const OUTAGE_SHARE: u32 = 5;
/// Faults in a row that eject (reliability design 5.4).
const FAULTS_IN_A_ROW: u32 = 5;
/// Fewest attempts in 30 s of which more than half may not be faults (reliability design 5.4).
const FEWEST_ATTEMPTS: u32 = 20;
/// Attempts that are overdue at once when an endpoint hangs (reliability design, test 6).
const OVERDUE: usize = 5;
/// Send times that are remembered: the oldest since the last sign of life decide.
const REMEMBERED: usize = 128;
/// The first ejection, in seconds; each further one is twice as long (reliability design 5.4).
const EJECTION_SECONDS: i64 = 30;
/// The longest ejection in seconds; so long after a recovery, the next one is a first one again.
const LONGEST_EJECTION_SECONDS: i64 = 300;
/// Over how many seconds an endpoint that is back gets back its weight (reliability design 5.4).
const RAMP_SECONDS: f32 = 30.0;
/// The share of its weight with which it starts.
const RAMP_START: f32 = 0.1;
/// Microseconds by which calls from several threads may be out of order. More is a clock that was
/// set back.
const DISORDER: i64 = 2_000_000;

/// Seconds in a slot of the last thirty.
const HOT_SECONDS: i64 = 3;

/// Attempts of three seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Hot {
    sent: u32,
    /// Streams that had content.
    begun: u32,
    /// Streams that ended well.
    streamed: u32,
    /// Answers in one piece.
    whole: u32,
    /// Faults before any content.
    early: u32,
    /// Faults after it.
    late: u32,
}

/// An attempt without content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    sent: Timestamp,
    whole: bool,
}

/// How long attempts may take before they are overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    /// Streams to their first content.
    pub first: Duration,
    /// Answers in one piece.
    pub whole: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Ejection {
    since: Timestamp,
    until: Timestamp,
    /// It answered nobody, rather than with faults.
    hangs: bool,
    /// Faults came after content, so that content proves nothing.
    late: bool,
    /// The attempt that is finding out whether it is back.
    probe: Option<Timestamp>,
    /// What is let in while nothing else is left.
    trickle: Bucket,
}

/// The state of one endpoint with one credential.
#[derive(Debug, Default)]
pub(super) struct Control {
    /// The latest moment that was heard of.
    seen: Option<Timestamp>,
    hot: Ring<Hot, 10, HOT_SECONDS>,
    waiting: VecDeque<Waiting>,
    /// Faults since the last success.
    run: u32,
    /// Whether one of them came after content.
    run_late: bool,
    last_fault: Option<Timestamp>,
    ejection: Option<Ejection>,
    /// Ejections since it last was well for long.
    ejections: u32,
    recovered: Option<Timestamp>,
    cooling: Cooling,
}

impl Control {
    /// Asks to send an attempt.
    pub(super) fn enter(
        &mut self,
        now: Timestamp,
        whole: bool,
        last_resort: bool,
        patience: Patience,
    ) -> Admission {
        self.tick(now);
        if self.cooling.until().is_some_and(|until| now < until) {
            return Admission::Refused;
        }
        if self.ejection.is_none() && self.overdue(now, patience) {
            self.eject(now, true);
        }
        if let Some(ejection) = &mut self.ejection
            && !(ejection.probes(now, patience) || last_resort && ejection.trickle.take(now))
        {
            return Admission::Refused;
        }
        if self.waiting.len() < REMEMBERED {
            self.waiting.push_back(Waiting { sent: now, whole });
        }
        self.count(now, |hot| &mut hot.sent);
        Admission::Go
    }

    /// An attempt has content.
    pub(super) fn answering(&mut self, sent: Timestamp, now: Timestamp) {
        self.tick(now);
        self.count(now, |hot| &mut hot.begun);
        self.waiting.clear();
        if !self.run_late {
            self.run = 0;
        }
        if let Some(ejection) = &mut self.ejection {
            ejection.release(sent);
            if ejection.hangs || !ejection.late && sent >= ejection.since {
                self.recover(now);
            }
        }
    }

    /// An attempt ended.
    pub(super) fn ended(&mut self, sent: Timestamp, now: Timestamp, seen: Observation) {
        self.tick(now);
        if let Some(place) = self.waiting.iter().position(|one| one.sent == sent) {
            self.waiting.remove(place);
        }
        if let Some(ejection) = &mut self.ejection {
            ejection.release(sent);
        }
        match seen {
            Observation::Success { first_content_ms, .. } => {
                match first_content_ms {
                    None => self.count(now, |hot| &mut hot.whole),
                    Some(_) => self.count(now, |hot| &mut hot.streamed),
                }
                let first = first_content_ms.and_then(|millis| i64::try_from(millis).ok());
                // A stream showed life when it began, however long it went on.
                self.good(sent, first.map_or(now, |millis| sent.plus_millis(millis)), now);
            }
            Observation::Fault => self.bad(sent, now, false),
            Observation::Broke => self.bad(sent, now, true),
            Observation::RateLimited { until } => {
                self.waiting.clear();
                self.cooling.limited(sent, now, until);
                if self.ejection.is_some_and(|one| one.hangs) {
                    self.recover(now);
                }
            }
            Observation::Neutral => {}
        }
    }

    /// Whether an attempt without content should go elsewhere.
    pub(super) fn hanging(&mut self, sent: Timestamp, now: Timestamp, patience: Patience) -> bool {
        self.tick(now);
        if self.ejection.is_none() && self.overdue(now, patience) {
            self.eject(now, true);
        }
        // Those that were sent since then are finding out whether it is back: they may take long.
        self.ejection.is_some_and(|one| one.hangs && sent <= one.since)
    }

    /// Enough attempts are overdue, and nobody was answered since they were sent.
    fn overdue(&self, now: Timestamp, patience: Patience) -> bool {
        let late = |one: &&Waiting| {
            let most = if one.whole { patience.whole } else { patience.first };
            u128::from(now.millis_since(one.sent)) > most.as_millis()
        };
        self.waiting.iter().filter(late).take(OVERDUE).count() >= OVERDUE
    }

    fn good(&mut self, sent: Timestamp, alive: Timestamp, now: Timestamp) {
        self.waiting.retain(|one| one.sent > alive);
        self.run = 0;
        self.run_late = false;
        self.cooling.ended();
        let is_news = |one: Ejection| if one.hangs { alive > one.since } else { sent >= one.since };
        if self.ejection.is_some_and(is_news) {
            self.recover(now);
        }
    }

    fn bad(&mut self, sent: Timestamp, now: Timestamp, late: bool) {
        self.last_fault = Some(now);
        if let Some(ejection) = &mut self.ejection {
            if sent >= ejection.until {
                self.eject_again(now, late);
            }
            return;
        }
        // What was sent before it came back says nothing of how it is now.
        if self.recovered.is_some_and(|at| sent < at) {
            return;
        }
        match late {
            true => self.count(now, |hot| &mut hot.late),
            false => self.count(now, |hot| &mut hot.early),
        }
        self.run = self.run.saturating_add(1);
        self.run_late |= late;
        let (good, bad) = self.hot(now);
        let all = good.saturating_add(bad);
        if self.run >= FAULTS_IN_A_ROW || all >= FEWEST_ATTEMPTS && bad > all / 2 {
            self.eject(now, false);
        }
    }

    fn eject(&mut self, now: Timestamp, hangs: bool) {
        let well = |at: Timestamp| now.millis_since(at) > seconds(LONGEST_EJECTION_SECONDS);
        if self.recovered.is_none_or(well) {
            self.ejections = 0;
        }
        self.ejection = Some(Ejection {
            since: now,
            until: now.plus_millis(self.longer()),
            hangs,
            late: self.run_late,
            probe: None,
            trickle: Bucket::tenth_of(self.rate(now), now),
        });
    }

    /// A probe failed.
    fn eject_again(&mut self, now: Timestamp, late: bool) {
        let length = self.longer();
        if let Some(ejection) = &mut self.ejection {
            ejection.until = now.plus_millis(length);
            ejection.late |= late;
        }
    }

    /// Milliseconds of the next ejection.
    fn longer(&mut self) -> i64 {
        let doubled = EJECTION_SECONDS << self.ejections.min(8);
        self.ejections = self.ejections.saturating_add(1);
        doubled.min(LONGEST_EJECTION_SECONDS).saturating_mul(1000)
    }

    fn recover(&mut self, now: Timestamp) {
        self.ejection = None;
        self.recovered = Some(now);
        self.last_fault = None;
        self.run = 0;
        self.run_late = false;
        self.waiting.clear();
        self.hot = Ring::default();
    }

    fn count(&mut self, now: Timestamp, which: fn(&mut Hot) -> &mut u32) {
        if let Some(hot) = self.hot.at(now) {
            let count = which(hot);
            *count = count.saturating_add(1);
        }
    }

    /// Attempts of the last 30 s that answered, and that failed. What has begun to answer counts as
    /// answered until it breaks off.
    fn hot(&self, now: Timestamp) -> (u32, u32) {
        let mut sum = Hot::default();
        for (_, hot) in self.hot.recent(now) {
            sum.begun = sum.begun.saturating_add(hot.begun);
            sum.streamed = sum.streamed.saturating_add(hot.streamed);
            sum.whole = sum.whole.saturating_add(hot.whole);
            sum.early = sum.early.saturating_add(hot.early);
            sum.late = sum.late.saturating_add(hot.late);
        }
        let streamed = sum.streamed.max(sum.begun.saturating_sub(sum.late));
        (sum.whole.saturating_add(streamed), sum.early.saturating_add(sum.late))
    }

    /// Attempts per second, lately.
    fn rate(&self, now: Timestamp) -> f64 {
        let mut sent = 0_u32;
        let mut first = None;
        for (number, hot) in self.hot.recent(now) {
            // Empty slots before the first attempt are not part of what is usual.
            if hot.sent > 0 {
                first = first.or(Some(number));
            }
            sent = sent.saturating_add(hot.sent);
        }
        let Some(first) = first else { return 0.0 };
        let began = Timestamp::from_seconds(first.saturating_mul(HOT_SECONDS));
        f64::from(sent) / (now.millis_since(began) as f64 / 1000.0).max(1.0)
    }

    /// Until when an outage is remembered, if there was a significant one: the latest answer was a
    /// fault, or there were several among few answers. A fault that a success followed is none.
    pub(super) fn outage_until(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.last_fault?;
        let (good, bad) = self.hot(now);
        let all = good.saturating_add(bad);
        let often = bad >= OUTAGE_FAULTS && bad >= all / OUTAGE_SHARE;
        (self.run > 0 || self.ejection.is_some() || often)
            .then(|| last.plus_millis(OUTAGE_SECONDS * 1000))
    }

    /// When the ejection ends, if there is one. After that moment the endpoint is half-open.
    pub(super) fn ejected_until(&self) -> Option<Timestamp> {
        self.ejection.map(|one| one.until)
    }

    pub(super) const fn cooling_until(&self) -> Option<Timestamp> {
        self.cooling.until()
    }

    pub(super) const fn recovered(&self) -> Option<Timestamp> {
        self.recovered
    }

    /// Takes over what was known before the process was started anew.
    pub(super) fn restore(
        &mut self,
        now: Timestamp,
        ejected_until: Option<Timestamp>,
        ejections: u32,
        cooling_until: Option<Timestamp>,
    ) {
        self.tick(now);
        let longest = now.plus_millis(LONGEST_EJECTION_SECONDS * 1000);
        if let Some(until) = ejected_until {
            self.eject(now, false);
            let ejection = self.ejection.as_mut();
            ejection.into_iter().for_each(|one| one.until = until.min(longest));
            self.ejections = ejections.clamp(1, 8);
        }
        if let Some(until) = cooling_until {
            self.cooling.limited(now, now, Some(until));
        }
    }

    /// Ejections since it last was well for long.
    pub(super) const fn ejections(&self) -> u32 {
        self.ejections
    }

    /// Notes the time. When the clock was set back, everything that lies in a future which no
    /// longer comes moves back with it.
    pub(super) fn tick(&mut self, now: Timestamp) {
        let Some(seen) = self.seen else {
            self.seen = Some(now);
            return;
        };
        let back = seen.micros().saturating_sub(now.micros());
        if back <= DISORDER {
            self.seen = Some(seen.max(now));
            return;
        }
        let moved = |at: Timestamp| Timestamp::from_micros(at.micros().saturating_sub(back));
        self.seen = Some(now);
        self.waiting.clear();
        self.hot = Ring::default();
        self.last_fault = self.last_fault.map(moved);
        self.recovered = self.recovered.map(moved);
        self.cooling.move_back(back);
        if let Some(ejection) = &mut self.ejection {
            ejection.since = moved(ejection.since);
            ejection.until = moved(ejection.until);
            ejection.probe = None;
            ejection.trickle.restart(now);
        }
    }
}

impl Ejection {
    /// Whether the ejection is over and this attempt may find out whether the endpoint is back. A
    /// probe that takes too long leaves its place to another.
    fn probes(&mut self, now: Timestamp, patience: Patience) -> bool {
        let stuck =
            |sent: Timestamp| u128::from(now.millis_since(sent)) > patience.first.as_millis();
        let free = now >= self.until && self.probe.is_none_or(stuck);
        if free {
            self.probe = Some(now);
        }
        free
    }

    fn release(&mut self, sent: Timestamp) {
        if self.probe == Some(sent) {
            self.probe = None;
        }
    }
}

/// How an endpoint stands whose ejection ends, or ended, at this moment.
pub(super) fn standing(ejected_until: Option<Timestamp>, now: Timestamp) -> Standing {
    match ejected_until {
        None => Standing::Fit,
        Some(until) if now < until => Standing::Ejected { until },
        Some(_) => Standing::HalfOpen,
    }
}

/// The share of its weight that an endpoint has which recovered at this moment.
pub(super) fn ramp(recovered: Option<Timestamp>, now: Timestamp) -> f32 {
    let Some(recovered) = recovered else { return 1.0 };
    let passed = now.millis_since(recovered) as f32 / 1000.0;
    (RAMP_START + (1.0 - RAMP_START) * passed / RAMP_SECONDS).min(1.0)
}

const fn seconds(count: i64) -> u64 {
    count.unsigned_abs().saturating_mul(1000)
}
