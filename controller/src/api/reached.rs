//! Lists of what belongs to nothing but itself: whoever is limited to one network or one pool is listed that one.

use sqlx::PgPool;

use crate::db::networks::Network;
use crate::db::pools::Pool;
use crate::db::{self, Span};
use crate::domain::reach::Reach;

pub(crate) async fn networks(
    pool: &PgPool,
    reach: Reach,
    span: Span,
) -> Result<Vec<Network>, sqlx::Error> {
    let own = match reach {
        Reach::All => return db::networks::list(pool, span).await,
        Reach::Network(own) => own,
        Reach::Pool(_) => None,
    };
    match own.filter(|own| own.0 > span.after) {
        Some(own) => Ok(db::networks::find(pool, own).await?.into_iter().collect()),
        None => Ok(Vec::new()),
    }
}

/// With a part of their name.
pub(crate) async fn pools(
    pool: &PgPool,
    reach: Reach,
    q: Option<&str>,
    span: Span,
) -> Result<Vec<Pool>, sqlx::Error> {
    let own = match reach {
        Reach::All => return db::pools::list(pool, q, span).await,
        Reach::Pool(own) => own,
        Reach::Network(_) => None,
    };
    let Some(own) = own.filter(|own| own.0 > span.after) else {
        return Ok(Vec::new());
    };
    let part = q.map(str::to_lowercase);
    let is_meant = |pool: &Pool| {
        part.as_ref()
            .is_none_or(|part| pool.name.to_lowercase().contains(part))
    };
    Ok(db::pools::find(pool, own)
        .await?
        .into_iter()
        .filter(is_meant)
        .collect())
}
