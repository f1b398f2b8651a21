//! What looks at peers make of their sessions: rows, and news of those that begin and end.
//!
//! Only interfaces that told of their peers are touched, so what a silent node carries stays open until it is heard
//! again. There is no second clock: a session dies at the first look at which it is dead.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;

use super::verdict::{Sighting, Verdict};
use crate::db::events::NewEvent;
use crate::db::observations::{Before, Gone, Observation};
use crate::db::peer_sessions::{self, Beginning, Begun, Ended, Ending};
use crate::domain::ids::InterfaceId;
use crate::domain::peer_session::{self, CONNECTED, DISCONNECTED, Look};
use crate::domain::traffic::{Bytes, Epoch};
use crate::fleet::Result;

/// Sessions that end and begin by what was seen of their peers.
#[derive(Default)]
pub(super) struct Turns {
    endings: Vec<Ending>,
    beginnings: Vec<Beginning>,
}

impl Turns {
    /// Takes in peers that their node holds no more.
    pub(super) fn note_gone(&mut self, gone: Vec<Gone>) {
        let endings = gone.into_iter().filter_map(|one| {
            Some(Ending {
                interface: one.interface,
                peer: one.peer?,
                key: one.key,
                at: one.handshake_at?,
                totals: Bytes {
                    rx: one.rx_total,
                    tx: one.tx_total,
                },
            })
        });
        self.endings.extend(endings);
    }

    /// Takes in a peer as it was and as it is.
    pub(super) fn note(
        &mut self,
        before: &Before,
        now: &Observation,
        epoch: Epoch,
        is_first_look: bool,
        looked_at: DateTime<Utc>,
    ) {
        let Some(peer) = now.peer else {
            return;
        };
        let look = Look {
            before: before.handshake_at,
            after: now.handshake_at,
            epoch,
            was_gone: before.gone,
        };
        let step = peer_session::step(look, looked_at);
        let cut = step.cut.map(|at| (at, before.meter.totals));
        let died = step.died.map(|at| (at, now.meter.totals));
        if let Some((at, totals)) = cut.or(died) {
            self.endings.push(Ending {
                interface: now.interface,
                peer,
                key: now.key.clone(),
                at,
                totals,
            });
        }
        if let Some(at) = step.begins {
            self.beginnings.push(Beginning {
                interface: now.interface,
                peer,
                key: now.key.clone(),
                endpoint: now.endpoint.clone(),
                at,
                totals: peer_session::base(before.meter, now.meter, is_first_look),
            });
        }
    }
}

/// Books them after what was seen: those that end before those that begin, for a peer has one at a time.
pub(super) async fn book(
    db: &mut PgConnection,
    turns: Turns,
    sightings: &[(&Verdict, &Sighting)],
) -> Result<Vec<NewEvent>> {
    let mut events = Vec::new();
    if !turns.endings.is_empty() {
        let ended = peer_sessions::end(&mut *db, &turns.endings).await?;
        events.extend(ended.iter().map(disconnected));
    }
    let looks = sightings.iter().filter(|(_, one)| one.held.is_some());
    let dead: Vec<_> = looks
        .clone()
        .map(|(verdict, one)| {
            let last_look = one.watched.observed_at;
            let (from, until) = peer_session::died(last_look, verdict.report.polled_at);
            (one.watched.id, from, until)
        })
        .collect();
    if !dead.is_empty() {
        let ended = peer_sessions::end_dead(&mut *db, &dead).await?;
        events.extend(ended.iter().map(disconnected));
    }
    if !turns.beginnings.is_empty() {
        let begun = peer_sessions::begin(&mut *db, &turns.beginnings).await?;
        // Who is there when an interface is seen for the first time did not come just now.
        let earlier = looks.filter(|(_, one)| one.watched.observed_at.is_some());
        let earlier: HashSet<InterfaceId> = earlier.map(|(_, one)| one.watched.id).collect();
        let news = begun.iter().filter(|one| earlier.contains(&one.interface));
        events.extend(news.map(connected));
    }
    Ok(events)
}

fn connected(session: &Begun) -> NewEvent {
    NewEvent {
        topic: "peers",
        kind: CONNECTED,
        object: format!("peer/{}", session.peer),
        data: json!({"peer": session.peer, "node": session.node, "interface": session.interface,
            "session": session.id, "endpoint": session.endpoint, "connected_at": session.connected_at}),
    }
}

fn disconnected(session: &Ended) -> NewEvent {
    let lasted = session.disconnected_at - session.connected_at;
    NewEvent {
        topic: "peers",
        kind: DISCONNECTED,
        object: format!("peer/{}", session.peer),
        data: json!({"peer": session.peer, "node": session.node, "interface": session.interface,
            "session": session.id, "connected_at": session.connected_at,
            "disconnected_at": session.disconnected_at, "seconds": lasted.num_seconds(),
            "rx": session.rx, "tx": session.tx}),
    }
}
