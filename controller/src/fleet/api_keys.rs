//! API keys: made, and revoked. What is secret of a key is shown once, when it is made.
//!
//! The caller owns the transaction, and writes in it who asked for the change, as [`audited`] does.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use protocol::signing::Secret;
use sqlx::{PgPool, PgTransaction};

use crate::db::api_keys::{self, ApiKeyRow, NewRow};
use crate::db::violated;
use crate::domain::api_key::{BearerToken, key_id};
use crate::domain::ids::ApiKeyId;
use crate::domain::reach::Reach;
use crate::domain::role::Scope;
use crate::keyring::{Column, Keyring, Place};
use crate::random;

pub mod audited;

/// How long the note of a key's last use may be behind, so that reading does not mean writing.
const NOTED_EVERY: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

#[derive(Debug)]
pub struct NewApiKey {
    pub name: String,
    pub scope: Scope,
    pub reach: Reach,
    /// Whether a token that needs no signing goes with it; for scope read alone.
    pub bearer: bool,
    /// Empty: from anywhere.
    pub allowed_from: Vec<IpNet>,
    pub expires_at: Option<DateTime<Utc>>,
    pub created_by: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    #[error("the name of a key has 1 to 100 characters and no control characters")]
    Name,
    #[error("only a key of scope read may have a bearer token")]
    BearerWrites,
    #[error("the key would have expired already")]
    Expired,
    #[error("a key of scope admin reaches everything")]
    LimitedAdmin,
    #[error("the pool or network that a key is limited to is not known")]
    UnknownReach,
    #[error("API key {0} is not known")]
    Unknown(ApiKeyId),
    #[error("cannot read or write the API keys")]
    Database(#[from] sqlx::Error),
}

/// A key at the only moment at which its secrets are known to anybody.
#[derive(Debug)]
pub struct Created {
    pub key: ApiKeyRow,
    pub secret: Secret,
    pub bearer: Option<BearerToken>,
}

pub async fn create(
    db: &mut PgTransaction<'_>,
    keyring: &Keyring,
    new: &NewApiKey,
    now: DateTime<Utc>,
) -> Result<Created, ApiKeyError> {
    check(new, now)?;
    let key_id = key_id(random::bytes());
    let secret = fresh_secret();
    let sealed = keyring.seal(&place(&key_id), secret.reveal().as_bytes());
    let bearer = new
        .bearer
        .then(|| BearerToken::from_random(random::bytes()));
    let bearer_hash = bearer.as_ref().map(BearerToken::hash);
    let row = NewRow {
        key_id: &key_id,
        name: &new.name,
        scope: new.scope,
        reach: new.reach,
        sealed: &sealed.bytes,
        data_key_id: sealed.data_key_id,
        bearer_hash: bearer_hash.as_ref().map(<[u8; 32]>::as_slice),
        allowed_from: &new.allowed_from,
        expires_at: new.expires_at,
        created_by: &new.created_by,
    };
    let key = api_keys::insert(&mut **db, &row).await.map_err(refused)?;
    Ok(Created {
        key,
        secret,
        bearer,
    })
}

/// Ends a key from the next request on. Revoking it again changes nothing.
pub async fn revoke(
    db: &mut PgTransaction<'_>,
    id: ApiKeyId,
    now: DateTime<Utc>,
) -> Result<ApiKeyRow, ApiKeyError> {
    let revoked = api_keys::revoke(&mut **db, id, now).await?;
    revoked.ok_or(ApiKeyError::Unknown(id))
}

/// Notes that a key was used, at most once a minute.
pub(crate) async fn note_use(
    pool: &PgPool,
    id: ApiKeyId,
    last_noted: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let unless_since = now - NOTED_EVERY;
    if last_noted.is_some_and(|noted| noted > unless_since) {
        return Ok(());
    }
    api_keys::touch(pool, id, now, unless_since).await
}

/// Where the secret of a key is sealed.
pub(crate) fn place(key_id: &str) -> Place {
    Place::new(Column::ApiKey, key_id)
}

fn refused(err: sqlx::Error) -> ApiKeyError {
    match violated(&err) {
        Some("api_keys_reach_pool" | "api_keys_reach_network") => ApiKeyError::UnknownReach,
        _ => ApiKeyError::Database(err),
    }
}

fn check(new: &NewApiKey, now: DateTime<Utc>) -> Result<(), ApiKeyError> {
    let length = new.name.chars().count();
    if !(1..=100).contains(&length) || new.name.chars().any(char::is_control) {
        return Err(ApiKeyError::Name);
    }
    if new.bearer && new.scope != Scope::Read {
        return Err(ApiKeyError::BearerWrites);
    }
    if new.scope == Scope::Admin && new.reach != Reach::All {
        return Err(ApiKeyError::LimitedAdmin);
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(ApiKeyError::Expired);
    }
    Ok(())
}

fn fresh_secret() -> Secret {
    let digits = zeroize::Zeroizing::new(hex::encode(random::bytes::<32>()));
    Secret::parse(&digits)
        .expect("32 random bytes as good as never have fewer than 8 different digits")
}
