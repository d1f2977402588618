//! What a kind of task needs, and how well a model does it by independent measurers.

use signalbox_catalog::{Model, Snapshot};

/// What tasks have in common: the part of a tag before the colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Group {
    /// Software.
    Code,
    /// Taking data out of text, changing its form.
    Data,
    /// Work in steps, with tools.
    Agent,
    /// Everything else.
    General,
    /// Not known: the default set.
    #[default]
    Unknown,
}

/// How much each published index counts for a task. The weights are ours; what they come to is in
/// `docs/auto-router.md`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blend {
    /// Of the intelligence index.
    pub intelligence: f64,
    /// Of the coding index.
    pub coding: f64,
    /// Of the agentic index.
    pub agentic: f64,
}

/// The part of a score that is how much a model is used: it tells what no index measures, and decides
/// between models of the same scores.
const POPULARITY: f64 = 0.1;

impl Group {
    /// The group of a macro group's key, such as `code`.
    #[must_use]
    pub fn from_key(key: &str) -> Self {
        match key {
            "code" => Self::Code,
            "data" => Self::Data,
            "agent" => Self::Agent,
            "general" => Self::General,
            _ => Self::Unknown,
        }
    }

    /// What counts for it.
    #[must_use]
    pub const fn blend(self) -> Blend {
        match self {
            Self::Code => Blend { intelligence: 0.2, coding: 0.7, agentic: 0.1 },
            Self::Agent => Blend { intelligence: 0.2, coding: 0.1, agentic: 0.7 },
            Self::Data => Blend { intelligence: 0.8, coding: 0.1, agentic: 0.1 },
            Self::General => Blend { intelligence: 1.0, coding: 0.0, agentic: 0.0 },
            Self::Unknown => Blend { intelligence: 0.5, coding: 0.25, agentic: 0.25 },
        }
    }

    /// Whether the index that counts most for it is known of a model.
    #[must_use]
    pub fn measures(self, model: &Model) -> bool {
        let figures = model.benchmarks.as_ref();
        let main = figures.and_then(|figures| match self {
            Self::Code => figures.coding,
            Self::Agent => figures.agentic,
            Self::Data | Self::General | Self::Unknown => figures.intelligence,
        });
        main.is_some_and(f64::is_finite)
    }

    /// Output tokens of a usual answer, for models whose usual answer is not known. Estimates.
    #[must_use]
    pub const fn usual_output(self) -> u64 {
        match self {
            Self::Code => 1500,
            Self::Agent => 800,
            Self::Data | Self::General | Self::Unknown => 600,
        }
    }
}

/// The published figures of all live models, sorted, so that a figure has a rank.
#[derive(Debug, Clone, Default)]
pub struct Scores {
    intelligence: Vec<f64>,
    coding: Vec<f64>,
    agentic: Vec<f64>,
    tokens: Vec<f64>,
}

impl Scores {
    /// The figures of a catalogue, each model once whatever its variants.
    #[must_use]
    pub fn of(catalog: &Snapshot) -> Self {
        let mut scores = Self::default();
        for model in catalog.models().filter(|one| one.variant == "standard") {
            let Some(figures) = &model.benchmarks else { continue };
            scores.intelligence.extend(figures.intelligence);
            scores.coding.extend(figures.coding);
            scores.agentic.extend(figures.agentic);
            scores.tokens.extend(tokens(model));
        }
        for list in
            [&mut scores.intelligence, &mut scores.coding, &mut scores.agentic, &mut scores.tokens]
        {
            list.retain(|value| value.is_finite());
            list.sort_by(f64::total_cmp);
        }
        scores
    }

    /// How well a model does tasks of a group, 0 to 1: its places among all models in the indices
    /// that count, and a little of how much it is used. `None` when no measurer knows it.
    #[must_use]
    pub fn score(&self, model: &Model, group: Group) -> Option<f64> {
        let figures = model.benchmarks.as_ref()?;
        let blend = group.blend();
        let parts = [
            (blend.intelligence, figures.intelligence, &self.intelligence),
            (blend.coding, figures.coding, &self.coding),
            (blend.agentic, figures.agentic, &self.agentic),
        ];
        let (mut sum, mut weights, mut fallback) = (0.0, 0.0, None);
        for (weight, value, all) in parts {
            let Some(value) = value.filter(|value| value.is_finite()) else { continue };
            let place = percentile(all, value);
            sum += weight * place;
            weights += weight;
            fallback = fallback.or(Some(place));
        }
        let quality = if weights > 0.0 { sum / weights } else { fallback? };
        let used = tokens(model).map_or(0.0, |value| percentile(&self.tokens, value));
        Some((1.0 - POPULARITY) * quality + POPULARITY * used)
    }

    /// The share of models that code worse, 0 to 1.
    #[must_use]
    pub fn coding_percentile(&self, model: &Model) -> Option<f64> {
        let value = model.benchmarks.as_ref()?.coding.filter(|value| value.is_finite())?;
        Some(percentile(&self.coding, value))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rank needs no exact count")]
fn tokens(model: &Model) -> Option<f64> {
    let usage = model.usage?;
    Some(usage.tokens_7d.unwrap_or(usage.completion_tokens_30d / 4) as f64)
}

/// The share of values below, 0 to 1; the best has 1.
#[expect(clippy::cast_precision_loss, reason = "counts of models are small")]
fn percentile(sorted: &[f64], value: f64) -> f64 {
    let below = sorted.partition_point(|one| *one < value);
    match sorted.len() {
        0 | 1 => 1.0,
        all => below as f64 / (all - 1) as f64,
    }
    .min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_share_of_worse_values() {
        let values = [1.0, 2.0, 2.0, 4.0, 9.0];
        for (value, expected) in [(0.0, 0.0), (1.0, 0.0), (2.0, 0.25), (4.0, 0.75), (9.0, 1.0)] {
            assert_eq!(percentile(&values, value), expected, "{value}");
        }
        assert_eq!((percentile(&[5.0], 5.0), percentile(&[1.0, 2.0], 99.0)), (1.0, 1.0));
    }

    #[test]
    fn the_weights_of_every_group_make_one() {
        for group in [Group::Code, Group::Data, Group::Agent, Group::General, Group::Unknown] {
            let Blend { intelligence, coding, agentic } = group.blend();
            assert!((intelligence + coding + agentic - 1.0).abs() < 1e-9, "{group:?}");
        }
    }
}
