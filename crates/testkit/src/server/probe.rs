//! What is asked of a provider in a caller's name.

use signalbox_core::Secret;
use signalbox_gateway::{CredentialError, ProbeOutcome};

use super::TestServer;

impl TestServer {
    /// The base URL of its simulator.
    #[must_use]
    pub fn simulated(&self) -> String {
        self.simulator.0.base_url()
    }

    /// Asks a provider with a credential of a caller's own.
    ///
    /// # Errors
    /// The credential can't be used there.
    pub async fn probe(
        &self,
        provider: &str,
        secret: &str,
    ) -> Result<ProbeOutcome, CredentialError> {
        self.gateway.probe(provider, &Secret::new(secret.to_owned())).await
    }
}
