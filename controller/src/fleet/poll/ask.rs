//! One poll of one node: how it is, then what changed on each of its interfaces. Only reads.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use protocol::InterfaceName;
use protocol::wire::answers::{Config, Dump, Health, HealthOfInterface};

use super::Round;
use crate::agent::{AgentError, Target};
use crate::clock;
use crate::db::sync::observed::Watched;
use crate::domain::watch;
use crate::fleet::Fleet;

/// What one poll brought.
pub(super) struct Answers {
    pub at: DateTime<Utc>,
    /// Until the node said how it is, or did not.
    pub took: Duration,
    /// How far the node's clock is ahead, as its last signed answer has it.
    pub clock_offset_s: Option<i64>,
    /// None: it could not even be asked.
    pub health: Option<Result<Health, AgentError>>,
    /// One for each interface that was asked about, in their order; fewer after a failure.
    pub interfaces: Vec<AnswersOfInterface>,
}

pub(super) enum AnswersOfInterface {
    /// The node does not have it.
    Missing,
    Seen(Box<Seen>),
    Failed(AgentError),
}

pub(super) struct Seen {
    /// None: the node does not say how its interfaces are.
    pub health: Option<HealthOfInterface>,
    /// None: nothing can have changed.
    pub dump: Option<Dump>,
    /// None: it was not time to ask.
    pub config: Option<Config>,
}

pub(super) async fn ask(fleet: &Fleet, round: &Round) -> Answers {
    let began = Instant::now();
    let mut answers = Answers {
        at: clock::now(),
        took: Duration::ZERO,
        clock_offset_s: None,
        health: None,
        interfaces: Vec::new(),
    };
    let Ok(target) = &round.target else {
        return answers;
    };
    let health = fleet.agents.health(target).await;
    answers.took = began.elapsed();
    answers.at = clock::now();
    if let Ok(health) = &health {
        let uptime = health.agent_uptime;
        let started_at = uptime.and_then(|uptime| watch::started(answers.at, uptime));
        for interface in &round.interfaces {
            let answer = match find(health, interface) {
                Some((name, seen)) => {
                    let learns = watch::is_to_be_learned(
                        interface.config_at,
                        started_at,
                        fleet.settings.poll.learn_every,
                        answers.at,
                    );
                    look(fleet, target, interface, &name, seen, learns).await
                }
                None => AnswersOfInterface::Missing,
            };
            answers.interfaces.push(answer);
        }
    }
    answers.health = Some(health);
    answers.clock_offset_s = fleet.agents.clock_offset_s(target.node);
    answers
}

/// The interface, if the node has it or does not say which it has.
fn find(
    health: &Health,
    interface: &Watched,
) -> Option<(InterfaceName, Option<HealthOfInterface>)> {
    if health.interfaces.is_none() {
        let name = InterfaceName::parse(&interface.name).ok()?;
        return Some((name, None));
    }
    let seen = health.interface(&interface.name)?;
    let is_there = seen.status.as_deref() != Some("missing");
    is_there.then(|| (seen.name.clone(), Some(seen.clone())))
}

async fn look(
    fleet: &Fleet,
    target: &Target,
    interface: &Watched,
    name: &InterfaceName,
    health: Option<HealthOfInterface>,
    learns: bool,
) -> AnswersOfInterface {
    let asked = async {
        let is_empty_still = |health| is_empty_still(interface, health);
        let dump = match health.as_ref().is_some_and(is_empty_still) {
            true => None,
            false => {
                let cursor = interface.cursor.as_deref();
                Some(fleet.agents.dump(target, name, cursor).await?)
            }
        };
        let config = match learns {
            true => Some(fleet.agents.config(target, name).await?),
            false => None,
        };
        Ok((dump, config))
    };
    match asked.await {
        Ok((dump, config)) => AnswersOfInterface::Seen(Box::new(Seen {
            health,
            dump,
            config,
        })),
        Err(AgentError::Refused(refusal)) if refusal.is_interface_missing() => {
            AnswersOfInterface::Missing
        }
        Err(err) => AnswersOfInterface::Failed(err),
    }
}

/// Whether there was nobody at the last look and is nobody now: without peers no counter moves.
fn is_empty_still(interface: &Watched, health: &HealthOfInterface) -> bool {
    interface.cursor.is_some()
        && interface.observed_peers == Some(0)
        && health.peers == Some(0)
        && health.generation.map(i64::try_from) == interface.observed_generation.map(Ok)
        && health.digest.is_some()
        && health.digest == interface.observed_digest
}
