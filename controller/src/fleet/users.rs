//! People: made, changed, removed. Somebody who can make admins always remains.
//!
//! The caller owns the transaction, and writes in it who asked for the change, as [`audited`] does. Passwords
//! come hashed, because hashing takes longer than a transaction should.

use chrono::{DateTime, Utc};
use sqlx::PgTransaction;

use crate::db::users::{self, InsertError, UserRow};
use crate::db::{sessions, sign_in_steps, violated};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::reach::{self, LimitedAdmin, Reach};
use crate::domain::role::Role;
use crate::domain::user::{Email, LastAdmin, UserName, check_admins};

pub mod audited;
mod hashing;
pub mod own;
pub mod recover;

pub use hashing::{Hasher, HashingError, PasswordHash};

#[derive(Debug)]
pub struct NewUser {
    pub name: UserName,
    pub email: Option<Email>,
    pub role: Role,
    pub reach: Reach,
    /// Nobody without one can sign in with a password.
    pub password: Option<PasswordHash>,
}

/// What is to become of a user; `None` leaves things as they are.
#[derive(Debug, Default)]
pub struct Change {
    pub email: Option<Option<Email>>,
    pub role: Option<Role>,
    pub reach: Option<Reach>,
    pub enabled: Option<bool>,
    pub password: Option<PasswordHash>,
    /// The one session that outlives a new password: of whoever chooses it.
    pub keeps: Option<SessionId>,
    /// The version that the change was made from. Without one the last change wins.
    pub base_version: Option<i64>,
}

#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("a user with this name exists")]
    NameTaken,
    #[error("user {0} is not known")]
    Unknown(UserId),
    #[error("user {id} has changed since: the version is {current}")]
    Changed { id: UserId, current: i64 },
    #[error(transparent)]
    LastAdmin(#[from] LastAdmin),
    #[error(transparent)]
    LimitedAdmin(#[from] LimitedAdmin),
    #[error("the pool or network that a role is limited to is not known")]
    UnknownReach,
    #[error("cannot read or write the users")]
    Database(#[from] sqlx::Error),
}

/// A user before and after a change.
#[derive(Debug)]
pub struct Changed {
    pub before: UserRow,
    pub after: UserRow,
}

pub async fn create(db: &mut PgTransaction<'_>, new: &NewUser) -> Result<UserRow, UserError> {
    reach::check(new.role, new.reach)?;
    let email = new.email.as_ref().map(Email::as_str);
    let password = new.password.as_ref().map(PasswordHash::as_str);
    users::insert(
        &mut **db,
        new.name.as_str(),
        email,
        (new.role, new.reach),
        password,
    )
    .await
    .map_err(|err| match err {
        InsertError::NameTaken => UserError::NameTaken,
        InsertError::Database(err) => refused(err),
    })
}

pub async fn change(
    db: &mut PgTransaction<'_>,
    id: UserId,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<Changed, UserError> {
    let admins = users::lock_admins(db).await?;
    let before = users::lock(db, &admins, id).await?;
    let before = before.ok_or(UserError::Unknown(id))?;
    check_version(&before, change.base_version)?;
    let mut wanted = before.clone();
    if let Some(email) = &change.email {
        wanted.email = email.as_ref().map(|email| email.as_str().to_owned());
    }
    wanted.role = change.role.unwrap_or(before.role);
    if let Some(reach) = change.reach {
        wanted.set_reach(reach);
    } else if wanted.role == Role::Admin {
        wanted.set_reach(Reach::All);
    }
    reach::check(wanted.role, wanted.reach())?;
    wanted.enabled = change.enabled.unwrap_or(before.enabled);
    check_admins(&admins.enabled, id, Some((wanted.role, wanted.enabled)))?;
    let password = change.password.as_ref().map(PasswordHash::as_str);
    let after = users::update(db, &admins, &wanted, password, now)
        .await
        .map_err(refused)?;
    if password.is_some() || !wanted.enabled {
        // Whoever came in with what was good before is out, and does not come back when the user is enabled again.
        sessions::delete_all(&mut **db, id, change.keeps).await?;
        sign_in_steps::delete_of_user(&mut **db, id).await?;
    }
    Ok(Changed { before, after })
}

/// Removes a user and returns who it was.
pub async fn delete(
    db: &mut PgTransaction<'_>,
    id: UserId,
    base_version: Option<i64>,
) -> Result<UserRow, UserError> {
    let admins = users::lock_admins(db).await?;
    let user = users::lock(db, &admins, id).await?;
    let user = user.ok_or(UserError::Unknown(id))?;
    check_version(&user, base_version)?;
    check_admins(&admins.enabled, id, None)?;
    users::delete(db, &admins, id).await?;
    Ok(user)
}

fn refused(err: sqlx::Error) -> UserError {
    match violated(&err) {
        Some("users_reach_pool" | "users_reach_network") => UserError::UnknownReach,
        _ => UserError::Database(err),
    }
}

fn check_version(user: &UserRow, base: Option<i64>) -> Result<(), UserError> {
    match base {
        Some(base) if base != user.version => Err(UserError::Changed {
            id: user.id,
            current: user.version,
        }),
        _ => Ok(()),
    }
}
