//! The agent put together: one writer per interface, one HTTP server in front of them.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpServer, web};
use protocol::InterfaceName;
use protocol::signing::Secret;
use rustls::ServerConfig;
use sd_notify::NotifyState;

use super::StartError;
use super::care::{self, Signals};
use crate::api::{self, Agent};
use crate::auth::{Auth, Ring};
use crate::config::{Config, Interface};
use crate::device::Device;
use crate::replay::Replay;
use crate::system::Sampler;
use crate::tls::Reloader;
use crate::writer::{self, Handle};
use crate::{clock, strangers};

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
        let sampler = Sampler::start(config.state_dir.clone(), config.timing.sample)?;
        Self::with_sampler(config, secret, devices, problems, sampler)
    }

    /// The same for one of several agents in a process, which share the figures of their machine.
    pub fn with_sampler(
        config: Config,
        secret: &Secret,
        devices: Vec<Device>,
        problems: Vec<String>,
        sampler: Sampler,
    ) -> Result<Self, StartError> {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let window_s = seconds(config.timing.window);
        let ring = Ring::open(&config.state_dir, secret, seconds(config.timing.retiring))?;
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

    /// The agent for a server that is not its own; it ends with its last owner, and with this.
    pub fn agent(&self) -> web::Data<Agent> {
        self.agent.clone()
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
            let signals = Signals::listen()?;
            let server = server(&agent, listener, tls, workers)?;
            started(Stopper(server.handle()));
            let care = care::look_after(agent.clone(), reloader, signals, server.handle());
            let care = actix_web::rt::spawn(care);
            tracing::info!(listen = %address, interfaces = agent.writers.len(), "serving");
            care::notify(&[NotifyState::Ready]);
            let served = server.await;
            care::notify(&[NotifyState::Stopping]);
            care.abort();
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
    pub(super) listener: TcpListener,
    pub(super) tls: Option<ServerConfig>,
    pub(super) reloader: Option<Reloader>,
    pub(super) workers: usize,
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
    // The server counts them for each worker.
    let connections = agent.config.limits.connections.div_ceil(workers);
    let app = move || {
        App::new()
            .app_data(shared.clone())
            .default_service(web::to(api::handle))
    };
    let server = HttpServer::new(app)
        .workers(workers)
        .tcp_nodelay(true)
        .max_connections(connections)
        .client_request_timeout(timing.head_read)
        .keep_alive(timing.keep_alive)
        .shutdown_timeout(timing.shutdown.as_secs())
        .disable_signals()
        .on_connect(strangers::turn_away(agent.config.allow_from.clone()));
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
        None => server.listen(listener)?,
    };
    Ok(server.run())
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
