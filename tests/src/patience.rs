//! How long a test waits before it gives up.

use std::time::Duration;

/// The bound of every wait that a passing test ends early: long enough for a loaded machine, short enough for a hanging test
/// to be told from a slow one.
pub const PATIENCE: Duration = Duration::from_secs(30);
