//! The audit, which computes everything a second time.

use signalbox_auditor::Report;

use crate::{Platform, PlatformError};

impl Platform {
    /// Checks the money invariants over one consistent view of the rows. It may run beside a server;
    /// reservations younger than a minute are no breach.
    ///
    /// # Errors
    /// [`PlatformError::Store`] when the rows can't be read. Breaches are in the report.
    pub async fn audit(&self) -> Result<Report, PlatformError> {
        Ok(self.store.audit().await?)
    }
}
