//! Where peers are to go, as two fields of a form say it, and what there is to choose from.

use super::super::form::Form;
use crate::api::peers::relocation::nowhere;
use crate::api::problem::Problem;
use crate::db::peers::choices::{self, Choices};
use crate::domain::ids::{NetworkId, NodeId, PoolId};
use crate::domain::reach::Reach;
use crate::domain::relocation::Wish;
use crate::fleet::{Fleet, Refusal};

/// What stands in the field for no pool; empty is the pool that a peer has.
pub(super) const NO_POOL: &str = "none";

#[derive(Debug, Clone, Default)]
pub(super) struct Target {
    pub node: String,
    pub pool: String,
}

/// What there is to choose from.
pub(super) struct Places {
    pub nodes: Vec<(i64, String)>,
    pub pools: Vec<(i64, String)>,
    /// Whoever is limited to a pool takes no peer out of it.
    pub may_leave: bool,
}

impl Target {
    pub(super) fn of(form: &Form) -> Self {
        Self {
            node: form.value("to_node").trim().to_owned(),
            pool: form.value("to_pool").trim().to_owned(),
        }
    }

    pub(super) fn is_named(&self) -> bool {
        !self.node.is_empty() || !self.pool.is_empty()
    }

    pub(super) fn wish(&self) -> Result<Wish, Refusal> {
        let node = match self.node.as_str() {
            "" => None,
            text => Some(text.parse::<NodeId>().map_err(|_| nowhere())?),
        };
        let pool = match self.pool.as_str() {
            "" => None,
            NO_POOL => Some(None),
            text => Some(Some(text.parse::<PoolId>().map_err(|_| nowhere())?)),
        };
        let wish = Wish { node, pool };
        match wish.is_empty() {
            true => Err(nowhere()),
            false => Ok(wish),
        }
    }
}

impl Places {
    /// All that somebody reaches; of a network the nodes that serve it.
    pub(super) async fn within(
        fleet: &Fleet,
        reach: Reach,
        network: Option<NetworkId>,
    ) -> Result<Self, Problem> {
        let Choices {
            mut nodes, pools, ..
        } = choices::within(&fleet.pool, reach).await?;
        if let (Some(network), true) = (network, reach == Reach::All) {
            let own = Reach::Network(Some(network));
            nodes = choices::within(&fleet.pool, own).await?.nodes;
        }
        Ok(Self {
            nodes,
            pools,
            may_leave: !matches!(reach, Reach::Pool(_)),
        })
    }
}
