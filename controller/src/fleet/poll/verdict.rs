//! What the answers of one poll mean: values in, values out.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use protocol::wire::answers::{Config, Dump, DumpedPeer, Health};
use protocol::{PublicKey, wire::answers::HealthOfInterface};

use super::ask::{Answers, AnswersOfInterface, Seen};
use super::{Round, Settings};
use crate::agent::AgentError;
use crate::db::node_status::{Due, Report};
use crate::db::sync::observed::{Standing as StandingOfInterface, Watched};
use crate::domain::drift;
use crate::domain::reachability::{self, Poll, Reachability, Standing, Wrong};
use crate::domain::traffic::Epoch;
use crate::domain::watch::{self, Asked, Counting, Skew};
use crate::random;
use fault::Fault;

mod fault;

pub(super) struct Verdict {
    pub name: String,
    pub report: Report,
    pub changed_from: Option<Reachability>,
    pub skew: Option<Skew>,
    /// Knows generations: batches lead from one to the next.
    pub has_generations: bool,
    pub clock_offset_s: Option<i64>,
    pub interfaces: Vec<Sighting>,
}

/// What was seen of one interface.
pub(super) struct Sighting {
    pub watched: Watched,
    pub link: Option<&'static str>,
    pub key: Option<PublicKey>,
    pub held: Option<HeldPeers>,
    /// The device's own addresses, where they were asked for.
    pub addresses: Option<Vec<IpAddr>>,
}

/// The peers that an interface told of.
pub(super) struct HeldPeers {
    pub standing: StandingOfInterface,
    pub peers: Vec<DumpedPeer>,
    pub removed: Vec<PublicKey>,
    /// `peers` is everything; else only what changed.
    pub is_full: bool,
    pub epoch: Epoch,
}

pub(super) fn of(settings: &Settings, round: Round, answers: Answers) -> Verdict {
    let Round {
        due,
        target,
        interfaces,
    } = round;
    let mut verdict = blank(&due, &answers);
    let fault = match (target, answers.health) {
        (Err(err), _) => Some(Fault {
            poll: Poll::Wrong(Wrong::Secret),
            problem: "no_secret",
            text: err.to_string(),
        }),
        (Ok(_), None) => None,
        (Ok(_), Some(Err(err))) => Some(Fault::of(&err)),
        (Ok(target), Some(Ok(health))) => {
            if target.legacy && verdict.clock_offset_s.is_none() {
                let clock = health.timestamp;
                verdict.clock_offset_s = clock.map(|clock| clock - answers.at.timestamp());
            }
            verdict.hear(&health, answers.at).err().or_else(|| {
                let pairs = interfaces.into_iter().zip(answers.interfaces);
                verdict.look(pairs.collect(), answers.at)
            })
        }
    };
    verdict.judge(settings, &due, fault);
    verdict
}

fn blank(due: &Due, answers: &Answers) -> Verdict {
    let heard = |err: &AgentError| !err.is_reachability_fault();
    let is_heard = match &answers.health {
        Some(health) => health.as_ref().err().is_none_or(heard),
        None => false,
    };
    Verdict {
        name: due.name.clone(),
        report: Report {
            node: due.node,
            leased_until: due.leased_until,
            polled_at: answers.at,
            good: false,
            standing: Standing::NEW,
            problem: None,
            problem_text: None,
            clock_offset_ms: None,
            booted_at: None,
            started_at: None,
            agent_version: None,
            capabilities: None,
            health: None,
            pause: Duration::ZERO,
        },
        changed_from: None,
        skew: None,
        has_generations: false,
        clock_offset_s: answers.clock_offset_s.filter(|_| is_heard),
        interfaces: Vec::new(),
    }
}

impl Verdict {
    /// Takes in what a node says of itself.
    fn hear(&mut self, health: &Health, now: DateTime<Utc>) -> Result<(), Fault> {
        let value = serde_json::to_value(health).map_err(|_| Fault::malformed("health"))?;
        if value.to_string().contains("\\u0000") {
            return Err(Fault::malformed("health"));
        }
        let report = &mut self.report;
        report.booted_at = health.uptime.and_then(|uptime| watch::started(now, uptime));
        let agent_uptime = health.agent_uptime;
        report.started_at = agent_uptime.and_then(|uptime| watch::started(now, uptime));
        report.agent_version.clone_from(&health.version);
        report.capabilities = Some(health.capabilities().to_vec());
        report.health = Some(value);
        self.has_generations = health.capabilities().iter().any(|word| word == "batch");
        Ok(())
    }

    /// Takes in what was seen of the interfaces, and returns the first thing that is wrong with them.
    fn look(
        &mut self,
        seen: Vec<(Watched, AnswersOfInterface)>,
        now: DateTime<Utc>,
    ) -> Option<Fault> {
        let mut fault = None;
        for (watched, answer) in seen {
            let name = watched.name.clone();
            let found = match answer {
                AnswersOfInterface::Missing => {
                    self.interfaces.push(Sighting::missing(watched));
                    Err(Fault {
                        poll: Poll::Wrong(Wrong::InterfaceMissing),
                        problem: Wrong::InterfaceMissing.as_str(),
                        text: format!("the node has no interface {name}"),
                    })
                }
                AnswersOfInterface::Failed(err) => Err(Fault::of(&err)),
                AnswersOfInterface::Seen(seen) => {
                    let Seen {
                        health,
                        dump,
                        config,
                    } = *seen;
                    let booted_at = self.report.booted_at;
                    Sighting::of(watched, health.as_ref(), dump, config, booted_at, now)
                        .map(|sighting| self.interfaces.push(sighting))
                }
            };
            fault = fault.or(found.err());
        }
        fault
    }

