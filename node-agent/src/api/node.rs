//! The node itself: health, status, metrics. Figures come from memory, never from a sample that blocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::signing::Rejection;
use protocol::wire::answers::{Health, Status, Wireguard};

use super::answer::Answer;
use super::{Agent, ask};
use crate::clock;
use crate::metrics::{self, Figures};
use crate::writer::{Job, Presence, Published};

/// What this agent can do beyond the plain contract.
const CAPABILITIES: &[&str] = &[
    "batch",
    "digest",
    "dump_since",
    "expires_at",
    "full_set",
    "interface_config",
    "secrets",
    "syncconf",
];

/// What was refused since the start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    unverified: AtomicU64,
    stale: AtomicU64,
    replayed: AtomicU64,
    interfaces: AtomicU64,
}

impl Counters {
    pub(super) fn rejected(&self, rejection: Rejection) {
        let counter = match rejection {
            Rejection::StaleTimestamp => &self.stale,
            Rejection::Replayed | Rejection::BeforeRestart => &self.replayed,
            _ => &self.unverified,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn interfaces_refused(&self) {
        self.interfaces.fetch_add(1, Ordering::Relaxed);
    }

    fn figures(&self) -> [(&'static str, u64); 4] {
        [
            ("unverified", self.unverified.load(Ordering::Relaxed)),
            ("stale", self.stale.load(Ordering::Relaxed)),
            ("replayed", self.replayed.load(Ordering::Relaxed)),
            ("interface", self.interfaces.load(Ordering::Relaxed)),
        ]
    }
}

fn published(agent: &Agent) -> Vec<Arc<Published>> {
    agent
        .writers
        .values()
        .map(super::Handle::published)
        .collect()
}

fn reasons(agent: &Agent, interfaces: &[Arc<Published>]) -> Vec<String> {
    let of_interfaces = interfaces
        .iter()
        .flat_map(|interface| interface.problems.iter());
    agent
        .problems
        .iter()
        .chain(of_interfaces)
        .cloned()
        .collect()
}

fn word(reasons: &[String]) -> String {
    if reasons.is_empty() { "ok" } else { "degraded" }.into()
}

pub(super) async fn health(agent: &Agent) -> Result<Answer, Answer> {
    let mut interfaces = published(agent);
    for (interface, writer) in interfaces.iter_mut().zip(agent.writers.values()) {
        // A digest is not known right after a change. It is worth the walk over the peers only when
        // somebody asks, and then the writer publishes it for those who ask next.
        if interface.digest.is_none() && interface.presence != Presence::Missing {
            let asked = ask(writer, |reply| Job::InSync { reply }).await;
            if asked.is_ok() {
                *interface = writer.published();
            }
        }
    }
    let reasons = reasons(agent, &interfaces);
    let (system, uptime) = agent.sampler.latest();
    let health = Health {
        status: word(&reasons),
        reasons: Some(reasons),
        timestamp: Some(clock::now()),
        uptime,
        agent_uptime: Some(agent.started.elapsed().as_secs()),
        version: Some(env!("CARGO_PKG_VERSION").into()),
        capabilities: Some(CAPABILITIES.iter().map(ToString::to_string).collect()),
        interfaces: Some(
            interfaces
                .iter()
                .map(|interface| interface.health())
                .collect(),
        ),
        system: Some(system),
    };
    Ok(Answer::json(200, &health))
}

pub(super) fn status(agent: &Agent) -> Answer {
    let interfaces = published(agent);
    let (system, uptime) = agent.sampler.latest();
    let status = Status {
        status: word(&reasons(agent, &interfaces)),
        timestamp: clock::now(),
        uptime,
        version: env!("CARGO_PKG_VERSION").into(),
        system,
        wireguard: Wireguard {
            interface_count: interfaces.len(),
            interfaces: interfaces
                .iter()
                .map(|one| (one.name.clone(), one.status()))
                .collect(),
        },
    };
    Answer::json(200, &status)
}

pub(super) async fn metrics(agent: &Agent) -> Result<Answer, Answer> {
    let interfaces = published(agent);
    let (system, uptime) = agent.sampler.latest();
    let mut dumps = Vec::new();
    if agent.config.metrics_peer_labels {
        for writer in agent.writers.values() {
            dumps.push(ask(writer, |reply| Job::Dump { since: None, reply }).await?);
        }
    }
    let figures = Figures {
        interfaces: &interfaces,
        system: &system,
        uptime,
        agent_uptime: agent.started.elapsed().as_secs(),
        degraded: !reasons(agent, &interfaces).is_empty(),
        refused: &agent.counters.figures(),
        dumps: &dumps,
    };
    Ok(Answer::text(
        "text/plain; version=0.0.4; charset=utf-8",
        metrics::render(&figures),
    ))
}
