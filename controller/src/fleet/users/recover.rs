//! Getting back in: a new password for somebody who lost everything that proves who they are.
//!
//! Password, second factors and sessions are reset together: whoever has one of the old ones has nothing any more.

use serde::Serialize;
use sqlx::PgPool;

use super::{Change as Wanted, PasswordHash};
use crate::clock;
use crate::db::users::{self, UserRow};
use crate::db::{passkeys, second_factors, sessions, sign_in_steps};
use crate::domain::user::UserName;
use crate::fleet::change::{Call, Change, NOTHING};
use crate::fleet::sign_in::limits;
use crate::fleet::{Refusal, Result};
use crate::keyring::Keyring;

/// What was taken away, for the audit log and for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recovered {
    pub sessions_ended: u64,
    pub totp_removed: bool,
    pub passkeys_removed: u64,
    pub enabled: bool,
}

pub async fn recover(
    pool: &PgPool,
    keyring: &Keyring,
    call: &Call,
    name: &UserName,
    password: PasswordHash,
) -> Result<(UserRow, Recovered)> {
    let mut change = Change::begin(pool, call).await?;
    let found = users::sign_in(change.db(), name.as_str()).await?;
    let id = found.ok_or_else(|| Refusal::missing("user", name))?.id;
    let sessions_ended = sessions::delete_all(change.db(), id, None).await?;
    let wanted = Wanted {
        password: Some(password),
        ..Wanted::default()
    };
    let changed = super::change(change.tx(), id, &wanted, clock::now()).await?;
    let recovered = Recovered {
        sessions_ended,
        totp_removed: second_factors::delete_totp(change.db(), id).await?,
        passkeys_removed: passkeys::delete_all(change.db(), id).await?,
        enabled: changed.after.enabled,
    };
    second_factors::delete_codes(change.db(), id).await?;
    sign_in_steps::delete_of_user(change.db(), id).await?;
    limits::forgive(change.tx(), keyring, name.as_str()).await?;
    let object = format!("user/{id}");
    change
        .finish("user.recover", &object, NOTHING, Some(&recovered))
        .await?;
    Ok((changed.after, recovered))
}
