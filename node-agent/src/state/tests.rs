use std::fs;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use protocol::{Cidr, PeerConfig, PresharedKey};

use super::*;

fn key(n: u8) -> PublicKey {
    PublicKey::from_bytes([n.max(1); 32]).unwrap()
}

fn peer(n: u8) -> Managed {
    Managed {
        config: PeerConfig {
            allowed_ips: [Cidr::new([10, 0, 0, n].into(), 32).unwrap()]
                .into_iter()
                .collect(),
            persistent_keepalive: u16::from(n % 3),
            preshared_key: n
                .is_multiple_of(2)
                .then(|| PresharedKey::from_bytes([n | 1; 32]).unwrap()),
        },
        endpoint: None,
        expires_at: n.is_multiple_of(5).then_some(i64::from(n)),
    }
}

fn record(puts: &[u8], removes: &[u8], generation: Option<u64>) -> Record {
    let mut record = Record {
        generation,
        remove: removes.iter().map(|n| key(*n)).collect(),
        settled: true,
        ..Record::default()
    };
    for n in puts {
        record.put_peer(&key(*n), &peer(*n));
    }
    record
}

fn journal() -> (tempfile::TempDir, PathBuf, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wg0.journal");
    let (journal, memory) = Journal::open(&path).unwrap();
    assert_eq!(memory, Remembered::default());
    (folder, path, journal)
}

#[test]
fn what_was_appended_is_remembered() {
    let (_folder, path, mut journal) = journal();
    journal.append(&record(&[1, 2, 3], &[], Some(7))).unwrap();
    journal.append(&record(&[4], &[2], None)).unwrap();

    let (_, memory) = Journal::open(&path).unwrap();

    assert_eq!(
        memory.peers.keys().copied().collect::<Vec<_>>(),
        [key(1), key(3), key(4)]
    );
    assert_eq!(memory.peers[&key(3)], peer(3));
    assert_eq!(memory.generation, Some(7));
    assert_eq!(memory.leaving.into_iter().collect::<Vec<_>>(), [key(2)]);
}

#[test]
fn what_was_taken_over_from_a_device_is_read_again() {
    let (_folder, path, mut journal) = journal();
    let odd = PublicKey::observed([0; 32]);
    let mapped = Cidr::parse_observed("::ffff:10.0.0.1/128").unwrap();
    let taken_over = Managed {
        config: PeerConfig {
            allowed_ips: [mapped].into_iter().collect(),
            ..PeerConfig::default()
        },
        ..Managed::default()
    };
    let mut record = record(&[], &[], None);
    record.remove.push(odd);
    record.put_peer(&key(1), &taken_over);
    journal.append(&record).unwrap();

    let (_, memory) = Journal::open(&path).unwrap();

    assert_eq!(memory.peers[&key(1)], taken_over);
    assert!(memory.leaving.contains(&odd));
}

#[test]
fn only_its_owner_may_read_it() {
    let (_folder, path, mut journal) = journal();
    journal.rewrite(&record(&[1], &[], None)).unwrap();

    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_torn_tail_is_cut_wherever_it_was_torn() {
    let (_folder, path, mut journal) = journal();
    journal.append(&record(&[1, 2], &[], Some(1))).unwrap();
    let whole = fs::read(&path).unwrap();
    journal.append(&record(&[3], &[1], Some(2))).unwrap();
    let longer = fs::read(&path).unwrap();

    for length in whole.len()..longer.len() {
        fs::write(&path, &longer[..length]).unwrap();
        let (mut journal, memory) = Journal::open(&path).unwrap();
        assert_eq!(memory.generation, Some(1), "torn at {length}");
        assert_eq!(fs::read(&path).unwrap(), whole, "torn at {length}");

        journal.append(&record(&[9], &[], None)).unwrap();
        let (_, memory) = Journal::open(&path).unwrap();
        assert!(
            memory.peers.contains_key(&key(9)),
            "written after a tear at {length}"
        );
    }
}

#[test]
fn every_flipped_bit_is_noticed_and_nothing_is_touched() {
    let (_folder, path, mut journal) = journal();
    journal.append(&record(&[1], &[], Some(1))).unwrap();
    journal.append(&record(&[2], &[], Some(2))).unwrap();
    let good = fs::read(&path).unwrap();

    for at in 0..good.len() - 1 {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();

        let opened = Journal::open(&path);

        assert!(
            matches!(opened, Err(StateError::Damaged { .. })),
            "byte {at}"
        );
        assert_eq!(fs::read(&path).unwrap(), bad, "byte {at}");
    }
}

#[test]
fn a_line_that_was_lost_or_moved_is_noticed() {
    let (_folder, path, mut journal) = journal();
    for n in 1..4 {
        journal.append(&record(&[n], &[], None)).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();

    for order in [vec![0, 2], vec![1, 0, 2], vec![0, 1, 1, 2]] {
        let shuffled: String = order.iter().map(|i| lines[*i]).collect();
        assert!(replay(shuffled.as_bytes()).is_err(), "{order:?}");
    }
}

#[test]
fn a_damaged_file_is_kept_beside_its_successor() {
    let (_folder, path, _) = journal();
    fs::write(&path, "nonsense\n").unwrap();
    assert!(Journal::open(&path).is_err());

    let mut journal = Journal::refound(&path, &record(&[1], &[], Some(3))).unwrap();
    journal.append(&record(&[2], &[], None)).unwrap();

    let (_, memory) = Journal::open(&path).unwrap();
    assert_eq!(memory.peers.len(), 2);
    assert_eq!(
        fs::read_to_string(path.with_extension("damaged")).unwrap(),
        "nonsense\n"
    );
}

#[test]
fn after_a_failed_write_only_a_rewrite_is_accepted() {
    let (_folder, path, mut journal) = journal();
    journal.append(&record(&[1], &[], None)).unwrap();
    journal.file = Some(File::open(&path).unwrap());
    assert!(journal.append(&record(&[2], &[], None)).is_err());

    assert!(journal.is_broken());
    assert!(journal.append(&record(&[2], &[], None)).is_err());
    let (_, mut memory) = Journal::open(&path).unwrap();
    memory.peers.insert(key(2), peer(2));
    journal.rewrite(&Record::of(&memory)).unwrap();

    assert_eq!(Journal::open(&path).unwrap().1, memory);
    assert!(!journal.is_broken());
}

proptest! {
    #[test]
    fn any_bytes_are_a_journal_or_damage_but_never_a_panic(text: Vec<u8>) {
        if let Ok(replayed) = replay(&text) {
            prop_assert!(replayed.whole <= text.len());
        }
    }

    #[test]
    fn a_rewritten_journal_says_the_same(
        steps in proptest::collection::vec((proptest::collection::vec(1u8..20, 0..4), proptest::collection::vec(1u8..20, 0..3), proptest::option::of(1u64..9)), 0..6)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wg0.journal");
        let (mut journal, _) = Journal::open(&path).unwrap();
        for (puts, removes, generation) in &steps {
            journal.append(&record(puts, removes, *generation)).unwrap();
        }
        let (mut journal, before) = Journal::open(&path).unwrap();

        journal.rewrite(&Record::of(&before)).unwrap();

        prop_assert_eq!(Journal::open(&path).unwrap().1, before);
    }
}
