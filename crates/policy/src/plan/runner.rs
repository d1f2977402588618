//! An endpoint on its way into a plan, before anything is copied.

use std::sync::Arc;

use signalbox_catalog::Endpoint;

use crate::account::ByokKey;
use crate::health::EndpointHealth;
use crate::place::Place;

/// An endpoint that passed the hard rules, with one credential.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Runner<'a> {
    /// The endpoint.
    pub endpoint: &'a Arc<Endpoint>,
    /// The place of its model in the request's list.
    pub model_index: usize,
    /// The caller's own key; `None` is the operator's.
    pub key: Option<&'a Arc<ByokKey>>,
    /// Its recent past with that credential.
    pub health: EndpointHealth,
    /// Where it stands, as far as that is decided.
    pub place: Place,
}
