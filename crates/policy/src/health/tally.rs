//! The statistics of one endpoint: how often it answered, how fast, and how well it called tools.

use signalbox_catalog::Percentiles;
use signalbox_core::Timestamp;

use super::Observation;
use super::histogram::{FEWEST, Histogram};
use super::ring::Ring;

/// Fewest requests that an uptime is made of (inference spec 5.3).
const UPTIME_FEWEST: u32 = 100;
/// Throughput is counted in sixteenths of a token per second, so that one token in ten seconds still
/// has a bucket.
const THROUGHPUT_SCALE: f64 = 16.0;

/// How requests ended, by the published counting rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Outcomes {
    /// Answered to the end.
    pub good: u32,
    /// Counted against the endpoint.
    pub bad: u32,
    /// Refused for their rate: apart from both.
    pub limited: u32,
}

/// Requests that ended with a tool call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tools {
    /// All of them.
    pub asked: u32,
    /// Those with at least one bad call.
    pub bad: u32,
}

/// How fast answers were. Allocated when there are any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Speeds {
    /// Milliseconds to the first content of a stream.
    pub first: Option<Box<Histogram>>,
    /// Throughput.
    pub flow: Option<Box<Histogram>>,
}

/// All that is counted. About 2 KiB when idle; 640 bytes for each of at most 27 histograms, so less
/// than 20 KiB for an endpoint that is always busy.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Five minutes.
    pub tens: Ring<Outcomes, 30, 10>,
    /// Half an hour.
    pub minutes: Ring<Outcomes, 30, 60>,
    /// A day.
    pub halves: Ring<Outcomes, 48, 1800>,
    /// Two hours.
    pub tools: Ring<Tools, 12, 600>,
    /// A day.
    pub tool_halves: Ring<Tools, 48, 1800>,
    /// Five minutes.
    pub short: Ring<Speeds, 5, 60>,
    /// Half an hour.
    pub long: Ring<Speeds, 6, 300>,
    /// Five minutes of milliseconds to the end of answers in one piece.
    pub whole: Ring<Option<Box<Histogram>>, 5, 60>,
}

/// What the statistics come to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// Percent of the last five minutes' requests that were answered; `None` under 100 requests.
    pub uptime_5m: Option<f32>,
    /// The same of half an hour.
    pub uptime_30m: Option<f32>,
    /// The same of a day.
    pub uptime_1d: Option<f32>,
    /// Requests of the last five minutes that were answered.
    pub answered_5m: u32,
    /// Requests of the last five minutes that count against the endpoint.
    pub failed_5m: u32,
    /// Milliseconds to the first token over five minutes; `None` under 20 streams.
    pub latency_5m: Option<Percentiles>,
    /// The same over half an hour.
    pub latency_30m: Option<Percentiles>,
    /// Output tokens per second of the whole request, over five minutes; p90 ≤ p50.
    pub throughput_5m: Option<Percentiles>,
    /// The same over half an hour.
    pub throughput_30m: Option<Percentiles>,
    /// Milliseconds that 95 in 100 streams took to their first token, over five minutes.
    pub first_p95: Option<f32>,
    /// Milliseconds that 95 in 100 answers in one piece took, over five minutes.
    pub whole_p95: Option<f32>,
    /// Requests in half an hour; those refused for their rate don't count.
    pub requests_30m: u32,
    /// Requests of a day that were refused for their rate.
    pub limited_1d: u32,
    /// Requests in two hours whose finish reason was a tool call.
    pub tool_requests_2h: u32,
    /// Those of them with at least one bad call.
    pub tool_faults_2h: u32,
    /// Requests of a day whose finish reason was a tool call.
    pub tool_requests_1d: u32,
    /// Those of them with at least one bad call.
    pub tool_faults_1d: u32,
}

impl Figures {
    /// Whether there is nothing left that could age.
    pub(super) fn is_blank(&self) -> bool {
        *self == Self::default()
    }
}

impl Tally {
    /// Counts how a request went.
    pub(super) fn note(&mut self, now: Timestamp, seen: Observation) {
        let outcome = match seen {
            Observation::Success { .. } => Outcomes { good: 1, ..Outcomes::default() },
            Observation::Fault | Observation::Broke => Outcomes { bad: 1, ..Outcomes::default() },
            Observation::RateLimited { .. } => Outcomes { limited: 1, ..Outcomes::default() },
            Observation::Neutral => return,
        };
        for slot in [self.tens.at(now), self.minutes.at(now), self.halves.at(now)] {
            slot.into_iter().for_each(|slot| slot.add(outcome));
        }
        let Observation::Success { first_content_ms, total_ms, output_tokens, tools } = seen else {
            return;
        };
        match first_content_ms {
            Some(millis) => self.speed(now, |speeds| &mut speeds.first, millis as f64),
            None => {
                let slot = self.whole.at(now).map(|slot| slot.get_or_insert_default());
                slot.into_iter().for_each(|slot| slot.add(total_ms as f64));
            }
        }
        if output_tokens > 0 {
            let flow = output_tokens as f64 * 1000.0 / (total_ms.max(1) as f64);
            self.speed(now, |speeds| &mut speeds.flow, flow * THROUGHPUT_SCALE);
        }
        if let Some(fine) = tools {
            let asked = Tools { asked: 1, bad: u32::from(!fine) };
            for slot in [self.tools.at(now), self.tool_halves.at(now)] {
                slot.into_iter().for_each(|slot| slot.add(asked));
            }
        }
    }

    fn speed(
        &mut self,
        now: Timestamp,
        of: fn(&mut Speeds) -> &mut Option<Box<Histogram>>,
        value: f64,
    ) {
        for slot in [self.short.at(now), self.long.at(now)] {
            slot.into_iter().for_each(|slot| of(slot).get_or_insert_default().add(value));
        }
    }

