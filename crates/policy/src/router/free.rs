//! `openrouter/free`: any free model that can do what is asked, drawn evenly (inference spec 8.2).

use super::{Choosing, Field, Pick};
use crate::rank::Dice;

/// The model that is drawn and those that are tried after it.
const MOST: usize = 3;

pub(super) fn choose<'f>(
    choosing: &Choosing<'_>,
    field: &'f Field<'f>,
) -> Result<Vec<Pick<'f>>, &'static str> {
    let mut dice = Dice::new(choosing.dice);
    let mut drawn: Vec<_> = field.models.iter().map(|one| (dice.next_unit(), one)).collect();
    drawn.sort_by(|a, b| a.0.total_cmp(&b.0));
    let among = drawn.len();
    let picks = drawn.into_iter().take(MOST);
    Ok(picks
        .map(|(_, model)| Pick {
            model,
            reason: format!("drawn from {among} free models that fit"),
        })
        .collect())
}
