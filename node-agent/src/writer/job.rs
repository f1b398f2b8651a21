//! How the rest of the agent speaks to a writer: jobs and what comes of them.

use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use protocol::InterfaceName;
use protocol::wire::answers::{self, InSync};
use tokio::sync::oneshot;

use super::{LinkAction, Published, SettingsChange};
use crate::plan::{Refusal, Write};

/// Why a writer did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("{refusal}")]
    RefusedAt { refusal: Refusal, now: InSync },
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

pub(crate) type Reply<T> = oneshot::Sender<Result<T, Failure>>;

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
    pub(super) jobs: SyncSender<Job>,
    pub(super) published: Arc<RwLock<Arc<Published>>>,
    pub(super) pulse: Arc<Mutex<Instant>>,
    pub(super) patience: Duration,
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

/// Tells the caller, if it still listens. One that hung up asks again: every write may be repeated.
pub(super) fn answer<T>(reply: Reply<T>, result: Result<T, Failure>) {
    if reply.send(result).is_err() {
        tracing::debug!("a caller left before it was answered");
    }
}
