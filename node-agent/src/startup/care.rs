//! What a serving agent needs besides answering: signals, the supervisor's watchdog, certificates that
//! were replaced, secrets whose time is over.

use std::io;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use crate::api::Agent;
use crate::tls::{self, Reloader};
use crate::writer::Handle;

/// The signals that the agent listens to, from before it says that it serves.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// Does what must be done besides answering, until it is told to have the server stop.
pub(super) async fn look_after(
    agent: web::Data<Agent>,
    mut reloader: Option<Reloader>,
    mut signals: Signals,
    server: ServerHandle,
) {
    let mut watchdog = tokio::time::interval(watchdog_period());
    let pause = agent.config.timing.tls_reload;
    let mut files = tokio::time::interval_at(Instant::now() + pause, pause);
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
            _ = signals.terminate.recv() => return server.stop(true).await,
            _ = signals.interrupt.recv() => return server.stop(true).await,
            _ = signals.hangup.recv() => {
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

pub(super) fn notify(states: &[NotifyState<'_>]) {
    if let Err(err) = sd_notify::notify(states) {
        tracing::warn!(
            error = &err as &dyn std::error::Error,
            "cannot reach the supervisor"
        );
    }
}
