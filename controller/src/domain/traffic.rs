//! Totals that survive what resets a kernel's counters: a reboot, a new device, a peer added again.
//!
//! A kernel counts from 0 each time; the time between two resets is an epoch. A counter below the
//! last one seen, or evidence from outside, opens a new epoch, and then all of it is new traffic. What passed
//! between the last look and a reset is unknown and not guessed: totals never say more than was seen.
//!
//! Counters are unsigned and storage is signed, so a counter above `i64::MAX`, eight exbibytes, is
//! taken for that; totals end there as well rather than wrap.

use chrono::{DateTime, TimeDelta, Utc};

#[cfg(test)]
mod tests;

/// Bytes in both directions, as the node names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bytes {
    pub rx: i64,
    pub tx: i64,
}

impl Bytes {
    /// A reading of the kernel.
    pub fn of_counters(rx: u64, tx: u64) -> Self {
        let storable = |counter| i64::try_from(counter).unwrap_or(i64::MAX);
        Self {
            rx: storable(rx),
            tx: storable(tx),
        }
    }

    /// What was added since an earlier value of totals.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            rx: self.rx.saturating_sub(earlier.rx).max(0),
            tx: self.tx.saturating_sub(earlier.tx).max(0),
        }
    }
}

/// What is known of a peer's traffic: the counters as last seen, and what they amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meter {
    pub counters: Bytes,
    pub totals: Bytes,
}

/// What is known, beside the counters themselves, of whether they began anew since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epoch {
    /// Nothing speaks for it.
    Same,
    /// The machine rebooted, the device was made anew, or the peer was gone in between.
    New,
}

/// Adds what a new reading shows.
///
/// Both directions begin anew together, so one counter that went back tells of the other as well.
/// A peer that was never seen before starts from `Meter::default()`.
pub fn read(meter: Meter, counters: Bytes, epoch: Epoch) -> Meter {
    let went_back = counters.rx < meter.counters.rx || counters.tx < meter.counters.tx;
    let base = if epoch == Epoch::New || went_back {
        Bytes::default()
    } else {
        meter.counters
    };
    let new = counters.since(base);
    Meter {
        counters,
        totals: Bytes {
            rx: meter.totals.rx.saturating_add(new.rx),
            tx: meter.totals.tx.saturating_add(new.tx),
        },
    }
}

/// Whether a machine started again, by two reckonings of when it started.
///
/// A start is reckoned as now less uptime, by the controller's clock, and so moves a little with each
/// answer. A reboot taken for none costs what the counters still tell; none taken for a reboot counts
/// everything twice. Hence the tolerance, and hence the answer "no" where a reckoning is missing.
pub fn rebooted(before: Option<DateTime<Utc>>, after: Option<DateTime<Utc>>) -> Epoch {
    const TOLERANCE: TimeDelta = TimeDelta::seconds(60);
    match (before, after) {
        (Some(before), Some(after)) if after - before > TOLERANCE => Epoch::New,
        _ => Epoch::Same,
    }
}
