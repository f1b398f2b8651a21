//! `node_secrets`, sealed. What is inside them this module never learns.

use sqlx::PgExecutor;

use crate::domain::ids::{DataKeyId, NodeId};
use crate::keyring::Sealed;

/// What it takes to call a node, its secret still sealed.
#[derive(Debug, Clone)]
pub struct Access {
    pub node: NodeId,
    pub name: String,
    pub agent_url: String,
    pub legacy: bool,
    pub timeout_ms: Option<i32>,
    pub clock_offset_ms: Option<i64>,
    pub key_id: String,
    pub sealed: Vec<u8>,
    pub data_key_id: DataKeyId,
}

#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    #[error("a node with this secret exists")]
    SecretTaken,
    #[error("database")]
    Db(#[source] sqlx::Error),
}

/// Gives a node that has no secret the one that signs.
pub async fn insert_active(
    db: impl PgExecutor<'_>,
    node: NodeId,
    key_id: &str,
    sealed: &Sealed,
    fingerprint: &[u8; 32],
) -> Result<(), InsertError> {
    sqlx::query!(
        r#"
        INSERT INTO node_secrets (node_id, key_id, state, sealed, data_key_id, fingerprint)
        VALUES ($1, $2, 'active', $3, $4, $5)
        "#,
        node.0,
        key_id,
        sealed.bytes,
        sealed.data_key_id.0,
        fingerprint,
    )
    .execute(db)
    .await
    .map(|_| ())
    .map_err(|err| match super::violated(&err) {
        Some("node_secrets_fingerprint_key") => InsertError::SecretTaken,
        _ => InsertError::Db(err),
    })
}

/// Forgets all secrets of a node.
pub async fn delete_all(db: impl PgExecutor<'_>, node: NodeId) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM node_secrets WHERE node_id = $1", node.0)
        .execute(db)
        .await
        .map(|_| ())
}

/// How to call each of these nodes. One without an active secret is left out.
pub async fn access(db: impl PgExecutor<'_>, nodes: &[NodeId]) -> Result<Vec<Access>, sqlx::Error> {
    let ids: Vec<i64> = nodes.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Access,
        r#"
        SELECT nodes.id AS "node: NodeId", name, agent_url, legacy, timeout_ms, clock_offset_ms, key_id, sealed,
            data_key_id AS "data_key_id: DataKeyId"
        FROM nodes
            JOIN node_status ON node_status.node_id = nodes.id
            JOIN node_secrets ON node_secrets.node_id = nodes.id AND node_secrets.state = 'active'
        WHERE nodes.id = ANY($1)
        ORDER BY nodes.id
        "#,
        &ids,
    )
    .fetch_all(db)
    .await
}
