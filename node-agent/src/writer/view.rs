//! What the writer sees of its device, how fresh that is, and what readers are told.

use std::time::Instant;

use protocol::wire::answers::{self, DumpedPeer, InSync};

use super::job::{Failure, Job, answer};
use super::{Writer, published};
use crate::clock;
use crate::device::{DeviceError, Reading};

/// Reading the device before a write may take this part of the time: a view is fresh enough while it
/// is younger than this many times what it cost. So the view is never older than it must be, and
/// the cost of a write does not grow with the device.
const FRESHNESS: u32 = 32;

impl Writer {
    /// Reads the device once for all who wait.
    pub(super) fn serve_reads(&mut self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let read = self.look();
        if read.is_ok() {
            self.ledger.digest();
        }
        self.publish();
        for job in jobs {
            match job {
                Job::Dump { since, reply } => {
                    let dump = read.clone().map(|()| self.dump(since.as_deref()));
                    answer(reply, dump);
                }
                Job::InSync { reply } => {
                    let in_sync = read.clone().map(|()| self.in_sync());
                    answer(reply, in_sync);
                }
                Job::Config { reply } => {
                    let config = read.clone().and_then(|()| self.config());
                    answer(reply, config);
                }
                Job::Write(_) | Job::Settings { .. } | Job::Sync { .. } | Job::Link { .. } => {}
            }
        }
    }

    /// Makes sure of the interface and reads the device.
    pub(super) fn look(&mut self) -> Result<(), Failure> {
        self.check_presence();
        self.present()?;
        self.read().map_err(|err| self.failure(&err))
    }

    pub(super) fn present(&self) -> Result<u32, Failure> {
        match self.index {
            Some(index) => Ok(index),
            None if self.settings.removed => Err(Failure::InterfaceRemoved(self.name().clone())),
            None => Err(Failure::InterfaceMissing(self.name().clone())),
        }
    }

    pub(super) fn failure(&self, err: &DeviceError) -> Failure {
        match err {
            DeviceError::Missing => Failure::InterfaceMissing(self.name().clone()),
            DeviceError::Busy | DeviceError::Unreadable => Failure::Busy(self.name().clone()),
            DeviceError::NotWireguard | DeviceError::NoKernelModule => {
                Failure::InterfaceMissing(self.name().clone())
            }
            DeviceError::Refused { .. } => Failure::DeviceRefused,
        }
    }

    pub(super) fn read(&mut self) -> Result<(), DeviceError> {
        let began = Instant::now();
        let reading = self.device.read()?;
        self.read_cost = began.elapsed();
        self.take_in(reading);
        Ok(())
    }

    pub(super) fn take_in(&mut self, reading: Reading) {
        self.listen_port = reading.listen_port;
        self.totals = published::Totals::of(&reading, clock::now(), self.timing.active_handshake);
        self.ledger.observe(reading);
        self.read_at = Some(Instant::now());
        self.observed_at = Some(clock::now());
    }

    /// Reads the device again unless the view is young for what it costs.
    pub(super) fn refresh(&mut self) -> Result<(), DeviceError> {
        let allowed = self.read_cost * FRESHNESS;
        match self.read_at {
            Some(at) if at.elapsed() <= allowed => Ok(()),
            _ => self.read(),
        }
    }

    pub(super) fn dump(&mut self, since: Option<&str>) -> answers::Dump {
        let digest = self.ledger.digest().to_string();
        let cursor = since.and_then(|text| self.parse_cursor(text));
        let found = self.ledger.since(cursor);
        let peers = found
            .changed
            .into_iter()
            .map(|(key, seen, managed)| DumpedPeer {
                public_key: *key,
                endpoint: seen.endpoint,
                allowed_ips: seen.config.allowed_ips.clone(),
                latest_handshake: seen.latest_handshake,
                transfer_rx: seen.transfer_rx,
                transfer_tx: seen.transfer_tx,
                persistent_keepalive: seen.config.persistent_keepalive,
                has_preshared_key: seen.config.preshared_key.is_some(),
                foreign: managed.is_none(),
                expires_at: managed.and_then(|peer| peer.expires_at),
            });
        answers::Dump {
            interface: self.name().clone(),
            peers: peers.collect(),
            generation: self.ledger.generation,
            digest: Some(digest),
            cursor: Some(format!("{:08x}.{}", self.epoch, self.ledger.cursor())),
            full: since.map(|_| found.full),
            removed: since.map(|_| found.removed),
        }
    }

    pub(super) fn parse_cursor(&self, text: &str) -> Option<u64> {
        let (epoch, sequence) = text.split_once('.')?;
        if u32::from_str_radix(epoch, 16) != Ok(self.epoch) {
            return None;
        }
        sequence.parse().ok()
    }

    pub(super) fn in_sync(&mut self) -> InSync {
        InSync {
            generation: self.ledger.generation,
            digest: self.ledger.digest().to_string(),
            peers: self.ledger.count(),
        }
    }
}
