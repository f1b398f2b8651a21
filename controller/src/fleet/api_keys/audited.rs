//! The changes to API keys with everything that belongs to them: an audit row, an event, `If-Match`, dry runs.
//!
//! Neither audit nor events hold a secret or a token.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::Serialize;
use sqlx::PgPool;

use super::{ApiKeyError, Created, NewApiKey};
use crate::clock;
use crate::db;
use crate::db::api_keys::ApiKeyRow;
use crate::domain::ids::ApiKeyId;
use crate::domain::reach::Reach;
use crate::domain::role::Scope;
use crate::fleet::change::{Call, Change, NOTHING};
use crate::fleet::{FleetError, Refusal, Result};
use crate::keyring::Keyring;

pub async fn create(
    pool: &PgPool,
    keyring: &Keyring,
    call: &Call,
    new: &NewApiKey,
) -> Result<Created> {
    let mut change = Change::begin(pool, call).await?;
    let created = super::create(change.tx(), keyring, new, clock::now()).await?;
    let object = object(created.key.id);
    let seen = Seen::of(&created.key);
    change
        .event("api_keys", "api_key.created", &object, &seen)
        .await?;
    change
        .finish("api_key.create", &object, NOTHING, Some(&seen))
        .await?;
    Ok(created)
}

pub async fn revoke(pool: &PgPool, call: &Call, id: ApiKeyId) -> Result<()> {
    let mut change = Change::begin(pool, call).await?;
    let before = db::api_keys::lock(change.db(), id).await?;
    let before = before.ok_or(ApiKeyError::Unknown(id))?;
    let object = object(id);
    call.check_version(&object, version(&before))?;
    let after = super::revoke(change.tx(), id, clock::now()).await?;
    change
        .event("api_keys", "api_key.revoked", &object, &Seen::of(&after))
        .await?;
    change
        .finish(
            "api_key.revoke",
            &object,
            Some(&Seen::of(&before)),
            Some(&Seen::of(&after)),
        )
        .await
}

/// A key changes once in its life.
pub fn version(key: &ApiKeyRow) -> i64 {
    match key.revoked_at {
        None => 1,
        Some(_) => 2,
    }
}

/// What audit and events show of a key.
#[derive(Serialize)]
struct Seen<'a> {
    key_id: &'a str,
    name: &'a str,
    scope: Scope,
    reach: Reach,
    bearer: bool,
    allowed_from: &'a [IpNet],
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

impl<'a> Seen<'a> {
    fn of(key: &'a ApiKeyRow) -> Self {
        Self {
            key_id: &key.key_id,
            name: &key.name,
            scope: key.scope,
            reach: key.reach(),
            bearer: key.has_bearer,
            allowed_from: &key.allowed_from,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}

impl From<ApiKeyError> for FleetError {
    fn from(err: ApiKeyError) -> Self {
        let text = err.to_string();
        match err {
            ApiKeyError::Name => Refusal::invalid("invalid_name", text).into(),
            ApiKeyError::BearerWrites => Refusal::invalid("bearer_writes", text).into(),
            ApiKeyError::LimitedAdmin => Refusal::invalid("limited_admin", text).into(),
            ApiKeyError::UnknownReach => Refusal::invalid("unknown_reach", text).into(),
            ApiKeyError::Expired => Refusal::invalid("expired", text).into(),
            ApiKeyError::Unknown(id) => Refusal::missing("API key", id).into(),
            ApiKeyError::Database(err) => err.into(),
        }
    }
}

fn object(id: ApiKeyId) -> String {
    format!("api_key/{id}")
}
