//! A WireGuard device that is nowhere but in memory: for a dry run, and for tests of all above it.
//!
//! It does what the kernel does, also where that is unkind: an allowed IP goes to whoever claimed
//! it last, a peer with the interface's own key is not added and nothing says so, a change to a
//! peer that is gone makes it anew, and an update that fails half way stays half done.
//! Clones are the same device, so that a test can change it behind the back of its owner.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use protocol::{Endpoint, InterfaceName, PeerConfig, PrivateKey, PublicKey};

use super::{DeviceError, Link, PeerOp, Reading, update};

mod state;

use state::State;

#[derive(Clone)]
pub struct Memory {
    name: InterfaceName,
    state: Arc<Mutex<State>>,
}

impl Memory {
    /// A device that exists, is down, and has neither key nor peers.
    pub fn new(name: &InterfaceName) -> Self {
        Self::from_reading(name, Reading::default())
    }

    pub fn from_reading(name: &InterfaceName, reading: Reading) -> Self {
        Self {
            name: name.clone(),
            state: Arc::new(Mutex::new(State::new(reading))),
        }
    }

    pub fn name(&self) -> &InterfaceName {
        &self.name
    }

    /// Somebody deletes the interface.
    pub fn vanish(&self) {
        self.state().vanish();
    }

    /// Somebody makes the interface again: another index, no key, no peers.
    pub fn come_back(&self) {
        self.state().come_back();
    }

    /// From now on updates fail at this peer with this error number; what came before it stays.
    pub fn refuse(&self, key: PublicKey, errno: i32) {
        self.state().refused.insert(key, errno);
    }

    pub fn accept(&self, key: &PublicKey) {
        self.state().refused.remove(key);
    }

    /// The next `count` reads find the device busy.
    pub fn interrupt_reads(&self, count: u32) {
        self.state().interrupted_reads = count;
    }

    /// What is only ever observed. Does nothing for a peer that is not there.
    pub fn set_observed(
        &self,
        key: &PublicKey,
        endpoint: Option<Endpoint>,
        latest_handshake: Option<i64>,
        transfer_rx: u64,
        transfer_tx: u64,
    ) {
        if let Some(peer) = self.state().reading.peers.get_mut(key) {
            peer.endpoint = endpoint;
            peer.latest_handshake = latest_handshake;
            peer.transfer_rx = transfer_rx;
            peer.transfer_tx = transfer_tx;
        }
    }

    /// Somebody else sets a peer.
    pub fn foreign_put(&self, key: PublicKey, config: PeerConfig) {
        self.state().put(key, &config, true, None);
    }

    /// Somebody else removes a peer.
    pub fn foreign_remove(&self, key: &PublicKey) {
        self.state().remove(key);
    }

    /// How often peers were written, successfully or not.
    pub fn updates(&self) -> u64 {
        self.state().updates
    }

    /// How often the device was read, successfully or not.
    pub fn reads(&self) -> u64 {
        self.state().reads
    }

    pub(crate) fn index(&self) -> Result<Option<u32>, DeviceError> {
        Ok(self.state().link.as_ref().map(|link| link.index))
    }

    pub(crate) fn link(&self) -> Result<Option<Link>, DeviceError> {
        Ok(self.state().link.clone())
    }

    pub(crate) fn read(&self) -> Result<Reading, DeviceError> {
        let mut state = self.state();
        state.reads += 1;
        if let Some(left) = state.interrupted_reads.checked_sub(1) {
            state.interrupted_reads = left;
            return Err(DeviceError::Busy);
        }
        state.existing_link()?;
        Ok(state.reading.clone())
    }

    pub(crate) fn apply(&self, expected_index: u32, ops: &[PeerOp]) -> Result<(), DeviceError> {
        let mut state = self.state();
        state.updates += 1;
        state.expect_index(expected_index)?;
        update::in_order(ops).try_for_each(|op| state.apply(op))
    }

    pub(crate) fn set_private_key(
        &self,
        expected_index: u32,
        key: &PrivateKey,
    ) -> Result<(), DeviceError> {
        let mut state = self.state();
        state.expect_index(expected_index)?;
        let public_key = key.public_key();
        state.remove(&public_key);
        state.reading.public_key = Some(public_key);
        Ok(())
    }

    pub(crate) fn set_listen_port(
        &self,
        expected_index: u32,
        port: u16,
    ) -> Result<(), DeviceError> {
        let mut state = self.state();
        state.expect_index(expected_index)?;
        state.reading.listen_port = (port != 0).then_some(port);
        Ok(())
    }

    pub(crate) fn create(&self) -> Result<(), DeviceError> {
        let mut state = self.state();
        if state.link.is_none() {
            state.come_back();
        }
        Ok(())
    }

    pub(crate) fn delete(&self, expected_index: u32) -> Result<(), DeviceError> {
        let mut state = self.state();
        state.expect_index(expected_index)?;
        state.vanish();
        Ok(())
    }

    pub(crate) fn set_up(&self, up: bool) -> Result<(), DeviceError> {
        self.state().existing_link()?.up = up;
        Ok(())
    }

    pub(crate) fn set_mtu(&self, mtu: u32) -> Result<(), DeviceError> {
        self.state().existing_link()?.mtu = Some(mtu);
        Ok(())
    }

    pub(crate) fn add_address(&self, address: IpNet) -> Result<(), DeviceError> {
        let mut state = self.state();
        let addresses = &mut state.existing_link()?.addresses;
        addresses.push(address);
        addresses.sort_unstable();
        addresses.dedup();
        Ok(())
    }

    pub(crate) fn remove_address(&self, address: IpNet) -> Result<(), DeviceError> {
        let mut state = self.state();
        let addresses = &mut state.existing_link()?.addresses;
        addresses.retain(|have| *have != address);
        Ok(())
    }

    /// A test that panicked while holding it must not hide behind the panic of another.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
