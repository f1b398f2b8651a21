//! Committing writes: judge in order of arrival, disk, device, answer.
//!
//! A group is judged one by one, each request against what its predecessors leave behind, and then
//! committed as one: one journal line with one fsync, one device update. If the device refuses the
//! joint update it is taken back and each request is committed alone, so that one bad request costs
//! the others nothing but time.

use std::collections::BTreeSet;

use protocol::{PrivateKey, PublicKey};
use tokio::sync::oneshot;

use super::job::answer;
use super::{Failure, Outcome, Store, WriteJob, Writer};
use crate::clock;
use crate::device::{DeviceError, PeerOp};
use crate::ledger::{Managed, Touched, difference};
use crate::plan::{self, Change, Refusal, Write};
use crate::state::{Journal, Record};

/// A request and what was decided about it.
struct Judged {
    job: WriteJob,
    verdict: Result<Outcome, Failure>,
}

/// A group of requests, judged and entered in the ledger, not yet committed.
struct Group {
    judged: Vec<Judged>,
    touched: Touched,
    generation_before: Option<u64>,
}

impl Writer {
    pub(super) fn commit(&mut self, jobs: Vec<WriteJob>) {
        self.check_presence();
        let Some(index) = self.index else {
            return self.commit_without_device(jobs);
        };
        let jobs = self.with_fresh_view(jobs);
        if jobs.is_empty() {
            return;
        }
        if matches!(self.store, Store::Unreadable) {
            return self.commit_without_disk(jobs, index);
        }
        let group = self.judge_all(jobs);
        let record = self.record(&group);
        if let Some(record) = &record {
            self.removals_settled = record.settled && record.remove.is_empty();
            self.device.announce();
        }
        if let Err(failure) = record.map_or(Ok(()), |record| self.write_down(&record)) {
            self.undo(&group);
            let jobs = group.judged.into_iter().map(|judged| judged.job).collect();
            return self.remove_without_disk(jobs, index, &failure);
        }
        match self.apply(index, &group.touched) {
            Ok(()) => {
                self.leaving.retain(|key| !group.touched.contains_key(key));
                let accepted = group.judged.iter().filter(|judged| judged.verdict.is_ok());
                self.writes += accepted.count() as u64;
                self.publish();
                for Judged { job, verdict } in group.judged {
                    answer(job.reply, verdict);
                }
            }
            Err(err) => self.recover(group, &err),
        }
    }

    /// Reads the device where the view is too old to judge by. Where that fails, only removals go on:
    /// they ask for nothing that somebody else could hold.
    fn with_fresh_view(&mut self, jobs: Vec<WriteJob>) -> Vec<WriteJob> {
        let is_whole =
            |job: &WriteJob| matches!(job.write, Write::FullSet { .. } | Write::Sync { .. });
        let read = if jobs.iter().any(is_whole) {
            self.read()
        } else {
            self.refresh()
        };
        let Err(err) = read else { return jobs };
        if matches!(err, DeviceError::Missing) {
            self.lose();
            self.commit_without_device(jobs);
            return Vec::new();
        }
        let failure = self.failure(&err);
        let (removals, others) = removals_and_others(jobs);
        self.fail_all(others, &failure);
        removals
    }

    /// Makes the device hold what the ledger says of the touched peers.
    fn apply(&self, index: u32, touched: &Touched) -> Result<(), DeviceError> {
        let ops = self.ledger.operations(touched);
        if ops.is_empty() {
            return Ok(());
        }
        self.device.apply(index, &ops)
    }

    fn judge_all(&mut self, jobs: Vec<WriteJob>) -> Group {
        let now = clock::now();
        let mut group = Group {
            judged: Vec::with_capacity(jobs.len()),
            touched: Touched::new(),
            generation_before: self.ledger.generation,
        };
        for job in jobs {
            let verdict = match plan::judge(&self.ledger, &job.write, now) {
                Ok(decision) => {
                    let created = decision.created;
                    self.enter(decision, &mut group.touched);
                    Ok(match job.write {
                        Write::Add(_) | Write::Update(..) | Write::Remove(_) => {
                            Outcome::Peer { created }
                        }
                        Write::Batch(_) | Write::FullSet { .. } | Write::Sync { .. } => {
                            Outcome::InSync(self.in_sync())
                        }
                    })
                }
                Err(refusal) => Err(self.refused(refusal, &job.write)),
            };
            group.judged.push(Judged { job, verdict });
        }
        group
    }

    /// Whoever sends a batch plans against a generation, so a refusal tells where the interface stands.
    fn refused(&mut self, refusal: Refusal, write: &Write) -> Failure {
        match write {
            Write::Add(_) | Write::Update(..) | Write::Remove(_) => Failure::Refused(refusal),
            Write::Batch(_) | Write::FullSet { .. } | Write::Sync { .. } => Failure::RefusedAt {
                refusal,
                now: self.in_sync(),
            },
        }
    }

