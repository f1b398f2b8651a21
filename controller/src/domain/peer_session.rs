//! Sessions of peers: from a handshake to the last one before there were none for three minutes.
//!
//! A kernel tells no sessions, only when a peer's last handshake was; so they are what looks at that moment make of it.
//! A session ends with its last handshake: whether the peer was there afterwards is not known. And it ends by evidence
//! alone. Where nobody looked, there may have been any number of handshakes, so a session that is alive before and
//! after went on. The sessions of people who signed in are `session`.

use chrono::{DateTime, TimeDelta, Utc};

use super::traffic::{Bytes, Epoch, Meter};

#[cfg(test)]
mod tests;

/// The kinds of events that tell of sessions.
pub const CONNECTED: &str = "peer.connected";
pub const DISCONNECTED: &str = "peer.disconnected";

/// Keys that are used are renewed every two minutes and are dead after three; the rest is the way of the news.
const ALIVE: TimeDelta = TimeDelta::seconds(180 + 5);

/// Handshakes of a peer are at least five seconds apart; what we take a node's clock for moves by less.
const APART: TimeDelta = TimeDelta::seconds(3);

/// By how much the date of a handshake may move. One that moves by more is dealt with where it is seen to.
const STRAY: TimeDelta = TimeDelta::hours(1);

/// What a look at a peer does to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Step {
    /// The one that was open, if any, was cut off after this handshake; what was counted since is not its own.
    pub cut: Option<DateTime<Utc>>,
    /// The one that was open, if any, went on unseen for a while, and this was its last handshake.
    pub died: Option<DateTime<Utc>>,
    /// One begins here unless one is open.
    pub begins: Option<DateTime<Utc>>,
}

/// What is known of a peer on a node before and after a look, apart from what it carried.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// The last handshake.
    pub before: Option<DateTime<Utc>>,
    pub after: Option<DateTime<Utc>>,
    /// Whether the counters began anew.
    pub epoch: Epoch,
    /// The node did not hold the peer in between.
    pub was_gone: bool,
}

/// Compares a peer's last handshake with the one at the look before. Nothing follows from one that is the same: that
/// its session died of age is asked of all of them together, see [`died`].
pub fn step(look: Look, now: DateTime<Utc>) -> Step {
    let Look { before, after, .. } = look;
    let is_same = match (before, after) {
        (Some(before), Some(after)) => (after - before).abs() < APART,
        (None, None) => true,
        _ => false,
    };
    // A handshake that outlived the counters was not made anew with them: the machine is only taken for another one.
    if is_same && !look.was_gone {
        return Step::default();
    }
    let is_cut = after.is_none() || look.epoch == Epoch::New || look.was_gone;
    let is_alive = |at: &DateTime<Utc>| *at > dead_until(now);
    Step {
        cut: before.filter(|_| is_cut),
        died: after.filter(|at| !is_alive(at)),
        begins: after.filter(is_alive),
    }
}

/// The last handshakes of sessions that died between two looks: after the first of these moments, up to the second.
///
/// It begins earlier than it had to, since a node's clock may have been put right in between. Without an earlier look
/// it begins with all time.
pub fn died(
    last_look: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> (DateTime<Utc>, DateTime<Utc>) {
    let from = match last_look {
        Some(last_look) => last_look.min(now) - ALIVE - STRAY,
        None => DateTime::UNIX_EPOCH,
    };
    (from, dead_until(now))
}

/// Sessions whose last handshake is not after this are over.
fn dead_until(now: DateTime<Utc>) -> DateTime<Utc> {
    now - ALIVE
}

/// What the totals are from which a session's bytes count, by the meter before and after the look at which it begins.
///
/// What came since the look before belongs to it, for that is when the handshake was. At a first look nobody can tell
/// what of it does, so nothing.
pub fn base(before: Meter, after: Meter, is_first_look: bool) -> Bytes {
    match is_first_look {
        true => after.totals,
        false => before.totals,
    }
}

/// How much is known of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Open,
    /// It was open when its node was last heard, if that was ever; what became of it is not known.
    Unknown(Option<DateTime<Utc>>),
    Ended(DateTime<Utc>),
}

/// `is_heard`: whether its node answers. `seen_at`: when it last told of its peers.
pub fn standing(
    disconnected_at: Option<DateTime<Utc>>,
    is_heard: bool,
    seen_at: Option<DateTime<Utc>>,
) -> Standing {
    match disconnected_at {
        Some(at) => Standing::Ended(at),
        None if is_heard => Standing::Open,
        None => Standing::Unknown(seen_at),
    }
}
