//! The decision itself: who goes, who is written, who has to let go first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use protocol::wire::answers::DumpedPeer;
use protocol::{AllowedIps, Cidr, PublicKey};

use super::plan::{Blocked, Difference, Plan, Release, Removal, Why, Write};
use super::psk::{self, Hidden};
use super::{Desired, DriftPolicy, Facts, guard};

/// Plans what makes the interface hold what it should.
pub fn plan(facts: &Facts<'_>) -> Plan {
    let mut plan = Plan {
        removals: unwanted(facts),
        ..Plan::default()
    };
    settle_unknown(facts, &mut plan);
    plan.blocked = blocked(facts, &plan.reported);
    let hidden = psk::compare(facts, &plan.blocked);
    write_desired(facts, &hidden, &mut plan);
    plan.releases = releases(facts, &plan.writes);
    if let Hidden::Unproven(keys) = hidden {
        plan.unproven = keys.into_iter().collect();
    }
    plan
}

fn unwanted(facts: &Facts<'_>) -> Vec<Removal> {
    let why = |key: &PublicKey| {
        if facts.forbidden.contains(key) {
            return Some(Why::Forbidden);
        }
        let desired = facts.desired.get(key)?;
        desired.is_expired(facts.now).then_some(Why::Expired)
    };
    let seen = facts.actual.peers.iter();
    seen.filter_map(|(key, seen)| why(key).map(|why| removal(key, seen, why)))
        .collect()
}

fn removal(key: &PublicKey, seen: &DumpedPeer, why: Why) -> Removal {
    Removal {
        key: *key,
        why,
        foreign: seen.foreign,
    }
}

/// Decides about peers that are neither desired nor forbidden.
fn settle_unknown(facts: &Facts<'_>, plan: &mut Plan) {
    let is_unknown =
        |key: &PublicKey| !facts.desired.contains_key(key) && !facts.forbidden.contains(key);
    let seen = facts.actual.peers.iter();
    let unknown: BTreeMap<&PublicKey, &DumpedPeer> =
        seen.filter(|(key, _)| is_unknown(key)).collect();
    match facts.policy {
        DriftPolicy::Report => plan.reported = unknown.into_keys().copied().collect(),
        DriftPolicy::Adopt => adopt(facts, &unknown, plan),
        DriftPolicy::Enforce => remove_within_guard(facts, &unknown, plan),
    }
}

/// Adopts whom the database could have made: a true key, time left, and nobody else's addresses.
fn adopt(facts: &Facts<'_>, unknown: &BTreeMap<&PublicKey, &DumpedPeer>, plan: &mut Plan) {
    let claimed = claimed(live(facts));
    for (key, seen) in unknown {
        let is_key = PublicKey::from_bytes(*key.as_bytes()).is_ok();
        let lasts = seen.expires_at.is_none_or(|at| at > facts.now);
        let is_free = seen.allowed_ips.iter().all(|ip| !claimed.contains_key(ip));
        if is_key && lasts && is_free {
            plan.adoptions.push(**key);
        } else {
            plan.reported.push(**key);
        }
    }
}

fn remove_within_guard(
    facts: &Facts<'_>,
    unknown: &BTreeMap<&PublicKey, &DumpedPeer>,
    plan: &mut Plan,
) {
    let held = facts.actual.peers.len();
    let leaves_nothing = live(facts).next().is_none();
    plan.held_back = guard::stops(unknown.len(), held, leaves_nothing, facts.allow_removals);
    if plan.held_back.is_some() {
        plan.reported = unknown.keys().copied().copied().collect();
    } else {
        let removals = unknown
            .iter()
            .map(|(key, seen)| removal(key, seen, Why::Unknown));
        plan.removals.extend(removals);
    }
}

