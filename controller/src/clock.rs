//! The one place where the controller reads the wall clock.

use chrono::{DateTime, Utc};

#[expect(
    clippy::disallowed_methods,
    reason = "this is the edge that reads the clock"
)]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
