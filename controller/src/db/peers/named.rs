//! Who the keys are that a plan speaks of.

use ipnet::IpNet;
use sqlx::PgExecutor;

use crate::domain::ids::PeerId;

#[derive(Debug, Clone)]
pub struct Named {
    pub id: PeerId,
    pub name: String,
    pub public_key: String,
    pub addresses: Vec<IpNet>,
}

/// The peers that have these keys. A key that no peer has is left out.
pub async fn by_keys(db: impl PgExecutor<'_>, keys: &[String]) -> Result<Vec<Named>, sqlx::Error> {
    sqlx::query_as!(
        Named,
        r#"
        SELECT id AS "id: PeerId", name, public_key,
            ARRAY(SELECT address FROM ip_allocations WHERE peer_id = peers.id ORDER BY family(address))
                AS "addresses!: Vec<IpNet>"
        FROM peers WHERE public_key = ANY($1)
        "#,
        keys,
    )
    .fetch_all(db)
    .await
}
