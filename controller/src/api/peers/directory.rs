//! What rows name, looked up once however many rows name it.

use std::collections::HashMap;

use sqlx::PgPool;

use crate::db;
use crate::domain::ids::{NetworkId, NodeId, PoolId};
use crate::domain::reference::Reference;

pub(crate) struct Directory<'a> {
    pool: &'a PgPool,
    networks: HashMap<Reference, Option<NetworkId>>,
    pools: HashMap<Reference, Option<PoolId>>,
    nodes: HashMap<Reference, Option<NodeId>>,
}

impl<'a> Directory<'a> {
    pub(crate) fn new(pool: &'a PgPool) -> Self {
        Self {
            pool,
            networks: HashMap::new(),
            pools: HashMap::new(),
            nodes: HashMap::new(),
        }
    }

    pub(crate) async fn network(
        &mut self,
        wanted: &Reference,
    ) -> Result<Option<NetworkId>, sqlx::Error> {
        if let Some(known) = self.networks.get(wanted) {
            return Ok(*known);
        }
        let found = db::networks::resolve(self.pool, wanted).await?;
        self.networks.insert(wanted.clone(), found);
        Ok(found)
    }

    pub(crate) async fn pool(&mut self, wanted: &Reference) -> Result<Option<PoolId>, sqlx::Error> {
        if let Some(known) = self.pools.get(wanted) {
            return Ok(*known);
        }
        let found = db::pools::resolve(self.pool, wanted).await?;
        self.pools.insert(wanted.clone(), found);
        Ok(found)
    }

    pub(crate) async fn node(&mut self, wanted: &Reference) -> Result<Option<NodeId>, sqlx::Error> {
        if let Some(known) = self.nodes.get(wanted) {
            return Ok(*known);
        }
        let found = db::nodes::resolve(self.pool, wanted).await?;
        self.nodes.insert(wanted.clone(), found);
        Ok(found)
    }
}
