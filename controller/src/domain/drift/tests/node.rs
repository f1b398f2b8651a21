//! A node in memory that refuses what the contract says an agent refuses.

use super::*;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) config: PeerConfig,
    pub(super) expires_at: Option<i64>,
    pub(super) foreign: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) peers: BTreeMap<PublicKey, Held>,
}

impl Node {
    pub(super) fn holds(&mut self, n: u8, config: PeerConfig) {
        let held = Held {
            config,
            expires_at: None,
            foreign: false,
        };
        self.peers.insert(key(n), held);
    }

    pub(super) fn holds_foreign(&mut self, n: u8, config: PeerConfig) {
        self.holds(n, config);
        self.peers.get_mut(&key(n)).unwrap().foreign = true;
    }

    pub(super) fn actual(&self) -> Actual {
        let dumped = |(key, held): (&PublicKey, &Held)| {
            let peer = DumpedPeer {
                public_key: *key,
                endpoint: None,
                allowed_ips: held.config.allowed_ips.clone(),
                latest_handshake: None,
                transfer_rx: 0,
                transfer_tx: 0,
                persistent_keepalive: held.config.persistent_keepalive,
                has_preshared_key: held.config.preshared_key.is_some(),
                foreign: held.foreign,
                expires_at: held.expires_at,
            };
            (*key, peer)
        };
        let configs = self.peers.iter().map(|(key, held)| (key, &held.config));
        Actual {
            peers: self.peers.iter().map(dumped).collect(),
            digest: Some(Digest::of(configs).to_string()),
        }
    }

    /// Carries a plan out in its order; with one batch for all, or with a call for each peer.
    pub(super) fn carry_out(&mut self, plan: &Plan, desired: &DesiredPeers, batches: bool) {
        for removal in plan.removals.iter().filter(|one| one.foreign || !batches) {
            self.peers.remove(&removal.key);
        }
        for release in plan.releases.iter().filter(|one| !one.in_batch || !batches) {
            self.update(&release.key, |held| {
                held.config.allowed_ips = release.keeps.clone()
            });
        }
        let changes = Changes::of(plan, desired);
        if batches {
            self.batch(changes);
        } else {
            for spec in changes.upsert {
                self.batch(Changes {
                    upsert: vec![spec],
                    remove: vec![],
                });
            }
        }
        for write in plan.writes.iter().filter(|write| write.single) {
            let peer = &desired[&write.key];
            self.update(&write.key, |held| {
                held.config.allowed_ips = peer.config.allowed_ips.clone();
                held.config.persistent_keepalive = peer.config.persistent_keepalive;
                held.expires_at = peer.expires_at;
                held.foreign = false;
            });
        }
    }

    fn update(&mut self, key: &PublicKey, change: impl FnOnce(&mut Held)) {
        change(
            self.peers
                .get_mut(key)
                .expect("an update of a peer that is there"),
        );
        self.refuse_shared_addresses();
    }

    fn batch(&mut self, changes: Changes) {
        for key in &changes.remove {
            let gone = self.peers.remove(key);
            assert!(
                gone.is_some_and(|held| !held.foreign),
                "a batch passes foreign peers over"
            );
        }
        for spec in changes.upsert {
            assert!(spec.expires_at.is_none_or(|at| at > NOW));
            let held = Held {
                config: spec.config(),
                expires_at: spec.expires_at,
                foreign: false,
            };
            self.peers.insert(spec.public_key, held);
        }
        self.refuse_shared_addresses();
    }

    fn refuse_shared_addresses(&self) {
        let mut owners = BTreeMap::new();
        for (key, held) in &self.peers {
            for ip in &held.config.allowed_ips {
                let other = owners.insert(*ip, *key);
                assert_eq!(other, None, "allowed IP {ip} is taken");
            }
        }
    }
}
