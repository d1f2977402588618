//! What an endpoint is asked to do.

use crate::{Endpoint, Modality, Model};
use signalbox_core::PriceKind;

/// What an endpoint is asked to do: it follows from what its model writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Task {
    /// To answer a conversation, and whatever has no task of its own yet.
    #[default]
    Chat,
    /// To turn inputs into vectors.
    Embeddings,
    /// To order documents by their relevance to a query.
    Rerank,
}

impl Task {
    /// What the endpoints of a model are asked to do.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        if model.writes(Modality::Embeddings) {
            Self::Embeddings
        } else if model.writes(Modality::Rerank) {
            Self::Rerank
        } else {
            Self::Chat
        }
    }
}

/// The unit in which reranks are sold, as listed.
const SEARCH: &str = "search";

/// Reranks are billed by search units, whose price is listed among those that are not per token.
pub(crate) fn price_search_units(endpoint: &mut Endpoint) {
    let rates = &mut endpoint.prices.rates;
    let sold = endpoint.unit_pricing.iter().find(|one| one.unit == SEARCH);
    if let Some(sold) = sold.filter(|_| rates.get(PriceKind::SearchUnit).is_none()) {
        rates.set(PriceKind::SearchUnit, sold.price);
    }
}

/// Whether what the endpoint sells has a price. Reranks are sold by the token or by the search, so
/// that zero for tokens alone says nothing.
pub(crate) fn is_priced(endpoint: &Endpoint) -> bool {
    let known = endpoint.task != Task::Rerank || endpoint.free || !endpoint.prices.is_free();
    known && endpoint.prices.prices_tokens()
}
