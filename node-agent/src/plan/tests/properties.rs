//! What holds for every plan: it leads where it should, and takes nothing from anyone.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use protocol::{AllowedIps, PresharedKey};

use super::*;

prop_compose! {
    /// Peers that a kernel could hold: every prefix has one owner.
    fn peers()(raw in btree_map(1u8..12, (vec(1u8..30, 0..4), 0u16..3, any::<bool>()), 0..10)) -> Peers {
        let mut taken = BTreeSet::new();
        raw.into_iter().map(|(n, (ips, keepalive, psk))| {
            let own: AllowedIps = ips.into_iter().map(cidr).filter(|ip| taken.insert(*ip)).collect();
            let preshared_key = psk.then(|| PresharedKey::from_bytes([n; 32]).unwrap());
            (key(n), PeerConfig { allowed_ips: own, persistent_keepalive: keepalive, preshared_key })
        }).collect()
    }
}

fn specs(peers: &Peers) -> Vec<PeerSpec> {
    let spec = |(key, config): (&PublicKey, &PeerConfig)| PeerSpec {
        public_key: *key,
        allowed_ips: config.allowed_ips.clone(),
        preshared_key: config.preshared_key.clone(),
        persistent_keepalive: Some(config.persistent_keepalive),
        endpoint: None,
        expires_at: None,
    };
    peers.iter().map(spec).collect()
}

fn full_set(peers: &Peers) -> Write {
    Write::FullSet {
        set: FullSet {
            generation: 1,
            base_generation: None,
            peers: specs(peers),
            allow_removals: Some(1000),
        },
        remove_foreign: true,
    }
}

proptest! {
    #[test]
    fn a_full_set_leads_to_the_desired_peers(desired in peers(), managed in peers(), drifted in peers()) {
        let mut ledger = ledger_of(&managed, None);
        ledger.observe(reading(&drifted));

        let decision = judge(&ledger, &full_set(&desired), NOW).unwrap();
        let touched = enter(&mut ledger, decision);
        let ops = ledger.operations(&touched);

        prop_assert_eq!(kernel(drifted, &ops), desired.clone());
        let kept: Peers = ledger.managed().iter().map(|(key, peer)| (*key, peer.config.clone())).collect();
        prop_assert_eq!(kept, desired);
    }

    #[test]
    fn nothing_is_done_where_nothing_differs(peers in peers()) {
        let ledger = ledger_of(&peers, None);

        let decision = judge(&ledger, &full_set(&peers), NOW).unwrap();

        prop_assert_eq!(decision.changes, []);
    }

    #[test]
    fn what_is_undone_leaves_no_trace(before in peers(), desired in peers()) {
        let mut ledger = ledger_of(&before, None);
        let owners = |ledger: &Ledger| (1u8..30).map(|n| ledger.owner(&cidr(n)).copied()).collect::<Vec<_>>();
        let (digest, owned) = (ledger.digest(), owners(&ledger));

        let decision = judge(&ledger, &full_set(&desired), NOW).unwrap();
        let touched = enter(&mut ledger, decision);
        ledger.undo(touched);

        prop_assert_eq!(ledger.digest(), digest);
        prop_assert_eq!(owners(&ledger), owned);
        prop_assert_eq!(ledger.foreign_count(), 0);
    }

    #[test]
    fn no_accepted_write_takes_a_prefix_from_anyone_unasked(managed in peers(), foreign in peers(), n in 1u8..20, ips in vec(1u8..30, 0..4)) {
        let mut ledger = ledger_of(&managed, None);
        let mut all = managed.clone();
        for (key, config) in foreign {
            let free = config.allowed_ips.iter().all(|ip| all.values().all(|peer| !peer.allowed_ips.iter().any(|own| own == ip)));
            if free {
                all.entry(key).or_insert(config);
            }
        }
        ledger.observe(reading(&all));

        let mut ops = Vec::new();
        if let Ok(decision) = judge(&ledger, &Write::Add(spec(n, &ips)), NOW) {
            let touched = enter(&mut ledger, decision);
            ops = ledger.operations(&touched);
        }
        let after = kernel(all.clone(), &ops);

        for (other, config) in all.iter().filter(|(other, _)| **other != key(n)) {
            prop_assert_eq!(after.get(other), Some(config));
        }
    }

    #[test]
    fn a_reader_who_follows_the_changes_sees_what_a_reader_of_everything_sees(steps in vec(peers(), 1..6)) {
        let mut ledger = Ledger::default();
        let mut followed: BTreeMap<PublicKey, Observed> = BTreeMap::new();
        let mut cursor = None;
        for step in steps {
            ledger.observe(reading(&step));
            let since = ledger.since(cursor);
            if since.full {
                followed.clear();
            }
            for key in &since.removed {
                followed.remove(key);
            }
            followed.extend(since.changed.into_iter().map(|(key, seen, _)| (*key, seen.clone())));
            cursor = Some(ledger.cursor());

            let everything: BTreeMap<PublicKey, Observed> = ledger.all_observed().map(|(key, seen)| (*key, seen.clone())).collect();
            prop_assert_eq!(&followed, &everything);
        }
    }
}
