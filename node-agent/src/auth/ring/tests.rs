use super::*;

fn seed() -> Secret {
    Secret::parse("correct horse battery staple 0123456789").unwrap()
}

fn ids(ring: &Ring, key_id: Option<&str>, now: i64) -> Vec<(Role, String)> {
    ring.candidates(key_id, now)
        .into_iter()
        .map(|(role, id, _)| (role, id))
        .collect()
}

fn controller(n: u8) -> PublicKey {
    PrivateKey::from_random([n; 32]).public_key()
}

#[test]
fn a_rotation_survives_a_restart_between_any_two_steps() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Ring::open(folder.path(), &seed(), 600).unwrap();

    let agent = open()
        .exchange("next", &controller(1), &seed(), [9; 32], 50)
        .unwrap();
    assert_eq!(
        open()
            .exchange("next", &controller(1), &seed(), [8; 32], 51)
            .unwrap(),
        agent
    );
    assert_eq!(ids(&open(), None, 0), [(Role::Active, INITIAL.into())]);
    assert_eq!(ids(&open(), Some("next"), 0), [(Role::Next, "next".into())]);

    open().activate("next", 100, 60).unwrap();
    open().activate("next", 100, 61).unwrap();
    assert_eq!(
        ids(&open(), None, 699),
        [
            (Role::Active, "next".into()),
            (Role::Retiring, INITIAL.into())
        ]
    );
    assert_eq!(ids(&open(), None, 700), [(Role::Active, "next".into())]);
    assert_eq!(
        open()
            .exchange("next", &controller(1), &seed(), [7; 32], 62)
            .unwrap(),
        agent
    );
    assert_eq!(open().latest_request(), 60);

    open().prune(700).unwrap();
    assert!(
        !fs::read_to_string(folder.path().join(FILE))
            .unwrap()
            .contains("staple")
    );
}

#[test]
fn the_same_id_with_another_key_is_refused_and_another_id_replaces_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut ring = Ring::open(folder.path(), &seed(), 600).unwrap();
    ring.exchange("a", &controller(1), &seed(), [9; 32], 1)
        .unwrap();

    let other_key = ring.exchange("a", &controller(2), &seed(), [9; 32], 1);
    assert!(matches!(other_key, Err(RotationError::Exists(_))));
    let initial = ring.exchange(INITIAL, &controller(2), &seed(), [9; 32], 1);
    assert!(matches!(initial, Err(RotationError::Exists(_))));

    ring.exchange("b", &controller(2), &seed(), [9; 32], 1)
        .unwrap();
    assert!(matches!(
        ring.activate("a", 0, 1),
        Err(RotationError::Unknown(_))
    ));
}

#[test]
fn the_active_secret_cannot_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let mut ring = Ring::open(folder.path(), &seed(), 600).unwrap();
    ring.exchange("a", &controller(1), &seed(), [9; 32], 1)
        .unwrap();

    assert!(matches!(
        ring.remove(INITIAL, 1),
        Err(RotationError::Active(_))
    ));
    ring.remove("a", 1).unwrap();
    ring.remove("a", 1).unwrap();

    assert_eq!(ids(&ring, Some("a"), 0), []);
}

#[test]
fn another_seed_replaces_the_whole_ring_and_the_same_seed_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut ring = Ring::open(folder.path(), &seed(), 600).unwrap();
    ring.exchange("a", &controller(1), &seed(), [9; 32], 7)
        .unwrap();
    ring.activate("a", 0, 8).unwrap();

    let same = Ring::open(folder.path(), &seed(), 600).unwrap();
    assert_eq!(ids(&same, None, 0)[0], (Role::Active, "a".into()));
    let other = Secret::parse("another secret, made at the machine itself").unwrap();
    let ring = Ring::open(folder.path(), &other, 600).unwrap();

    assert_eq!(ids(&ring, None, 0), [(Role::Active, INITIAL.into())]);
    assert_eq!(ring.latest_request(), 8);
}

#[test]
fn a_damaged_ring_is_not_replaced_by_an_older_secret() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), "{").unwrap();

    assert!(matches!(
        Ring::open(folder.path(), &seed(), 600),
        Err(RingError::Damaged { .. })
    ));
}
