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
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use protocol::{InterfaceName, PublicKey};

use crate::clock;
use crate::config::{Interface, Timing};
use crate::device::Device;
use crate::ledger::Ledger;
use crate::state::{Journal, Remembered, Settings, StateError};

use job::answer;

mod bring_up;
mod commit;
mod job;
mod published;
mod settings;
mod upkeep;
mod view;

pub(crate) use bring_up::preview;
pub(crate) use job::{Failure, Handle, Job, Outcome, WriteJob};
pub(crate) use published::{Presence, Published};
pub(crate) use settings::{LinkAction, SettingsChange};

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
    /// Whether the disk knows that the device let go of everything it says was removed.
    removals_settled: bool,
    latest_request: Option<i64>,
    /// The interface's index while it exists.
    index: Option<u32>,
    listen_port: Option<u16>,
    up: bool,
    /// The device holds something else than it should; bringing it up again is due.
    device_differs: bool,
    problems: Vec<String>,
    read_at: Option<Instant>,
    read_cost: Duration,
    observed_at: Option<i64>,
    retry_at: Option<Instant>,
    totals: published::Totals,
    /// Requests that were carried out.
    writes: u64,
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
            removals_settled: memory.leaving.is_empty(),
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
            device_differs: false,
            problems: Vec::new(),
            read_at: None,
            read_cost: Duration::ZERO,
            observed_at: None,
            retry_at: None,
            totals: published::Totals::default(),
            writes: 0,
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
}
