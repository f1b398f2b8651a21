//! Making an interface that is new, or came back, what it was.
//!
//! Runs at start, when the interface was away, and when an update had to be left half done. It asks
//! nobody: what the disk remembers is put back with the controller out of sight. Only what differs
//! is touched, so that running sessions are not.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use protocol::{InterfaceName, PrivateKey, PublicKey};

use super::{Store, Writer};
use crate::clock;
use crate::config::Interface;
use crate::device::{Device, DeviceError, Link, Memory, PeerOp, Reading};
use crate::ledger::{Ledger, Touched, difference};
use crate::private_file;
use crate::state::{Record, replay};

impl Writer {
    /// Notices an interface that vanished, and brings one up that came back.
    pub(super) fn check_presence(&mut self) {
        let found = match self.device.index() {
            Ok(found) => found,
            Err(err) => {
                tracing::warn!(error = &err as &dyn std::error::Error, interface = %self.name(), "cannot tell whether the interface exists");
                return;
            }
        };
        if found == self.index && (found.is_some() || !self.wants_creation()) {
            return;
        }
        if let Some(was) = self.index {
            tracing::warn!(interface = %self.name(), index = was, "the interface vanished");
            self.lose();
        }
        if found.is_some() || self.wants_creation() {
            self.bring_up();
        }
        self.publish();
    }

    fn wants_creation(&self) -> bool {
        let due = self
            .retry_at
            .is_none_or(|at| std::time::Instant::now() >= at);
        self.interface.create
            && !self.settings.removed
            && due
            && !matches!(self.device, Device::Userspace(_))
    }

    /// What was seen is not there any more; what should be there is not changed by that.
    pub(super) fn lose(&mut self) {
        self.index = None;
        self.up = false;
        self.listen_port = None;
        self.observed_at = None;
        self.read_at = None;
        self.ledger.observe(Reading::default());
    }

    pub(super) fn bring_up(&mut self) {
        self.problems.clear();
        self.device_differs = false;
        if self.settings.removed {
            return;
        }
        let brought_up = self.try_bring_up();
        if self.device_differs {
            // What was refused one by one is asked again, but no oftener than the device is read.
            self.retry_at = Some(std::time::Instant::now() + self.timing.observe);
        }
        if let Err(err) = brought_up {
            self.retry_at = Some(std::time::Instant::now() + self.timing.retry);
            match err {
                // Gone again, or its daemon does not answer yet: it is looked for anew.
                DeviceError::Missing => self.lose(),
                err => {
                    tracing::error!(error = &err as &dyn std::error::Error, interface = %self.interface.name, "cannot bring the interface up");
                    self.problems.push(format!(
                        "interface {} cannot be brought up: {err}",
                        self.interface.name
                    ));
                    self.device_differs = true;
                }
            }
        }
    }

    fn try_bring_up(&mut self) -> Result<(), DeviceError> {
        let link = self.find_or_create()?;
        self.index = Some(link.index);
        self.read()?;
        self.bring_up_key(link.index)?;
        self.bring_up_link(&link)?;
        if matches!(self.store, Store::Open(_)) {
            self.restore_peers(link.index)?;
        }
        self.read()?;
        tracing::info!(interface = %self.name(), backend = self.device.backend(), peers = self.ledger.count(), "the interface is up");
        Ok(())
    }

    fn find_or_create(&mut self) -> Result<Link, DeviceError> {
        if let Some(link) = self.device.link()? {
            if matches!(self.device, Device::Memory(_)) {
                self.settings.created = self.interface.create;
            }
            return Ok(link);
        }
        if !self.wants_creation() {
            return Err(DeviceError::Missing);
        }
        self.device.create()?;
        tracing::info!(interface = %self.name(), "made the interface");
        if !self.settings.created {
            self.settings.created = true;
            let record = Record {
                settings: Some(self.settings.clone()),
                ..Record::default()
            };
            // Without it the interface merely cannot be removed over the API after a restart.
            if let Err(err) = self.write_down(&record) {
                self.problems.push(err.to_string());
            }
        }
        self.device.link()?.ok_or(DeviceError::Missing)
    }

