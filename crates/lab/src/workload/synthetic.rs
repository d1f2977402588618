//! Made-up requests: a Poisson process, sizes with a heavy tail.

use std::sync::Arc;

use signalbox_catalog::{Endpoint, Modality, Snapshot};

use super::{Ask, MAX_REQUESTS, START, Workload, after, find};
use crate::LabError;
use crate::chance::{Chance, For, exponential, log_normal};

/// How fast requests arrive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// So many a second on average, at every time of day.
    Flat {
        /// Requests per second.
        per_second: f64,
    },
    /// All within so many hours, with the shape of a day: most at 15:00 UTC, a quarter of that at
    /// 03:00.
    Daily {
        /// Hours.
        hours: f64,
    },
}

/// What to make up.
#[derive(Debug, Clone, PartialEq)]
pub struct Synthetic {
    /// Model slugs; each request names one of them, evenly. None at all: the [`MODELS`] models with
    /// the most priced endpoints.
    pub models: Vec<String>,
    /// How many requests.
    pub requests: usize,
    /// How fast they come.
    pub pace: Pace,
    /// Mean prompt tokens.
    pub prompt_mean: f64,
    /// Mean output tokens.
    pub completion_mean: f64,
    /// The share that is streamed.
    pub streamed: f64,
    /// The share that has tools.
    pub tools: f64,
}

impl Default for Synthetic {
    /// The published mix of a large marketplace in March 2026: 14,300 prompt and 464 completion
    /// tokens a request (performance design). Shares of streams and tools are assumptions.
    fn default() -> Self {
        Self {
            models: Vec::new(),
            requests: 100_000,
            pace: Pace::Daily { hours: 24.0 },
            prompt_mean: 14_300.0,
            completion_mean: 464.0,
            streamed: 0.8,
            tools: 0.2,
        }
    }
}

/// How many models are asked for when none is named.
pub const MODELS: usize = 6;

/// Deviation of the logarithm of sizes: the median is 0.61 of the mean, one in a hundred is 6.2
/// times the mean.
const SIGMA: f64 = 1.0;
/// How far the day's rate swings around its mean.
const SWING: f64 = 0.6;
const HOUR_OF_MOST: f64 = 15.0;

impl Synthetic {
    pub(super) fn generate(&self, catalog: &Snapshot, seed: u64) -> Result<Workload, LabError> {
        self.check()?;
        let most_served = if self.models.is_empty() { most_served(catalog) } else { Vec::new() };
        let models = self.models.iter().chain(&most_served).map(|slug| find(catalog, slug));
        let models = models.collect::<Result<Vec<_>, _>>()?;
        let chance = Chance::new(seed);
        let mut asks = Vec::with_capacity(self.requests);
        let mut arrivals = chance.stream(For::Arrival, 0, 0);
        let mut millis = 0.0;
        for index in 0..self.requests as u64 {
            millis = self.next_arrival(&mut arrivals, millis);
            let model = whole(chance.unit(For::Model, index, 0) * as_float(models.len()));
            let model = usize::try_from(model).unwrap_or(0).min(models.len().saturating_sub(1));
            let context = models.get(model).map_or(0, |model| model.context_length);
            let mut sizes = chance.stream(For::Prompt, index, 0);
            let prompt = whole(log_normal(&mut sizes, self.prompt_mean, SIGMA)).max(1);
            let mut sizes = chance.stream(For::Completion, index, 0);
            let completion = whole(log_normal(&mut sizes, self.completion_mean, SIGMA)).max(1);
            asks.push(Ask {
                at: after(START, millis),
                model,
                // Nobody asks what the model can't take.
                prompt: prompt.min((context / 2).max(1)),
                completion: completion.min((context / 8).max(1)),
                streamed: chance.unit(For::Kind, index, 0) < self.streamed,
                tools: chance.unit(For::Kind, index, 1) < self.tools,
                provider: None,
            });
        }
        Ok(Workload { models, asks })
    }

    fn check(&self) -> Result<(), LabError> {
        let fail = |setting, problem: &str| Err(LabError::setting(setting, problem));
        if !(1..=MAX_REQUESTS).contains(&self.requests) {
            return fail("--requests", "expected 1 to 5,000,000");
        }
        match self.pace {
            Pace::Flat { per_second } if !(0.001..=1e6).contains(&per_second) => {
                return fail("--rate", "expected 0.001 to 1,000,000 requests a second");
            }
            Pace::Daily { hours } if !(0.01..=8760.0).contains(&hours) => {
                return fail("--hours", "expected 0.01 to 8,760");
            }
            _ => {}
        }
        if !(1.0..=1e7).contains(&self.prompt_mean) || !(1.0..=1e7).contains(&self.completion_mean)
        {
            return fail("tokens", "expected a mean from 1 to 10,000,000");
        }
        let share = 0.0..=1.0;
        if !share.contains(&self.streamed) || !share.contains(&self.tools) {
            return fail("shares", "expected 0 to 1");
        }
        Ok(())
    }

