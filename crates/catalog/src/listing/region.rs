//! Where an endpoint runs, as far as that is known.

use crate::{Endpoint, Snapshot};

/// A region that requests can be kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// The European Union.
    Eu,
    /// The United States.
    Us,
}

/// ISO countries of the European Union.
const EU: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

impl Region {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eu => "eu",
            Self::Us => "us",
        }
    }

    /// The region with this wire name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "eu" => Some(Self::Eu),
            "us" => Some(Self::Us),
            _ => None,
        }
    }
}

impl Snapshot {
    /// The region that an endpoint is known to run in: by its own region's name, else by where all of
    /// its provider's data centres are.
    #[must_use]
    pub fn region(&self, endpoint: &Endpoint) -> Option<Region> {
        of(self, endpoint)
    }
}

/// The region of an endpoint: by its own region's name, else by where all the provider's data
/// centres are.
pub(super) fn of(snapshot: &Snapshot, endpoint: &Endpoint) -> Option<Region> {
    if let Some(region) = &endpoint.region {
        let region = region.to_ascii_lowercase();
        let eu = ["eu", "swedencentral", "francecentral", "germanywestcentral"];
        if eu.iter().any(|start| region.starts_with(start)) {
            return Some(Region::Eu);
        }
        return (region == "us" || region.starts_with("us-")).then_some(Region::Us);
    }
    let places = &snapshot.provider(&endpoint.provider)?.datacenters;
    if places.is_empty() {
        return None;
    }
    if places.iter().all(|place| place == "US") {
        return Some(Region::Us);
    }
    places.iter().all(|place| EU.contains(&place.as_str())).then_some(Region::Eu)
}