    fn bring_up_key(&mut self, index: u32) -> Result<(), DeviceError> {
        let unreadable = matches!(self.store, Store::Unreadable);
        if unreadable && self.ledger.own_key.is_some() {
            // The key in use may have been set over the API, and the journal that would say so is lost.
            return Ok(());
        }
        let key = match &self.settings.private_key {
            Some(key) => Some(key.clone()),
            None if self.interface.create || self.interface.private_key_file.is_some() => {
                match read_or_make_key(&self.key_path) {
                    Ok(key) => Some(key),
                    Err(err) => {
                        tracing::error!(error = &err as &dyn std::error::Error, interface = %self.interface.name, "cannot read or make the private key");
                        self.problems.push(format!(
                            "the private key of {} cannot be read or made",
                            self.interface.name
                        ));
                        None
                    }
                }
            }
            None => None,
        };
        match key {
            Some(key) if self.ledger.own_key != Some(key.public_key()) => {
                self.device.set_private_key(index, &key)?;
                self.ledger.own_key = Some(key.public_key());
            }
            // Whoever made the interface may give it a key a moment later.
            Some(_) | None => {}
        }
        Ok(())
    }

    fn bring_up_link(&mut self, link: &Link) -> Result<(), DeviceError> {
        if let Some(mtu) = self.wanted_mtu()
            && link.mtu != Some(mtu)
        {
            self.device.set_mtu(mtu)?;
        }
        for address in self.wanted_addresses() {
            if !link.addresses.contains(&address) {
                self.device.add_address(address)?;
            }
        }
        if let Some(port) = self.wanted_port()
            && self.listen_port != Some(port)
            && let Err(err) = self.device.set_listen_port(link.index, port)
        {
            tracing::error!(error = &err as &dyn std::error::Error, interface = %self.interface.name, port, "cannot listen on the port");
            self.problems.push(format!(
                "interface {} cannot listen on port {port}",
                self.interface.name
            ));
        }
        let up = !self.settings.disabled;
        let ours = self.interface.create || self.settings.disabled;
        if ours && link.up != up {
            self.device.set_up(up)?;
            self.up = up;
        } else {
            self.up = link.up;
        }
        Ok(())
    }

    pub(super) fn wanted_port(&self) -> Option<u16> {
        self.settings.listen_port.or(self.interface.listen_port)
    }

    pub(super) fn wanted_mtu(&self) -> Option<u32> {
        self.settings.mtu.or(self.interface.mtu)
    }

    pub(super) fn wanted_addresses(&self) -> Vec<ipnet::IpNet> {
        let accepted = self.settings.addresses.as_ref();
        accepted.unwrap_or(&self.interface.addresses).clone()
    }

    fn restore_peers(&mut self, index: u32) -> Result<(), DeviceError> {
        let expired = self.ledger.expired(clock::now());
        let mut touched = Touched::new();
        for key in &expired {
            self.ledger.forget(*key, &mut touched);
        }
        self.leaving.extend(&expired);
        if !expired.is_empty() {
            // Forgetting counts on a device that let go already; this one is still to be told.
            self.read()?;
        }
        let ops = pending_operations(&self.ledger, &self.leaving);
        self.restore(index, &ops)?;
        let still_there = |key: &PublicKey| self.ledger.observed(key).is_some();
        if !self.leaving.iter().any(still_there) && !self.leaving.is_empty() {
            self.removals_settled = expired.is_empty();
            let record = Record {
                settled: expired.is_empty(),
                remove: expired,
                ..Record::default()
            };
            if self.write_down(&record).is_ok() {
                self.leaving.clear();
            }
        }
        Ok(())
    }

    /// Applies everything at once; where that is refused, peer by peer, so that one bad entry does
    /// not keep the others out.
    fn restore(&mut self, index: u32, ops: &[PeerOp]) -> Result<(), DeviceError> {
        if ops.is_empty() {
            return Ok(());
        }
        tracing::info!(interface = %self.name(), changes = ops.len(), "putting peers back");
        match self.device.apply(index, ops) {
            Ok(()) => {}
            Err(err @ (DeviceError::Missing | DeviceError::Busy)) => return Err(err),
            Err(_) => {
                for op in ops {
                    if let Err(err) = self.device.apply(index, std::slice::from_ref(op)) {
                        let (PeerOp::Remove(key) | PeerOp::Put { key, .. }) = op;
                        tracing::error!(error = &err as &dyn std::error::Error, interface = %self.interface.name, peer = %key, "the device refuses a peer");
                        self.problems.push(format!("peer {key} cannot be put back"));
                        self.device_differs = true;
                    }
                }
            }
        }
        self.read()
    }
}

