//! `openrouter/auto`: the model that does this kind of task best for about that much money (inference
//! spec 8.1).
//!
//! The public service ranks by what its customers spend per task. Nobody else has these figures, so
//! models are ranked by independent measurers here ([`super::task`]); `docs/auto-router.md` tells what
//! that is worth.

use super::pareto::stay;
use super::{AutoSettings, Band, Choosing, Eligible, Field, Group, Pick, Scores};
use crate::pattern;

/// The model that is tried first and those after it.
pub const MOST_AUTO: usize = 4;
/// `cost_quality_tradeoff` of a request that says nothing of cost.
pub const DEFAULT_TRADEOFF: u8 = 9;

/// A band of the cost of a task, by percentile among the models that could do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CostTier {
    /// The cheapest fifth.
    Low,
    /// The second fifth.
    Medium,
    /// The third.
    High,
    /// The fourth.
    Xhigh,
    /// The dearest.
    Max,
}

impl CostTier {
    /// The tier of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::Xhigh,
            "max" => Self::Max,
            _ => return None,
        })
    }

    /// Its bounds in percent. The upper one is outside, but for the dearest.
    const fn bounds(self) -> (f64, f64) {
        match self {
            Self::Low => (0.0, 20.0),
            Self::Medium => (20.0, 40.0),
            Self::High => (40.0, 60.0),
            Self::Xhigh => (60.0, 80.0),
            Self::Max => (80.0, f64::INFINITY),
        }
    }
}

impl Band {
    /// How far a percentile is from the band; 0 inside.
    fn distance(self, percentile: f64) -> f64 {
        let (least, most, inside) = match self {
            Self::Tier(tier) => {
                let (least, most) = tier.bounds();
                (least, most, percentile >= least && percentile < most)
            }
            Self::Ceiling(tradeoff) => {
                // 10 is the cheapest tenth, 0 all but the dearest tenth.
                let most = 8.0f64.mul_add(-f64::from(tradeoff.min(10)), 90.0);
                (0.0, most, percentile <= most)
            }
        };
        if inside {
            0.0
        } else {
            (least - percentile).max(percentile - most).max(f64::MIN_POSITIVE)
        }
    }
}

/// A model that measurers know, with its place in quality and cost.
#[derive(Clone, Copy)]
struct Ranked<'f> {
    model: &'f Eligible<'f>,
    score: f64,
    cost: f64,
    /// Its place by cost, 0 to 100.
    percentile: f64,
}

pub(super) fn choose<'f>(
    choosing: &Choosing<'_>,
    settings: &AutoSettings,
    field: &'f Field<'f>,
) -> Result<Vec<Pick<'f>>, &'static str> {
    let group = choosing.task.map_or(Group::Unknown, |task| task.group);
    let ranked = rank(choosing, group, field);
    // What the caller says of cost is meant of all that could be called; what we assume is not worth
    // a refusal.
    let said = settings.band.is_some();
    let band = settings.band.unwrap_or(Band::Ceiling(DEFAULT_TRADEOFF));
    let permitted = |one: &Ranked<'_>| settings.permits(one.model);
    let mut kept: Vec<Ranked<'f>> = if said {
        nearest(&ranked, band).into_iter().filter(permitted).collect()
    } else {
        let all: Vec<_> = ranked.into_iter().filter(permitted).collect();
        let mut kept = nearest(&all, band);
        by_score(&mut kept);
        // What lies nearest outside is better than no answer.
        let mut others: Vec<_> = all.into_iter().filter(|one| !is_in(&kept, one)).collect();
        others.sort_by(|a, b| {
            let distance = |one: &Ranked<'_>| band.distance(one.percentile);
            distance(a).total_cmp(&distance(b)).then(b.score.total_cmp(&a.score))
        });
        kept.extend(others);
        kept
    };
    let pinned = pinned(choosing, settings, field);
    if kept.is_empty() && pinned.is_none() {
        return Err("no model that can be called here passes the settings of the router");
    }
    if said {
        by_score(&mut kept);
    }
    kept.truncate(MOST_AUTO);
    let mut picks: Vec<Pick<'f>> =
        kept.iter().map(|one| Pick { model: one.model, reason: reason(choosing, one) }).collect();
    stay(&mut picks, choosing.before);
    if let Some(model) = pinned {
        picks.retain(|one| one.model.model.id != model.model.id);
        picks.insert(
            0,
            Pick { model, reason: "wrote the last answer, and pin_model is set".into() },
        );
        picks.truncate(MOST_AUTO);
    }
    Ok(picks)
}

