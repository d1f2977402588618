//! Credit from the operator.

use signalbox_ledger::Grant;

use crate::error::StoreError;
use crate::movements::{Movement, Posted};
use crate::store::Store;

pub use crate::movements::Posted as Granted;
pub(crate) use crate::movements::head;

impl Store {
    /// Adds credit to an account, once for each grant id. Returns when it would survive a power cut.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the account does not exist, the amount is not above zero, the
    /// balance would leave the range of money or the id stands for another grant.
    pub async fn grant(&self, grant: Grant) -> Result<Posted, StoreError> {
        let movement = Movement::grant(&grant.id, &grant.account, grant.amount, grant.at);
        self.post_movement(movement.because(grant.reason).by(grant.operator)).await
    }
}
