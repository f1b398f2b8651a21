//! Gives up, once and for good, what the serving agent never needs.
//!
//! After `confine` the process holds CAP_NET_ADMIN and no other capability, sees no file but those
//! named, and can start no program. None of it can be undone, and threads inherit it; therefore it is
//! called on the main thread before any other exists, and refuses to go on if one does.
//!
//! The system calls are a list of what is denied, not of what is allowed: a list of allowed calls
//! breaks with the next version of the C library, on a far node, and the packaged unit has one.
//! Files already open stay open: reading the settings, asking for the number of processors (which
//! looks into `/sys`) and starting a userspace daemon all come before.

mod capabilities;
mod files;
mod syscalls;

use std::fmt;
use std::path::{Path, PathBuf};

use caps::errors::CapsError;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

pub(crate) use files::Landlock;

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the limit on {what} cannot be set")]
    Limit {
        what: &'static str,
        source: rustix::io::Errno,
    },
    #[error("the threads of this process cannot be counted")]
    CountThreads(#[source] std::io::Error),
    #[error("confinement must come before the first thread, but there are {0}")]
    Threads(usize),
    #[error("new privileges cannot be renounced")]
    NoNewPrivs(#[source] rustix::io::Errno),
    #[error("the {set} capabilities cannot be {deed}")]
    Capabilities {
        set: &'static str,
        deed: &'static str,
        source: CapsError,
    },
    #[error("{} cannot be opened to be left accessible", path.display())]
    Path {
        path: PathBuf,
        source: landlock::PathFdError,
    },
    #[error("the file system cannot be closed off")]
    Landlock(#[from] landlock::RulesetError),
    #[error("system calls cannot be filtered")]
    Syscalls(#[from] seccompiler::Error),
}

/// What this process is to the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    /// Names of the effective capabilities, sorted.
    pub(crate) capabilities: Vec<String>,
}

/// What was reached, for the log and `/health`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confinement {
    /// Names of the effective capabilities that are left, sorted: CAP_NET_ADMIN, or none.
    pub(crate) capabilities: Vec<String>,
    /// Whether no other capability can ever come back, not even by starting a program.
    pub(crate) bounded: bool,
    pub(crate) landlock: Landlock,
}

impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let capabilities = match self.capabilities.as_slice() {
            [] => "none".to_owned(),
            names => names.join(", "),
        };
        let bounding = if self.bounded {
            "bounded"
        } else {
            "not bounded"
        };
        let landlock = self.landlock;
        write!(
            f,
            "capabilities {capabilities} ({bounding}), landlock {landlock}, system calls filtered"
        )
    }
}

pub(crate) fn identity() -> Result<Identity, SandboxError> {
    Ok(Identity {
        uid: rustix::process::geteuid().as_raw(),
        capabilities: capabilities::effective()?,
    })
}

/// Raises the limit on open files as far as it goes, and forbids core dumps, which would hold secrets.
pub(crate) fn prepare() -> Result<(), SandboxError> {
    let hard = getrlimit(Resource::Nofile).maximum;
    limit("open files", Resource::Nofile, hard, hard)?;
    limit("core dumps", Resource::Core, Some(0), Some(0))
}

fn limit(
    what: &'static str,
    resource: Resource,
    current: Option<u64>,
    maximum: Option<u64>,
) -> Result<(), SandboxError> {
    setrlimit(resource, Rlimit { current, maximum })
        .map_err(|source| SandboxError::Limit { what, source })
}

/// Confines this process: `writable` folders may be read and written, `readable` ones and `/proc` read.
pub(crate) fn confine(writable: &[&Path], readable: &[&Path]) -> Result<Confinement, SandboxError> {
    let threads = std::fs::read_dir("/proc/self/task").map_err(SandboxError::CountThreads)?;
    match threads.count() {
        1 => {}
        count => return Err(SandboxError::Threads(count)),
    }
    confine_thread(writable, readable)
}

/// Confines the calling thread and those that it starts; only the filter of system calls reaches others.
fn confine_thread(writable: &[&Path], readable: &[&Path]) -> Result<Confinement, SandboxError> {
    rustix::thread::set_no_new_privs(true).map_err(SandboxError::NoNewPrivs)?;
    let bounded = capabilities::reduce()?;
    let landlock = files::close_off(writable, readable)?;
    syscalls::filter()?;
    Ok(Confinement {
        capabilities: capabilities::effective()?,
        bounded,
        landlock,
    })
}

#[cfg(test)]
mod tests;
