//! Outages by chance. Each endpoint has its own, and each provider has some that hit all of its
//! endpoints at once.

use signalbox_catalog::Endpoint;
use signalbox_core::Timestamp;
use signalbox_policy::rank::Dice;

use super::{Fault, Outage};
use crate::chance::{Chance, For, exponential, log_normal, number};
use crate::workload::{START, after};

/// How bad it is. All of it is assumed: nobody publishes when and how endpoints fail.
#[derive(Debug)]
pub(super) struct Severity {
    /// Mean hours between two outages of an endpoint.
    endpoint_hours: f64,
    /// Mean hours between two outages of a provider.
    provider_hours: f64,
    /// Mean minutes that one lasts; the logarithm is normal with deviation 1.
    minutes: f64,
}

/// Each endpoint is in trouble for about 1 % of the time.
pub(super) const LIGHT: Severity =
    Severity { endpoint_hours: 10.0, provider_hours: 50.0, minutes: 5.0 };
/// Each endpoint is in trouble for about 10 % of the time.
pub(super) const HEAVY: Severity =
    Severity { endpoint_hours: 1.5, provider_hours: 8.0, minutes: 8.0 };

/// Most outages of one endpoint, and of one provider.
const MOST: usize = 10_000;
const MINUTE: f64 = 60_000.0;

pub(super) fn outages(
    severity: &Severity,
    chance: Chance,
    endpoint: &Endpoint,
    end: Timestamp,
) -> Vec<Outage> {
    let own = chance.stream(For::Outage, number(&endpoint.id), 0);
    let shared = chance.stream(For::Correlated, number(&endpoint.provider), 0);
    let mut all = Vec::new();
    fill(&mut all, own, severity.endpoint_hours, severity.minutes, end);
    fill(&mut all, shared, severity.provider_hours, severity.minutes, end);
    all.sort_by_key(|outage| outage.from);
    all
}

fn fill(all: &mut Vec<Outage>, mut dice: Dice, hours: f64, minutes: f64, end: Timestamp) {
    let mut at = START;
    for _ in 0..MOST {
        at = after(at, exponential(&mut dice, hours * 60.0 * MINUTE));
        if at > end {
            return;
        }
        let until = after(at, log_normal(&mut dice, minutes, 1.0) * MINUTE);
        all.push(one(&mut dice, at, until));
    }
}

fn one(dice: &mut Dice, from: Timestamp, until: Timestamp) -> Outage {
    let kind = dice.next_unit();
    // Half of the outages touch every request, the others some.
    let share = if dice.next_unit() < 0.5 { 1.0 } else { 0.3 + 0.7 * dice.next_unit() };
    let patience = 5.0 + 25.0 * dice.next_unit();
    let says = dice.next_unit() < 0.67;
    let turns = (10.0 + 30.0 * dice.next_unit(), 10.0 + 50.0 * dice.next_unit());
    let status = if dice.next_unit() < 0.5 { 500 } else { 503 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "5 to 30 seconds")]
    let retry_after = says.then_some(patience as u64);
    let outage = Outage {
        from,
        until,
        fault: Fault::Errors,
        share,
        status,
        retry_after: None,
        factor: 1.0,
        flapping: None,
    };
    match kind {
        _ if kind < 0.30 => outage,
        _ if kind < 0.40 => Outage { share: 1.0, flapping: Some(turns), ..outage },
        _ if kind < 0.55 => Outage { fault: Fault::Hang, ..outage },
        _ if kind < 0.75 => Outage { fault: Fault::Slow, share: 1.0, factor: 8.0, ..outage },
        _ if kind < 0.90 => Outage { fault: Fault::RateLimit, retry_after, ..outage },
        _ => Outage { fault: Fault::Breaks, share: share * 0.5, ..outage },
    }
}
