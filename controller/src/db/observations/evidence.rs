//! What was seen of single peers, for people to look at.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::domain::ids::{InterfaceId, PeerId};

/// What an interface's node said of a peer, and when it was last heard.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub interface: InterfaceId,
    pub endpoint: Option<String>,
    pub handshake_at: Option<DateTime<Utc>>,
    pub rx_total: i64,
    pub tx_total: i64,
    pub first_at: DateTime<Utc>,
    /// The node no longer holds the peer.
    pub gone_at: Option<DateTime<Utc>>,
    pub observed_at: Option<DateTime<Utc>>,
}

/// What was seen of the key that a peer has now, interface by interface.
pub async fn of_peer(db: impl PgExecutor<'_>, peer: PeerId) -> Result<Vec<Evidence>, sqlx::Error> {
    sqlx::query_as!(
        Evidence,
        r#"
        SELECT interface_id AS "interface: InterfaceId", endpoint, handshake_at, rx_total, tx_total, first_at, gone_at,
            observed_at
        FROM observations
        JOIN interface_sync USING (interface_id)
        JOIN peers ON peers.id = peer_id AND peers.public_key = observations.public_key
        WHERE peer_id = $1 ORDER BY interface_id
        "#,
        peer.0,
    )
    .fetch_all(db)
    .await
}