    fn judge(&mut self, settings: &Settings, due: &Due, fault: Option<Fault>) {
        let poll = fault.as_ref().map_or(Poll::Good, |fault| fault.poll);
        let before = Standing {
            reachability: Reachability::parse(&due.reachability)
                .expect("the constraint node_status_reachability_known lets nothing else in"),
            good_in_a_row: due.good_in_a_row,
            bad_in_a_row: due.bad_in_a_row,
        };
        let observed = reachability::observe(before, poll, settings.thresholds);
        let offset_before = due.clock_offset_ms.map(|offset| offset / 1000);
        self.skew = watch::skew(
            offset_before,
            self.clock_offset_s,
            settings.clock_tolerance_s,
        );
        self.changed_from = observed.changed_from;
        let late = self.report.polled_at - due.due_at;
        let asked = Asked {
            standing: observed.standing,
            poll,
            late,
        };
        let chance = f64::from(u32::from_ne_bytes(random::bytes())) / f64::from(u32::MAX);
        let report = &mut self.report;
        report.pause = settings.rhythm.pause(asked, chance);
        report.good = poll == Poll::Good;
        report.standing = observed.standing;
        report.clock_offset_ms = self
            .clock_offset_s
            .and_then(|offset| offset.checked_mul(1000));
        let skewed = self.skew.map(|skew| {
            let err = AgentError::ClockSkew {
                seconds: skew.seconds,
            };
            (err.problem(), err.to_string())
        });
        let problem = fault.map(|fault| (fault.problem, fault.text));
        (report.problem, report.problem_text) = problem.or(skewed).unzip();
    }
}

impl Sighting {
    fn missing(watched: Watched) -> Self {
        Self {
            watched,
            link: Some("missing"),
            key: None,
            held: None,
            addresses: None,
        }
    }

    fn of(
        watched: Watched,
        health: Option<&HealthOfInterface>,
        dump: Option<Dump>,
        config: Option<Config>,
        booted_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self, Fault> {
        let epoch = watch::epoch(Counting {
            booted_before: watched.booted_at,
            booted_at,
            was_missing: watched.link.as_deref() == Some("missing"),
        });
        let held = dump
            .map(|dump| HeldPeers::of(dump, health, epoch, booted_at, now))
            .transpose()?;
        let addresses = config.as_ref().map(addresses).transpose()?;
        let key = config.and_then(|config| config.config.public_key);
        Ok(Self {
            link: health.and_then(|health| match health.status.as_deref()? {
                "up" => Some("up"),
                _ => Some("down"),
            }),
            key: key.or(health.and_then(|health| health.public_key)),
            held,
            addresses,
            watched,
        })
    }
}

impl HeldPeers {
    fn of(
        dump: Dump,
        health: Option<&HealthOfInterface>,
        epoch: Epoch,
        booted_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self, Fault> {
        let malformed = || Fault::malformed("dump");
        let is_full = dump.full != Some(false);
        let count = match is_full {
            true => Some(dump.peers.len()),
            false => health.and_then(|health| health.peers),
        };
        let told = [&dump.digest, &dump.cursor].into_iter().flatten();
        let is_odd = |text: &String| text.len() > 200 || text.contains('\0');
        // Some of the peers do not tell what all of them are.
        let is_whole = is_full || dump.digest.is_some();
        if told.into_iter().any(is_odd) || !is_whole {
            return Err(malformed());
        }
        let generation = dump.generation.map(i64::try_from).transpose();
        Ok(Self {
            standing: StandingOfInterface {
                generation: generation.map_err(|_| malformed())?,
                digest: drift::shown(&dump),
                peers: count.map(|count| i32::try_from(count).unwrap_or(i32::MAX)),
                at: now,
                cursor: dump.cursor,
                booted_at,
            },
            peers: dump.peers,
            removed: dump.removed.into_iter().flatten().collect(),
            is_full,
            epoch,
        })
    }
}

/// The device's own addresses. One that cannot be read makes the answer none: it might be given to a peer.
fn addresses(config: &Config) -> Result<Vec<IpAddr>, Fault> {
    let text = config.config.address.as_deref();
    let parts = text.into_iter().flat_map(|text| text.split(','));
    let named = parts.map(str::trim).filter(|part| !part.is_empty());
    let parse = |part: &str| {
        let prefix = part.parse::<IpNet>().map(|net| net.addr());
        let address = prefix.or_else(|_| part.parse::<IpAddr>());
        address.map_err(|_| Fault::malformed("config"))
    };
    named.map(parse).collect()
}

#[cfg(test)]
mod tests;
