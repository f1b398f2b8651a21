//! What a move rests on: where peers stand, the pools and nodes that there are, and what these are called.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::super::super::{FleetError, Refusal, Result};
use super::super::place::{members, settle};
use super::Wish;
use crate::db;
use crate::db::peers::bulk;
use crate::db::placements::moving::{self, Standing};
use crate::db::placements::{self, CandidateRow};
use crate::domain::ids::{DataKeyId, InterfaceId, NetworkId, NodeId, PeerId, PoolId};
use crate::domain::placement::Placement;
use crate::domain::relocation::Present;

/// A peer before it moves.
#[derive(Debug, Clone)]
pub(super) struct Mover {
    pub id: PeerId,
    pub network: NetworkId,
    pub network_name: String,
    pub pool: Option<PoolId>,
    pub homes: Vec<Home>,
}

#[derive(Debug, Clone)]
pub(super) struct Home {
    pub interface: InterfaceId,
    pub node: NodeId,
    pub psk: Option<(Vec<u8>, DataKeyId)>,
    pub psk_unknown: bool,
    pub keepalive_s: i32,
}

#[derive(Debug)]
pub(super) struct Facts {
    /// By rising id.
    pub peers: Vec<Mover>,
    pub pools: BTreeMap<PoolId, (String, Placement)>,
    pub members: BTreeSet<(PoolId, NodeId)>,
    pub candidates: BTreeMap<NetworkId, Vec<CandidateRow>>,
    /// What the node that is wanted is called.
    pub node_name: Option<String>,
}

impl Facts {
    /// Reads it and holds all of it, but for the interfaces, until the transaction ends: networks, peers, pools, nodes.
    pub(super) async fn hold(db: &mut PgConnection, ids: &[PeerId], wish: Wish) -> Result<Self> {
        let belongings = moving::belongings(&mut *db, ids).await?;
        let networks: BTreeSet<NetworkId> = belongings.iter().map(|one| one.1).collect();
        let networks: Vec<NetworkId> = networks.into_iter().collect();
        db::networks::lock_all(&mut *db, &networks).await?;
        let ids = bulk::lock(&mut *db, ids).await?;
        Self::gather(db, &ids, wish, true).await
    }

    /// Reads it as it is at the moment.
    pub(super) async fn read(db: &mut PgConnection, ids: &[PeerId], wish: Wish) -> Result<Self> {
        Self::gather(db, ids, wish, false).await
    }

    async fn gather(
        db: &mut PgConnection,
        ids: &[PeerId],
        wish: Wish,
        is_held: bool,
    ) -> Result<Self> {
        // Whose network is held changes its pool no more.
        let belongings = moving::belongings(&mut *db, ids).await?;
        let pools = pools(db, belongings.iter().filter_map(|one| one.2), wish).await?;
        let known: Vec<PoolId> = pools.keys().copied().collect();
        let members = members(db, &known).await?;
        let peers = movers(db, ids).await?;
        let networks: BTreeSet<NetworkId> = peers.iter().map(|peer| peer.network).collect();
        let mut candidates = BTreeMap::new();
        for network in networks {
            let found = match is_held {
                true => settle(db, network).await?,
                false => placements::candidates(&mut *db, network).await?,
            };
            candidates.insert(network, found);
        }
        Ok(Self {
            peers,
            pools,
            members,
            candidates,
            node_name: node_name(db, wish.node).await?,
        })
    }

    pub(super) fn node_names(&self) -> BTreeMap<InterfaceId, String> {
        let rows = self.candidates.values().flatten();
        rows.map(|row| (row.interface, row.node_name.clone()))
            .collect()
    }
}

impl Mover {
    pub(super) fn present(&self) -> Present {
        let homes = self.homes.iter().map(|home| (home.interface, home.node));
        Present {
            pool: self.pool,
            homes: homes.collect(),
        }
    }
}

/// The pools that peers have and the one that is wanted. They are held, where anything is.
async fn pools(
    db: &mut PgConnection,
    present: impl Iterator<Item = PoolId>,
    wish: Wish,
) -> Result<BTreeMap<PoolId, (String, Placement)>> {
    let wanted = wish.pool.flatten();
    let ids: BTreeSet<PoolId> = present.chain(wanted).collect();
    let ids: Vec<PoolId> = ids.into_iter().collect();
    let mut pools = BTreeMap::new();
    for (id, name, placement) in placements::pools(db, &ids).await? {
        let placement =
            Placement::parse(&placement).map_err(|_| FleetError::Corrupt("pools.placement"))?;
        pools.insert(id, (name, placement));
    }
    match wanted.filter(|pool| !pools.contains_key(pool)) {
        Some(pool) => Err(Refusal::missing("pool", pool).into()),
        None => Ok(pools),
    }
}

async fn node_name(db: &mut PgConnection, node: Option<NodeId>) -> Result<Option<String>> {
    let Some(id) = node else {
        return Ok(None);
    };
    let node = db::nodes::find(db, id).await?;
    let node = node.ok_or_else(|| Refusal::missing("node", id))?;
    Ok(Some(node.name))
}

/// Where peers are, as events and the audit log tell it of many.
pub(super) fn shown<'a>(peers: impl IntoIterator<Item = &'a Mover>) -> Value {
    let shown = peers.into_iter().map(|peer| {
        let homes = peer.homes.iter().map(|home| home.interface);
        json!({"id": peer.id, "pool": peer.pool, "interfaces": homes.collect::<Vec<_>>()})
    });
    shown.collect()
}

/// Reads where peers are, by rising id.
pub(super) async fn movers(db: &mut PgConnection, ids: &[PeerId]) -> Result<Vec<Mover>> {
    let mut peers: Vec<Mover> = Vec::new();
    for row in moving::standing(db, ids).await? {
        let home = home(&row);
        match peers.last_mut().filter(|last| last.id == row.peer) {
            Some(last) => last.homes.extend(home),
            None => peers.push(Mover {
                id: row.peer,
                network: row.network,
                network_name: row.network_name,
                pool: row.pool,
                homes: home.into_iter().collect(),
            }),
        }
    }
    Ok(peers)
}

fn home(row: &Standing) -> Option<Home> {
    Some(Home {
        interface: row.interface?,
        node: row.node?,
        psk: row.psk_sealed.clone().zip(row.psk_key),
        psk_unknown: row.psk_unknown?,
        keepalive_s: row.keepalive_s?,
    })
}
