//! What the dumps say of single peers: counters, endpoints, handshakes, who came and who left.
//!
//! Nothing here touches intent. A device that suddenly shows nobody has its peers noted as gone, and that is all.

use std::collections::BTreeMap;

use protocol::wire::answers::DumpedPeer;
use sqlx::PgConnection;

use super::sessions::{self, Turns};
use super::verdict::{HeldPeers, Sighting, Verdict};
use crate::db::events::NewEvent;
use crate::db::observations::{self, Before, Observation};
use crate::domain::ids::InterfaceId;
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
    let mut turns = Turns::default();
    left(db, sightings, &removed, &mut turns).await?;
    let mut shown = shown.into_iter();
    loop {
        let some: Vec<((InterfaceId, String), Shown<'_>)> = shown.by_ref().take(MOST).collect();
        if some.is_empty() {
            break;
        }
        write(db, some, &mut turns).await?;
    }
    sessions::book(db, turns, sightings).await
}

async fn left(
    db: &mut PgConnection,
    sightings: &[(&Verdict, &Sighting)],
    removed: &[(InterfaceId, String)],
    turns: &mut Turns,
) -> Result<()> {
    let Some((verdict, _)) = sightings.first() else {
        return Ok(());
    };
    if !removed.is_empty() {
        let gone = observations::left(&mut *db, removed, verdict.report.polled_at).await?;
        turns.note_gone(gone);
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
        let gone = observations::left_but(&mut *db, sighting.watched.id, &keys, now).await?;
        turns.note_gone(gone);
    }
    Ok(())
}

async fn write(
    db: &mut PgConnection,
    shown: Vec<((InterfaceId, String), Shown<'_>)>,
    turns: &mut Turns,
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
        let epoch = match before.gone {
            true => Epoch::New,
            false => one.held.epoch,
        };
        let row = observation(interface, key, &one, &before, epoch);
        let is_first_look = one.sighting.watched.observed_at.is_none();
        let polled_at = one.verdict.report.polled_at;
        turns.note(&before, &row, epoch, is_first_look, polled_at);
        rows.push(row);
    }
    Ok(observations::upsert(db, &rows, now).await?)
}

fn observation(
    interface: InterfaceId,
    key: String,
    one: &Shown<'_>,
    before: &Before,
    epoch: Epoch,
) -> Observation {
    let peer = one.peer;
    let counters = Bytes::of_counters(peer.transfer_rx, peer.transfer_tx);
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
