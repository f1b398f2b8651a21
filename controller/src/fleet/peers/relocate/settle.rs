//! Carrying a move out in the database: what stays, what leaves and what comes, in one raised generation of each
//! interface.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::{RawValue, to_raw_value};
use sqlx::PgConnection;

use super::super::super::{Fleet, FleetError, Result};
use super::super::psk;
use super::facts::{Home, Mover};
use super::{Fate, Route, Wish};
use crate::db;
use crate::db::placements::moving::{self, Kept};
use crate::db::placements::{self, NewPlacement};
use crate::domain::ids::{InterfaceId, PeerId};
use crate::domain::peer::Psk;
use crate::domain::placement::Placement;
use crate::keyring::OpenError;

/// Moves peers that are held to where it was decided.
pub(super) async fn settle(
    db: &mut PgConnection,
    fleet: &Fleet,
    going: &[(&Mover, Fate)],
    wish: Wish,
) -> Result<()> {
    let mut left: Vec<(PeerId, InterfaceId)> = Vec::new();
    let mut kept: Vec<Kept> = Vec::new();
    let mut coming: Vec<Arrival<'_>> = Vec::new();
    for (peer, fate) in going {
        match fate {
            Fate::Stays => kept.extend(peer.homes.iter().map(|home| stay(peer, home, true, None))),
            Fate::Goes(route) => {
                let way = Way::of(peer, route)?;
                left.extend(way.left.iter().map(|interface| (peer.id, *interface)));
                kept.extend(way.kept);
                coming.extend(way.coming);
            }
            Fate::Already | Fate::Cannot(_) => {}
        }
    }
    let touched = left.iter().map(|(_, interface)| *interface);
    let touched: BTreeSet<InterfaceId> = touched
        .chain(coming.iter().map(|one| one.interface))
        .collect();
    let touched: Vec<InterfaceId> = touched.into_iter().collect();
    let generations = db::interfaces::raise(&mut *db, &touched).await?;
    let generations: BTreeMap<InterfaceId, i64> = generations.into_iter().collect();
    moving::leave(&mut *db, &left).await?;
    moving::keep(&mut *db, &kept).await?;
    let mut placements = Vec::with_capacity(coming.len());
    for arrival in coming {
        let generation = generations.get(&arrival.interface);
        let generation = generation.ok_or(FleetError::Corrupt("an interface that was chosen"))?;
        placements.push(arrival.placement(fleet, *generation).await?);
    }
    placements::insert(&mut *db, &placements).await?;
    let ids: Vec<PeerId> = going.iter().map(|(peer, _)| peer.id).collect();
    Ok(db::peers::bulk::moved(db, &ids, wish.pool).await?)
}

/// What one peer leaves, keeps and comes to.
struct Way<'a> {
    left: Vec<InterfaceId>,
    kept: Vec<Kept>,
    coming: Vec<Arrival<'a>>,
}

struct Arrival<'a> {
    peer: &'a Mover,
    interface: InterfaceId,
    sole: bool,
    /// The home whose preshared key it takes along: its only one, which it leaves for one other.
    heir_of: Option<&'a Home>,
    ranking: Option<Box<RawValue>>,
}

impl<'a> Way<'a> {
    fn of(peer: &'a Mover, route: &Route) -> Result<Self> {
        let explanation = route.explanation.as_ref();
        let ranking = explanation.map(to_raw_value).transpose()?;
        let sole = explanation.is_some_and(|why| why.placement == Placement::One);
        let (kept, left): (Vec<&Home>, Vec<&Home>) = peer
            .homes
            .iter()
            .partition(|home| route.interfaces.contains(&home.interface));
        let is_new = |interface: &&InterfaceId| {
            let mut homes = peer.homes.iter();
            !homes.any(|home| home.interface == **interface)
        };
        let new: Vec<InterfaceId> = route.interfaces.iter().filter(is_new).copied().collect();
        let heir_of = match (left.as_slice(), kept.as_slice(), new.as_slice()) {
            ([left], [], [_]) => Some(*left),
            _ => None,
        };
        let coming = new.into_iter().map(|interface| Arrival {
            peer,
            interface,
            sole,
            heir_of,
            ranking: ranking.clone(),
        });
        Ok(Self {
            coming: coming.collect(),
            left: left.iter().map(|home| home.interface).collect(),
            kept: kept
                .iter()
                .map(|home| stay(peer, home, sole, ranking.clone()))
                .collect(),
        })
    }
}

impl Arrival<'_> {
    async fn placement(self, fleet: &Fleet, generation: i64) -> Result<NewPlacement> {
        let wanted = self.psk(fleet).await?;
        let keepalive_s = self.peer.homes.first().map_or(0, |home| home.keepalive_s);
        Ok(NewPlacement {
            interface: self.interface,
            peer: self.peer.id,
            sole: self.sole,
            psk: psk::seal(&fleet.keyring, self.interface, self.peer.id, &wanted),
            psk_unknown: false,
            keepalive_s: u16::try_from(keepalive_s)
                .map_err(|_| FleetError::Corrupt("a keepalive"))?,
            generation,
            ranking: self.ranking,
        })
    }

    /// The one that it had, where that can be had; else a fresh one, unless it had none.
    async fn psk(&self, fleet: &Fleet) -> Result<Psk> {
        let mut homes = self.peer.homes.iter();
        if !self.peer.homes.is_empty() && !homes.any(|home| home.psk.is_some() || home.psk_unknown)
        {
            return Ok(Psk::None);
        }
        match self.heir_of {
            Some(home) => inherit(fleet, self.peer.id, home).await,
            None => Ok(Psk::Fresh),
        }
    }
}

async fn inherit(fleet: &Fleet, peer: PeerId, home: &Home) -> Result<Psk> {
    let Some((sealed, key)) = &home.psk else {
        return Ok(Psk::Fresh);
    };
    let open = || psk::open(&fleet.keyring, home.interface, peer, sealed, *key);
    let opened = match open() {
        // Another controller made the key that sealed it.
        Err(FleetError::Open(OpenError::UnknownKey(_))) => {
            fleet.keyring.refresh(&fleet.pool).await?;
            open()
        }
        opened => opened,
    };
    match opened {
        Ok(key) => Ok(Psk::Given(key)),
        Err(FleetError::Open(err)) => {
            let error: &dyn std::error::Error = &err;
            tracing::warn!(
                error,
                peer = peer.0,
                "peer {peer} gets a fresh preshared key"
            );
            Ok(Psk::Fresh)
        }
        Err(err) => Err(err),
    }
}

fn stay(peer: &Mover, home: &Home, sole: bool, ranking: Option<Box<RawValue>>) -> Kept {
    Kept {
        peer: peer.id,
        interface: home.interface,
        sole,
        ranking,
    }
}
