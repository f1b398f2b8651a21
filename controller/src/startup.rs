//! Starts the controller in order and ends it in order.
//!
//! Database, migrations, key ring, listener, workers; `/readyz` is false until all are there. The end goes the other
//! way: no new requests, workers finish what is under way, then the database. Nothing here writes to a node: what
//! nodes are told follows from the rows.

mod ground;
mod readiness;

use std::error::Error;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa_actix_web::AppExt;
use zeroize::Zeroizing;

use crate::agent::{Clients, SetupError};
use crate::api::{self, requests};
use crate::auth::{Gate, Limits, Routes, Site};
use crate::config::{Config, Effective, Loaded};
use crate::database::{self, Database, DatabaseError};
use crate::domain::token::Token;
use crate::fleet::live::{self, Live};
use crate::fleet::sign_in::Door;
use crate::fleet::sign_in::DoorError;
use crate::fleet::sign_in::oidc::recheck;
use crate::fleet::users::{Hasher, HashingError};
use crate::fleet::{
    Fleet, FleetError, Settings, Shared, poll, reconcile, samples, setup, upkeep, webhooks,
};
use crate::keyring::{self, KeyringError};
use crate::metrics::Metrics;
use crate::tls::{self, Served, TlsError};
use crate::{clock, random, web};

pub(crate) use ground::{database_settings, open_keyring};
pub use readiness::Readiness;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("no threads for the controller")]
    Threads(#[source] io::Error),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("the data folder {} cannot be made", path.display())]
    DataDir { path: PathBuf, source: io::Error },
    #[error("cannot open the key ring")]
    Keyring(#[from] KeyringError),
    #[error("the master key of the environment is none")]
    MasterKey(#[from] keyring::MasterKeyError),
    #[error("cannot call agents")]
    Agents(#[from] SetupError),
    #[error("cannot check passwords")]
    Passwords(#[from] HashingError),
    #[error("cannot make the link for the first administrator")]
    Setup(#[from] FleetError),
    #[error("cannot set up who vouches for people")]
    Door(#[from] DoorError),
    #[error("cannot serve TLS")]
    Tls(#[from] TlsError),
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("the server failed")]
    Serve(#[source] io::Error),
}

/// Runs the controller until it is told to stop.
pub fn run(loaded: Loaded) -> Result<(), StartError> {
    let Loaded {
        config, effective, ..
    } = loaded;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.api.workers.max(2))
        .enable_all()
        .build()
        .map_err(StartError::Threads)?;
    actix_web::rt::System::with_tokio_rt(|| runtime).block_on(async {
        let stop = CancellationToken::new();
        let signals = actix_web::rt::spawn(stop_on_signal(stop.clone()));
        let controller = Controller::start(config, stop).await?;
        let controller = controller.showing(effective).telling_setup_link();
        let ended = controller.run().await;
        signals.abort();
        ended
    })
}

/// The controller put together and bound to its address, not serving yet.
pub struct Controller {
    pub fleet: Shared,
    pub address: SocketAddr,
    database: Database,
    config: Config,
    listener: TcpListener,
    tls: Option<Served>,
    /// While there is no administrator.
    setup_link: Option<Token>,
    /// Whether the link is told to whoever started it.
    tells_setup_link: bool,
    /// What pages show of the settings.
    effective: Vec<Effective>,
    stop: CancellationToken,
}

impl Controller {
    /// Brings up all that it stands on. `stop` ends it, during the start as well as later.
    pub async fn start(config: Config, stop: CancellationToken) -> Result<Self, StartError> {
        let database = database::open(&database_settings(&config)).await?;
        match assemble(&config, &database).await {
            Ok((fleet, listener, tls, setup_link)) => Ok(Self {
                fleet: Arc::new(fleet),
                address: listener.local_addr().map_err(StartError::Serve)?,
                database,
                config,
                listener,
                tls,
                setup_link,
                tells_setup_link: false,
                effective: Vec::new(),
                stop,
            }),
            Err(err) => {
                database.close().await;
                Err(err)
            }
        }
    }

    /// Lets pages show where each setting comes from.
    #[must_use]
    pub fn showing(self, effective: Vec<Effective>) -> Self {
        Self { effective, ..self }
    }

    /// Prints the way to the first administrator, once it serves.
    #[must_use]
    pub fn telling_setup_link(self) -> Self {
        Self {
            tells_setup_link: true,
            ..self
        }
    }

    /// Serves until told to stop.
    pub async fn run(self) -> Result<(), StartError> {
        let Self {
            fleet,
            address,
            database,
            config,
            listener,
            tls,
            setup_link,
            tells_setup_link,
            effective,
            stop,
        } = self;
        let readiness = Data::new(Readiness::default());
        let (tls, watcher) = match tls {
            Some(served) => (Some(served.config), Some(served.watcher)),
            None => (None, None),
        };
        let secure = tls.is_some();
        let shown = Data::new(web::Shown::new(effective, clock::now()));
        let server = serve(
            &fleet,
            &config,
            &readiness,
            shown,
            listener,
            tls,
            stop.clone(),
        )?;
        let workers = work(&fleet, &stop);
        if let Some(watcher) = watcher {
            workers.spawn(watch(watcher, stop.clone()));
        }
        readiness.begin();
        tracing::info!(listen = %address, tls = secure, "serving on {}://{address}", scheme(secure));
        if let Some(token) = setup_link.filter(|_| tells_setup_link) {
            print_setup_link(&config, address, secure, &token);
        }
        let served = server.await.map_err(StartError::Serve);
        readiness.end();
        stop.cancel();
        workers.close();
        workers.wait().await;
        database.close().await;
        tracing::info!("stopped");
        served
    }
}

/// Tells whoever started the controller how to make the first administrator. Not in the log, which more people read.
fn print_setup_link(config: &Config, address: SocketAddr, secure: bool, token: &Token) {
    let here = match address.ip().is_unspecified() {
        true => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        false => address,
    };
    let base = match &config.base_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("{}://{here}", scheme(secure)),
    };
    let link = Zeroizing::new(format!("{base}/setup?token={}", *token.reveal()));
    let text = format!("No administrator yet. Make one, once, at:\n  {}\n", *link);
    let mut out = io::stdout();
    if let Err(err) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        tracing::warn!(
            error = &err as &dyn Error,
            "the setup link cannot be printed: use wgfleet admin create"
        );
    }
}

fn scheme(secure: bool) -> &'static str {
    if secure { "https" } else { "http" }
}

async fn assemble(
    config: &Config,
    database: &Database,
) -> Result<(Fleet, TcpListener, Option<Served>, Option<Token>), StartError> {
    let keyring = open_keyring(config, &database.pool).await?;
    let fleet = Fleet {
        settings: Settings::from(config),
        pool: database.pool.clone(),
        keyring: Arc::new(keyring),
        hasher: Hasher::new()?,
        door: Arc::new(Door::new(config)?),
        agents: Clients::new(&config.into())?,
        metrics: Metrics::new(),
        live: Live::default(),
        instance: hex::encode(random::bytes::<8>()),
    };
    let tls = tls::prepare(config, clock::now())?;
    let listener = TcpListener::bind(config.listen).map_err(|source| StartError::Listen {
        address: config.listen,
        source,
    })?;
    let setup_link = setup::offer(&fleet).await?;
    Ok((fleet, listener, tls, setup_link))
}

fn serve(
    fleet: &Shared,
    config: &Config,
    readiness: &Data<Readiness>,
    shown: Data<web::Shown>,
    listener: TcpListener,
    tls: Option<rustls::ServerConfig>,
    stop: CancellationToken,
) -> Result<actix_web::dev::Server, StartError> {
    let limits = Limits {
        body_bytes: config.api.body_limit_bytes,
        ..Limits::default()
    };
    let gate = Data::new(Gate::new(
        fleet.pool.clone(),
        Arc::clone(&fleet.keyring),
        config.trusted_proxies.clone(),
        Routes {
            needs: api::needs,
            takes: api::document::methods_at,
        },
        limits,
    ));
    let site = Data::new(Site::new(config));
    let fleet = Data::from(Arc::clone(fleet));
    let readiness = readiness.clone();
    let body_limit = config.api.body_limit_bytes;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(fleet.clone())
            .app_data(gate.clone())
            .app_data(site.clone())
            .app_data(readiness.clone())
            .app_data(shown.clone())
            .app_data(actix_web::web::PayloadConfig::new(body_limit))
            .wrap(from_fn(requests::follow))
            .into_utoipa_app()
            .configure(api::configure)
            .into_app()
            .configure(web::configure)
    })
    .workers(config.api.workers)
    .tcp_nodelay(true)
    .client_request_timeout(config.api.request_timeout)
    .shutdown_timeout(5)
    .shutdown_signal(stop.cancelled_owned());
    let bound = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls),
        None => server.listen(listener),
    };
    Ok(bound.map_err(StartError::Serve)?.run())
}

