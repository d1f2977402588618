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
    endpoints.sort_by(|a, b| match (score(of(a)), score(of(b))) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
}

/// Whether the endpoint meets the caller's performance thresholds. They only ever demote.
#[must_use]
pub fn meets_thresholds(
    endpoint: &Endpoint,
    wishes: &crate::preferences::ProviderPreferences,
) -> bool {
    speed::meets(endpoint, &wishes.preferred_min_throughput, &wishes.preferred_max_latency)
}