    fn enter(&mut self, decision: plan::Decision, touched: &mut Touched) {
        for change in decision.changes {
            match change {
                Change::Put(key, peer) => self.ledger.put(key, peer, touched),
                Change::Forget(key) => self.ledger.forget(key, touched),
            }
        }
        self.ledger.generation = decision.generation.or(self.ledger.generation);
    }

    /// The journal line of a group, if it changes anything worth remembering.
    fn record(&mut self, group: &Group) -> Option<Record> {
        let accepted = group.judged.iter().filter(|judged| judged.verdict.is_ok());
        let request = accepted.map(|judged| judged.job.request).max();
        let mut record = Record {
            request,
            settled: self.leaving.is_empty(),
            ..Record::default()
        };
        if self.ledger.generation != group.generation_before {
            record.generation = self.ledger.generation;
        }
        for (key, before) in &group.touched {
            match self.ledger.managed_peer(key) {
                Some(peer) => record.put_peer(key, peer),
                None if before.managed.is_some() || before.seen.is_some() => {
                    record.remove.push(*key)
                }
                None => {}
            }
        }
        if record.put.is_empty() && record.remove.is_empty() && record.generation.is_none() {
            return None;
        }
        self.latest_request = self.latest_request.max(request);
        self.leaving.extend(&record.remove);
        Some(record)
    }

    fn undo(&mut self, group: &Group) {
        self.ledger.undo(group.touched.clone());
        self.ledger.generation = group.generation_before;
    }

    /// Takes a joint update back and commits its requests one by one.
    fn recover(&mut self, group: Group, err: &DeviceError) {
        tracing::warn!(error = err as &dyn std::error::Error, interface = %self.name(), requests = group.judged.len(), "the device refused an update");
        self.undo(&group);
        if matches!(err, DeviceError::Missing) {
            self.lose();
            self.rewrite();
            let jobs = group.judged.into_iter().map(|judged| judged.job).collect();
            return self.commit_without_device(jobs);
        }
        let accepted = group.judged.iter().filter(|judged| judged.verdict.is_ok());
        let gone = accepted
            .flat_map(|judged| named_to_go(&judged.job.write))
            .copied()
            .collect();
        self.restore_device(&group.touched, &gone);
        if group.judged.len() > 1 {
            self.rewrite();
            for judged in group.judged {
                self.commit(vec![judged.job]);
            }
            return;
        }
        for judged in group.judged {
            // What a caller asked to be gone stays gone, even where the rest of its batch failed.
            let touched = self.forget_removals(std::slice::from_ref(&judged.job));
            let index = self.index.ok_or(DeviceError::Missing);
            if let Err(err) = index.and_then(|index| self.apply(index, &touched)) {
                tracing::error!(error = &err as &dyn std::error::Error, interface = %self.name(), "cannot remove peers; trying again");
                self.device_differs = true;
            }
            self.rewrite();
            self.publish();
            let failure = self.failure(err);
            answer(judged.job.reply, judged.verdict.and(Err(failure)));
        }
    }

    /// Puts the touched peers back to what they were, after an update that stopped midway; but for
    /// those `gone`, which somebody asked to be removed: they must not come back even for a moment.
    fn restore_device(&mut self, touched: &Touched, gone: &BTreeSet<PublicKey>) {
        let restored = self.index.ok_or(DeviceError::Missing).and_then(|index| {
            self.read()?;
            let ops: Vec<PeerOp> = touched
                .iter()
                .filter(|(key, _)| !gone.contains(key))
                .filter_map(|(key, before)| {
                    let foreign = || {
                        before.seen.as_ref().map(|seen| Managed {
                            config: seen.observed.config.clone(),
                            ..Managed::default()
                        })
                    };
                    let wanted = before.managed.as_deref().cloned().or_else(foreign);
                    match wanted {
                        Some(peer) => difference(key, &peer, self.ledger.observed(key)),
                        None => self.ledger.observed(key).map(|_| PeerOp::Remove(*key)),
                    }
                })
                .collect();
            self.device.apply(index, &ops)?;
            self.read()
        });
        if let Err(err) = restored {
            tracing::error!(error = &err as &dyn std::error::Error, interface = %self.name(), "cannot put the device back; trying again");
            let new = touched
                .iter()
                .filter(|(_, before)| before.managed.is_none() && before.seen.is_none());
            self.leaving.extend(new.map(|(key, _)| *key));
            self.device_differs = true;
        }
    }

    /// Removes peers on the agent's own account; nobody waits for an answer.
    pub(super) fn remove_now(&mut self, keys: Vec<PublicKey>) {
        let jobs = keys.into_iter().map(|key| WriteJob {
            write: Write::Remove(key),
            request: 0,
            reply: oneshot::channel().0,
        });
        self.commit(jobs.collect());
    }

