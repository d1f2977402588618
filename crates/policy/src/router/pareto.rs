//! `openrouter/pareto-code`: the cheapest model that codes well enough (inference spec 8.3).

use std::cmp::Ordering;

use super::{Choosing, Eligible, Field, ParetoSettings, Pick, PriceSource, Scores};
use crate::preferences::SortBy;

/// The model that is tried first and those after it.
pub const MOST_PARETO: usize = 3;

/// A third of all models by how well they code: by their percentile in the coding index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// Below the 33rd percentile.
    Low,
    /// Up to the 66th.
    Medium,
    /// Above.
    High,
}

impl Quality {
    /// The tier of a percentile, or of a least score, 0 to 1.
    #[must_use]
    pub fn of(score: f64) -> Self {
        if score >= 0.66 {
            Self::High
        } else if score >= 0.33 {
            Self::Medium
        } else {
            Self::Low
        }
    }

    /// This tier, then its neighbours, the better one first.
    const fn nearest(self) -> [Self; 3] {
        match self {
            Self::High => [Self::High, Self::Medium, Self::Low],
            Self::Medium => [Self::Medium, Self::High, Self::Low],
            Self::Low => [Self::Low, Self::Medium, Self::High],
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A model whose coding is measured.
#[derive(Clone, Copy)]
struct Coder<'f> {
    model: &'f Eligible<'f>,
    percentile: f64,
}

pub(super) fn choose<'f>(
    choosing: &Choosing<'_>,
    settings: &ParetoSettings,
    field: &'f Field<'f>,
) -> Result<Vec<Pick<'f>>, &'static str> {
    let scores = Scores::of(choosing.catalog);
    let coder = |model: &'f Eligible<'f>| {
        Some(Coder { model, percentile: scores.coding_percentile(model.model)? })
    };
    let coders: Vec<Coder<'f>> = field.models.iter().filter_map(coder).collect();
    if coders.is_empty() {
        return Err("no model that can be called here has a coding score");
    }
    let mut ranked = match settings.max_price {
        Some(cap) => under(coders, cap, settings.price_source),
        None => in_tier(coders, settings, choosing.sort == Some(SortBy::Throughput)),
    };
    if ranked.is_empty() {
        return Err("no model that codes has an input price of at most `max_price`");
    }
    ranked.truncate(MOST_PARETO);
    stay(&mut ranked, choosing.before);
    Ok(ranked)
}

/// The tier that is asked for, or the nearest that has any model; in it the cheapest first, or the
/// fastest.
fn in_tier<'f>(coders: Vec<Coder<'f>>, settings: &ParetoSettings, fastest: bool) -> Vec<Pick<'f>> {
    let asked = settings.min_coding_score.map_or(Quality::High, Quality::of);
    let of = |tier: Quality| coders.iter().filter(move |one| Quality::of(one.percentile) == tier);
    let tier = asked.nearest().into_iter().find(|tier| of(*tier).next().is_some());
    let Some(tier) = tier else { return Vec::new() };
    let mut members: Vec<Coder<'f>> = of(tier).copied().collect();
    members.sort_by(|a, b| if fastest { by_speed(a, b) } else { by_price(a, b) });
    let what = if fastest { "fastest" } else { "cheapest" };
    let reason = |one: &Coder<'_>| {
        let percent = one.percentile * 100.0;
        format!("{what} in the {} tier; better at code than {percent:.0} %", tier.name())
    };
    members.iter().map(|one| Pick { model: one.model, reason: reason(one) }).collect()
}

/// Models under a cap: the best of those that nobody cheaper beats, then the cheaper of them, then
/// the others by score.
fn under(coders: Vec<Coder<'_>>, cap: f64, source: PriceSource) -> Vec<Pick<'_>> {
    let price = |one: &Coder<'_>| match source {
        PriceSource::Prompt => one.model.prompt_price,
        PriceSource::WeightedAverage => one.model.mean_prompt_price,
    };
    let mut sorted = coders;
    sorted.sort_by(|a, b| {
        price(a).total_cmp(&price(b)).then(b.percentile.total_cmp(&a.percentile)).then(by_id(a, b))
    });
    let (mut frontier, mut others) = (Vec::new(), Vec::new());
    let mut best = f64::NEG_INFINITY;
    // Prices come from decimals: a hair of tolerance keeps one equal to the cap.
    for one in sorted.into_iter().filter(|one| price(one) * 1e6 <= cap * (1.0 + 1e-9)) {
        if one.percentile > best {
            best = one.percentile;
            frontier.push(one);
        } else {
            others.push(one);
        }
    }
    frontier.reverse();
    others.sort_by(|a, b| b.percentile.total_cmp(&a.percentile).then(by_price(a, b)));
    let text = |one: &Coder<'_>, what: &str| {
        let percent = one.percentile * 100.0;
        format!("{what} ${:.2} per million input tokens; better at code than {percent:.0} %", cap)
    };
    let first = frontier.iter().map(|one| (one, text(one, "on the frontier up to")));
    let rest = others.iter().map(|one| (one, text(one, "not on the frontier, up to")));
    first.chain(rest).map(|(one, reason)| Pick { model: one.model, reason }).collect()
}

fn by_price(a: &Coder<'_>, b: &Coder<'_>) -> Ordering {
    a.model
        .price
        .total_cmp(&b.model.price)
        .then(b.percentile.total_cmp(&a.percentile))
        .then(by_id(a, b))
}

/// Fastest first; those without a figure last.
fn by_speed(a: &Coder<'_>, b: &Coder<'_>) -> Ordering {
    let speed = |one: &Coder<'_>| one.model.throughput.unwrap_or(f64::NEG_INFINITY);
    speed(b).total_cmp(&speed(a)).then(by_price(a, b))
}

fn by_id(a: &Coder<'_>, b: &Coder<'_>) -> Ordering {
    a.model.model.id.cmp(&b.model.model.id)
}

/// Puts the model that the conversation had before first, while it is among those that are chosen.
pub(super) fn stay(picks: &mut [Pick<'_>], before: Option<&str>) {
    let Some(before) = before else { return };
    if let Some(at) = picks.iter().position(|one| one.model.model.id == before)
        && let Some(head) = picks.get_mut(..=at)
    {
        head.rotate_right(1);
        if let Some(first) = head.first_mut() {
            first.reason.push_str("; the conversation stays with it");
        }
    }
}
