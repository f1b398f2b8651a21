//! Testing a connection: a few signed calls, and of each thing that can be wrong whether it is.
//!
//! The calls gather facts; what they mean is decided apart from them, check by check in the order in
//! which one rests on the other. What was not reached is unknown, and says so.

use std::time::Instant;

use protocol::InterfaceName;
use protocol::wire::answers::{Config, Health};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{AgentError, Clients, Target};

mod learnt;
mod said;

pub use learnt::Learnt;
use said::Said;

/// A clock further off than this makes expiries and ages wrong, though requests are dated by it.
const CLOCK_TOLERANCE_S: i64 = 30;

/// What a test of a connection found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Diagnosis {
    /// Whether every check is well.
    pub ok: bool,
    /// The word of the first thing that is wrong.
    pub problem: Option<String>,
    pub checks: Vec<Check>,
    pub learnt: Learnt,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    pub check: Checked,
    pub outcome: Outcome,
    /// One word for programs, for what the sentence says.
    pub code: &'static str,
    /// For a human.
    pub sentence: String,
    /// What the sentence holds, by name, depending on the code.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Option<Object>)]
    pub details: Map<String, Value>,
}

impl Check {
    fn new(check: Checked, outcome: Outcome, said: Said) -> Self {
        Self {
            check,
            outcome,
            code: said.code,
            sentence: said.sentence,
            details: said.details,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    Reachable,
    Agent,
    Signature,
    Clock,
    Interface,
    Wireguard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Ok,
    Failed,
    /// Not looked at, because something that it rests on failed.
    Unknown,
}

/// Where an interface stands, as far as its agent says.
struct Holds {
    generation: Option<u64>,
    digest: Option<String>,
    peers: usize,
}

/// What the calls brought. An interface is asked about only where the agent answers at all.
struct Facts<'a> {
    target: &'a Target,
    name: &'a InterfaceName,
    clock_offset_s: Option<i64>,
    round_trip_ms: Option<u64>,
    health: Result<Health, AgentError>,
    interface: Option<Result<(Holds, Config), AgentError>>,
}

impl Clients {
    /// Looks what is wrong between us, an agent and one of its interfaces. Changes nothing.
    pub async fn diagnose(&self, target: &Target, interface: &InterfaceName) -> Diagnosis {
        let health = self.health(target).await;
        let mut facts = Facts {
            target,
            name: interface,
            clock_offset_s: None,
            round_trip_ms: None,
            interface: None,
            health,
        };
        if facts.health.is_ok() {
            let began = Instant::now();
            let held = self.held(target, interface, &facts.health).await;
            if matches!(held, Ok(_) | Err(AgentError::Refused(_))) {
                facts.round_trip_ms = u64::try_from(began.elapsed().as_millis()).ok();
            }
            facts.interface = Some(match held {
                Ok(held) => self
                    .config(target, interface)
                    .await
                    .map(|config| (held, config)),
                Err(err) => Err(err),
            });
        }
        facts.clock_offset_s = self.clock_offset_s(target.node);
        judge(&facts)
    }

