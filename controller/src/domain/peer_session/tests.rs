//! A peer that comes and goes, before somebody who looks now and then and keeps rows as the database does.

use proptest::prelude::*;

use super::*;
use crate::domain::traffic;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
}

fn bytes(sum: i64) -> Bytes {
    Bytes { rx: sum, tx: sum }
}

#[derive(Debug, Clone)]
struct Row {
    connected_at: DateTime<Utc>,
    from: Bytes,
    ended: Option<(DateTime<Utc>, Bytes)>,
}

#[derive(Debug, Default)]
struct Watcher {
    rows: Vec<Row>,
    handshake: Option<DateTime<Utc>>,
    meter: Meter,
    last_look: Option<DateTime<Utc>>,
}

impl Watcher {
    fn look(&mut self, now: DateTime<Utc>, peer: &Peer) {
        let epoch = match peer.is_anew || peer.was_gone {
            true => Epoch::New,
            false => Epoch::Same,
        };
        let before = self.meter;
        let after = traffic::read(before, bytes(peer.counter), epoch);
        let look = Look {
            before: self.handshake,
            after: peer.handshake,
            epoch,
            was_gone: peer.was_gone,
        };
        let step = step(look, now);
        if let Some(last) = step.cut {
            self.end(last, before.totals);
        }
        let (from, until) = died(self.last_look, now);
        let dead = peer.handshake.filter(|at| from < *at && *at <= until);
        if let Some(last) = step.died.or(dead) {
            self.end(last, after.totals);
        }
        if let Some(begins) = step.begins.filter(|_| self.open().is_none()) {
            let ends = self.rows.iter().filter_map(|row| row.ended);
            self.rows.push(Row {
                connected_at: ends.map(|(at, _)| at).fold(begins, DateTime::max),
                from: base(before, after, self.last_look.is_none()),
                ended: None,
            });
        }
        self.handshake = peer.handshake;
        self.meter = after;
        self.last_look = Some(now);
    }

    fn end(&mut self, last: DateTime<Utc>, totals: Bytes) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.ended.is_none()) {
            row.ended = Some((last.max(row.connected_at), totals.since(row.from)));
        }
    }

    fn open(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.ended.is_none())
    }
}

/// As the kernel has it.
#[derive(Debug, Default)]
struct Peer {
    handshake: Option<DateTime<Utc>>,
    counter: i64,
    is_anew: bool,
    was_gone: bool,
}

#[derive(Debug, Clone)]
enum Happening {
    Handshake,
    Bytes(i64),
    /// The device is made anew.
    Anew,
    /// The peer is removed and put again.
    Gone,
    /// A look, by a clock that is taken for so much.
    Look(i64),
}

fn happenings() -> impl Strategy<Value = Vec<(i64, Happening)>> {
    let one = prop_oneof![
        4 => Just(Happening::Handshake),
        4 => (0..10_000i64).prop_map(Happening::Bytes),
        1 => Just(Happening::Anew),
        1 => Just(Happening::Gone),
        8 => (-1..=1i64).prop_map(Happening::Look),
    ];
    proptest::collection::vec((0..150i64, one), 1..80)
}

proptest! {
    #[test]
    fn sessions_follow_each_other_and_share_what_was_counted(happenings in happenings()) {
        let mut watcher = Watcher::default();
        let mut peer = Peer::default();
        let mut second = 0;
        for (pause, happening) in happenings {
            second += pause;
            match happening {
                Happening::Handshake => peer.handshake = Some(at(second)),
                Happening::Bytes(more) => peer.counter += more,
                Happening::Anew => peer = Peer { is_anew: true, ..Peer::default() },
                Happening::Gone => peer = Peer { was_gone: true, ..Peer::default() },
                Happening::Look(wobble) => {
                    let seen = Peer {
                        handshake: peer.handshake.map(|at| at + TimeDelta::seconds(wobble)),
                        ..peer
                    };
                    watcher.look(at(second), &seen);
                    (peer.is_anew, peer.was_gone) = (false, false);
                    if let Some(open) = watcher.open() {
                        prop_assert!(seen.handshake > Some(dead_until(at(second))), "{open:?} is dead");
                    }
                }
            }
        }

        let open = watcher.rows.iter().filter(|row| row.ended.is_none()).count();
        prop_assert!(open <= 1);
        let mut sum = Bytes::default();
        for pair in watcher.rows.windows(2) {
            let (end, _) = pair[0].ended.unwrap();
            prop_assert!(end <= pair[1].connected_at, "{pair:?} overlap");
        }
        for row in &watcher.rows {
            let (end, carried) = row.ended.unwrap_or((at(second), watcher.meter.totals.since(row.from)));
            prop_assert!(row.connected_at <= end + TimeDelta::seconds(1) && carried.rx >= 0 && carried.tx >= 0);
            sum = Bytes { rx: sum.rx + carried.rx, tx: sum.tx + carried.tx };
        }
        prop_assert!(sum.rx <= watcher.meter.totals.rx && sum.tx <= watcher.meter.totals.tx);
    }

    #[test]
    fn who_renews_his_keys_in_time_has_one_session(gaps in proptest::collection::vec(5..180i64, 1..40), every in 1..60i64) {
        let mut watcher = Watcher::default();
        let mut second = 0;
        let mut next_look = 0;
        for gap in &gaps {
            let handshake = at(second);
            second += gap;
            while next_look < second {
                if at(next_look) >= handshake {
                    watcher.look(at(next_look), &Peer { handshake: Some(handshake), ..Peer::default() });
                }
                next_look += every;
            }
        }

        prop_assert!(watcher.rows.len() <= 1, "{:?}", watcher.rows);
        prop_assert!(watcher.rows.iter().all(|row| row.ended.is_none()));
    }
}

