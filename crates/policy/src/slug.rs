//! Places of endpoints in the caller's lists of provider slugs (inference spec 5.2).

use signalbox_catalog::Endpoint;

/// The place of the first slug in the list that names the endpoint.
#[must_use]
pub fn position(slugs: &[String], endpoint: &Endpoint) -> Option<usize> {
    slugs.iter().position(|slug| endpoint.matches(slug))
}
