//! What follows from having asked a node once: what it means, and when to ask again.
//!
//! How many answers make a verdict is `reachability`; whether an interface is in sync is `drift`.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::reachability::{Poll, Reachability, Standing};
use super::traffic::{self, Epoch};

/// How often nodes are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    pub every: Duration,
    /// By how many hundredths a pause is stretched or cut.
    pub jitter_percent: u32,
    /// After so many polls in a row that nobody answered, a node is only probed.
    pub give_up_after: i32,
    pub probe_every: Duration,
}

/// What the next pause depends on.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub standing: Standing,
    pub poll: Poll,
    /// By how much this poll came too late.
    pub late: TimeDelta,
}

impl Rhythm {
    /// The pause until a node is asked again. `chance`, from 0 to 1, is drawn by the caller.
    ///
    /// Who is about to come online is asked again soon. A first bad answer is not followed up as fast: an agent
    /// that is restarted must not look like an outage. Nodes that waited because nobody asked anybody come all at
    /// once, so the next pause spreads them over the whole period.
    pub fn pause(&self, asked: Asked, chance: f64) -> Duration {
        let Standing {
            reachability,
            good_in_a_row,
            bad_in_a_row,
        } = asked.standing;
        let chance = if (0.0..=1.0).contains(&chance) {
            chance
        } else {
            1.0
        };
        if asked.poll == Poll::Unreachable && bad_in_a_row >= self.give_up_after {
            return self.spread(self.every.max(self.probe_every), chance);
        }
        let comes = reachability != Reachability::Online && good_in_a_row > 0;
        let unknown = reachability == Reachability::Pending;
        if comes || unknown {
            return self.spread(self.every / 5, chance);
        }
        if TimeDelta::from_std(self.every).is_ok_and(|every| asked.late >= every) {
            return self.every.mul_f64(chance);
        }
        self.spread(self.every, chance)
    }

    fn spread(&self, pause: Duration, chance: f64) -> Duration {
        let part = f64::from(self.jitter_percent.min(100)) / 100.0;
        pause.mul_f64(1.0 + part * (2.0 * chance - 1.0))
    }
}

/// What is known of the machine whose counters are read.
#[derive(Debug, Clone, Copy)]
pub struct Counting {
    /// When the machine started whose counters were last read, and when this one did.
    pub booted_before: Option<DateTime<Utc>>,
    pub booted_at: Option<DateTime<Utc>>,
    /// Whether the interface was not there the last time.
    pub was_missing: bool,
}

/// Whether all of an interface's counters began anew since they were last read.
pub fn epoch(counting: Counting) -> Epoch {
    if counting.was_missing {
        return Epoch::New;
    }
    traffic::rebooted(counting.booted_before, counting.booted_at)
}

/// When something started that says how long it has been up.
pub fn started(now: DateTime<Utc>, uptime_s: u64) -> Option<DateTime<Utc>> {
    let uptime = TimeDelta::try_seconds(i64::try_from(uptime_s).ok()?)?;
    let started = now.checked_sub_signed(uptime)?;
    (started >= DateTime::UNIX_EPOCH).then_some(started)
}

/// Whether a node's key and addresses are to be read: never read, read long ago, or its agent started since.
pub fn is_to_be_learned(
    learned_at: Option<DateTime<Utc>>,
    agent_started_at: Option<DateTime<Utc>>,
    every: TimeDelta,
    now: DateTime<Utc>,
) -> bool {
    let Some(learned_at) = learned_at else {
        return true;
    };
    now - learned_at >= every || agent_started_at.is_some_and(|started| started > learned_at)
}

/// How a clock came to be off: news once per episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew {
    pub seconds: i64,
    pub is_news: bool,
}

pub fn skew(before_s: Option<i64>, now_s: Option<i64>, tolerance_s: i64) -> Option<Skew> {
    let is_off = |offset: i64| offset.unsigned_abs() > tolerance_s.unsigned_abs();
    let seconds = now_s.filter(|offset| is_off(*offset))?;
    Some(Skew {
        seconds,
        is_news: !before_s.is_some_and(is_off),
    })
}

/// A handshake as a node dates it, by our clock. A date that no sane clock gives is no date.
pub fn handshake(
    unix_s: Option<i64>,
    clock_offset_s: Option<i64>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let ours = unix_s?.checked_sub(clock_offset_s.unwrap_or(0))?;
    let at = DateTime::from_timestamp(ours, 0)?;
    let is_sane = at > DateTime::UNIX_EPOCH && at <= now + TimeDelta::days(1);
    is_sane.then_some(at)
}

#[cfg(test)]
mod tests;
