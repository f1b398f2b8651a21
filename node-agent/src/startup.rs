//! Putting the agent together, and taking it apart.
//!
//! [`run`] is the program: it prepares what needs the outside (daemons, sockets, certificates), gives up
//! everything it will not need again, and only then starts threads. [`Assembled`] is the part that
//! does not care about confinement: tests start the very same agent on a port of its own.
//! `care` looks after it while it serves.

use std::fs::{DirBuilder, File};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use protocol::InterfaceName;
use protocol::signing::Secret;

use crate::auth::RingError;
use crate::config::{BackendChoice, Config, Interface};
use crate::daemon::{self, Daemon};
use crate::device::{self, Device, DeviceError};
use crate::sandbox::{self, Confinement};
use crate::{tls, writer};

mod assembled;
mod care;

pub use crate::system::Sampler;
pub use assembled::{Assembled, Door, Stopper};

/// How many threads serve HTTP. The work is small; the writers do the rest.
const MOST_WORKERS: usize = 4;

/// Why the agent did not start, or ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "the agent does not run as root: use its unit or setpriv, or say allow_root = true in a container"
    )]
    Root,
    #[error("cannot be confined")]
    Sandbox(#[from] sandbox::SandboxError),
    #[error("cannot use the state folder {}", path.display())]
    StateDir { path: PathBuf, source: io::Error },
    #[error("another agent uses the state folder {}", path.display())]
    InUse { path: PathBuf },
    #[error("cannot start a userspace daemon")]
    Daemon(#[from] daemon::DaemonError),
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("cannot serve TLS")]
    Tls(#[from] tls::TlsError),
    #[error("cannot open interface {name}")]
    Device {
        name: InterfaceName,
        source: DeviceError,
    },
    #[error("cannot open the secrets")]
    Ring(#[from] RingError),
    #[error("the system gives no threads, sockets or random bytes")]
    System(#[from] io::Error),
    #[error("the thread of {0} failed")]
    Thread(&'static str),
}

/// The agent as the program runs it, until it is told to stop.
pub fn run(config: Config, secret: &Secret) -> Result<(), StartError> {
    let identity = sandbox::identity()?;
    if identity.uid == 0 && !config.allow_root {
        return Err(StartError::Root);
    }
    if identity.uid == 0 {
        tracing::warn!("allow_root is set: the agent runs as root");
    }
    if config.insecure_http {
        tracing::warn!("insecure_http is set: requests and answers travel in clear");
    }
    sandbox::prepare()?;
    let _lock = own_state_dir(&config.state_dir)?;
    let daemons = start_daemons(&config.interfaces)?;
    let listener = TcpListener::bind(config.listen).map_err(|source| StartError::Listen {
        address: config.listen,
        source,
    })?;
    let (tls, reloader) = match &config.tls {
        Some(files) => {
            let (tls, reloader) = tls::server_config(files)?;
            (Some(tls), Some(reloader))
        }
        None => (None, None),
    };
    let workers = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MOST_WORKERS);
    let devices = open_devices(&config.interfaces)?;
    let confinement = confine(&config)?;
    tracing::info!(%confinement, uid = identity.uid, "confined");

    let stopping = Arc::new(AtomicBool::new(false));
    let stoppers: Vec<_> = daemons
        .iter()
        .map(Daemon::stopper)
        .collect::<Result<_, _>>()?;
    let waiting = wait_for_daemons(daemons, &stopping)?;
    let assembled = Assembled::new(config, secret, devices, Vec::new())?;
    let door = Door {
        listener,
        tls,
        reloader,
        workers,
    };
    let ended = assembled.serve(door, |_| {});
    stopping.store(true, Ordering::SeqCst);
    for stopper in &stoppers {
        stopper.stop()?;
    }
    for thread in waiting {
        thread.join().map_err(|_| StartError::Thread("a daemon"))?;
    }
    ended
}

/// Tells in lines what starting would change on each interface, and changes nothing.
pub fn preview(config: &Config) -> Result<Vec<String>, StartError> {
    let mut lines = Vec::new();
    for (interface, device) in config
        .interfaces
        .iter()
        .zip(open_devices(&config.interfaces)?)
    {
        lines.extend(writer::preview(interface, &device, &config.state_dir));
    }
    Ok(lines)
}

/// Makes the folder of the state, which only the agent may enter, and keeps other agents out of it.
fn own_state_dir(path: &Path) -> Result<File, StartError> {
    let failed = |source| StartError::StateDir {
        path: path.to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed)?;
    let lock = File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path.join("lock"))
        .map_err(failed)?;
    lock.try_lock().map_err(|_| StartError::InUse {
        path: path.to_owned(),
    })?;
    Ok(lock)
}

/// Starts the userspace daemons that are wanted and do not answer. It must come before confinement:
/// after it no program can be started.
fn start_daemons(interfaces: &[Interface]) -> Result<Vec<Daemon>, StartError> {
    let mut daemons = Vec::new();
    for interface in interfaces {
        let wanted = match interface.backend {
            BackendChoice::Userspace => true,
            BackendChoice::Auto => interface.create && !kernel_has_wireguard(interface)?,
            BackendChoice::Kernel | BackendChoice::Memory => false,
        };
        if wanted && !daemon::is_running(&interface.name) {
            tracing::info!(interface = %interface.name, program = %interface.userspace.display(), "starting a userspace daemon");
            daemons.push(daemon::start(&interface.userspace, &interface.name)?);
        }
    }
    Ok(daemons)
}

fn kernel_has_wireguard(interface: &Interface) -> Result<bool, StartError> {
    device::kernel_has_wireguard().map_err(|source| StartError::Device {
        name: interface.name.clone(),
        source,
    })
}

/// Ends the whole agent when a daemon of its dies: it cannot start another, and whoever supervises it can.
fn wait_for_daemons(
    daemons: Vec<Daemon>,
    stopping: &Arc<AtomicBool>,
) -> io::Result<Vec<JoinHandle<()>>> {
    let wait = |daemon: Daemon| {
        let stopping = Arc::clone(stopping);
        std::thread::Builder::new()
            .name("daemon".into())
            .spawn(move || {
                let ended = daemon.wait_for_death();
                if !stopping.load(Ordering::SeqCst) {
                    tracing::error!(
                        ?ended,
                        "a userspace daemon died; the agent ends so that both are started again"
                    );
                    std::process::exit(3);
                }
            })
    };
    daemons.into_iter().map(wait).collect()
}

fn open_devices(interfaces: &[Interface]) -> Result<Vec<Device>, StartError> {
    let open = |interface: &Interface| {
        device::open(&interface.name, interface.backend).map_err(|source| StartError::Device {
            name: interface.name.clone(),
            source,
        })
    };
    interfaces.iter().map(open).collect()
}

fn confine(config: &Config) -> Result<Confinement, StartError> {
    let mut writable = vec![config.state_dir.clone()];
    let mut readable = Vec::new();
    for file in config
        .interfaces
        .iter()
        .filter_map(|interface| interface.private_key_file.as_ref())
    {
        match file.parent() {
            Some(folder) if !file.exists() => writable.push(folder.to_owned()),
            _ => readable.push(file.clone()),
        }
    }
    if let Some(files) = &config.tls {
        readable.extend(tls::paths(files)?);
    }
    Ok(sandbox::confine(
        &borrowed(&writable),
        &borrowed(&readable),
    )?)
}

fn borrowed(paths: &[PathBuf]) -> Vec<&Path> {
    paths.iter().map(PathBuf::as_path).collect()
}