/// The loops that make intent true and keep house.
fn work(fleet: &Shared, stop: &CancellationToken) -> TaskTracker {
    let workers = TaskTracker::new();
    workers.spawn(poll::run(Arc::clone(fleet), stop.clone()));
    workers.spawn(reconcile::run(Arc::clone(fleet), stop.clone()));
    workers.spawn(upkeep::run(Arc::clone(fleet), stop.clone()));
    workers.spawn(recheck::run(Arc::clone(fleet), stop.clone()));
    workers.spawn(webhooks::run(Arc::clone(fleet), stop.clone()));
    workers.spawn(samples::run(Arc::clone(fleet), stop.clone()));
    workers.spawn(live::run(Arc::clone(fleet), stop.clone()));
    workers
}

async fn watch(watcher: tls::Watcher, stop: CancellationToken) {
    if let Some(Err(err)) = stop.run_until_cancelled(watcher.run()).await {
        tracing::error!(
            error = &err as &dyn Error,
            "certificates are not taken over anew any more"
        );
    }
}

async fn stop_on_signal(stop: CancellationToken) {
    let signals = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    match signals {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping");
            stop.cancel();
        }
        (Err(err), _) | (_, Err(err)) => {
            tracing::error!(
                error = &err as &dyn Error,
                "signals cannot be listened to: stop with SIGKILL"
            );
        }
    }
}
