//! The memory device's inside: the kernel's rules about peers and allowed IPs.

use std::collections::HashMap;

use protocol::{AllowedIps, Cidr, Endpoint, PeerConfig, PublicKey};

use crate::device::{DeviceError, Link, PeerOp, Reading};

/// What the kernel gives a new WireGuard interface.
const DEFAULT_MTU: u32 = 1420;

pub(super) struct State {
    pub(super) link: Option<Link>,
    pub(super) reading: Reading,
    /// Who has which allowed IP: one prefix belongs to one peer.
    owners: HashMap<Cidr, PublicKey>,
    pub(super) refused: HashMap<PublicKey, i32>,
    pub(super) interrupted_reads: u32,
    pub(super) updates: u64,
    pub(super) reads: u64,
    indexes_used: u32,
}

impl State {
    pub(super) fn new(reading: Reading) -> Self {
        let mut state = Self {
            link: None,
            reading: Reading::default(),
            owners: HashMap::new(),
            refused: HashMap::new(),
            interrupted_reads: 0,
            updates: 0,
            reads: 0,
            indexes_used: 0,
        };
        state.come_back();
        for (key, peer) in &reading.peers {
            let owned = peer.config.allowed_ips.iter();
            state.owners.extend(owned.map(|cidr| (*cidr, *key)));
        }
        state.reading = reading;
        state
    }

    pub(super) fn vanish(&mut self) {
        self.link = None;
        self.reading = Reading::default();
        self.owners.clear();
    }

    pub(super) fn come_back(&mut self) {
        self.vanish();
        self.indexes_used += 1;
        self.link = Some(Link {
            index: self.indexes_used,
            up: false,
            mtu: Some(DEFAULT_MTU),
            addresses: Vec::new(),
        });
    }

    pub(super) fn existing_link(&mut self) -> Result<&mut Link, DeviceError> {
        self.link.as_mut().ok_or(DeviceError::Missing)
    }

    pub(super) fn expect_index(&self, expected: u32) -> Result<(), DeviceError> {
        match &self.link {
            Some(link) if link.index == expected => Ok(()),
            _ => Err(DeviceError::Missing),
        }
    }

    pub(super) fn apply(&mut self, op: &PeerOp) -> Result<(), DeviceError> {
        let key = match op {
            PeerOp::Remove(key) | PeerOp::Put { key, .. } => *key,
        };
        if let Some(errno) = self.refused.get(&key).copied() {
            // The kernel makes a new peer first, then looks at what is asked of it.
            if matches!(op, PeerOp::Put { .. }) && !self.reading.peers.contains_key(&key) {
                self.put(key, &PeerConfig::default(), false, None);
            }
            return Err(DeviceError::Refused { errno: Some(errno) });
        }
        match op {
            PeerOp::Remove(key) => self.remove(key),
            PeerOp::Put {
                key,
                config,
                replace_allowed_ips,
                endpoint,
            } => self.put(*key, config, *replace_allowed_ips, *endpoint),
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &PublicKey) {
        if let Some(peer) = self.reading.peers.remove(key) {
            for cidr in &peer.config.allowed_ips {
                self.owners.remove(cidr);
            }
        }
    }

    pub(super) fn put(
        &mut self,
        key: PublicKey,
        config: &PeerConfig,
        replace_allowed_ips: bool,
        endpoint: Option<Endpoint>,
    ) {
        if self.link.is_none() || self.reading.public_key == Some(key) {
            return;
        }
        let peer = self.reading.peers.entry(key).or_default();
        let before = peer.config.allowed_ips.clone();
        let after = if replace_allowed_ips || before.is_empty() {
            config.allowed_ips.clone()
        } else {
            before.iter().chain(&config.allowed_ips).copied().collect()
        };
        peer.config = PeerConfig {
            allowed_ips: after.clone(),
            ..config.clone()
        };
        if endpoint.is_some() {
            peer.endpoint = endpoint;
        }
        for cidr in &before {
            self.owners.remove(cidr);
        }
        for cidr in &after {
            self.claim(*cidr, key);
        }
    }

    /// Takes a prefix from whoever has it.
    fn claim(&mut self, cidr: Cidr, key: PublicKey) {
        let Some(former) = self.owners.insert(cidr, key) else {
            return;
        };
        if former != key
            && let Some(peer) = self.reading.peers.get_mut(&former)
        {
            let left = peer.config.allowed_ips.iter().copied();
            let left: AllowedIps = left.filter(|have| *have != cidr).collect();
            peer.config.allowed_ips = left;
        }
    }
}
