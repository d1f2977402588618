//! A generation row with its JSON texts, made by the request's own task and not by the writer.

use signalbox_ledger::{Charge, Reservation};

use crate::generations::GenerationRow;

/// What the writer binds.
pub(crate) struct Written {
    pub row: Box<GenerationRow>,
    pub usage: String,
    pub prices: Option<String>,
}

/// Takes identity and cost from the hold and the charge: a row can't disagree with its posting.
pub(crate) fn agree(row: &mut GenerationRow, held: &Reservation, charged: &Charge) {
    row.id = held.generation.clone();
    row.account = held.account.clone();
    row.key = held.key.clone();
    row.cost = charged.credits;
    row.byok = row.byok.map(|_| charged.byok);
    row.byok_free = row.byok.and(charged.free);
}

impl Written {
    /// The row of a generation that came to `charged`.
    pub fn new(mut row: Box<GenerationRow>, held: &Reservation, charged: &Charge) -> Self {
        agree(&mut row, held, charged);
        let text = |json: Result<String, serde_json::Error>| json.unwrap_or_default();
        Self {
            usage: text(serde_json::to_string(&row.usage)),
            prices: row.prices.as_ref().map(|prices| text(serde_json::to_string(prices))),
            row,
        }
    }
}