#[test]
fn a_handshake_begins_a_session_and_its_age_ends_it() {
    let mut watcher = Watcher::default();
    let mut peer = Peer::default();
    watcher.look(at(0), &peer);
    peer.handshake = Some(at(7));
    peer.counter = 100;
    watcher.look(at(10), &peer);
    peer.counter = 350;
    watcher.look(at(191), &peer);
    assert!(watcher.open().is_some());

    watcher.look(at(192), &peer);

    assert_eq!(watcher.rows.len(), 1);
    assert_eq!(watcher.rows[0].connected_at, at(7));
    assert_eq!(watcher.rows[0].ended, Some((at(7), bytes(350))));
}

#[test]
fn silence_ends_nothing_that_is_alive_afterwards_and_else_ends_it_where_it_was_last_heard() {
    for (after, expected) in [
        (at(7190), None),
        (at(170), Some((at(170), bytes(0)))),
        (at(3600), Some((at(3600), bytes(0)))),
    ] {
        let mut watcher = Watcher::default();
        let seen = |handshake| Peer {
            handshake: Some(handshake),
            ..Peer::default()
        };
        watcher.look(at(55), &seen(at(50)));

        watcher.look(at(7200), &seen(after));

        assert_eq!(watcher.rows.len(), 1);
        assert_eq!(watcher.rows[0].ended, expected);
    }
}

#[test]
fn a_device_that_is_made_anew_ends_what_it_carried_and_counts_from_nought() {
    let mut watcher = Watcher::default();
    let mut peer = Peer::default();
    watcher.look(at(0), &peer);
    peer.handshake = Some(at(5));
    peer.counter = 500;
    watcher.look(at(10), &peer);

    let anew = Peer {
        handshake: Some(at(60)),
        counter: 40,
        is_anew: true,
        was_gone: false,
    };
    watcher.look(at(61), &anew);

    assert_eq!(watcher.rows[0].ended, Some((at(5), bytes(500))));
    let open = watcher.open().unwrap();
    assert_eq!(open.connected_at, at(60));
    assert_eq!(watcher.meter.totals.since(open.from), bytes(40));
}

#[test]
fn a_peer_that_is_put_anew_begins_another_session_however_soon() {
    let mut watcher = Watcher::default();
    let peer = Peer {
        handshake: Some(at(5)),
        counter: 500,
        ..Peer::default()
    };
    watcher.look(at(6), &peer);

    let again = Peer {
        handshake: Some(at(7)),
        counter: 40,
        was_gone: true,
        is_anew: false,
    };
    watcher.look(at(8), &again);

    assert_eq!(watcher.rows.len(), 2);
    assert_eq!(watcher.rows[0].ended, Some((at(5), bytes(0))));
    assert_eq!(watcher.open().unwrap().connected_at, at(7));
}

#[test]
fn a_machine_that_is_only_taken_for_another_ends_nothing() {
    let look = Look {
        before: Some(at(5)),
        after: Some(at(6)),
        epoch: Epoch::New,
        was_gone: false,
    };

    assert_eq!(step(look, at(10)), Step::default());
}

#[test]
fn what_was_carried_before_anybody_looked_belongs_to_no_session() {
    let mut watcher = Watcher::default();
    let peer = Peer {
        handshake: Some(at(5)),
        counter: 9_000,
        ..Peer::default()
    };

    watcher.look(at(10), &peer);

    let open = watcher.open().unwrap();
    assert_eq!(watcher.meter.totals.since(open.from), bytes(0));
}

#[test]
fn behind_a_node_that_does_not_answer_nothing_is_known() {
    let (seen, over) = (Some(at(1)), Some(at(2)));

    assert_eq!(standing(None, true, seen), Standing::Open);
    assert_eq!(standing(None, false, seen), Standing::Unknown(seen));
    assert_eq!(standing(None, false, None), Standing::Unknown(None));
    for is_heard in [false, true] {
        assert_eq!(standing(over, is_heard, seen), Standing::Ended(at(2)));
    }
}

#[test]
fn a_clock_that_is_put_right_by_a_day_keeps_no_session_open() {
    let mut watcher = Watcher::default();
    let seen = |handshake| Peer {
        handshake: Some(handshake),
        ..Peer::default()
    };
    watcher.look(at(100_000), &seen(at(99_999)));

    watcher.look(at(100_010), &seen(at(99_999 - 86_400)));

    assert_eq!(watcher.rows[0].ended, Some((at(99_999), bytes(0))));
}
