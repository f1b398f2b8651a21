//! The one place where the agent reads the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix seconds. A clock set before 1970 reads as 0, which no signed request is close to.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the edge that reads the clock"
)]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
