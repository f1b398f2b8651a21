//! The one thread that owns an interface: its ledger, its journal and its device.
//!
//! Everything that reads or changes a device goes through its writer, so that no dump races with a
//! write of ours and no two requests are judged against the same past. Requests that arrive while
//! one is being carried out are gathered and committed together: one fsync, one device update.
//!
//! A write goes to disk, then to the device, then to the caller. What the disk has and the device
//! refused is taken back on disk too. [`commit`] holds that order, [`bring_up`] makes a device that
//! is new or came back what it was, [`settings`] changes the link itself.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use protocol::wire::answers::{self, DumpedPeer, InSync};
use protocol::{InterfaceName, PublicKey};
use tokio::sync::oneshot;

use crate::clock;
use crate::config::{Interface, Timing};
use crate::device::{Device, DeviceError, Reading};
use crate::ledger::Ledger;
use crate::plan::{Refusal, Write};
use crate::state::{Journal, Record, Remembered, Settings, StateError};

mod bring_up;
mod commit;
mod published;
mod settings;

pub(crate) use bring_up::preview;
pub(crate) use published::{Presence, Published};
pub(crate) use settings::{LinkAction, SettingsChange};

/// Reading the device before a write may take this part of the time: a view is fresh enough while it
/// is younger than this many times what it cost. So the view is never older than it must be, and
/// the cost of a write does not grow with the device.
const FRESHNESS: u32 = 16;

/// Why a writer did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("{refusal}")]
    OutOfStep { refusal: Refusal, now: InSync },
    #[error("{0}")]
    Invalid(String),
    #[error("interface {0} was removed; enable it to make it again")]
    InterfaceRemoved(InterfaceName),
    #[error("interface {0} was not made by this agent")]
    NotCreated(InterfaceName),
    #[error("interface {0} does not exist at the moment")]
    InterfaceMissing(InterfaceName),
    #[error("interface {0} is busy")]
    Busy(InterfaceName),
    #[error("the device refused the change")]
    DeviceRefused,
    #[error("the change could not be written to disk")]
    NotDurable,
    #[error("the agent is stopping")]
    Stopping,
}

/// What a write that was carried out answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Peer { created: bool },
    InSync(InSync),
}

type Reply<T> = oneshot::Sender<Result<T, Failure>>;

#[derive(Debug)]
pub(crate) enum Job {
    Write(WriteJob),
    Dump {
        since: Option<String>,
        reply: Reply<answers::Dump>,
    },
    InSync {
        reply: Reply<InSync>,
    },
    Config {
        reply: Reply<answers::InterfaceConfig>,
    },
    Settings {
        change: Box<SettingsChange>,
        request: i64,
        reply: Reply<()>,
    },
    /// A set of peers and, with it, key and port of the interface.
    Sync {
        change: Box<SettingsChange>,
        write: WriteJob,
    },
    Link {
        action: LinkAction,
        request: i64,
        reply: Reply<bool>,
    },
}

#[derive(Debug)]
pub(crate) struct WriteJob {
    pub write: Write,
    /// The timestamp of the signed request, remembered so that it cannot be replayed after a restart.
    pub request: i64,
    pub reply: Reply<Outcome>,
}

/// How the rest of the agent reaches a writer.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    pub name: InterfaceName,
    jobs: SyncSender<Job>,
    published: Arc<RwLock<Arc<Published>>>,
    pulse: Arc<Mutex<Instant>>,
    patience: Duration,
}

impl Handle {
    /// Whether the writer came round lately; one that hangs in the device or on the disk did not.
    pub(crate) fn is_alive(&self) -> bool {
        let pulse = self.pulse.lock().unwrap_or_else(PoisonError::into_inner);
        pulse.elapsed() <= self.patience
    }

    /// Hands a job over, or says that too many are waiting.
    pub(crate) fn submit(&self, job: Job) -> Result<(), Failure> {
        self.jobs.try_send(job).map_err(|err| match err {
            TrySendError::Full(_) => Failure::Busy(self.name.clone()),
            TrySendError::Disconnected(_) => Failure::Stopping,
        })
    }