    /// What it all comes to at this moment. Forgets what is too old.
    pub(super) fn figures(&mut self, now: Timestamp) -> Figures {
        self.short.advance(now);
        self.long.advance(now);
        self.whole.advance(now);
        let (five, thirty, day) =
            (total(&self.tens, now), total(&self.minutes, now), total(&self.halves, now));
        let (tools, day_tools) = (asked(&self.tools, now), asked(&self.tool_halves, now));
        let (first_5m, flow_5m) = merged(&self.short, now);
        let (first_30m, flow_30m) = merged(&self.long, now);
        let whole = whole(&self.whole, now);
        Figures {
            uptime_5m: five.uptime(),
            uptime_30m: thirty.uptime(),
            uptime_1d: day.uptime(),
            answered_5m: five.good,
            failed_5m: five.bad,
            latency_5m: first_5m.as_ref().and_then(Histogram::smaller_is_better),
            latency_30m: first_30m.as_ref().and_then(Histogram::smaller_is_better),
            throughput_5m: flow_5m.as_ref().and_then(Histogram::larger_is_better).map(per_second),
            throughput_30m: flow_30m.as_ref().and_then(Histogram::larger_is_better).map(per_second),
            first_p95: first_5m.as_ref().and_then(p95),
            whole_p95: whole.as_ref().and_then(p95),
            requests_30m: thirty.good.saturating_add(thirty.bad),
            limited_1d: day.limited,
            tool_requests_2h: tools.asked,
            tool_faults_2h: tools.bad,
            tool_requests_1d: day_tools.asked,
            tool_faults_1d: day_tools.bad,
        }
    }
}

impl Outcomes {
    fn add(&mut self, other: Self) {
        self.good = self.good.saturating_add(other.good);
        self.bad = self.bad.saturating_add(other.bad);
        self.limited = self.limited.saturating_add(other.limited);
    }

    /// Percent of the counted requests that were answered.
    fn uptime(self) -> Option<f32> {
        let counted = u64::from(self.good).saturating_add(u64::from(self.bad));
        let enough = counted >= u64::from(UPTIME_FEWEST);
        enough.then(|| (f64::from(self.good) / counted as f64 * 100.0) as f32)
    }
}

impl Tools {
    fn add(&mut self, other: Self) {
        self.asked = self.asked.saturating_add(other.asked);
        self.bad = self.bad.saturating_add(other.bad);
    }
}

fn total<const N: usize, const W: i64>(ring: &Ring<Outcomes, N, W>, now: Timestamp) -> Outcomes {
    let mut sum = Outcomes::default();
    ring.recent(now).for_each(|(_, slot)| sum.add(*slot));
    sum
}

fn asked<const N: usize, const W: i64>(ring: &Ring<Tools, N, W>, now: Timestamp) -> Tools {
    let mut sum = Tools::default();
    ring.recent(now).for_each(|(_, slot)| sum.add(*slot));
    sum
}

fn merged<const N: usize, const W: i64>(
    ring: &Ring<Speeds, N, W>,
    now: Timestamp,
) -> (Option<Histogram>, Option<Histogram>) {
    let (mut first, mut flow) = (None, None);
    for (_, slot) in ring.recent(now) {
        join(&mut first, slot.first.as_deref());
        join(&mut flow, slot.flow.as_deref());
    }
    (first, flow)
}

fn whole<const N: usize, const W: i64>(
    ring: &Ring<Option<Box<Histogram>>, N, W>,
    now: Timestamp,
) -> Option<Histogram> {
    let mut sum = None;
    ring.recent(now).for_each(|(_, slot)| join(&mut sum, slot.as_deref()));
    sum
}

fn join(sum: &mut Option<Histogram>, one: Option<&Histogram>) {
    if let Some(one) = one {
        sum.get_or_insert_default().merge(one);
    }
}

fn p95(histogram: &Histogram) -> Option<f32> {
    histogram.quantile(0.95).map(|millis| millis as f32)
}

fn per_second(scaled: Percentiles) -> Percentiles {
    let one = |value: f64| value / THROUGHPUT_SCALE;
    Percentiles {
        p50: one(scaled.p50),
        p75: one(scaled.p75),
        p90: one(scaled.p90),
        p99: one(scaled.p99),
    }
}

/// What the endpoints of one model take together, over five minutes.
#[derive(Debug, Default)]
pub(super) struct Together {
    first: Ring<Option<Box<Histogram>>, 5, 60>,
    whole: Ring<Option<Box<Histogram>>, 5, 60>,
    /// Values since the last look.
    fresh: u32,
}

impl Together {
    /// Counts an answer, and says whether it is time to look again: after as many values as a first
    /// look needs.
    pub(super) fn note(&mut self, now: Timestamp, first: Option<u64>, total: u64) -> bool {
        let (ring, millis) = match first {
            Some(millis) => (&mut self.first, millis),
            None => (&mut self.whole, total),
        };
        let slot = ring.at(now).map(|slot| slot.get_or_insert_default());
        slot.into_iter().for_each(|slot| slot.add(millis as f64));
        self.fresh = self.fresh.saturating_add(1);
        self.fresh >= FEWEST
    }

    /// Milliseconds that 95 in 100 take: streams to the first content, answers in one piece.
    pub(super) fn p95(&mut self, now: Timestamp) -> (Option<f32>, Option<f32>) {
        self.fresh = 0;
        let of = |ring| whole(ring, now).as_ref().and_then(p95);
        (of(&self.first), of(&self.whole))
    }
}
