//! A generation row with its JSON texts, made by the request's own task and not by the writer.

use signalbox_core::Usd;
use signalbox_ledger::Reservation;

use crate::generations::GenerationRow;

/// What the writer binds.
pub(crate) struct Written {
    pub row: Box<GenerationRow>,
    pub usage: String,
    pub prices: Option<String>,
}

impl Written {
    /// Takes identity and cost from the hold and the charge: a row can't disagree with its posting.
    pub fn new(mut row: Box<GenerationRow>, held: &Reservation, charged: Usd) -> Self {
        row.id = held.generation.clone();
        row.account = held.account.clone();
        row.key = held.key.clone();
        row.cost = charged;
        let text = |json: Result<String, serde_json::Error>| json.unwrap_or_default();
        Self {
            usage: text(serde_json::to_string(&row.usage)),
            prices: row.prices.as_ref().map(|prices| text(serde_json::to_string(prices))),
            row,
        }
    }
}