    /// What is known of the interface without asking it.
    pub(crate) fn published(&self) -> Arc<Published> {
        let published = self.published.read();
        Arc::clone(&published.expect("publishing is a plain assignment and cannot panic"))
    }
}

/// What a writer is started with.
pub(crate) struct Start {
    pub interface: Interface,
    pub device: Device,
    pub state_dir: PathBuf,
    pub timing: Timing,
    pub queue: usize,
    pub group: usize,
    /// Random per start, so that a cursor of an earlier life is recognised.
    pub epoch: u32,
}

/// Where the accepted state is kept.
enum Store {
    Open(Journal),
    /// The file could not be read. Nothing is added until a full set founds it anew.
    Unreadable,
}

struct Writer {
    interface: Interface,
    device: Device,
    journal_path: PathBuf,
    key_path: PathBuf,
    timing: Timing,
    group: usize,
    epoch: u32,
    store: Store,
    ledger: Ledger,
    settings: Settings,
    /// Removed on disk, perhaps not yet from the device.
    leaving: BTreeSet<PublicKey>,
    latest_request: Option<i64>,
    /// The interface's index while it exists.
    index: Option<u32>,
    listen_port: Option<u16>,
    up: bool,
    /// The device holds something else than it should; bringing it up again is due.
    unsettled: bool,
    problems: Vec<String>,
    read_at: Option<Instant>,
    read_cost: Duration,
    observed_at: Option<i64>,
    retry_at: Option<Instant>,
    totals: published::Totals,
    published: Arc<RwLock<Arc<Published>>>,
    pulse: Arc<Mutex<Instant>>,
}

/// A writer whose thread runs.
pub(crate) struct Started {
    pub handle: Handle,
    pub thread: JoinHandle<()>,
    /// The highest request timestamp on disk: nothing at or below it may be replayed.
    pub latest_request: i64,
    /// Says when bringing the interface up was tried.
    pub ready: Receiver<()>,
}

/// Opens the journal and starts the thread, which begins with bringing the interface up.
pub(crate) fn start(start: Start) -> std::io::Result<Started> {
    let (jobs, queue) = sync_channel(start.queue);
    let (tried, ready) = sync_channel(1);
    let name = start.interface.name.clone();
    let mut writer = Writer::open(start);
    let handle = Handle {
        name: name.clone(),
        jobs,
        published: Arc::clone(&writer.published),
        pulse: Arc::clone(&writer.pulse),
        patience: writer.timing.stuck,
    };
    let latest_request = writer.latest_request.unwrap_or(0);
    let thread = std::thread::Builder::new()
        .name(format!("writer {name}"))
        .spawn(move || {
            writer.bring_up();
            writer.publish();
            if tried.send(()).is_ok() {
                writer.run(&queue);
            }
        })?;
    Ok(Started {
        handle,
        thread,
        latest_request,
        ready,
    })
}

impl Writer {
    fn open(start: Start) -> Self {
        let name = &start.interface.name;
        let journal_path = start.state_dir.join(format!("{name}.journal"));
        let own_key_path = start.state_dir.join(format!("{name}.key"));
        let key_path = start
            .interface
            .private_key_file
            .clone()
            .unwrap_or(own_key_path);
        let (store, memory) = match Journal::open(&journal_path) {
            Ok((journal, memory)) => (Store::Open(journal), memory),
            Err(err @ (StateError::Read { .. } | StateError::Damaged { .. })) => {
                tracing::error!(error = &err as &dyn std::error::Error, interface = %name, "the journal is unreadable: nothing is added to {name} until a full set founds it anew");
                (Store::Unreadable, Remembered::default())
            }
        };
        Self {
            ledger: Ledger::new(memory.peers, memory.generation),
            settings: memory.settings,
            leaving: memory.leaving,
            latest_request: memory.latest_request,
            store,
            journal_path,
            key_path,
            published: Arc::new(RwLock::new(Arc::new(Published::unknown(
                &start.interface,
                &start.device,
            )))),
            interface: start.interface,
            device: start.device,
            timing: start.timing,
            group: start.group,
            epoch: start.epoch,
            index: None,
            listen_port: None,
            up: false,
            unsettled: false,
            problems: Vec::new(),
            read_at: None,
            read_cost: Duration::ZERO,
            observed_at: None,
            retry_at: None,
            totals: published::Totals::default(),
            pulse: Arc::new(Mutex::new(Instant::now())),
        }
    }