/// Who cannot be written, because an unknown peer that stays has one of its addresses.
fn blocked(facts: &Facts<'_>, reported: &[PublicKey]) -> Vec<Blocked> {
    let staying = reported
        .iter()
        .filter_map(|key| facts.actual.peers.get_key_value(key));
    let owners: HashMap<&Cidr, &PublicKey> = staying
        .flat_map(|(key, seen)| seen.allowed_ips.iter().map(move |ip| (ip, key)))
        .collect();
    let taken = |(key, peer): (&PublicKey, &Desired)| {
        let mut wanted = peer.config.allowed_ips.iter();
        wanted.find_map(|ip| {
            owners.get(ip).map(|owner| Blocked {
                key: *key,
                allowed_ip: *ip,
                owner: **owner,
            })
        })
    };
    let can_be_written = |(key, peer): &(&PublicKey, &Desired)| {
        facts.actual.peers.contains_key(key) || !peer.psk_unknown
    };
    live(facts)
        .filter(can_be_written)
        .filter_map(taken)
        .collect()
}

fn write_desired(facts: &Facts<'_>, hidden: &Hidden, plan: &mut Plan) {
    let blocked: BTreeSet<PublicKey> = plan.blocked.iter().map(|blocked| blocked.key).collect();
    for (key, peer) in live(facts) {
        let seen = facts.actual.peers.get(key);
        if peer.psk_unknown && !seen.is_some_and(|seen| seen.has_preshared_key) {
            plan.psk_lost.push(*key);
            if seen.is_none() {
                continue;
            }
        }
        let differs = differences(facts, hidden, key, peer, seen);
        if !differs.is_empty() && !blocked.contains(key) {
            plan.writes.push(Write {
                key: *key,
                differs,
                single: peer.psk_unknown,
            });
        }
    }
}

fn differences(
    facts: &Facts<'_>,
    hidden: &Hidden,
    key: &PublicKey,
    peer: &Desired,
    seen: Option<&DumpedPeer>,
) -> Vec<Difference> {
    let Some(seen) = seen else {
        return vec![Difference::Missing];
    };
    let has_psk = peer.config.preshared_key.is_some();
    let is_suspect = matches!(hidden, Hidden::Differ(keys) if keys.contains(key));
    let psk_differs = !peer.psk_unknown && (has_psk != seen.has_preshared_key || is_suspect);
    let found = [
        (
            peer.config.allowed_ips != seen.allowed_ips,
            Difference::AllowedIps,
        ),
        (
            peer.config.persistent_keepalive != seen.persistent_keepalive,
            Difference::Keepalive,
        ),
        (psk_differs, Difference::PresharedKey),
        (
            facts.agent_expires && peer.expires_at != seen.expires_at,
            Difference::Expiry,
        ),
        (seen.foreign, Difference::Foreign),
    ];
    let differs = found.into_iter().filter(|(differs, _)| *differs);
    differs.map(|(_, difference)| difference).collect()
}

/// Who has to let go of what a write claims.
fn releases(facts: &Facts<'_>, writes: &[Write]) -> Vec<Release> {
    let written: BTreeMap<&PublicKey, bool> = writes
        .iter()
        .map(|write| (&write.key, write.single))
        .collect();
    let claimed = claimed(live(facts).filter(|(key, _)| written.contains_key(key)));
    let release = |(key, peer): (&PublicKey, &Desired)| {
        let has = &facts.actual.peers.get(key)?.allowed_ips;
        let wants: BTreeSet<&Cidr> = peer.config.allowed_ips.iter().collect();
        let is_given_up =
            |ip: &&Cidr| !wants.contains(ip) && claimed.get(ip).is_some_and(|by| *by != key);
        has.iter().any(|ip| is_given_up(&ip)).then(|| Release {
            key: *key,
            keeps: has
                .iter()
                .copied()
                .filter(|ip| wants.contains(ip))
                .collect::<AllowedIps>(),
            in_batch: written.get(key) == Some(&false),
        })
    };
    live(facts).filter_map(release).collect()
}

fn live<'a>(facts: &Facts<'a>) -> impl Iterator<Item = (&'a PublicKey, &'a Desired)> {
    let facts = *facts;
    let desired = facts.desired.iter();
    desired.filter(move |(key, peer)| facts.is_live(key, peer))
}

/// The allowed IPs that peers should have, each with the peer.
fn claimed<'a>(
    peers: impl Iterator<Item = (&'a PublicKey, &'a Desired)>,
) -> HashMap<&'a Cidr, &'a PublicKey> {
    peers
        .flat_map(|(key, peer)| peer.config.allowed_ips.iter().map(move |ip| (ip, key)))
        .collect()
}
