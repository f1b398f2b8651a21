//! Choosing interfaces for new peers: gathers the facts, asks [`placement`](crate::domain::placement), holds what
//! the choice rests on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sqlx::PgConnection;

use super::super::{Fleet, FleetError, Refusal, Result};
use super::rows::RowProblems;
use crate::clock;
use crate::db::placements::{self, CandidateRow};
use crate::domain::ids::{InterfaceId, NetworkId, NodeId, PoolId};
use crate::domain::peer::NewPeer;
use crate::domain::placement::{Candidate, Explanation, NoCandidate, Placement, Placer, Rules};
use crate::domain::reachability::Reachability;

/// Where a peer goes, and why.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub interfaces: Vec<InterfaceId>,
    /// It has one home, not one on every member of its pool.
    pub sole: bool,
    pub explanation: Explanation,
}

/// Peers that the same rule places: one network, one pool, one node.
type Group = (NetworkId, Option<PoolId>, Option<NodeId>);

/// Places every peer, or names those that find no place. The caller holds the networks.
pub(super) async fn place(
    db: &mut PgConnection,
    fleet: &Fleet,
    peers: &[NewPeer],
    problems: &mut RowProblems,
) -> Result<Vec<Placed>> {
    let mut groups: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
    for (row, peer) in peers.iter().enumerate() {
        let group = (peer.network, peer.pool, peer.node);
        groups.entry(group).or_default().push(row);
    }
    let pools: Vec<PoolId> = groups.keys().filter_map(|group| group.1).collect();
    let rules = pool_rules(db, &pools).await?;
    let members = members(db, &pools).await?;
    let mut added: BTreeMap<NodeId, i64> = BTreeMap::new();
    let mut placed: Vec<Option<Placed>> = vec![None; peers.len()];
    for ((network, pool, node), rows) in groups {
        let placement = match pool.map(|id| rules.get(&id)) {
            None => Placement::One,
            Some(Some(placement)) => *placement,
            Some(None) => {
                let missing = Refusal::missing("pool", pool.unwrap_or(PoolId(0)));
                rows.iter()
                    .for_each(|row| problems.add(*row, missing.clone()));
                continue;
            }
        };
        let facts = settle(db, network).await?;
        let candidates: Vec<Candidate> = facts
            .into_iter()
            .filter(|row| node.is_none_or(|node| row.node == node))
            .map(|row| candidate(row, pool, &members, &added))
            .collect::<Result<_>>()?;
        let rules = Rules {
            placement,
            grace: fleet.settings.placement_grace,
            now: clock::now(),
        };
        let mut placer = Placer::new(&candidates, rules);
        for row in rows {
            match placer.place() {
                Ok(choice) => {
                    let chosen = &choice.chosen;
                    for one in candidates
                        .iter()
                        .filter(|one| chosen.contains(&one.interface))
                    {
                        *added.entry(one.node).or_default() += 1;
                    }
                    placed[row] = Some(Placed {
                        interfaces: choice.chosen,
                        sole: placement == Placement::One,
                        explanation: choice.explanation,
                    });
                }
                Err(err) => problems.add(row, no_place(&err)),
            }
        }
    }
    problems.settle()?;
    Ok(placed.into_iter().flatten().collect())
}

/// The nodes of pools, as (pool, node).
pub(super) async fn members(
    db: &mut PgConnection,
    pools: &[PoolId],
) -> Result<BTreeSet<(PoolId, NodeId)>> {
    let members = placements::members(db, pools).await?;
    Ok(members.into_iter().collect())
}

/// The candidates of a network, with the nodes held that have a limit: what is counted then stays true.
pub(super) async fn settle(db: &mut PgConnection, network: NetworkId) -> Result<Vec<CandidateRow>> {
    let mut rows = placements::candidates(&mut *db, network).await?;
    let limited: Vec<NodeId> = rows
        .iter()
        .filter(|row| row.max_peers > 0)
        .map(|row| row.node)
        .collect();
    if limited.is_empty() {
        return Ok(rows);
    }
    let counts: BTreeMap<NodeId, i64> = placements::lock_limited(db, &limited)
        .await?
        .into_iter()
        .collect();
    for row in &mut rows {
        if let Some(count) = counts.get(&row.node) {
            row.node_peers = *count;
        }
    }
    Ok(rows)
}

async fn pool_rules(
    db: &mut PgConnection,
    pools: &[PoolId],
) -> Result<BTreeMap<PoolId, Placement>> {
    let rows = placements::pools(db, pools).await?;
    rows.into_iter()
        .map(|(id, _, placement)| {
            let placement = Placement::parse(&placement);
            Ok((
                id,
                placement.map_err(|_| FleetError::Corrupt("pools.placement"))?,
            ))
        })
        .collect()
}

pub(super) fn candidate(
    row: CandidateRow,
    pool: Option<PoolId>,
    members: &BTreeSet<(PoolId, NodeId)>,
    added: &BTreeMap<NodeId, i64>,
) -> Result<Candidate> {
    let reachability = match row.doubt {
        None => Reachability::Online,
        Some(doubt) => Reachability::parse(&doubt)
            .map_err(|_| FleetError::Corrupt("node_status.reachability"))?,
    };
    Ok(Candidate {
        interface: row.interface,
        node: row.node,
        node_name: row.node_name,
        enabled: row.enabled,
        reachability,
        good_at: row.good_at,
        weight: row.weight,
        max_peers: row.max_peers,
        node_peers: row.node_peers + added.get(&row.node).copied().unwrap_or(0),
        pool_member: pool.is_none_or(|pool| members.contains(&(pool, row.node))),
    })
}

pub(super) fn no_place(err: &NoCandidate) -> Refusal {
    Refusal::conflict("no_node", err.to_string()).with(json!({"reasons": err.reasons}))
}
