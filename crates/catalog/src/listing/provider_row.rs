//! A provider as `/providers` shows it (platform spec 14.4).

use serde_json::{Value, json};

use crate::Provider;

/// The public object of a provider.
pub(super) fn row(provider: &Provider) -> Value {
    let places = &provider.datacenters;
    json!({
        "name": provider.name,
        "slug": provider.slug,
        "privacy_policy_url": provider.privacy_url,
        "terms_of_service_url": provider.terms_url,
        "status_page_url": provider.status_page,
        "headquarters": provider.headquarters,
        "datacenters": if places.is_empty() { Value::Null } else { json!(places) },
    })
}
