//! The simulator of a test server.

use signalbox_simulator::Running;

/// A simulator without a debug form.
pub(crate) struct Simulated(pub Running);

impl std::fmt::Debug for Simulated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Simulated({})", self.0.address())
    }
}