    /// Without a device, removals are remembered; whatever else is asked has to wait.
    fn commit_without_device(&mut self, jobs: Vec<WriteJob>) {
        let (removals, others) = removals_and_others(jobs);
        let failure = match self.present() {
            Err(failure) => failure,
            Ok(_) => Failure::Busy(self.name().clone()),
        };
        self.fail_all(others, &failure);
        if removals.is_empty() {
            return;
        }
        let touched = self.forget_removals(&removals);
        let request = removals.iter().map(|job| job.request).max();
        self.latest_request = self.latest_request.max(request);
        let record = Record {
            request,
            remove: touched.into_keys().collect(),
            ..Record::default()
        };
        let outcome = self
            .write_down(&record)
            .map(|()| Outcome::Peer { created: false });
        self.publish();
        for job in removals {
            answer(job.reply, outcome.clone());
        }
    }

    /// With an unreadable journal only a full set is taken: it says everything, so it can found a new one.
    fn commit_without_disk(&mut self, jobs: Vec<WriteJob>, index: u32) {
        let (sets, others): (Vec<WriteJob>, Vec<WriteJob>) = jobs
            .into_iter()
            .partition(|job| matches!(job.write, Write::FullSet { .. }));
        self.remove_without_disk(others, index, &Failure::NotDurable);
        for job in sets {
            if !matches!(self.store, Store::Unreadable) {
                self.commit(vec![job]);
                continue;
            }
            let mut group = self.judge_all(vec![job]);
            let Some(Judged { job, verdict }) = group.judged.pop() else {
                continue;
            };
            let founded = verdict.and_then(|outcome| {
                let ops = self.ledger.operations(&group.touched);
                self.device.apply(index, &ops).map_err(|err| self.failure(&err))?;
                self.latest_request = self.latest_request.max(Some(job.request));
                let record = Record::of(&self.remembered());
                let journal = Journal::refound(&self.journal_path, &record).map_err(|err| {
                    tracing::error!(error = &err as &dyn std::error::Error, interface = %self.name(), "cannot found the journal anew");
                    Failure::NotDurable
                })?;
                self.store = Store::Open(journal);
                Ok(outcome)
            });
            if founded.is_err() {
                self.undo(&group);
                self.restore_device(&group.touched, &BTreeSet::new());
            }
            self.publish();
            answer(job.reply, founded);
        }
    }

    /// When the disk refuses, what must go still goes; the callers learn that a restart may forget it.
    fn remove_without_disk(&mut self, jobs: Vec<WriteJob>, index: u32, failure: &Failure) {
        let touched = self.forget_removals(&jobs);
        if let Err(err) = self.apply(index, &touched) {
            tracing::error!(error = &err as &dyn std::error::Error, interface = %self.name(), "cannot remove peers");
            self.device_differs = true;
        }
        self.fail_all(jobs, failure);
    }

    fn fail_all(&mut self, jobs: Vec<WriteJob>, failure: &Failure) {
        self.publish();
        for job in jobs {
            answer(job.reply, Err(failure.clone()));
        }
    }

    /// Replaces the peers by those of a text that may also name key and port.
    pub(super) fn sync(&mut self, change: &super::SettingsChange, job: WriteJob) {
        let looked = self.look();
        let judged = looked.and_then(|()| {
            // Peers are held against the key that the interface is about to have.
            let key_in_use = self.ledger.own_key;
            let next = change.private_key.as_ref().map(PrivateKey::public_key);
            self.ledger.own_key = next.or(key_in_use);
            let judged = plan::judge(&self.ledger, &job.write, clock::now());
            self.ledger.own_key = key_in_use;
            judged
                .map(drop)
                .map_err(|refusal| self.refused(refusal, &job.write))
        });
        match judged.and_then(|()| self.change_settings(change, job.request)) {
            Ok(()) => self.commit(vec![job]),
            Err(failure) => answer(job.reply, Err(failure)),
        }
    }

    /// Forgets the peers that requests name to be gone, as opposed to those they merely do not mention.
    fn forget_removals(&mut self, jobs: &[WriteJob]) -> Touched {
        self.removals_settled = false;
        let mut touched = Touched::new();
        for job in jobs {
            let foreign_too = matches!(job.write, Write::Remove(_));
            for key in named_to_go(&job.write) {
                if foreign_too || self.ledger.managed_peer(key).is_some() {
                    self.ledger.forget(*key, &mut touched);
                }
            }
        }
        self.leaving.extend(touched.keys());
        touched
    }
}

fn removals_and_others(jobs: Vec<WriteJob>) -> (Vec<WriteJob>, Vec<WriteJob>) {
    jobs.into_iter()
        .partition(|job| matches!(job.write, Write::Remove(_)))
}

/// The keys that a request names to be gone.
fn named_to_go(write: &Write) -> &[PublicKey] {
    match write {
        Write::Remove(key) => std::slice::from_ref(key),
        Write::Batch(batch) => &batch.remove,
        Write::Add(_) | Write::Update(..) | Write::FullSet { .. } | Write::Sync { .. } => &[],
    }
}
