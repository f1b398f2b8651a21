//! What is told without looking at peers: marks, digests, and words.

use super::*;

#[test]
fn what_a_partial_dump_leaves_out_is_not_taken_for_absent() {
    let dump = |full| Dump {
        interface: InterfaceName::parse("wg0").unwrap(),
        peers: vec![],
        generation: None,
        digest: Some(Digest::of([]).to_string()),
        cursor: Some(String::new()),
        full,
        removed: None,
    };

    assert_eq!(Actual::of(dump(Some(false))), Err(PartialDump));
    assert!(Actual::of(dump(Some(true))).is_ok());
    assert!(Actual::of(dump(None)).is_ok());
}

#[test]
fn what_is_shown_tells_devices_apart_where_an_agent_gives_no_digest() {
    let dump = |has_psk: bool, keepalive: u16| -> Dump {
        let peer = |number| {
            serde_json::json!({"public_key": key(number), "allowed_ips": [format!("10.0.0.{number}/32")],
                "transfer_rx": 5, "transfer_tx": 7, "persistent_keepalive": keepalive, "has_preshared_key": has_psk})
        };
        serde_json::from_value(serde_json::json!({"interface": "wg0", "peers": [peer(1), peer(2)]}))
            .unwrap()
    };
    let all = [dump(false, 0), dump(true, 0), dump(false, 25)].map(|dump| shown(&dump));
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(shown(&dump(false, 0)), all[0]);
    let mut reversed = dump(false, 0);
    reversed.peers.reverse();
    assert_eq!(shown(&reversed), all[0]);

    // Nothing that an agent calls a digest, and that one where there is one.
    assert!(all.iter().all(|one| one.starts_with("shown-")));
    let digest = Some("d".to_owned());
    assert_eq!(
        shown(&Dump {
            digest,
            ..dump(false, 0)
        }),
        "d"
    );
}

#[test]
fn in_sync_is_generation_and_digest_together() {
    let seen = |generation, digest: &str| InSync {
        generation,
        digest: digest.into(),
        peers: 1,
    };
    let mark = |generation| Mark {
        generation,
        digest: "aa".into(),
    };

    assert!(mark(7).is_at(&seen(Some(7), "aa")));
    assert!(mark(0).is_at(&seen(None, "aa")));
    assert!(!mark(7).is_at(&seen(Some(8), "aa")));
    assert!(!mark(7).is_at(&seen(Some(7), "ab")));
    assert!(!mark(7).is_at(&seen(None, "aa")));
    assert!(!mark(-1).is_at(&seen(Some(u64::MAX), "aa")));
}

#[test]
fn the_expected_digest_leaves_out_who_expired_and_admits_what_it_cannot_know() {
    let mut peers = desired(&[(1, &[1]), (2, &[2])]);
    peers.get_mut(&key(2)).unwrap().expires_at = Some(NOW);
    assert_eq!(
        expected_digest(&peers, NOW),
        Some(Digest::of([(&key(1), &config(&[1]))]))
    );

    peers.get_mut(&key(1)).unwrap().psk_unknown = true;
    assert_eq!(expected_digest(&peers, NOW), None);
}

#[test]
fn policies_are_read_as_they_are_written() {
    for policy in [
        DriftPolicy::Report,
        DriftPolicy::Adopt,
        DriftPolicy::Enforce,
    ] {
        assert_eq!(DriftPolicy::parse(policy.as_str()), Ok(policy));
    }
    assert_eq!(DriftPolicy::parse("ignore"), Err(DriftPolicyError));
}
