//! The memory of signatures that were acted upon, so that a captured write cannot be sent again.
//!
//! Only signatures that verified get here, so a stranger cannot fill it; and it is bounded, so that
//! the holder of the secret cannot either. What is dropped leaves a floor: at or below the highest
//! timestamp ever dropped nothing can be told from a replay, so nothing is taken. A restart is the
//! same thing: everything up to the start, and up to what the disk remembers, was dropped.
//! The clock is a parameter, and setting it back does not lower the floor.

use std::collections::BTreeSet;

use protocol::signing::{Rejection, Signature};

#[derive(Debug)]
pub(crate) struct Replay {
    seen: BTreeSet<(i64, [u8; 32])>,
    floor: i64,
    capacity: usize,
    window_s: i64,
}

impl Replay {
    /// `floor` is the larger of the start second and the highest timestamp on disk.
    pub(crate) fn new(floor: i64, capacity: usize, window_s: i64) -> Self {
        Self {
            seen: BTreeSet::new(),
            floor,
            capacity,
            window_s,
        }
    }

    /// Records a signature that verified and is fresh, or says why it may not act.
    pub(crate) fn record(
        &mut self,
        signature: &Signature,
        timestamp: i64,
        now: i64,
    ) -> Result<(), Rejection> {
        let entry = (timestamp, *signature.as_bytes());
        if self.seen.contains(&entry) {
            return Err(Rejection::Replayed);
        }
        self.drop_old(now);
        if timestamp <= self.floor {
            return Err(Rejection::BeforeRestart);
        }
        self.seen.insert(entry);
        while self.seen.len() > self.capacity {
            self.drop_first();
        }
        Ok(())
    }

    /// The first timestamp that a write may carry.
    pub(crate) fn not_before(&self) -> i64 {
        self.floor.saturating_add(1)
    }

    fn drop_old(&mut self, now: i64) {
        while self
            .seen
            .first()
            .is_some_and(|(at, _)| at.saturating_add(self.window_s) < now)
        {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some((at, _)) = self.seen.pop_first() {
            self.floor = self.floor.max(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signature(n: u8) -> Signature {
        Signature::parse(hex::encode([n; 32]).as_bytes()).unwrap()
    }

    #[test]
    fn a_signature_acts_once() {
        let mut replay = Replay::new(1000, 10, 300);

        assert_eq!(replay.record(&signature(1), 1001, 1001), Ok(()));
        assert_eq!(
            replay.record(&signature(1), 1001, 1301),
            Err(Rejection::Replayed)
        );
        assert_eq!(replay.record(&signature(2), 1001, 1001), Ok(()));
    }

    #[test]
    fn nothing_from_before_the_start_acts() {
        let mut replay = Replay::new(1000, 10, 300);

        assert_eq!(
            replay.record(&signature(1), 1000, 1001),
            Err(Rejection::BeforeRestart)
        );
        assert_eq!(replay.not_before(), 1001);
    }

    #[test]
    fn setting_the_clock_back_reopens_nothing() {
        let mut replay = Replay::new(1000, 10, 300);
        replay.record(&signature(1), 2000, 2000).unwrap();
        replay.record(&signature(2), 2400, 2400).unwrap();

        assert_eq!(
            replay.record(&signature(1), 2000, 1900),
            Err(Rejection::BeforeRestart)
        );
    }

    #[test]
    fn dropping_for_space_raises_the_floor() {
        let mut replay = Replay::new(1000, 2, 300);
        for n in 1..=3 {
            replay
                .record(&signature(n), 1000 + i64::from(n), 1005)
                .unwrap();
        }

        assert_eq!(
            replay.record(&signature(1), 1001, 1005),
            Err(Rejection::BeforeRestart)
        );
        assert_eq!(
            replay.record(&signature(2), 1002, 1005),
            Err(Rejection::Replayed)
        );
    }

    proptest! {
        #[test]
        fn nothing_ever_acts_twice(steps in proptest::collection::vec((1u8..6, 1000i64..2000, 900i64..2500), 0..200)) {
            let mut replay = Replay::new(1000, 3, 300);
            let mut acted = BTreeSet::new();
            for (n, timestamp, now) in steps {
                if replay.record(&signature(n), timestamp, now).is_ok() {
                    prop_assert!(acted.insert((n, timestamp)));
                }
            }
        }
    }
}
