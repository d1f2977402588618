//! What holds for every count, however hostile: property tests call it always, a fuzz target for
//! longer.

use signalbox_core::{PriceTable, Timestamp, Usage, Usd};

use crate::bound::Offer;
use crate::{Estimate, billable, fit, price, upper_bound};

/// A provider's counts never cost less than nothing nor, cut down to the estimate, more than was
/// held; a second look comes to the same; and what is insured costs no tokens.
///
/// # Errors
/// What was broken.
pub fn charge_stays_within_the_hold(
    usage: &Usage,
    estimate: &Estimate,
    table: &PriceTable,
    at: Timestamp,
) -> Result<(), String> {
    let raw = price(usage, table, at, 1).map_or(Usd::ZERO, |cost| cost.total);
    if raw.is_negative() {
        return Err(format!("{usage:?} costs {raw}"));
    }
    let offer = Offer { estimate: *estimate, prices: table, open_ended: false, own_key: None };
    let Some(held) = fit(&offer, Usd::MAX) else {
        let bound = upper_bound(estimate, table);
        return bound.map_or(Ok(()), |bound| Err(format!("a bound of {bound} fits no budget")));
    };
    let cut = estimate.cut(usage);
    if estimate.cut(&cut) != cut {
        return Err(format!("{cut:?} is cut twice"));
    }
    for finish in [None, Some("stop"), Some("error")] {
        let (billed, requests) = billable(&cut, finish);
        let cost = price(&billed, table, at, requests).map_err(|error| error.to_string())?;
        let parts = cost.prompt.checked_add(cost.completion);
        if cost.total.is_negative() || cost.total > held.amount || parts > Some(cost.total) {
            return Err(format!("{usage:?} costs {cost:?} of {held:?}"));
        }
        if finish == Some("error") && parts != Some(Usd::ZERO) {
            return Err(format!("a failure costs tokens: {cost:?}"));
        }
    }
    Ok(())
}
