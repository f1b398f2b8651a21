//! Whether the controller is of use: asked by probes, told to systemd where that started it.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};

use sd_notify::NotifyState;

/// Whether everything that the controller is for is there.
#[derive(Debug, Default)]
pub struct Readiness(AtomicBool);

impl Readiness {
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(super) fn begin(&self) {
        self.0.store(true, Ordering::Release);
        tell(NotifyState::Ready);
    }

    pub(super) fn end(&self) {
        self.0.store(false, Ordering::Release);
        tell(NotifyState::Stopping);
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(err) = sd_notify::notify(&[state]) {
        tracing::warn!(error = &err as &dyn Error, "systemd cannot be told");
    }
}
