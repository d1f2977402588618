//! The service tier that an answer was really served in (inference spec 18.1): what is told and what is
//! billed.

use signalbox_catalog::{Endpoint, Snapshot};
use signalbox_core::PriceTable;
use signalbox_dialect::Facts;

/// What others call `standard`.
const DEFAULT: &str = "default";

/// The tier of an answer: the provider's word for it, else that of the endpoint that was asked.
pub(crate) fn served<'a>(endpoint: Option<&'a Endpoint>, facts: &'a Facts) -> Option<&'a str> {
    match facts.service_tier.as_deref() {
        Some(DEFAULT | "standard") => Some(DEFAULT),
        Some(word @ ("flex" | "priority")) => Some(word),
        _ => endpoint.and_then(|one| one.tier.as_deref()),
    }
}

/// The prices of an answer. A provider that had no room in a dear tier and says so is billed at the
/// prices of its default one.
pub(crate) fn prices<'a>(
    catalog: &'a Snapshot,
    endpoint: &'a Endpoint,
    facts: &Facts,
) -> &'a PriceTable {
    let asked = endpoint.tier.as_deref() == Some("priority");
    if !asked || served(Some(endpoint), facts) != Some(DEFAULT) {
        return &endpoint.prices;
    }
    let same = |one: &&std::sync::Arc<Endpoint>| {
        one.tier.is_none()
            && one.provider == endpoint.provider
            && one.provider_model_id == endpoint.provider_model_id
            && one.region == endpoint.region
    };
    let default = catalog.endpoints(&endpoint.model).iter().find(same);
    default.map_or(&endpoint.prices, |one| &one.prices)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use signalbox_catalog::Catalogue;

    use super::*;

    fn catalog() -> Snapshot {
        let rows = serde_json::json!({
            "providers": [{"slug": "a", "name": "A", "base_url": "http://a.example", "transport": "none"}],
            "models": [{"id": "acme/m", "context_length": 1000}],
            "endpoints": [
                {"model": "acme/m", "provider": "a", "pricing": {"prompt": "1", "completion": "1"}},
                {"model": "acme/m", "provider": "a", "tier": "priority",
                 "pricing": {"prompt": "2", "completion": "2"}},
                {"model": "acme/m", "provider": "a", "tier": "flex",
                 "pricing": {"prompt": "0.5", "completion": "0.5"}},
            ],
        });
        let rows = serde_json::from_value(rows).unwrap();
        Snapshot::build(Catalogue::default(), rows, &HashSet::new()).unwrap()
    }

    #[test]
    fn what_the_provider_says_it_served_is_told_and_billed() {
        let catalog = catalog();
        let of = |tier: Option<&str>| {
            let mut all = catalog.endpoints("acme/m").iter();
            all.find(|one| one.tier.as_deref() == tier).unwrap()
        };
        let (default, priority, flex) = (of(None), of(Some("priority")), of(Some("flex")));
        for (asked, word, told, billed) in [
            (default, None, None, default),
            (default, Some("standard"), Some("default"), default),
            (default, Some("scale"), None, default),
            (priority, None, Some("priority"), priority),
            (priority, Some("priority"), Some("priority"), priority),
            (priority, Some("auto"), Some("priority"), priority),
            (priority, Some("default"), Some("default"), default),
            (priority, Some("standard"), Some("default"), default),
            // A hold covers the tier that was asked for, and no more.
            (flex, Some("default"), Some("default"), flex),
            (default, Some("priority"), Some("priority"), default),
        ] {
            let facts = Facts { service_tier: word.map(str::to_owned), ..Facts::default() };
            let name = format!("{:?} {word:?}", asked.tier);
            assert_eq!(served(Some(asked), &facts), told, "{name}");
            assert_eq!(prices(&catalog, asked, &facts), &billed.prices, "{name}");
        }
    }
}
