//! Orders for the endpoints that passed every hard rule.

use std::cmp::Ordering;
use std::sync::Arc;

use signalbox_catalog::Endpoint;

use crate::preferences::SortBy;
use crate::requirements::Content;

pub mod dice;
pub mod price;
mod speed;

pub use dice::Dice;

/// Puts the endpoints in the order of a metric, best first; endpoints without the figure come last
/// and otherwise keep their order (inference spec 5.4).
pub fn by_metric<T>(
    endpoints: &mut [T],
    of: impl Fn(&T) -> &Arc<Endpoint>,
    sort: SortBy,
    content: &Content,
) {
    let score = |endpoint: &Endpoint| match sort {
        SortBy::Price => Some(price::blended(endpoint, content)),
        SortBy::Throughput => speed::throughput(endpoint).map(|value| -value),
        SortBy::Latency => speed::latency(endpoint),
        SortBy::Exacto => None,
    };
    endpoints.sort_by_cached_key(|one| Score(score(of(one))));
}

/// A score that sorts: less is better, none is worst.
struct Score(Option<f64>);

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0, other.0) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Score {}

/// Whether the endpoint meets the caller's performance thresholds. They only ever demote.
#[must_use]
pub fn meets_thresholds(
    endpoint: &Endpoint,
    wishes: &crate::preferences::ProviderPreferences,
) -> bool {
    speed::meets(endpoint, &wishes.preferred_min_throughput, &wishes.preferred_max_latency)
}