    fn name(&self) -> &InterfaceName {
        &self.interface.name
    }

    /// Serves until nobody can send any more; what was queued by then is still carried out.
    fn run(&mut self, queue: &Receiver<Job>) {
        let mut next_tick = Instant::now();
        loop {
            *self.pulse.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            let pause = self.pause(next_tick);
            let mut jobs = match queue.recv_timeout(pause) {
                Ok(job) => vec![job],
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            while jobs.len() < self.group && !jobs.is_empty() {
                match queue.try_recv() {
                    Ok(job) => jobs.push(job),
                    Err(_) => break,
                }
            }
            self.serve(jobs);
            self.expire();
            if Instant::now() >= next_tick {
                self.tick();
                next_tick = Instant::now() + self.timing.watch;
            }
        }
    }

    fn pause(&self, next_tick: Instant) -> Duration {
        let to_tick = next_tick.saturating_duration_since(Instant::now());
        let to_expiry = self.ledger.next_expiry().map(|at| {
            let seconds = at.saturating_sub(clock::now()).max(0).unsigned_abs();
            Duration::from_secs(seconds).max(self.timing.retry.min(Duration::from_millis(100)))
        });
        to_expiry.map_or(to_tick, |to_expiry| to_tick.min(to_expiry))
    }

    /// Carries out what is waiting: all writes as one commit, then what concerns the link, then reads.
    fn serve(&mut self, jobs: Vec<Job>) {
        let mut writes = Vec::new();
        let mut others = Vec::new();
        for job in jobs {
            match job {
                Job::Write(write) => writes.push(write),
                other => others.push(other),
            }
        }
        if !writes.is_empty() {
            self.commit(writes);
        }
        let (reads, changes): (Vec<Job>, Vec<Job>) = others.into_iter().partition(|job| {
            matches!(
                job,
                Job::Dump { .. } | Job::InSync { .. } | Job::Config { .. }
            )
        });
        for job in changes {
            match job {
                Job::Settings {
                    change,
                    request,
                    reply,
                } => answer(reply, self.change_settings(&change, request)),
                Job::Sync { change, write } => self.sync(&change, write),
                Job::Link {
                    action,
                    request,
                    reply,
                } => answer(reply, self.change_link(action, request)),
                Job::Write(_) | Job::Dump { .. } | Job::InSync { .. } | Job::Config { .. } => {}
            }
        }
        self.serve_reads(reads);
    }

    /// Reads the device once for all who wait.
    fn serve_reads(&mut self, jobs: Vec<Job>) {
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
    fn look(&mut self) -> Result<(), Failure> {
        self.check_presence();
        self.present()?;
        self.read().map_err(|err| self.failure(&err))
    }

    fn present(&self) -> Result<u32, Failure> {
        match self.index {
            Some(index) => Ok(index),
            None if self.settings.removed => Err(Failure::InterfaceRemoved(self.name().clone())),
            None => Err(Failure::InterfaceMissing(self.name().clone())),
        }
    }

    fn failure(&self, err: &DeviceError) -> Failure {
        match err {
            DeviceError::Missing => Failure::InterfaceMissing(self.name().clone()),
            DeviceError::Busy | DeviceError::Unreadable => Failure::Busy(self.name().clone()),
            DeviceError::NotWireguard | DeviceError::NoKernelModule => {
                Failure::InterfaceMissing(self.name().clone())
            }
            DeviceError::Refused { .. } => Failure::DeviceRefused,
        }
    }

    fn read(&mut self) -> Result<(), DeviceError> {
        let began = Instant::now();
        let reading = self.device.read()?;
        self.read_cost = began.elapsed();
        self.take_in(reading);
        Ok(())
    }

    fn take_in(&mut self, reading: Reading) {
        self.listen_port = reading.listen_port;
        self.totals = published::Totals::of(&reading, clock::now(), self.timing.active_handshake);
        self.ledger.observe(reading);
        self.read_at = Some(Instant::now());
        self.observed_at = Some(clock::now());
    }

    /// Reads the device again unless the view is young for what it costs.
    fn refresh(&mut self) -> Result<(), DeviceError> {
        let allowed = self.read_cost * FRESHNESS;
        match self.read_at {
            Some(at) if at.elapsed() <= allowed => Ok(()),
            _ => self.read(),
        }
    }

    fn dump(&mut self, since: Option<&str>) -> answers::Dump {
        let digest = self.ledger.digest().to_string();
        let cursor = since.and_then(|text| self.parse_cursor(text));
        let found = self.ledger.since(cursor);
        let peers = found.changed.into_iter().map(|(key, seen)| {
            let managed = self.ledger.managed_peer(key);
            DumpedPeer {
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
            }
        });
        answers::Dump {
            interface: self.name().clone(),
            peers: peers.collect(),
            generation: self.ledger.generation,
            digest,
            cursor: format!("{:08x}.{}", self.epoch, self.ledger.cursor()),
            full: since.map(|_| found.full),
            removed: since.map(|_| found.removed),
        }
    }

    fn parse_cursor(&self, text: &str) -> Option<u64> {
        let (epoch, sequence) = text.split_once('.')?;
        if u32::from_str_radix(epoch, 16) != Ok(self.epoch) {
            return None;
        }
        sequence.parse().ok()
    }

    fn in_sync(&mut self) -> InSync {
        InSync {
            generation: self.ledger.generation,
            digest: self.ledger.digest().to_string(),
            peers: self.ledger.count(),
        }
    }

    /// Looks after the interface while nobody asks for anything.
    fn tick(&mut self) {
        self.check_presence();
        let due = self.retry_at.is_none_or(|at| Instant::now() >= at);
        if due && (self.unsettled || self.is_broken()) {
            self.retry_at = Some(Instant::now() + self.timing.retry);
            self.mend();
        }
        let stale = self
            .read_at
            .is_none_or(|at| at.elapsed() >= self.timing.observe);
        if self.index.is_some() && stale {
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
            self.rewrite();
        }
        self.publish();
    }

    /// Removes peers whose time is over.
    fn expire(&mut self) {
        let expired = self.ledger.expired(clock::now());
        if !expired.is_empty() {
            tracing::info!(interface = %self.name(), peers = expired.len(), "removing expired peers");
            self.remove_now(expired);
        }
    }

    fn is_broken(&self) -> bool {
        matches!(&self.store, Store::Open(journal) if journal.is_broken())
    }

    /// Tries again what a disk or device refused.
    fn mend(&mut self) {
        if self.is_broken() {
            self.rewrite();
        }
        if self.unsettled && self.index.is_some() {
            self.bring_up();
        }
    }

    /// Writes down that the device let go of everything it had to, so that a restart need not ask again.
    fn settle(&mut self) {
        if self.leaving.is_empty()
            || self
                .leaving
                .iter()
                .any(|key| self.ledger.observed(key).is_some())
        {
            return;
        }
        let record = Record {
            settled: true,
            ..Record::default()
        };
        if self.write_down(&record).is_ok() {
            self.leaving.clear();
        }
    }

    fn remembered(&self) -> Remembered {
        Remembered {
            peers: self.ledger.managed().clone(),
            generation: self.ledger.generation,
            settings: self.settings.clone(),
            leaving: self.leaving.clone(),
            latest_request: self.latest_request,
        }
    }

    /// Makes a record durable, or says that it is not.
    fn write_down(&mut self, record: &Record) -> Result<(), Failure> {
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

    /// Writes the whole memory anew: after a failed write, and where the journal has grown long.
    fn rewrite(&mut self) {
        let record = Record::of(&self.remembered());
        let Store::Open(journal) = &mut self.store else {
            return;
        };
        if let Err(err) = journal.rewrite(&record) {
            tracing::error!(error = &err as &dyn std::error::Error, interface = %self.interface.name, "cannot write the journal anew");
        }
    }
}

/// Tells the caller, if it still listens. One that hung up asks again: every write may be repeated.
fn answer<T>(reply: Reply<T>, result: Result<T, Failure>) {
    if reply.send(result).is_err() {
        tracing::debug!("a caller left before it was answered");
    }
}
