//! What a query names, found. A name that nothing bears is a mistake, not an empty list.

use sqlx::PgPool;

use super::problem::Problem;
use crate::db;
use crate::domain::ids::{NetworkId, NodeId, PoolId};
use crate::domain::reference::Reference;
use crate::fleet::Refusal;

pub async fn network(pool: &PgPool, wanted: Option<&str>) -> Result<Option<NetworkId>, Problem> {
    let Some(text) = wanted else {
        return Ok(None);
    };
    let found = match Reference::parse(text) {
        Ok(reference) => db::networks::resolve(pool, &reference).await?,
        Err(_) => None,
    };
    found
        .map(Some)
        .ok_or_else(|| unknown("unknown_network", "network", text))
}

pub async fn pool(pool: &PgPool, wanted: Option<&str>) -> Result<Option<PoolId>, Problem> {
    let Some(text) = wanted else {
        return Ok(None);
    };
    let found = match Reference::parse(text) {
        Ok(reference) => db::pools::resolve(pool, &reference).await?,
        Err(_) => None,
    };
    found
        .map(Some)
        .ok_or_else(|| unknown("unknown_pool", "pool", text))
}

pub async fn node(pool: &PgPool, wanted: Option<&str>) -> Result<Option<NodeId>, Problem> {
    let Some(text) = wanted else {
        return Ok(None);
    };
    let found = match Reference::parse(text) {
        Ok(reference) => db::nodes::resolve(pool, &reference).await?,
        Err(_) => None,
    };
    found
        .map(Some)
        .ok_or_else(|| unknown("unknown_node", "node", text))
}

/// A part of a name to search for. No name holds a NUL, and no statement takes one.
pub fn part(q: Option<&str>) -> Result<Option<&str>, Problem> {
    match q {
        Some(text) if text.contains('\0') => {
            Err(Refusal::invalid("invalid_query", "q holds a NUL").into())
        }
        _ => Ok(q),
    }
}

fn unknown(code: &'static str, what: &str, text: &str) -> Problem {
    Refusal::invalid(code, format!("there is no {what} {text}")).into()
}
