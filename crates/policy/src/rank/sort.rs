//! The order of the endpoints that may answer (inference spec, appendix B).
//!
//! From the weightiest to the lightest: the caller's own keys before shared capacity; what is in
//! trouble behind what is not; the caller's `order`; the service tier that is asked for; the endpoint
//! that the conversation stays with; and then the metric, the quality or the draw.

use std::cmp::Ordering;

use signalbox_core::{Parameter, Timestamp};

use super::exacto::Bars;
use super::{Dice, price, speed};
use crate::health::{EndpointHealth, Standing};
use crate::place::{Basis, Demotion, Figures, Proof, Section};
use crate::plan::runner::Runner;
use crate::preferences::SortBy;
use crate::requirements::{Requirements, Tier, TierWish, Wanted};
use crate::rule::Lists;

/// How the candidates of a group are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// A draw by price.
    Draw,
    /// By a metric: never [`SortBy::Exacto`].
    Metric(SortBy),
    /// By quality, then a draw. `strict` when the caller asked for it.
    Exacto {
        /// Whether the caller asked for it; else it is because there are tools.
        asked: bool,
    },
}

impl Method {
    /// The method for a model: what the request says, then the variant, the service tier, the account;
    /// then quality where there are tools (inference spec 5.4, 5.7, 7, 18.1). An account's order may be
    /// final: then nothing else counts.
    pub fn of(request: &Requirements, variant: Option<SortBy>) -> Self {
        let tier = match request.tier {
            TierWish::Tier(Tier::Priority) => Some(SortBy::Throughput),
            TierWish::Tier(Tier::Flex) => Some(SortBy::Price),
            TierWish::Unsaid | TierWish::Default => None,
        };
        let account = &request.account;
        let is_open = !account.sort_is_final || account.default_sort.is_none();
        let said = request.provider.sort.or(variant).filter(|_| is_open);
        match said.or(tier.filter(|_| is_open)).or(account.default_sort) {
            Some(SortBy::Exacto) => Self::Exacto { asked: said.is_some() },
            Some(metric) => Self::Metric(metric),
            None if request.content.parameters.contains(Parameter::Tools) => {
                Self::Exacto { asked: false }
            }
            None => Self::Draw,
        }
    }

    /// The method for several models together: that of the first one with a variant.
    pub fn across(request: &Requirements, models: &[Wanted]) -> Self {
        Self::of(request, models.iter().find_map(|one| one.sort))
    }
}

/// What a group is ordered with. `bars` are by the model's place in the request.
pub(crate) struct Order<'a> {
    pub request: &'a Requirements,
    pub lists: &'a Lists<'a>,
    pub bars: &'a [Option<Bars<'a>>],
    pub method: Method,
    pub now: Timestamp,
}

/// Sorts: by the packed part, then the value, then the tie. Less is earlier.
#[derive(Debug, Clone, Copy)]
struct Key {
    class: u64,
    value: f64,
    tie: f64,
    weight: f64,
}

impl Key {
    fn compare(&self, other: &Self) -> Ordering {
        self.class
            .cmp(&other.class)
            .then_with(|| self.value.total_cmp(&other.value))
            .then_with(|| self.tie.total_cmp(&other.tie))
    }
}

impl Order<'_> {
    /// The places of the runners in the order in which they are tried; says of each why it stands
    /// there.
    pub fn apply(&self, runners: &mut [Runner<'_>], dice: &mut Dice) -> Vec<usize> {
        let mut keys: Vec<(Key, usize)> = Vec::with_capacity(runners.len());
        for (index, runner) in runners.iter_mut().enumerate() {
            keys.push((self.key(runner, dice.next_unit()), index));
        }
        keys.sort_unstable_by(|(a, at), (b, bt)| a.compare(b).then(at.cmp(bt)));
        if !matches!(self.method, Method::Metric(_)) {
            share_out(&keys, runners);
            spread(&mut keys, runners);
        }
        keys.into_iter().map(|(_, index)| index).collect()
    }

    fn key(&self, runner: &mut Runner<'_>, unit: f64) -> Key {
        let endpoint = &**runner.endpoint;
        let health = &runner.health;
        let place = &mut runner.place;
        place.figures = Figures {
            price: price::blended(endpoint, &self.request.content, self.now),
            latency_ms: speed::middle(speed::latency(endpoint, health)),
            throughput: speed::middle(speed::throughput(endpoint, health)),
            uptime: recent_uptime(health),
        };
        let shed = !speed::meets(endpoint, health, &self.request.provider);
        demote(runner, shed, self.now);
        let place = &mut runner.place;
        let listed = self.lists.order.position(endpoint);
        place.listed = listed.map(|at| at.saturating_add(1));
        place.sticky = self.lists.order.is_empty()
            && self.request.sticky.as_deref().is_some_and(|id| id == endpoint.id);
        place.wished_tier = matches!(self.request.tier, TierWish::Tier(tier)
            if endpoint.tier.as_deref() == Some(tier.name()));
        let figures = place.figures;
        let weight = price::weight(
            figures.price,
            price::trust(endpoint, &runner.health, figures.uptime),
            ramp(&runner.health),
        );
        let turn = price::turn(unit, weight);
        let (rank, value, tie) = match self.method {
            Method::Draw => {
                place.basis = Basis::Drawn { share: 0.0 };
                (u64::from(figures.price > 0.0), turn, unit)
            }
            Method::Metric(by) => {
                let value = metric(by, &figures);
                place.basis = Basis::Sorted { by, value };
                match value {
                    Some(value) if by == SortBy::Throughput => (0, -value, unit),
                    Some(value) => (0, value, unit),
                    None => (1, turn, unit),
                }
            }
            Method::Exacto { .. } => {
                let bars = self.bars.get(runner.model_index).and_then(Option::as_ref);
                let tier = bars.map_or(Proof::Thin { requests: 0, tool_requests: 0 }, |bars| {
                    bars.judge(endpoint, &runner.health)
                });
                place.basis = Basis::Exacto { tier, share: 0.0 };
                (step(tier) * 2 + u64::from(figures.price > 0.0), turn, unit)
            }
        };
        Key { class: class(runner, rank), value, tie, weight }
    }
}