fn reason(choosing: &Choosing<'_>, one: &Ranked<'_>) -> String {
    let task = choosing.task.map_or("tasks of any kind", |task| task.tag);
    format!(
        "scores {:.2} for {task}, about ${:.6} a request: percentile {:.0} of cost",
        one.score, one.cost, one.percentile
    )
}

/// The models that measurers know at this kind of task. Where there are none, those that they know at
/// all; where there are none of these either, every model.
fn rank<'f>(choosing: &Choosing<'_>, group: Group, field: &'f Field<'f>) -> Vec<Ranked<'f>> {
    let scores = Scores::of(choosing.catalog);
    let with = |score: &dyn Fn(&Eligible<'f>) -> Option<f64>| -> Vec<Ranked<'f>> {
        let ranked = |model: &'f Eligible<'f>| {
            let score = score(model)?;
            Some(Ranked { model, score, cost: model.usual_cost(group), percentile: 0.0 })
        };
        field.models.iter().filter_map(ranked).collect()
    };
    let any = |one: &Eligible<'f>| scores.score(one.model, group);
    let mut ranked = with(&|one| any(one).filter(|_| group.measures(one.model)));
    if ranked.is_empty() {
        ranked = with(&any);
    }
    if ranked.is_empty() {
        ranked = with(&|_| Some(0.0));
    }
    ranked.sort_by(|a, b| a.cost.total_cmp(&b.cost).then(a.model.model.id.cmp(&b.model.model.id)));
    // Those that cost the same have the same place.
    let costs: Vec<f64> = ranked.iter().map(|one| one.cost).collect();
    let last = ranked.len().saturating_sub(1).max(1);
    for one in &mut ranked {
        let cheaper = costs.partition_point(|cost| *cost < one.cost);
        #[expect(clippy::cast_precision_loss, reason = "counts of models are small")]
        let percentile = cheaper as f64 / last as f64 * 100.0;
        one.percentile = percentile;
    }
    ranked
}

/// The models in the band; with few models, or after patterns, there may be none in it: then those
/// that are nearest.
fn nearest<'f>(ranked: &[Ranked<'f>], band: Band) -> Vec<Ranked<'f>> {
    let distance = |one: &Ranked<'_>| band.distance(one.percentile);
    let least = ranked.iter().map(distance).fold(f64::INFINITY, f64::min);
    ranked.iter().filter(|one| distance(one) <= least).copied().collect()
}

fn by_score(ranked: &mut [Ranked<'_>]) {
    ranked.sort_by(|a, b| {
        let order = b.score.total_cmp(&a.score).then(a.cost.total_cmp(&b.cost));
        order.then(a.model.model.id.cmp(&b.model.model.id))
    });
}

fn is_in(some: &[Ranked<'_>], one: &Ranked<'_>) -> bool {
    some.iter().any(|other| std::ptr::eq(other.model, one.model))
}

/// The model of the last answer, when the caller wants to stay with it and it can be called.
fn pinned<'f>(
    choosing: &Choosing<'_>,
    settings: &AutoSettings,
    field: &'f Field<'f>,
) -> Option<&'f Eligible<'f>> {
    let id = choosing.last_author.filter(|_| settings.pin_model)?;
    let id =
        id.split_once(':').map_or(id, |(base, suffix)| if suffix == "free" { id } else { base });
    field.models.iter().find(|one| one.model.id == id && settings.permits(one))
}

impl AutoSettings {
    /// Whether the patterns let a model through: excluded wins.
    fn permits(&self, one: &Eligible<'_>) -> bool {
        let named =
            |patterns: &[String]| patterns.iter().any(|text| pattern::names(text, one.model));
        self.allowed_models.as_deref().is_none_or(named) && !named(&self.excluded_models)
    }
}
