//! Every way to tamper with a log, and that it is found at the row where it was done.

use super::*;

/// Changes one column, whatever it holds.
fn edit(row: &mut StoredRow, column: usize) {
    let toggle = |value: &mut Option<String>| {
        *value = match value.take() {
            Some(text) if text.is_empty() => None,
            Some(_) => Some(String::new()),
            None => Some(String::new()),
        }
    };
    match column {
        0 => row.at += chrono::TimeDelta::microseconds(1),
        1 => row.actor.push('x'),
        2 => row.actor_kind.push('x'),
        3 => row.ip = Some(IpNet::new_assert(Ipv4Addr::new(192, 0, 2, 1).into(), 31)),
        4 => toggle(&mut row.request_id),
        5 => row.action.push('x'),
        6 => row.object.push('x'),
        7 => row.outcome.push('x'),
        8 => toggle(&mut row.before),
        9 => toggle(&mut row.after),
        10 => row.prev_hash[7] ^= 1,
        11 => row.hash[31] ^= 1,
        12 => row.hash.truncate(31),
        13 => std::mem::swap(&mut row.before, &mut row.after),
        // The same characters, cut at another place.
        _ => {
            row.object = row.action.clone() + &row.object;
            row.action.clear();
        }
    }
}

proptest! {
    #[test]
    fn an_edited_row_is_named(
        entries in proptest::collection::vec(entry(), 1..8),
        at: prop::sample::Index,
        column in 0usize..15,
    ) {
        let (mut rows, head) = log(&entries);
        let row = &mut rows[at.index(entries.len())];
        let honest = row.clone();
        edit(row, column);
        prop_assume!(*row != honest);

        let broken = verify(&rows, head).unwrap_err();

        prop_assert_eq!(broken.seq, honest.seq);
        let fault = if column == 10 { Fault::WrongPrev } else { Fault::WrongHash };
        prop_assert_eq!(broken.fault, fault);
    }

    #[test]
    fn an_edit_with_a_fresh_hash_is_found_behind_it(
        entries in proptest::collection::vec(entry(), 1..8),
        at: prop::sample::Index,
    ) {
        let (mut rows, head) = log(&entries);
        let at = at.index(entries.len());
        let mut forged = entries[at].clone();
        forged.actor.push('x');
        let prev = Head {
            seq: at as i64,
            hash: Hash::from_slice(&rows[at].prev_hash).unwrap(),
        };
        rows[at] = stored(&forged, prev, prev.append(&forged));

        let broken = verify(&rows, head).unwrap_err();

        let expected = match rows.get(at + 1) {
            Some(next) => Broken { seq: next.seq, fault: Fault::WrongPrev },
            None => Broken { seq: head.seq, fault: Fault::NotHead },
        };
        prop_assert_eq!(broken, expected);
    }

    #[test]
    fn a_removed_row_is_named(
        entries in proptest::collection::vec(entry(), 1..8),
        at: prop::sample::Index,
        renumbered: bool,
    ) {
        let (mut rows, head) = log(&entries);
        let removed = rows.remove(at.index(entries.len()));
        if renumbered {
            for row in rows.iter_mut().filter(|row| row.seq > removed.seq) {
                row.seq -= 1;
            }
        }

        let broken = verify(&rows, head).unwrap_err();

        prop_assert_eq!(broken.seq, removed.seq);
        let last = removed.seq == head.seq;
        let fault = if renumbered && !last { Fault::WrongPrev } else { Fault::Missing };
        prop_assert_eq!(broken.fault, fault);
    }

    #[test]
    fn an_inserted_row_is_found(
        entries in proptest::collection::vec(entry(), 0..8),
        extra in entry(),
        at: prop::sample::Index,
    ) {
        let (mut rows, head) = log(&entries);
        let at = at.index(entries.len() + 1);
        let prev = match at {
            0 => Head::START,
            _ => Head { seq: at as i64, hash: Hash::from_slice(&rows[at - 1].hash).unwrap() },
        };
        for row in &mut rows[at..] {
            row.seq += 1;
        }
        rows.insert(at, stored(&extra, prev, prev.append(&extra)));

        let broken = verify(&rows, head).unwrap_err();

        // The forged row follows from the one before; the next one does not follow from it, unless
        // it says the very same, and then the one behind that.
        prop_assert!(broken.seq > at as i64);
    }

    #[test]
    fn swapped_rows_are_found_where_the_first_of_them_stands(
        entries in proptest::collection::vec(entry(), 2..8),
        one: prop::sample::Index,
        other: prop::sample::Index,
        renumbered: bool,
    ) {
        let (mut rows, head) = log(&entries);
        let (one, other) = (one.index(entries.len()), other.index(entries.len()));
        prop_assume!(one != other);
        rows.swap(one, other);
        let first = one.min(other) as i64 + 1;
        if renumbered {
            for (seq, row) in (1..).zip(&mut rows) {
                row.seq = seq;
            }
        }

        let broken = verify(&rows, head).unwrap_err();

        prop_assert_eq!(broken.seq, first);
    }
}
