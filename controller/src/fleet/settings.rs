//! Durations and numbers that the flows go by, out of the settings file.

use std::time::Duration;

use chrono::TimeDelta;

use super::{live, poll, sessions, sign_in};
use crate::agent;
use crate::config::Config;
use crate::domain::backoff::Backoff;
use crate::domain::reachability::Thresholds;
use crate::domain::session::Lifetimes;
use crate::domain::throttle::{self, Limit};
use crate::domain::tier::Rules;
use crate::domain::watch::Rhythm;
use crate::domain::webhook::Patience;

#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a node that stopped answering still takes new peers.
    pub placement_grace: TimeDelta,
    /// How long a released address rests.
    pub address_rest: TimeDelta,
    /// How long a call to a node may take, unless the node has a time of its own.
    pub agent_timeout: Duration,
    /// How long work on an interface is this controller's alone.
    pub apply_lease: Duration,
    /// How often everything is looked at, announced or not.
    pub apply_tick: Duration,
    pub apply_timeout: Duration,
    pub apply_backoff: Backoff,
    /// How many interfaces are worked on at once.
    pub apply_concurrency: usize,
    pub poll: poll::Settings,
    pub upkeep_every: Duration,
    /// How long the answer to a request that named itself is kept.
    pub answers_kept: TimeDelta,
    /// How long a peer's session is remembered after it ended.
    pub peer_sessions_keep: TimeDelta,
    /// How long events, and what became of their deliveries, are remembered.
    pub events_keep: TimeDelta,
    /// How long a receiver of events may take to answer.
    pub webhook_timeout: Duration,
    pub webhook_patience: Patience,
    /// How often deliveries are looked for, announced or not.
    pub webhook_tick: Duration,
    pub samples: Rules,
    pub sign_in: sign_in::Settings,
    pub sessions: sessions::Settings,
    pub live: live::Settings,
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        Self {
            placement_grace: delta(config.poll.placement_grace),
            address_rest: delta(config.addresses.rest),
            agent_timeout: config.poll.timeout,
            apply_lease: config.apply.lease,
            apply_tick: config.apply.tick,
            apply_timeout: config.apply.timeout,
            apply_backoff: Backoff {
                base: config.apply.backoff_base,
                cap: config.apply.backoff_cap,
            },
            apply_concurrency: config.apply.concurrency,
            poll: poll(config),
            upkeep_every: config.upkeep.every,
            answers_kept: delta(config.api.idempotency_keep),
            peer_sessions_keep: delta(config.peer_sessions.keep),
            events_keep: delta(config.events.keep),
            webhook_timeout: config.webhooks.timeout,
            webhook_patience: Patience {
                backoff: Backoff {
                    base: config.webhooks.backoff_base,
                    cap: config.webhooks.backoff_cap,
                },
                give_up_after: delta(config.webhooks.give_up_after),
            },
            webhook_tick: config.apply.tick,
            samples: Rules {
                every: delta(config.samples.every),
                keep_minutes: delta(config.samples.keep_minutes),
                keep_hours: delta(config.samples.keep_hours),
                keep_days: delta(config.samples.keep_days),
            },
            sign_in: sign_in(config),
            sessions: sessions::Settings {
                lifetimes: Lifetimes {
                    idle: delta(config.sessions.idle),
                    absolute: delta(config.sessions.absolute),
                },
                note_every: delta(config.sessions.note_every),
            },
            live: live::Settings {
                ping_every: config.live.ping_every,
                gather: config.live.gather,
                check_every: config.live.check_every,
                streams_per_session: config.live.streams_per_session,
            },
        }
    }
}

impl From<&Config> for agent::Settings {
    fn from(config: &Config) -> Self {
        let client = config.agents.client.as_ref();
        Self {
            tls: agent::Tls {
                fleet_ca_file: config.agents.ca_file.clone(),
                client_cert_file: client.map(|tls| tls.cert_file.clone()),
                client_key_file: client.map(|tls| tls.key_file.clone()),
            },
            ..Self::default()
        }
    }
}

fn poll(config: &Config) -> poll::Settings {
    let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let Config { poll, mend, .. } = config;
    poll::Settings {
        rhythm: Rhythm {
            every: poll.every,
            jitter_percent: poll.jitter_percent,
            give_up_after: count(poll.give_up_after),
            probe_every: poll.probe_every,
        },
        thresholds: Thresholds {
            good: count(poll.good_for_online),
            bad: count(poll.bad_for_offline),
        },
        concurrency: poll.concurrency,
        lease: poll.lease,
        learn_every: delta(poll.learn_every),
        clock_tolerance_s: poll.clock_tolerance_s.into(),
        mend_concurrency: mend.concurrency,
        mend_backoff: Backoff {
            base: mend.backoff_base,
            cap: mend.backoff_cap,
        },
    }
}

fn sign_in(config: &Config) -> sign_in::Settings {
    let door = &config.sign_in;
    let longest_wait = delta(door.longest_wait);
    sign_in::Settings {
        password: door.password,
        rules: throttle::Rules {
            address: Limit {
                failures: door.address_failures,
                window: delta(door.address_window),
                longest_wait,
            },
            account: Limit {
                failures: door.account_failures,
                window: delta(door.account_window),
                longest_wait,
            },
            captcha: door.captcha,
            captcha_after: door.captcha_after,
        },
        captcha_ttl: delta(door.captcha_ttl),
        captcha_cost: door.captcha_cost,
        step_ttl: delta(door.second_step),
        setup_link_ttl: delta(door.setup_link),
    }
}

/// Longer than any calendar: as long as one can count.
fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
