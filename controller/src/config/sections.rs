//! The tables of the settings as values.

use std::path::PathBuf;
use std::time::Duration;

use super::reader::Reader;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
}

/// How agents with HTTPS are met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agents {
    pub ca_file: Option<PathBuf>,
    pub client: Option<Tls>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    pub every: Duration,
    pub timeout: Duration,
    pub good_for_online: u32,
    pub bad_for_offline: u32,
    pub concurrency: usize,
    pub placement_grace: Duration,
    pub jitter_percent: u32,
    pub lease: Duration,
    pub give_up_after: u32,
    pub probe_every: Duration,
    pub learn_every: Duration,
    pub clock_tolerance_s: u32,
}

/// Interfaces that do not hold what they should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    pub concurrency: usize,
    pub backoff_base: Duration,
    pub backoff_cap: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upkeep {
    pub every: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apply {
    pub lease: Duration,
    pub timeout: Duration,
    pub backoff_base: Duration,
    pub backoff_cap: Duration,
    pub concurrency: usize,
    pub tick: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// How long an address that was given back rests.
    pub rest: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Samples {
    pub every: Duration,
    pub keep_minutes: Duration,
    pub keep_hours: Duration,
    pub keep_days: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSessions {
    pub keep: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    pub keep: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub ping_every: Duration,
    pub gather: Duration,
    pub check_every: Duration,
    pub streams_per_session: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhooks {
    pub timeout: Duration,
    pub backoff_base: Duration,
    pub backoff_cap: Duration,
    pub give_up_after: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    pub body_limit_bytes: usize,
    pub idempotency_keep: Duration,
    pub request_timeout: Duration,
    pub workers: usize,
}

/// Reads a certificate and its key, of which neither is of use without the other.
pub(super) fn pair(
    reader: &mut Reader<'_>,
    cert_key: &'static str,
    key_key: &'static str,
) -> Option<Tls> {
    let cert = reader.take(cert_key, settings::path);
    let key = reader.take(key_key, settings::path);
    let lonely = |here: &str| format!("is missing beside {here}");
    match (&cert, &key) {
        (Some(at), None) => reader.require(key_key, at.line, lonely(cert_key)),
        (None, Some(at)) => reader.require(cert_key, at.line, lonely(key_key)),
        _ => {}
    }
    Some(Tls {
        cert_file: cert?.value,
        key_file: key?.value,
    })
}

pub(super) fn agents(reader: &mut Reader<'_>) -> Agents {
    Agents {
        ca_file: reader.take("ca_file", settings::path).map(|at| at.value),
        client: pair(reader, "client_cert_file", "client_key_file"),
    }
}

pub(super) fn poll(reader: &mut Reader<'_>) -> Poll {
    let poll = Poll {
        every: reader.duration("every_ms"),
        timeout: reader.duration("timeout_ms"),
        good_for_online: reader.number("good_for_online"),
        bad_for_offline: reader.number("bad_for_offline"),
        concurrency: reader.number("concurrency"),
        placement_grace: reader.duration("placement_grace_s"),
        jitter_percent: reader.number("jitter_percent"),
        lease: reader.duration("lease_s"),
        give_up_after: reader.number("give_up_after"),
        probe_every: reader.duration("probe_every_ms"),
        learn_every: reader.duration("learn_every_s"),
        clock_tolerance_s: reader.number("clock_tolerance_s"),
    };
    reader.at_most("timeout_ms", poll.timeout, "every_ms", poll.every);
    poll
}

pub(super) fn apply(reader: &mut Reader<'_>) -> Apply {
    let apply = Apply {
        lease: reader.duration("lease_s"),
        timeout: reader.duration("timeout_ms"),
        backoff_base: reader.duration("backoff_base_ms"),
        backoff_cap: reader.duration("backoff_cap_ms"),
        concurrency: reader.number("concurrency"),
        tick: reader.duration("tick_ms"),
    };
    reader.at_most(
        "backoff_base_ms",
        apply.backoff_base,
        "backoff_cap_ms",
        apply.backoff_cap,
    );
    // Else another controller takes the interface over in the middle of a call.
    reader.at_most("timeout_ms", apply.timeout, "lease_s", apply.lease);
    apply
}

pub(super) fn mend(reader: &mut Reader<'_>) -> Mend {
    let mend = Mend {
        concurrency: reader.number("concurrency"),
        backoff_base: reader.duration("backoff_base_ms"),
        backoff_cap: reader.duration("backoff_cap_ms"),
    };
    reader.at_most(
        "backoff_base_ms",
        mend.backoff_base,
        "backoff_cap_ms",
        mend.backoff_cap,
    );
    mend
}

pub(super) fn upkeep(reader: &mut Reader<'_>) -> Upkeep {
    Upkeep {
        every: reader.duration("every_ms"),
    }
}

pub(super) fn addresses(reader: &mut Reader<'_>) -> Addresses {
    Addresses {
        rest: reader.duration("rest_s"),
    }
}

pub(super) fn samples(reader: &mut Reader<'_>) -> Samples {
    let samples = Samples {
        every: reader.duration("every_s"),
        keep_minutes: reader.duration("keep_minutes_h"),
        keep_hours: reader.duration("keep_hours_d"),
        keep_days: reader.duration("keep_days_d"),
    };
    // A coarse figure is made of finer ones and must outlive them.
    reader.at_most(
        "keep_minutes_h",
        samples.keep_minutes,
        "keep_hours_d",
        samples.keep_hours,
    );
    reader.at_most(
        "keep_hours_d",
        samples.keep_hours,
        "keep_days_d",
        samples.keep_days,
    );
    samples
}

pub(super) fn peer_sessions(reader: &mut Reader<'_>) -> PeerSessions {
    PeerSessions {
        keep: reader.duration("keep_d"),
    }
}

pub(super) fn events(reader: &mut Reader<'_>) -> Events {
    Events {
        keep: reader.duration("keep_d"),
    }
}

pub(super) fn live(reader: &mut Reader<'_>) -> Live {
    Live {
        ping_every: reader.duration("ping_every_ms"),
        gather: reader.duration("gather_ms"),
        check_every: reader.duration("check_every_ms"),
        streams_per_session: reader.number("streams_per_session"),
    }
}

pub(super) fn webhooks(reader: &mut Reader<'_>) -> Webhooks {
    let webhooks = Webhooks {
        timeout: reader.duration("timeout_ms"),
        backoff_base: reader.duration("backoff_base_ms"),
        backoff_cap: reader.duration("backoff_cap_ms"),
        give_up_after: reader.duration("give_up_after_h"),
    };
    reader.at_most(
        "backoff_base_ms",
        webhooks.backoff_base,
        "backoff_cap_ms",
        webhooks.backoff_cap,
    );
    webhooks
}

pub(super) fn api(reader: &mut Reader<'_>) -> Api {
    Api {
        body_limit_bytes: reader.number("body_limit_bytes"),
        idempotency_keep: reader.duration("idempotency_keep_h"),
        request_timeout: reader.duration("request_timeout_ms"),
        workers: reader.number("workers"),
    }
}