/// What separates the device, as it was last read, from what the disk remembers.
fn pending_operations(ledger: &Ledger, leaving: &BTreeSet<PublicKey>) -> Vec<PeerOp> {
    let removals = leaving
        .iter()
        .filter(|key| ledger.observed(key).is_some() && ledger.managed_peer(key).is_none())
        .map(|key| PeerOp::Remove(*key));
    let puts = ledger
        .managed()
        .iter()
        .filter_map(|(key, peer)| difference(key, peer, ledger.observed(key)));
    removals.chain(puts).collect()
}

/// Tells in lines what bringing an interface up would change in its peers.
///
/// The changes are made to a copy of the device in memory, so that what they would not settle shows
/// as well. Neither disk nor device is touched.
pub(crate) fn preview(interface: &Interface, device: &Device, state_dir: &Path) -> Vec<String> {
    let name = &interface.name;
    let path = state_dir.join(format!("{name}.journal"));
    match difference_to_disk(name, device, &path) {
        Err(why) => vec![format!("{name}: {why}")],
        Ok(lines) if lines.is_empty() => vec![format!("{name}: nothing to change")],
        Ok(lines) => lines
            .into_iter()
            .map(|line| format!("{name}: {line}"))
            .collect(),
    }
}

fn difference_to_disk(
    name: &InterfaceName,
    device: &Device,
    path: &Path,
) -> Result<Vec<String>, String> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(err) if err.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(err) => return Err(format!("cannot read {}: {err}", path.display())),
    };
    let replayed =
        replay(&text).map_err(|at| format!("{} is damaged at byte {at}", path.display()))?;
    let reading = match device.link().map_err(|err| err.to_string())? {
        Some(_) => device.read().map_err(|err| err.to_string())?,
        None => Reading::default(),
    };
    let memory = replayed.memory;
    let mut leaving = memory.leaving;
    let mut ledger = Ledger::new(memory.peers, memory.generation);
    let copy = Memory::from_reading(name, reading.clone());
    ledger.observe(reading.clone());
    let expired = ledger.expired(clock::now());
    for key in &expired {
        ledger.forget(*key, &mut Touched::new());
    }
    leaving.extend(expired);
    ledger.observe(reading);
    let ops = pending_operations(&ledger, &leaving);
    let index = copy
        .index()
        .map_err(|err| err.to_string())?
        .ok_or("the copy in memory is gone")?;
    copy.apply(index, &ops).map_err(|err| err.to_string())?;
    ledger.observe(copy.read().map_err(|err| err.to_string())?);
    let would = ops.iter().map(|op| match op {
        PeerOp::Remove(key) => format!("would remove peer {key}"),
        PeerOp::Put { key, config, .. } => {
            format!("would set peer {key} with {:?}", config.allowed_ips)
        }
    });
    let unsettled = pending_operations(&ledger, &leaving);
    let would_not = unsettled.iter().map(|op| {
        let (PeerOp::Remove(key) | PeerOp::Put { key, .. }) = op;
        format!("peer {key} would still differ")
    });
    Ok(would.chain(would_not).collect())
}

/// Reads the interface's key, or makes one that only the agent may read.
fn read_or_make_key(path: &Path) -> io::Result<PrivateKey> {
    match fs::read_to_string(path) {
        Ok(text) => PrivateKey::parse(text.trim_end())
            .map_err(|err| io::Error::new(io::ErrorKind::InvalidData, err)),
        Err(err) if err.kind() == io::ErrorKind::NotFound => make_key(path),
        Err(err) => Err(err),
    }
}

fn make_key(path: &Path) -> io::Result<PrivateKey> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let key = PrivateKey::from_random(bytes);
    private_file::replace(path, |file| writeln!(file, "{}", key.reveal()))?;
    Ok(key)
}