/// The integer part of a key: section, demotions, place in `order`, key's place, tier, stickiness,
/// and `rank`, which is below 8.
fn class(runner: &Runner<'_>, rank: u64) -> u64 {
    let place = &runner.place;
    let listed = place.listed.map_or(0x3ff, |at| u64::try_from(at).unwrap_or(0x3ff).min(0x3fe));
    let own = runner.key.map_or(0, |key| u64::from(key.sort_order));
    let section = match place.section {
        Section::OwnKeys => 0,
        Section::Shared => 1,
        Section::FallbackKeys => 2,
    };
    let fields = [
        (section, 2),
        (u64::from(place.demotions.bits()), 6),
        (listed, 10),
        (own, 32),
        (u64::from(!place.wished_tier), 1),
        (u64::from(!place.sticky), 1),
        (rank, 3),
    ];
    fields.into_iter().fold(0, |packed, (field, bits)| (packed << bits) | field)
}

fn step(tier: Proof) -> u64 {
    match tier {
        Proof::Proven => 0,
        Proof::Thin { .. } => 1,
        Proof::Poor(_) => 2,
    }
}

fn metric(by: SortBy, figures: &Figures) -> Option<f64> {
    match by {
        SortBy::Price => Some(figures.price),
        SortBy::Throughput => figures.throughput.map(|one| one.value),
        SortBy::Latency => figures.latency_ms.map(|one| one.value),
        SortBy::Exacto => None,
    }
}

/// Uptime over the shortest window that had enough requests: it reacts within minutes and forgives as
/// fast.
fn recent_uptime(health: &EndpointHealth) -> Option<f32> {
    health.uptime_5m.or(health.uptime_30m).or(health.uptime_1d)
}

/// The share of its weight that an endpoint has. One that may be probed keeps its usual place: who
/// claims the probe is decided when it is called.
fn ramp(health: &EndpointHealth) -> f32 {
    if health.standing == Standing::HalfOpen { 1.0 } else { health.ramp }
}

/// Uptime in percent below which an endpoint stands behind the others (inference spec 5.3).
const DEGRADED: f32 = 95.0;
/// Uptime in percent below which it is used as fallback only.
const DOWN: f32 = 80.0;

fn demote(runner: &mut Runner<'_>, slow: bool, now: Timestamp) {
    let health = &runner.health;
    let place = &mut runner.place;
    let uptime = place.figures.uptime;
    let reasons = [
        (slow, Demotion::Slow),
        (runner.endpoint.deranked, Demotion::Deranked),
        (uptime.is_some_and(|one| (DOWN..DEGRADED).contains(&one)), Demotion::Degraded),
        (uptime.is_some_and(|one| one < DOWN), Demotion::Down),
        (health.outage, Demotion::Outage),
        (matches!(health.standing, Standing::Ejected { until } if until > now), Demotion::Ejected),
    ];
    for (holds, demotion) in reasons {
        if holds {
            place.demotions.insert(demotion);
        }
    }
    place.half_open = match health.standing {
        Standing::Fit => false,
        Standing::HalfOpen => true,
        Standing::Ejected { until } => until <= now,
    };
}

/// Notes for each runner how likely it was to be first among its equals.
fn share_out(keys: &[(Key, usize)], runners: &mut [Runner<'_>]) {
    for equals in keys.chunk_by(|(a, _), (b, _)| a.class == b.class) {
        let total: f64 = equals.iter().map(|(key, _)| key.weight).sum();
        for (key, index) in equals {
            let odds = if total > 0.0 { key.weight / total } else { 0.0 };
            if let Some(runner) = runners.get_mut(*index)
                && let Basis::Drawn { share } | Basis::Exacto { share, .. } =
                    &mut runner.place.basis
            {
                *share = odds;
            }
        }
    }
}

/// When a provider fails, its other endpoints are likely to fail with it: behind the first of some
/// equals, those of other providers come first.
fn spread(keys: &mut [(Key, usize)], runners: &[Runner<'_>]) {
    let provider = |index: usize| runners.get(index).map(|one| one.endpoint.provider.as_str());
    for equals in keys.chunk_by_mut(|(a, _), (b, _)| a.class == b.class) {
        let Some(((_, first), rest)) = equals.split_first_mut() else { continue };
        let first = provider(*first);
        if rest.iter().any(|(_, index)| provider(*index) == first) {
            rest.sort_by_key(|(_, index)| provider(*index) == first);
        }
    }
}
