//! How fast an endpoint is: live percentiles when there are some, else the catalogue's.

use signalbox_catalog::{Endpoint, Percentiles};

use crate::health::EndpointHealth;
use crate::place::Measured;
use crate::preferences::{Cutoffs, ProviderPreferences};

/// Output tokens per second, and whether this process measured them.
#[must_use]
pub fn throughput(endpoint: &Endpoint, health: &EndpointHealth) -> Option<(Percentiles, bool)> {
    let live = health.throughput.map(|values| (values, true));
    live.or_else(|| Some((downwards(endpoint.perf_30m?.throughput), false)))
}

/// Throughput that nine tenths of requests reach is less than the median (inference spec 5.5), but most
/// published rows count the other way. Their slower half is not known: it is taken to mirror the faster
/// one, by ratio.
fn downwards(published: Percentiles) -> Percentiles {
    let middle = published.p50;
    let mirrored = |value: f64| if value > middle { middle * (middle / value) } else { value };
    Percentiles {
        p50: middle,
        p75: mirrored(published.p75),
        p90: mirrored(published.p90),
        p99: mirrored(published.p99),
    }
}

/// Milliseconds to the first token, and whether this process measured them.
#[must_use]
pub fn latency(endpoint: &Endpoint, health: &EndpointHealth) -> Option<(Percentiles, bool)> {
    let live = health.latency_ms.map(|values| (values, true));
    live.or_else(|| Some((endpoint.perf_30m?.latency, false)))
}

pub(crate) fn middle(values: Option<(Percentiles, bool)>) -> Option<Measured> {
    values
        .filter(|(values, _)| values.p50.is_finite())
        .map(|(values, live)| Measured { value: values.p50, live })
}

/// Whether every given cutoff holds (inference spec 5.5). An endpoint without figures meets none.
#[must_use]
pub fn meets(endpoint: &Endpoint, health: &EndpointHealth, wishes: &ProviderPreferences) -> bool {
    let (least, most) = (&wishes.preferred_min_throughput, &wishes.preferred_max_latency);
    let fast = *least == Cutoffs::default()
        || throughput(endpoint, health)
            .is_some_and(|(values, _)| all(least, &values, |least, value| value >= least));
    let soon = *most == Cutoffs::default()
        || latency(endpoint, health).is_some_and(|(values, _)| {
            all(most, &values, |seconds, millis| millis <= seconds * 1000.0)
        });
    fast && soon
}

fn all(cutoffs: &Cutoffs, values: &Percentiles, holds: impl Fn(f64, f64) -> bool) -> bool {
    [
        (cutoffs.p50, values.p50),
        (cutoffs.p75, values.p75),
        (cutoffs.p90, values.p90),
        (cutoffs.p99, values.p99),
    ]
    .into_iter()
    .all(|(cutoff, value)| cutoff.is_none_or(|cutoff| holds(cutoff, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_throughput_is_read_downwards() {
        let upwards = Percentiles { p50: 40.0, p75: 50.0, p90: 80.0, p99: 160.0 };
        let read = Percentiles { p50: 40.0, p75: 32.0, p90: 20.0, p99: 10.0 };
        assert_eq!(downwards(upwards), read);
        assert_eq!(downwards(read), read, "what is right stays");
        let still = Percentiles { p50: 0.0, p75: 1.0, p90: 2.0, p99: 3.0 };
        assert_eq!(downwards(still).p99, 0.0);
    }
}
