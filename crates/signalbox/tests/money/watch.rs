//! One watch for everything in the test's process.

use std::sync::LazyLock;
use std::time::Duration;

use signalbox_runtime::Clock;

static WATCH: LazyLock<Clock> = LazyLock::new(Clock::system);

/// Time since the first look.
pub fn now() -> Duration {
    WATCH.monotonic()
}
