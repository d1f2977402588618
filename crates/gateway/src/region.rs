//! Requests that stay in a region, because they were sent to one of its hosts (platform spec 9.5).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use signalbox_catalog::listing::Region;
use signalbox_core::{ApiError, AvailabilityCode};
use signalbox_policy::{AccountPolicy, explain};

use crate::authenticate::Principal;
use crate::inbound::RequestHead;
use crate::resolve::Resolved;

/// What the caller is permitted there.
pub(crate) fn policy(caller: &Principal, region: Option<Region>) -> Cow<'_, Arc<AccountPolicy>> {
    let Some(region) = region else { return Cow::Borrowed(&caller.policy) };
    let policy = AccountPolicy::clone(&caller.policy);
    Cow::Owned(Arc::new(AccountPolicy { region: Some(region.name().to_owned()), ..policy }))
}

/// Refuses who is not entitled to it, whatever else is wrong with the request.
pub(crate) fn entitled(
    caller: &Principal,
    region: Option<Region>,
    resolved: &Result<(Resolved, RequestHead), ApiError>,
) -> Result<(), ApiError> {
    let Some(region) = region.filter(|_| !caller.account.terms().plan.in_region) else {
        return Ok(());
    };
    let requested = resolved.as_ref().map(|(resolved, _)| resolved.requirements.requested());
    let mut answer =
        explain::availability(AvailabilityCode::RegionRestricted, requested.unwrap_or_default());
    answer.excluded_by = vec!["data_region".to_owned()];
    let name = region.name();
    let message = format!("In-region routing ({name}) is not part of this account's plan.");
    Err(ApiError::unavailable(answer, message))
}

/// Which hosts stand for which regions.
#[derive(Debug, Clone, Default)]
pub struct Regions(HashMap<String, Region>);

impl Regions {
    /// These hosts: names without a port, in any case.
    #[must_use]
    pub fn new(hosts: impl IntoIterator<Item = (String, Region)>) -> Self {
        Self(hosts.into_iter().map(|(host, region)| (host.to_ascii_lowercase(), region)).collect())
    }

    /// The region of a host as a request names it, with or without a port or the dot of the root.
    #[must_use]
    pub fn of(&self, host: &str) -> Option<Region> {
        if self.0.is_empty() {
            return None;
        }
        let name = host.rsplit_once(':').map_or(host, |(name, port)| {
            if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
        });
        let name = name.strip_suffix('.').unwrap_or(name);
        self.0.get(&name.to_ascii_lowercase()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_its_hosts_and_no_others() {
        let regions = Regions::new([
            ("EU.gate.example".to_owned(), Region::Eu),
            ("us.gate.example".to_owned(), Region::Us),
        ]);
        for (host, region) in [
            ("eu.gate.example", Some(Region::Eu)),
            ("eu.gate.example:8443", Some(Region::Eu)),
            ("Eu.Gate.Example.", Some(Region::Eu)),
            ("eu.gate.example.:80", Some(Region::Eu)),
            ("us.gate.example", Some(Region::Us)),
            ("gate.example", None),
            ("xeu.gate.example", None),
            ("eu.gate.example.evil", None),
            ("eu.gate.example:evil", None),
            ("eu", None),
            ("", None),
            (":", None),
        ] {
            assert_eq!(regions.of(host), region, "{host}");
        }
    }
}
