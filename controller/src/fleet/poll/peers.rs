//! What the dumps say of single peers: counters, endpoints, handshakes, who came and who left.
//!
//! Nothing here touches intent. A device that suddenly shows nobody has its peers noted as gone, and that is all.

use std::collections::BTreeMap;

use protocol::wire::answers::DumpedPeer;
use serde_json::json;
use sqlx::PgConnection;

use super::verdict::{HeldPeers, Sighting, Verdict};
use crate::db::events::NewEvent;
use crate::db::observations::{self, Before, Observation};
use crate::domain::ids::{InterfaceId, PeerId};
use crate::domain::traffic::{self, Bytes, Epoch};
use crate::domain::watch;
use crate::fleet::Result;

/// How many rows one statement carries.
const MOST: usize = 20_000;

/// A peer as one interface shows it.
struct Shown<'a> {
    verdict: &'a Verdict,
    sighting: &'a Sighting,
    held: &'a HeldPeers,
    peer: &'a DumpedPeer,
}

/// Books them, and tells whose sessions began and ended.
pub(super) async fn book(
    db: &mut PgConnection,
    sightings: &[(&Verdict, &Sighting)],
) -> Result<Vec<NewEvent>> {
    let mut shown = BTreeMap::new();
    let mut removed = Vec::new();
    for (verdict, sighting) in sightings {
        let Some(held) = &sighting.held else {
            continue;
        };
        let interface = sighting.watched.id;
        for peer in &held.peers {
            // Ordered, so that two who write lock alike; once, should an agent show a key twice.
            let shown_peer = Shown {
                verdict,
                sighting,
                held,
                peer,
            };
            shown.insert((interface, peer.public_key.to_string()), shown_peer);
        }
        removed.extend(held.removed.iter().map(|key| (interface, key.to_string())));
    }
    left(db, sightings, &removed).await?;
    let mut events = Vec::new();
    let mut shown = shown.into_iter();
    loop {
        let some: Vec<((InterfaceId, String), Shown<'_>)> = shown.by_ref().take(MOST).collect();
        if some.is_empty() {
            break;
        }
        write(db, some, &mut events).await?;
    }
    events.extend(ended(db, sightings).await?);
    Ok(events)
}

async fn left(
    db: &mut PgConnection,
    sightings: &[(&Verdict, &Sighting)],
    removed: &[(InterfaceId, String)],
) -> Result<()> {
    let Some((verdict, _)) = sightings.first() else {
        return Ok(());
    };
    if !removed.is_empty() {
        observations::left(&mut *db, removed, verdict.report.polled_at).await?;
    }
    for (verdict, sighting) in sightings {
        let Some(held) = sighting.held.as_ref().filter(|held| held.is_full) else {
            continue;
        };
        let keys: Vec<String> = held
            .peers
            .iter()
            .map(|peer| peer.public_key.to_string())
            .collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let now = verdict.report.polled_at;
        observations::left_but(&mut *db, sighting.watched.id, &keys, now).await?;
    }
    Ok(())
}

async fn write(
    db: &mut PgConnection,
    shown: Vec<((InterfaceId, String), Shown<'_>)>,
    events: &mut Vec<NewEvent>,
) -> Result<()> {
    let now = shown
        .iter()
        .map(|(_, one)| one.verdict.report.polled_at)
        .max();
    let Some(now) = now else {
        return Ok(());
    };
    let (keys, shown): (Vec<_>, Vec<_>) = shown.into_iter().unzip();
    let before = observations::before(&mut *db, &keys).await?;
    let mut rows = Vec::with_capacity(shown.len());
    for (((interface, key), one), before) in keys.into_iter().zip(shown).zip(before) {
        let row = observation(interface, key, &one, &before);
        events.extend(connected(&one, &row, &before));
        rows.push(row);
    }
    Ok(observations::upsert(db, &rows, now).await?)
}

fn observation(
    interface: InterfaceId,
    key: String,
    one: &Shown<'_>,
    before: &Before,
) -> Observation {
    let peer = one.peer;
    let counters = Bytes::of_counters(peer.transfer_rx, peer.transfer_tx);
    let epoch = match before.gone {
        true => Epoch::New,
        false => one.held.epoch,
    };
    let ips: Vec<String> = peer.allowed_ips.iter().map(ToString::to_string).collect();
    Observation {
        interface,
        key,
        peer: before.peer,
        is_foreign: peer.foreign,
        has_psk: peer.has_preshared_key,
        allowed_ips: format!("{{{}}}", ips.join(",")),
        keepalive_s: i32::from(peer.persistent_keepalive),
        endpoint: peer.endpoint.map(|endpoint| endpoint.to_string()),
        handshake_at: watch::handshake(
            peer.latest_handshake,
            one.verdict.clock_offset_s,
            one.verdict.report.polled_at,
        ),
        meter: traffic::read(before.meter, counters, epoch),
    }
}

/// News only where there was an earlier look: a controller that sees an interface for the first time has no news.
fn connected(one: &Shown<'_>, row: &Observation, before: &Before) -> Option<NewEvent> {
    let last_look = one.sighting.watched.observed_at?;
    let now = one.verdict.report.polled_at;
    let begins = watch::begins_session(before.handshake_at, row.handshake_at, last_look, now);
    let peer = row.peer.filter(|_| begins)?;
    Some(session("peer.connected", peer, row.interface))
}

async fn ended(
    db: &mut PgConnection,
    sightings: &[(&Verdict, &Sighting)],
) -> Result<Vec<NewEvent>> {
    let looks: Vec<_> = sightings
        .iter()
        .filter(|(_, one)| one.held.is_some())
        .filter_map(|(verdict, one)| {
            let last_look = one.watched.observed_at?;
            let (from, until) = watch::ended_sessions(last_look, verdict.report.polled_at);
            Some((one.watched.id, from, until))
        })
        .collect();
    if looks.is_empty() {
        return Ok(Vec::new());
    }
    let ended = observations::ended(db, &looks).await?;
    let told = |one: observations::Ended| session("peer.disconnected", one.peer, one.interface);
    Ok(ended.into_iter().map(told).collect())
}

fn session(kind: &'static str, peer: PeerId, interface: InterfaceId) -> NewEvent {
    NewEvent {
        topic: "peers",
        kind,
        object: format!("peer/{peer}"),
        data: json!({"peer": peer, "interface": interface}),
    }
}
