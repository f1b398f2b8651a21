//! What a hash covers, and that an honest log holds.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

mod tampering;

fn entry() -> impl Strategy<Value = Entry> {
    let text = || "[a-z.:]{0,6}";
    let nullable = || proptest::option::of("[a-z.:]{0,6}");
    let kind = prop_oneof![
        Just(ActorKind::User),
        Just(ActorKind::ApiKey),
        Just(ActorKind::Cli),
        Just(ActorKind::Controller),
        Just(ActorKind::Nobody),
    ];
    let outcome = prop_oneof![
        Just(Outcome::Done),
        Just(Outcome::Refused),
        Just(Outcome::Failed),
    ];
    let ip = proptest::option::of(any::<IpAddr>());
    let who = (text(), kind, ip, nullable());
    let what = (text(), text(), outcome, nullable(), nullable());
    (0i64..4_000_000_000_000_000, who, what).prop_map(|(micros, who, what)| Entry {
        at: DateTime::from_timestamp_micros(micros).unwrap(),
        actor: who.0,
        actor_kind: who.1,
        ip: who.2,
        request_id: who.3,
        action: what.0,
        object: what.1,
        outcome: what.2,
        before: what.3,
        after: what.4,
    })
}

/// A log as an honest controller writes it, and its head.
fn log(entries: &[Entry]) -> (Vec<StoredRow>, Head) {
    let mut head = Head::START;
    let rows = entries
        .iter()
        .map(|entry| {
            let prev = head;
            head = head.append(entry);
            stored(entry, prev, head)
        })
        .collect();
    (rows, head)
}

fn stored(entry: &Entry, prev: Head, head: Head) -> StoredRow {
    StoredRow {
        seq: head.seq,
        at: entry.at,
        actor: entry.actor.clone(),
        actor_kind: entry.actor_kind.as_str().to_owned(),
        ip: entry.ip.map(IpNet::from),
        request_id: entry.request_id.clone(),
        action: entry.action.clone(),
        object: entry.object.clone(),
        outcome: entry.outcome.as_str().to_owned(),
        before: entry.before.clone(),
        after: entry.after.clone(),
        prev_hash: prev.hash.as_bytes().to_vec(),
        hash: head.hash.as_bytes().to_vec(),
    }
}

fn verify(rows: &[StoredRow], head: Head) -> Result<Head, Broken> {
    let mut verifier = Verifier::new();
    for row in rows {
        verifier.feed(row)?;
    }
    verifier.finish(head)
}

proptest! {
    #[test]
    fn an_honest_log_holds(entries in proptest::collection::vec(entry(), 0..8)) {
        let (rows, head) = log(&entries);

        prop_assert_eq!(verify(&rows, head), Ok(head));
    }
}

fn sample() -> Entry {
    Entry {
        at: DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
        actor: "ada".to_owned(),
        actor_kind: ActorKind::User,
        ip: Some(Ipv4Addr::new(192, 0, 2, 7).into()),
        request_id: None,
        action: "peer.create".to_owned(),
        object: "peer/1".to_owned(),
        outcome: Outcome::Done,
        before: None,
        after: Some("{}".to_owned()),
    }
}

#[test]
fn the_hash_covers_the_documented_bytes() {
    let mut bytes = b"wgfleet-audit-1\n".to_vec();
    bytes.extend([0; 32]);
    bytes.extend(1i64.to_be_bytes());
    bytes.extend(1_700_000_000_123_456i64.to_be_bytes());
    for (present, text) in [
        (None, Some("ada")),
        (None, Some("user")),
        (Some(1), Some("192.0.2.7/32")),
        (Some(0), None),
        (None, Some("peer.create")),
        (None, Some("peer/1")),
        (None, Some("done")),
        (Some(0), None),
        (Some(1), Some("{}")),
    ] {
        bytes.extend(present);
        if let Some(text) = text {
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend(text.bytes());
        }
    }

    let head = Head::START.append(&sample());

    assert_eq!(head.seq, 1);
    assert_eq!(head.hash.as_bytes()[..], Sha256::digest(&bytes)[..]);
}

#[test]
fn what_postgres_does_not_keep_is_not_hashed() {
    let mut finer = sample();
    finer.at += chrono::TimeDelta::nanoseconds(999);

    assert_eq!(Head::START.append(&finer), Head::START.append(&sample()));
}

#[test]
fn a_log_cut_off_or_grown_behind_the_head_is_found() {
    let (rows, head) = log(&[sample(), sample(), sample()]);
    let earlier = Head {
        seq: 2,
        hash: Hash::from_slice(&rows[1].hash).unwrap(),
    };

    assert_eq!(
        verify(&[], head),
        Err(Broken {
            seq: 1,
            fault: Fault::Missing
        })
    );
    assert_eq!(
        verify(&rows, earlier),
        Err(Broken {
            seq: 3,
            fault: Fault::BeyondHead
        })
    );
    assert_eq!(verify(&rows[..2], earlier), Ok(earlier));
}

#[test]
fn verification_goes_on_behind_a_trusted_row() {
    let (rows, head) = log(&[sample(), sample(), sample()]);
    let trusted = Head {
        seq: 2,
        hash: Hash::from_slice(&rows[1].hash).unwrap(),
    };

    let mut verifier = Verifier::after(trusted);

    assert_eq!(
        verifier.feed(&rows[1]),
        Err(Broken {
            seq: 2,
            fault: Fault::OutOfPlace
        })
    );
    assert_eq!(verifier.feed(&rows[2]), Ok(()));
    assert_eq!(verifier.finish(head), Ok(head));
}

#[test]
fn kinds_and_outcomes_have_one_spelling() {
    use ActorKind::*;
    use Outcome::*;

    for kind in [User, ApiKey, Cli, Controller, Nobody] {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
    for outcome in [Done, Refused, Failed] {
        assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
    }
}
