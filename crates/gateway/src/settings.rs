//! What an operator decides about the data plane.

use std::sync::Arc;
use std::time::Duration;

use signalbox_core::plan::Plans;
use signalbox_core::{Timeouts, limits};
use signalbox_upstream::Reach;

use crate::moderation::Moderator;
use crate::own_keys::OwnKeys;
use crate::recognition::Recognition;
use crate::region::Regions;

/// Most percent of the requests that may be hedged (reliability design 5.2).
pub const MAX_HEDGE_PERCENT: u8 = 5;

/// What an operator decides about the data plane.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the public pages are, for links in error texts.
    pub public_url: String,
    /// How long providers may take; a provider's row may differ.
    pub timeouts: Timeouts,
    /// Percent of the streams for which a second provider may be asked when the first is slow, at most
    /// [`MAX_HEDGE_PERCENT`]; 0 is never.
    pub hedge_percent: u8,
    /// How far answers are read on for clients that have left.
    pub drains: Drains,
    /// What accounts may do and what they pay.
    pub plans: Plans,
    /// Where the own provider keys of callers come from.
    pub own_keys: OwnKeys,
    /// What finds names of people and addresses; by default nothing does.
    pub recognition: Option<Recognition>,
    /// What judges prompts for endpoints that require it; by default nothing does.
    pub moderator: Option<Arc<dyn Moderator>>,
    /// The hosts whose requests stay in a region.
    pub regions: Regions,
    /// Where addresses of callers may lead.
    pub reach: Reach,
}

/// How far answers of providers that can't be told to stop are read on for clients that have left, so
/// that the bill is the provider's (reliability design, test 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drains {
    /// So many at a time, at most. What is above it is billed by an estimate.
    pub most: usize,
    /// For so long, at most.
    pub longest: Duration,
}

impl Default for Drains {
    fn default() -> Self {
        Self { most: limits::MAX_DRAINS, longest: limits::DRAIN_TIMEOUT }
    }
}

impl Settings {
    /// The usual ones.
    #[must_use]
    pub fn new(public_url: impl Into<String>) -> Self {
        Self {
            public_url: public_url.into(),
            timeouts: Timeouts::default(),
            hedge_percent: 0,
            drains: Drains::default(),
            plans: Plans::default(),
            own_keys: OwnKeys::default(),
            recognition: None,
            moderator: None,
            regions: Regions::default(),
            reach: Reach::PublicOnly,
        }
    }
}