    /// When the next one arrives, in milliseconds from the start. A rate that varies is made from
    /// the highest rate, of which so many arrivals are dropped.
    fn next_arrival(&self, dice: &mut signalbox_policy::rank::Dice, millis: f64) -> f64 {
        match self.pace {
            Pace::Flat { per_second } => millis + exponential(dice, 1000.0 / per_second),
            Pace::Daily { hours } => {
                let mean_gap = 3_600_000.0 * shaped(hours) / as_float(self.requests);
                let mut at = millis;
                loop {
                    at += exponential(dice, mean_gap / (1.0 + SWING));
                    if dice.next_unit() * (1.0 + SWING) < shape(at / 3_600_000.0) {
                        return at;
                    }
                }
            }
        }
    }
}

/// The rate at this hour, 1 on the average of a day.
fn shape(hour: f64) -> f64 {
    1.0 + SWING * ((hour - HOUR_OF_MOST) * std::f64::consts::TAU / 24.0).cos()
}

/// How many hours at the average rate the first `hours` hours come to.
fn shaped(hours: f64) -> f64 {
    let turn = std::f64::consts::TAU / 24.0;
    let sine = |hour: f64| ((hour - HOUR_OF_MOST) * turn).sin();
    hours + SWING / turn * (sine(hours) - sine(0.0))
}

/// The models with the most endpoints that cost something and whose speed is published.
fn most_served(catalog: &Snapshot) -> Vec<String> {
    let priced = |one: &&Arc<Endpoint>| {
        one.blocked.is_none() && one.tier.is_none() && !one.free && one.perf_30m.is_some()
    };
    let chats = catalog.models().filter(|model| model.writes(Modality::Text));
    let mut counted: Vec<_> = chats
        .map(|model| (catalog.endpoints(&model.id).iter().filter(priced).count(), &model.id))
        .collect();
    counted.sort_by(|(a, one), (b, two)| b.cmp(a).then_with(|| one.cmp(two)));
    counted.into_iter().take(MODELS).map(|(_, id)| id.clone()).collect()
}

fn whole(value: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let value = value.round() as u64;
    value
}

fn as_float(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of requests are below 2⁵³")]
    let value = count as f64;
    value
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use signalbox_catalog::ConfiguredCatalogue;

    use super::*;

    fn catalog() -> Snapshot {
        let rows = Snapshot::embedded().unwrap();
        let slugs: HashSet<String> = rows.providers.iter().map(|one| one.slug.clone()).collect();
        Snapshot::build(rows, ConfiguredCatalogue::default(), &slugs).unwrap()
    }

    #[test]
    fn the_mix_is_the_published_one_with_a_heavy_tail() {
        let settings = Synthetic { requests: 50_000, ..Synthetic::default() };
        let workload = settings.generate(&catalog(), 1).unwrap();
        assert_eq!(workload.models.len(), MODELS);
        let mean = |of: fn(&Ask) -> u64| {
            as_float(workload.asks.iter().map(of).sum::<u64>() as usize) / 50_000.0
        };
        let (prompt, completion) = (mean(|ask| ask.prompt), mean(|ask| ask.completion));
        // A prompt is cut at half of the model's context, which takes a little off.
        assert!((13_900.0..14_600.0).contains(&prompt), "{prompt}");
        assert!((450.0..478.0).contains(&completion), "{completion}");
        let long = workload.asks.iter().filter(|ask| ask.prompt > 5 * 14_300).count();
        assert!((500..1_200).contains(&long), "{long}");
        let streamed = workload.asks.iter().filter(|ask| ask.streamed).count();
        assert!((39_500..40_500).contains(&streamed), "{streamed}");
    }

    #[test]
    fn a_day_has_its_shape_and_a_fixed_rate_has_none() {
        let catalog = catalog();
        let hour = |ask: &Ask| (ask.at.micros() - START.micros()) / 3_600_000_000;
        let at = |workload: &Workload, wanted| {
            workload.asks.iter().filter(|ask| hour(ask) == wanted).count()
        };
        let daily = Synthetic { requests: 24_000, ..Synthetic::default() };
        let daily = daily.generate(&catalog, 2).unwrap();
        assert!((1_450..1_750).contains(&at(&daily, 14)), "{}", at(&daily, 14));
        assert!((330..480).contains(&at(&daily, 2)), "{}", at(&daily, 2));
        let last = daily.end().millis_since(START) / 60_000;
        assert!((23 * 60..25 * 60).contains(&last), "{last}");
        let pace = Pace::Flat { per_second: 1.0 };
        let flat = Synthetic { requests: 24_000, pace, ..Synthetic::default() };
        let flat = flat.generate(&catalog, 2).unwrap();
        for wanted in 0..6 {
            assert!((3_350..3_850).contains(&at(&flat, wanted)), "{}", at(&flat, wanted));
        }
    }
}
