//! The ring without a database: rows as it would find them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn master(n: u8) -> MasterKey {
    MasterKey::from_random([n; 32])
}

fn row(id: i64, purpose: &str, current: bool, by: &MasterKey) -> DataKeyRow {
    let key = Zeroizing::new([id as u8; 32]);
    DataKeyRow {
        id: DataKeyId(id),
        purpose: purpose.to_owned(),
        master_id: by.id(),
        wrapped: by.wrap(purpose, [0; 24], &key),
        current,
    }
}

/// Data key 1 seals, 2 fingerprints, and 3, if asked for, follows 1.
fn rows(followed: bool) -> Vec<DataKeyRow> {
    let mut rows = vec![
        row(1, SEAL, !followed, &master(1)),
        row(2, FINGERPRINT, true, &master(1)),
    ];
    if followed {
        rows.push(row(3, SEAL, true, &master(1)));
    }
    rows
}

fn ring(rows: &[DataKeyRow]) -> Keyring {
    let keys = Keys::unwrap(rows, &[master(1)]).unwrap();
    Keyring {
        source: MasterSource::Given(master(1)),
        keys: ArcSwap::from_pointee(keys),
    }
}

fn api_key(row: &str) -> Place {
    Place::new(Column::ApiKey, row)
}

proptest! {
    #[test]
    fn what_was_sealed_opens_in_its_place_alone(plain in vec(any::<u8>(), 0..100), row in ".{0,20}", other in ".{0,20}") {
        prop_assume!(row != other);
        let ring = ring(&rows(false));

        let sealed = ring.seal(&api_key(&row), &plain);

        let open = |place: &Place| ring.open_sealed(place, &sealed.bytes, sealed.data_key_id);
        prop_assert_eq!(open(&api_key(&row)), Ok(Zeroizing::new(plain)));
        for elsewhere in [api_key(&other), Place::new(Column::NodeSecret, &row)] {
            prop_assert_eq!(open(&elsewhere), Err(OpenError::NotOpened(elsewhere)));
        }
    }

    #[test]
    fn places_never_read_the_same(row in "[0-9:a]{0,6}", other in "[0-9:a]{0,6}", id in 0..20i64, other_id in 0..20i64) {
        prop_assume!((&row, id) != (&other, other_id));

        prop_assert_ne!(api_key(&row).bound_to(DataKeyId(id)), api_key(&other).bound_to(DataKeyId(other_id)));
    }
}

#[test]
fn the_same_value_is_never_sealed_to_the_same_bytes() {
    let ring = ring(&rows(false));

    assert_ne!(
        ring.seal(&api_key("k"), b"s"),
        ring.seal(&api_key("k"), b"s")
    );
}

#[test]
fn an_older_key_opens_what_it_sealed_and_seals_no_more() {
    let before = ring(&rows(false)).seal(&api_key("k"), b"secret");

    let ring = ring(&rows(true));

    assert_eq!(before.data_key_id, DataKeyId(1));
    assert_eq!(
        ring.seal(&api_key("k"), b"secret").data_key_id,
        DataKeyId(3)
    );
    assert!(
        ring.open_sealed(&api_key("k"), &before.bytes, DataKeyId(1))
            .is_ok()
    );
    assert!(
        ring.open_sealed(&api_key("k"), &before.bytes, DataKeyId(3))
            .is_err()
    );
}

#[test]
fn a_key_that_is_not_in_the_ring_is_told_apart_from_a_damaged_value() {
    let after = ring(&rows(true)).seal(&api_key("k"), b"secret");
    let ring = ring(&rows(false));

    let unknown = ring.open_sealed(&api_key("k"), &after.bytes, DataKeyId(3));
    let fingerprint = ring.open_sealed(&api_key("k"), &after.bytes, DataKeyId(2));

    assert_eq!(unknown, Err(OpenError::UnknownKey(DataKeyId(3))));
    assert_eq!(fingerprint, Err(OpenError::UnknownKey(DataKeyId(2))));
}

#[test]
fn a_secret_used_twice_is_recognised_by_whoever_has_the_ring_alone() {
    let ring = ring(&rows(false));
    let others = [
        row(1, SEAL, true, &master(1)),
        row(7, FINGERPRINT, true, &master(1)),
    ];

    assert_eq!(ring.fingerprint(b"secret"), ring.fingerprint(b"secret"));
    assert_ne!(ring.fingerprint(b"secret"), ring.fingerprint(b"secret2"));
    assert_ne!(
        ring.fingerprint(b"secret"),
        super::tests::ring(&others).fingerprint(b"secret")
    );
}

#[test]
fn another_master_key_is_refused_by_name() {
    let err = |candidates: &[MasterKey]| match Keys::unwrap(&rows(false), candidates) {
        Ok(_) => panic!("another master key unwrapped the data keys"),
        Err(err) => err.to_string(),
    };

    let other = err(&[master(2)]);
    let none = err(&[]);

    assert!(
        other.contains(&master(1).id()) && other.contains(&master(2).id()),
        "{other}"
    );
    assert!(none.contains("there is no master key"), "{none}");
}

#[test]
fn in_the_middle_of_a_change_whichever_master_key_matches_is_taken() {
    assert!(Keys::unwrap(&rows(false), &[master(2), master(1)]).is_ok());
}

#[test]
fn a_row_that_was_changed_is_named() {
    let mut rows = rows(false);
    rows[1].wrapped[30] ^= 1;

    let refused = Keys::unwrap(&rows, &[master(1)]);

    assert!(matches!(refused, Err(KeyringError::Damaged(DataKeyId(2)))));
}

#[test]
fn a_ring_without_one_of_its_keys_is_refused() {
    for missing in [0, 1] {
        let mut rows = rows(false);
        rows.remove(missing);
        let refused = Keys::unwrap(&rows, &[master(1)]);
        assert!(matches!(refused, Err(KeyringError::Incomplete(_))));
    }
}

#[test]
fn new_rows_and_followed_keys_are_noticed() {
    let keys = Keys::unwrap(&rows(false), &[master(1)]).unwrap();

    assert!(keys.are(&rows(false)));
    assert!(!keys.are(&rows(true)));
}

#[test]
fn the_ring_does_not_print_its_keys() {
    let printed = format!("{:?}", ring(&rows(false)));

    assert_eq!(printed, "Keyring(*** sealing with 1)");
}
