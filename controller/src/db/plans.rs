//! `plans`: differences between intent and a node, looked at before they are carried out.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;

use crate::domain::ids::{InterfaceId, PlanId};

#[derive(Debug, Clone)]
pub struct Plan {
    pub id: PlanId,
    pub interface: InterfaceId,
    pub desired_generation: i64,
    pub observed_digest: String,
    pub steps: Value,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
    pub applied_at: Option<DateTime<Utc>>,
}

pub async fn insert(
    db: impl PgExecutor<'_>,
    interface: InterfaceId,
    desired_generation: i64,
    observed_digest: &str,
    steps: &Value,
    created_by: &str,
) -> Result<Plan, sqlx::Error> {
    sqlx::query_as!(
        Plan,
        r#"
        INSERT INTO plans (interface_id, desired_generation, observed_digest, steps, created_by)
        VALUES ($1, $2, $3, $4, $5)
        RETURNING id AS "id: PlanId", interface_id AS "interface: InterfaceId", desired_generation, observed_digest,
            steps, created_by, created_at, applied_at
        "#,
        interface.0,
        desired_generation,
        observed_digest,
        steps,
        created_by,
    )
    .fetch_one(db)
    .await
}

pub async fn find(db: impl PgExecutor<'_>, id: PlanId) -> Result<Option<Plan>, sqlx::Error> {
    sqlx::query_as!(
        Plan,
        r#"
        SELECT id AS "id: PlanId", interface_id AS "interface: InterfaceId", desired_generation, observed_digest,
            steps, created_by, created_at, applied_at
        FROM plans WHERE id = $1
        "#,
        id.0,
    )
    .fetch_optional(db)
    .await
}

pub async fn applied(db: impl PgExecutor<'_>, id: PlanId) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE plans SET applied_at = now() WHERE id = $1", id.0)
        .execute(db)
        .await
        .map(|_| ())
}