    /// Asks for one line where the agent has it, and for everything where it does not say so.
    async fn held(
        &self,
        target: &Target,
        interface: &InterfaceName,
        health: &Result<Health, AgentError>,
    ) -> Result<Holds, AgentError> {
        let capabilities = health.as_ref().map_or(&[][..], Health::capabilities);
        if !capabilities.iter().any(|word| word == "digest") {
            let dump = self.dump(target, interface, None).await?;
            return Ok(Holds {
                generation: dump.generation,
                digest: dump.digest,
                peers: dump.peers.len(),
            });
        }
        let in_sync = self.digest(target, interface).await?;
        Ok(Holds {
            generation: in_sync.generation,
            digest: Some(in_sync.digest),
            peers: in_sync.peers,
        })
    }
}

fn judge(facts: &Facts<'_>) -> Diagnosis {
    let mut found = Vec::new();
    match &facts.health {
        Ok(health) => {
            found.push(reachable());
            found.push(match &health.version {
                Some(version) => well(
                    Checked::Agent,
                    Said::new("agent_of_version", format!("agent {version} answers"))
                        .with("version", version.as_str()),
                ),
                None => agent(),
            });
            found.push(signature(facts.target));
            found.push(clock(facts.clock_offset_s));
            found.extend(interface(facts, health));
        }
        Err(err) => found.extend(failed_call(err, facts.target)),
    }
    let problem = problem(facts, &found);
    let checks = all(found);
    Diagnosis {
        ok: checks.iter().all(|check| check.outcome == Outcome::Ok),
        problem,
        checks,
        learnt: Learnt::of(facts),
    }
}

/// Every check in its order, those that were not come to as unknown.
fn all(found: Vec<Check>) -> Vec<Check> {
    let order = [
        Checked::Reachable,
        Checked::Agent,
        Checked::Signature,
        Checked::Clock,
        Checked::Interface,
        Checked::Wireguard,
    ];
    let find = |check: Checked| {
        let there = found.iter().find(|one| one.check == check).cloned();
        let unseen = || Said::new("not_looked_at", "this could not be looked at");
        there.unwrap_or_else(|| Check::new(check, Outcome::Unknown, unseen()))
    };
    order.into_iter().map(find).collect()
}

fn problem(facts: &Facts<'_>, found: &[Check]) -> Option<String> {
    let first = found.iter().find(|one| one.outcome == Outcome::Failed)?;
    let called = facts.health.as_ref().err();
    let asked = facts.interface.as_ref().and_then(|it| it.as_ref().err());
    let word = match (called, first.check, asked) {
        (Some(err), _, _) => err.problem(),
        (None, Checked::Clock, _) => "clock_skew",
        (None, Checked::Wireguard, _) => "not_wireguard",
        (None, _, Some(err)) => err.problem(),
        (None, _, None) => "refused",
    };
    Some(word.to_owned())
}

fn failed_call(err: &AgentError, target: &Target) -> Vec<Check> {
    let failed = |check| Check::new(check, Outcome::Failed, Said::of(err, target));
    match err {
        err if err.is_reachability_fault() => vec![failed(Checked::Reachable)],
        AgentError::Unsendable(_) => Vec::from([failed(Checked::Reachable)]),
        AgentError::WrongSecret { .. }
        | AgentError::Unsigned { .. }
        | AgentError::BadSignature { .. } => {
            vec![reachable(), agent(), failed(Checked::Signature)]
        }
        AgentError::ClockSkew { .. } => vec![
            reachable(),
            agent(),
            signature(target),
            failed(Checked::Clock),
        ],
        _ => vec![reachable(), failed(Checked::Agent)],
    }
}

fn reachable() -> Check {
    let said = Said::new("node_answers", "the node answers");
    well(Checked::Reachable, said)
}

fn agent() -> Check {
    well(
        Checked::Agent,
        Said::new("agent_answers", "an agent answers"),
    )
}

fn signature(target: &Target) -> Check {
    let said = match target.legacy {
        false => Said::new(
            "both_sign",
            "it accepts our signature, and signs its answers",
        ),
        true => Said::new(
            "only_we_sign",
            "it accepts our signature; its own answers are believed without one",
        ),
    };
    well(Checked::Signature, said)
}

fn clock(offset_s: Option<i64>) -> Check {
    let Some(offset_s) = offset_s else {
        let sentence = "an agent that does not sign does not prove what time it has";
        let said = Said::new("clock_unproven", sentence);
        return Check::new(Checked::Clock, Outcome::Unknown, said);
    };
    if offset_s.abs() <= CLOCK_TOLERANCE_S {
        let said = Said::new("clock_agrees", "its clock agrees with ours");
        return well(Checked::Clock, said);
    }
    let skewed = AgentError::ClockSkew { seconds: offset_s };
    Check::new(Checked::Clock, Outcome::Failed, Said::of_error(&skewed))
}

fn interface(facts: &Facts<'_>, health: &Health) -> Vec<Check> {
    let name = facts.name.as_str();
    let said = |code, sentence: String| Said::new(code, sentence).with("name", name);
    let unwell = |said| Check::new(Checked::Wireguard, Outcome::Failed, said);
    let other = health
        .reasons
        .iter()
        .flatten()
        .any(|reason| reason.contains(name) && reason.contains("not a WireGuard"));
    match &facts.interface {
        Some(Ok((held, config))) => {
            let shown = health.interface(name);
            let down = shown.is_some_and(|one| one.status.as_deref() == Some("down"));
            let peers = held.peers;
            let there = match down {
                false => said(
                    "interface_there",
                    format!("interface {name} is there with {peers} peers"),
                ),
                true => said(
                    "interface_down",
                    format!("interface {name} is there with {peers} peers, but its link is down"),
                ),
            };
            let wireguard = match config.config.public_key {
                Some(_) => well(
                    Checked::Wireguard,
                    Said::new("has_a_key", "it is WireGuard and has a key"),
                ),
                None => unwell(said(
                    "has_no_key",
                    format!("interface {name} has no key, so it is not WireGuard or not set up"),
                )),
            };
            let there = there.with("peers", peers);
            vec![well(Checked::Interface, there), wireguard]
        }
        Some(Err(_)) if other => vec![
            well(
                Checked::Interface,
                said("interface_of_a_kind", format!("interface {name} is there")),
            ),
            unwell(said(
                "not_wireguard",
                format!("interface {name} is not a WireGuard interface"),
            )),
        ],
        Some(Err(err)) => {
            let said = Said::of(err, facts.target);
            vec![Check::new(Checked::Interface, Outcome::Failed, said)]
        }
        None => Vec::new(),
    }
}

fn well(check: Checked, said: Said) -> Check {
    Check::new(check, Outcome::Ok, said)
}
