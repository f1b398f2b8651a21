//! Starts a userspace WireGuard daemon for one interface, before confinement forbids to start anything.
//!
//! The daemon gets an empty environment: the agent's own may hold the shared secret. It is a child, so
//! its death is noticed at once, and whoever waits for it ends the agent, to be restarted with it.
//!
//! It does not die with the agent by itself. The kernel could be asked to end it (`PDEATHSIG`), but only
//! between fork and exec, which Rust counts as unsafe. Under systemd the unit's control group ends it;
//! elsewhere it goes on carrying traffic, and the next agent finds it through `is_running`.
//! `Stopper` is for those who want it gone.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use protocol::InterfaceName;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Where every userspace WireGuard has its sockets.
pub(crate) const SOCKETS: &str = "/var/run/wireguard";

const START_LIMIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error("{} cannot be started", program.display())]
    Start {
        program: PathBuf,
        source: std::io::Error,
    },
    #[error("the daemon of {name} cannot be watched")]
    Watch {
        name: InterfaceName,
        source: std::io::Error,
    },
    #[error("the daemon of {name} ended while it started ({status})")]
    Ended {
        name: InterfaceName,
        status: ExitStatus,
    },
    #[error("the daemon of {name} does not answer at {} within 5 s", socket.display())]
    Silent {
        name: InterfaceName,
        socket: PathBuf,
        source: std::io::Error,
    },
    #[error("the daemon of {name} cannot be stopped")]
    Stop {
        name: InterfaceName,
        source: std::io::Error,
    },
}

/// A running daemon. Dropping it leaves the daemon alone.
#[derive(Debug)]
pub(crate) struct Daemon {
    name: InterfaceName,
    child: Child,
    handle: OwnedFd,
}

/// Ends the daemon while another thread waits for its death.
#[derive(Debug)]
pub(crate) struct Stopper {
    name: InterfaceName,
    handle: OwnedFd,
}

/// Tells whether a daemon answers for this interface.
pub(crate) fn is_running(name: &InterfaceName) -> bool {
    UnixStream::connect(socket(Path::new(SOCKETS), name)).is_ok()
}

/// Starts `program -f NAME` and waits until it answers.
pub(crate) fn start(program: &Path, name: &InterfaceName) -> Result<Daemon, DaemonError> {
    start_at(program, name, Path::new(SOCKETS))
}

fn start_at(program: &Path, name: &InterfaceName, sockets: &Path) -> Result<Daemon, DaemonError> {
    let mut child = Command::new(program)
        .args(["-f", name.as_str()])
        .env_clear()
        .env("WG_PROCESS_FOREGROUND", "1")
        .current_dir("/")
        .stdin(Stdio::null())
        .spawn()
        .map_err(|source| DaemonError::Start {
            program: program.to_owned(),
            source,
        })?;
    let started = wait_until_it_answers(&mut child, name, &socket(sockets, name));
    let handle = started.and_then(|()| open_handle(&child, name));
    match handle {
        Ok(handle) => Ok(Daemon {
            name: name.clone(),
            child,
            handle,
        }),
        Err(why) => {
            end(&mut child, name)?;
            Err(why)
        }
    }
}

fn wait_until_it_answers(
    child: &mut Child,
    name: &InterfaceName,
    socket: &Path,
) -> Result<(), DaemonError> {
    let watch = |source| DaemonError::Watch {
        name: name.clone(),
        source,
    };
    let deadline = Instant::now() + START_LIMIT;
    loop {
        if let Some(status) = child.try_wait().map_err(watch)? {
            let name = name.clone();
            return Err(DaemonError::Ended { name, status });
        }
        match UnixStream::connect(socket) {
            Ok(_) => return Ok(()),
            Err(_) if Instant::now() < deadline => std::thread::sleep(PAUSE),
            Err(source) => {
                return Err(DaemonError::Silent {
                    name: name.clone(),
                    socket: socket.to_owned(),
                    source,
                });
            }
        }
    }
}

/// A handle stays with its process, where a number could come to mean another.
fn open_handle(child: &Child, name: &InterfaceName) -> Result<OwnedFd, DaemonError> {
    let pid = Pid::from_child(child);
    pidfd_open(pid, PidfdFlags::empty()).map_err(|err| DaemonError::Watch {
        name: name.clone(),
        source: err.into(),
    })
}

fn end(child: &mut Child, name: &InterfaceName) -> Result<(), DaemonError> {
    let stop = |source| DaemonError::Stop {
        name: name.clone(),
        source,
    };
    child.kill().map_err(stop)?;
    child.wait().map_err(stop)?;
    Ok(())
}

fn socket(folder: &Path, name: &InterfaceName) -> PathBuf {
    folder.join(format!("{name}.sock"))
}

impl Daemon {
    /// Makes the means to end this daemon from another thread.
    pub(crate) fn stopper(&self) -> Result<Stopper, DaemonError> {
        let handle = self
            .handle
            .try_clone()
            .map_err(|source| DaemonError::Stop {
                name: self.name.clone(),
                source,
            })?;
        Ok(Stopper {
            name: self.name.clone(),
            handle,
        })
    }

    /// Blocks until the daemon has ended, for whatever reason.
    pub(crate) fn wait_for_death(mut self) -> Result<ExitStatus, DaemonError> {
        self.child.wait().map_err(|source| DaemonError::Watch {
            name: self.name,
            source,
        })
    }
}

impl Stopper {
    /// Asks the daemon to end, which takes its interface away. One that has ended already is fine.
    pub(crate) fn stop(&self) -> Result<(), DaemonError> {
        match pidfd_send_signal(&self.handle, Signal::TERM) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(err) => Err(DaemonError::Stop {
                name: self.name.clone(),
                source: err.into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
