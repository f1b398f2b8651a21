//! What a writer does while nobody asks: look after the interface, forget who expired, mend what a disk
//! or a device refused, and keep the journal short.

use std::time::Instant;

use super::job::Failure;
use super::{Store, Writer};
use crate::clock;
use crate::state::{Record, Remembered};

impl Writer {
    /// Looks after the interface while nobody asks for anything.
    pub(super) fn tick(&mut self) {
        self.check_presence();
        let due = self.retry_at.is_none_or(|at| Instant::now() >= at);
        if due && (self.device_differs || self.is_broken()) {
            self.retry_at = Some(Instant::now() + self.timing.retry);
            self.mend();
        }
        let stale = self
            .read_at
            .is_none_or(|at| at.elapsed() >= self.timing.observe);
        // Who makes an interface gives it a key and brings it up a moment later, and may take it down at any time.
        if self.index.is_some() && (stale || !self.up) {
            self.look_at_link();
        }
        if self.index.is_some() && (stale || self.ledger.own_key.is_none()) {
            match self.read() {
                Ok(()) => self.settle(),
                Err(err) => {
                    tracing::warn!(error = &err as &dyn std::error::Error, interface = %self.name(), "cannot read the device");
                }
            }
        }
        if let Store::Open(journal) = &self.store
            && journal.wants_rewrite()
        {
            // A long journal is as good as a short one: where this fails it is tried again.
            drop(self.write_anew());
        }
        self.publish();
    }

    /// Sees whether the interface is up, whoever brought it up or took it down.
    fn look_at_link(&mut self) {
        match self.device.link() {
            Ok(Some(link)) => self.up = link.up,
            // Gone: the next look at its presence says so.
            Ok(None) => {}
            Err(err) => {
                tracing::warn!(error = &err as &dyn std::error::Error, interface = %self.name(), "cannot tell whether the interface is up");
            }
        }
    }

    /// Removes peers whose time is over.
    pub(super) fn expire(&mut self) {
        let expired = self.ledger.expired(clock::now());
        if !expired.is_empty() {
            tracing::info!(interface = %self.name(), peers = expired.len(), "removing expired peers");
            self.remove_now(expired);
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(&self.store, Store::Open(journal) if journal.is_broken())
    }

    /// Tries again what a disk or device refused.
    pub(super) fn mend(&mut self) {
        if self.is_broken() {
            self.rewrite();
        }
        if self.device_differs && self.index.is_some() {
            self.bring_up();
        }
    }

    /// Writes down that the device let go of everything it had to. A restart would otherwise remove
    /// those peers again, also where somebody has put one back by hand since.
    pub(super) fn settle(&mut self) {
        let left = |key| self.ledger.observed(key).is_none();
        if self.removals_settled || !self.leaving.iter().all(left) {
            return;
        }
        let record = Record {
            settled: true,
            ..Record::default()
        };
        if self.write_down(&record).is_ok() {
            self.leaving.clear();
            self.removals_settled = true;
        }
    }

    pub(super) fn remembered(&self) -> Remembered {
        Remembered {
            peers: self.ledger.managed().clone(),
            generation: self.ledger.generation,
            settings: self.settings.clone(),
            leaving: self.leaving.clone(),
            latest_request: self.latest_request,
        }
    }

    /// Makes a record durable, or says that it is not.
    pub(super) fn write_down(&mut self, record: &Record) -> Result<(), Failure> {
        let Store::Open(journal) = &mut self.store else {
            return Err(Failure::NotDurable);
        };
        if journal.is_broken() {
            return Err(Failure::NotDurable);
        }
        journal.append(record).map_err(|err| {
            tracing::error!(error = &err as &dyn std::error::Error, interface = %self.interface.name, "cannot write the journal");
            Failure::NotDurable
        })
    }

    /// Replaces a journal that says what is not so, or has failed. Until that succeeds it takes nothing
    /// more, and health says so.
    pub(super) fn rewrite(&mut self) {
        let written = self.write_anew();
        if let (Err(_), Store::Open(journal)) = (written, &mut self.store) {
            journal.distrust();
        }
    }

    /// Writes the whole memory anew, in one step; where that fails the journal stays as it is.
    fn write_anew(&mut self) -> Result<(), Failure> {
        let record = Record::of(&self.remembered());
        let Store::Open(journal) = &mut self.store else {
            return Ok(());
        };
        journal.rewrite(&record).map_err(|err| {
            tracing::error!(error = &err as &dyn std::error::Error, interface = %self.interface.name, "cannot write the journal anew");
            Failure::NotDurable
        })?;
        self.removals_settled = self.leaving.is_empty();
        Ok(())
    }
}
