//! Putting the agent together, and taking it apart.
//!
//! [`run`] is the program: it prepares what needs the outside (daemons, sockets, certificates), gives up
//! everything it will not need again, and only then starts threads. [`Assembled`] is the part that
//! does not care about confinement: tests start the very same agent on a port of its own.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpServer, web};
use protocol::InterfaceName;
use protocol::signing::Secret;
use rustls::ServerConfig;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use crate::api::{self, Agent};
use crate::auth::{Auth, Ring, RingError};
use crate::clock;
use crate::config::{BackendChoice, Config, Interface};
use crate::daemon::{self, Daemon};
use crate::device::{self, Device, DeviceError};
use crate::replay::Replay;
use crate::sandbox::{self, Confinement};
use crate::strangers;
use crate::system::Sampler;
use crate::tls::{self, Reloader};
use crate::writer::{self, Handle};

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
    let lock = File::create(path.join("lock")).map_err(failed)?;
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

fn writer_start(
    config: &Config,
    interface: Interface,
    device: Device,
    epoch: u32,
) -> writer::Start {
    writer::Start {
        interface,
        device,
        state_dir: config.state_dir.clone(),
        timing: config.timing.clone(),
        queue: config.limits.queue,
        group: config.limits.group,
        epoch,
    }
}

/// The agent with its threads running, not serving yet.
pub struct Assembled {
    agent: web::Data<Agent>,
    threads: Vec<JoinHandle<()>>,
}

impl Assembled {
    /// Brings every interface up and waits until each was tried.
    pub fn new(
        config: Config,
        secret: &Secret,
        devices: Vec<Device>,
        problems: Vec<String>,
    ) -> Result<Self, StartError> {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let window_s = seconds(config.timing.window);
        let ring = Ring::open(&config.state_dir, secret, seconds(config.timing.retiring))?;
        let sampler = Sampler::start(config.state_dir.clone(), config.timing.sample)?;
        let mut floor = clock::now().max(ring.latest_request());
        let mut epoch = [0; 4];
        getrandom::fill(&mut epoch).map_err(io::Error::other)?;
        let mut writers: BTreeMap<InterfaceName, Handle> = BTreeMap::new();
        let mut threads = Vec::new();
        let mut ready = Vec::new();
        for (interface, device) in config.interfaces.iter().zip(devices) {
            let start = writer_start(
                &config,
                interface.clone(),
                device,
                u32::from_ne_bytes(epoch),
            );
            let started = writer::start(start)?;
            floor = floor.max(started.latest_request);
            writers.insert(interface.name.clone(), started.handle);
            threads.push(started.thread);
            ready.push(started.ready);
        }
        for ready in ready {
            ready
                .recv()
                .map_err(|_| StartError::Thread("an interface"))?;
        }
        let replay = Replay::new(floor, config.limits.replay_signatures, window_s);
        let auth = Auth::new(ring, replay, window_s);
        let agent = web::Data::new(Agent::new(config, auth, writers, sampler, problems));
        Ok(Self { agent, threads })
    }

    /// Serves until the process is told to stop, then finishes what is under way.
    ///
    /// `started` is given the means to stop it from elsewhere.
    pub fn serve(self, door: Door, started: impl FnOnce(Stopper)) -> Result<(), StartError> {
        let Self { agent, threads } = self;
        let Door {
            listener,
            tls,
            reloader,
            workers,
        } = door;
        let address = listener.local_addr()?;
        let served = actix_web::rt::System::new().block_on(async {
            let server = server(&agent, listener, tls, workers)?;
            started(Stopper(server.handle()));
            let around = actix_web::rt::spawn(look_after(agent.clone(), reloader));
            tracing::info!(listen = %address, interfaces = agent.writers.len(), "serving");
            notify(&[NotifyState::Ready]);
            let served = server.await;
            notify(&[NotifyState::Stopping]);
            around.abort();
            served
        });
        drop(agent);
        for thread in threads {
            thread
                .join()
                .map_err(|_| StartError::Thread("an interface"))?;
        }
        tracing::info!("stopped");
        Ok(served?)
    }
}

/// The means to stop an agent from another thread.
pub struct Stopper(ServerHandle);

impl Stopper {
    /// Has the agent finish what is under way and end.
    pub fn stop(&self) {
        // The future only waits; asking is done by the call.
        drop(self.0.stop(true));
    }
}

/// Where the agent is reached.
pub struct Door {
    listener: TcpListener,
    tls: Option<ServerConfig>,
    reloader: Option<Reloader>,
    workers: usize,
}

impl Door {
    /// One without TLS, on a socket that listens already.
    pub fn plain(listener: TcpListener) -> Self {
        Self {
            listener,
            tls: None,
            reloader: None,
            workers: 2,
        }
    }
}

fn server(
    agent: &web::Data<Agent>,
    listener: TcpListener,
    tls: Option<ServerConfig>,
    workers: usize,
) -> io::Result<Server> {
    let timing = &agent.config.timing;
    let shared = agent.clone();
    let app = move || {
        App::new()
            .app_data(shared.clone())
            .default_service(web::to(api::handle))
    };
    let server = HttpServer::new(app)
        .workers(workers)
        .tcp_nodelay(true)
        .max_connections(agent.config.limits.connections)
        .client_request_timeout(timing.head_read)
        .keep_alive(timing.keep_alive)
        .shutdown_timeout(timing.shutdown.as_secs())
        .on_connect(strangers::turn_away(agent.config.allow_from.clone()));
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
        None => server.listen(listener)?,
    };
    Ok(server.run())
}

/// Does what must be done besides answering: the supervisor's watchdog, new certificates, old secrets.
async fn look_after(agent: web::Data<Agent>, mut reloader: Option<Reloader>) {
    let mut watchdog = tokio::time::interval(watchdog_period());
    let mut files = tokio::time::interval(agent.config.timing.tls_reload);
    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(hangup) => hangup,
        Err(err) => {
            tracing::error!(
                error = &err as &dyn std::error::Error,
                "cannot listen for SIGHUP"
            );
            return;
        }
    };
    loop {
        tokio::select! {
            _ = watchdog.tick() => {
                if agent.writers.values().all(Handle::is_alive) {
                    notify(&[NotifyState::Watchdog]);
                }
            }
            _ = files.tick() => {
                agent.forget_old_secrets();
                if let Some(reloader) = &mut reloader {
                    report(reloader.check());
                }
            }
            _ = hangup.recv() => {
                if let Some(reloader) = &mut reloader {
                    report(reloader.reload().map(|()| true));
                }
            }
        }
    }
}

fn report(reloaded: Result<bool, tls::TlsError>) {
    match reloaded {
        Ok(true) => tracing::info!("took over the certificate"),
        Ok(false) => {}
        Err(err) => tracing::error!(
            error = &err as &dyn std::error::Error,
            "kept the certificate in use"
        ),
    }
}

/// Half of what the supervisor allows; without one, an hour, in which nothing is missed.
fn watchdog_period() -> Duration {
    sd_notify::watchdog_enabled().map_or(Duration::from_secs(3600), |allowed| allowed / 2)
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(err) = sd_notify::notify(states) {
        tracing::warn!(
            error = &err as &dyn std::error::Error,
            "cannot reach the supervisor"
        );
    }
}
