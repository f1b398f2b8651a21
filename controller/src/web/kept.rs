//! What is counted over the whole fleet, kept for a few seconds: a wall of screens costs what one does.
//!
//! Whatever anybody changes is an event, so figures are counted anew from the first event on that they do not know: what
//! a page counts and what stands around it agree. Only what is measured, such as traffic, may be those seconds old.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;

use crate::clock;
use crate::fleet::Result;

/// So old figures may be that somebody is shown.
const KEPT: TimeDelta = TimeDelta::seconds(5);

pub(super) struct Kept<T>(Mutex<Option<Counted<T>>>);

struct Counted<T> {
    at: DateTime<Utc>,
    /// The newest event when it was counted.
    event: i64,
    figures: Arc<T>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Kept<T> {
    /// Who comes while it is being counted waits for the same. Nothing is given that does not know of the event
    /// `newest`, which was asked for before: what comes in between is counted, and then once more.
    pub(super) async fn read(
        &self,
        newest: i64,
        count: impl AsyncFnOnce(DateTime<Utc>) -> Result<T>,
    ) -> Result<Arc<T>> {
        let mut kept = self.0.lock().await;
        let at = clock::now();
        if let Some(before) = kept.as_ref()
            && before.event >= newest
            && (at - before.at).abs() < KEPT
        {
            return Ok(Arc::clone(&before.figures));
        }
        let figures = Arc::new(count(at).await?);
        *kept = Some(Counted {
            at,
            event: newest,
            figures: Arc::clone(&figures),
        });
        Ok(figures)
    }
}
