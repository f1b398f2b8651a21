//! The changes to people with everything that belongs to them: an audit row, an event, `If-Match`, dry runs.
//!
//! Neither audit nor events hold a password. Events hold no address either: more people read them.

use serde::Serialize;
use sqlx::PgPool;

use super::{Change as Wanted, NewUser, UserError};
use crate::clock;
use crate::db::users::UserRow;
use crate::domain::ids::UserId;
use crate::domain::reach::Reach;
use crate::domain::role::Role;
use crate::fleet::change::{Call, Change, NOTHING};
use crate::fleet::{FleetError, Kind, Refusal, Result};

pub async fn create(pool: &PgPool, call: &Call, new: &NewUser) -> Result<UserRow> {
    let mut change = Change::begin(pool, call).await?;
    let user = super::create(change.tx(), new).await?;
    let object = object(user.id);
    change
        .event("users", "user.created", &object, &Shown::of(&user))
        .await?;
    let after = Seen::of(&user, new.password.is_some());
    change
        .finish("user.create", &object, NOTHING, Some(&after))
        .await?;
    Ok(user)
}

pub async fn change(pool: &PgPool, call: &Call, id: UserId, wanted: Wanted) -> Result<UserRow> {
    let wanted = Wanted {
        base_version: call.if_match,
        ..wanted
    };
    let mut change = Change::begin(pool, call).await?;
    let changed = super::change(change.tx(), id, &wanted, clock::now()).await?;
    let object = object(id);
    change
        .event("users", "user.changed", &object, &Shown::of(&changed.after))
        .await?;
    let before = Seen::of(&changed.before, false);
    let after = Seen::of(&changed.after, wanted.password.is_some());
    change
        .finish("user.change", &object, Some(&before), Some(&after))
        .await?;
    Ok(changed.after)
}

pub async fn delete(pool: &PgPool, call: &Call, id: UserId) -> Result<()> {
    let mut change = Change::begin(pool, call).await?;
    let user = super::delete(change.tx(), id, call.if_match).await?;
    let object = object(id);
    change
        .event("users", "user.deleted", &object, &Shown::of(&user))
        .await?;
    let before = Seen::of(&user, false);
    change
        .finish("user.delete", &object, Some(&before), NOTHING)
        .await
}

/// What events show of a user.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    role: Role,
    enabled: bool,
}

/// What the audit log shows of a user.
#[derive(Serialize)]
struct Seen<'a> {
    #[serde(flatten)]
    shown: Shown<'a>,
    email: Option<&'a str>,
    reach: Reach,
    has_password: bool,
    /// Whether this very change gave the user a password.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    password_set: bool,
}

impl<'a> Shown<'a> {
    fn of(user: &'a UserRow) -> Self {
        Self {
            name: &user.name,
            role: user.role,
            enabled: user.enabled,
        }
    }
}

impl<'a> Seen<'a> {
    fn of(user: &'a UserRow, password_set: bool) -> Self {
        Self {
            shown: Shown::of(user),
            email: user.email.as_deref(),
            reach: user.reach(),
            has_password: user.has_password,
            password_set,
        }
    }
}

/// For who makes users in a transaction of their own.
pub(in crate::fleet) fn seen(user: &UserRow, password_set: bool) -> impl Serialize {
    Seen::of(user, password_set)
}

impl From<UserError> for FleetError {
    fn from(err: UserError) -> Self {
        let text = err.to_string();
        match err {
            UserError::NameTaken => Refusal::conflict("name_taken", text).into(),
            UserError::Unknown(id) => Refusal::missing("user", id).into(),
            UserError::Changed { .. } => Refusal::new(Kind::Stale, "version_mismatch", text).into(),
            UserError::LastAdmin(_) => Refusal::conflict("last_admin", text).into(),
            UserError::LimitedAdmin(_) => Refusal::invalid("limited_admin", text).into(),
            UserError::UnknownReach => Refusal::invalid("unknown_reach", text).into(),
            UserError::Database(err) => err.into(),
        }
    }
}

fn object(id: UserId) -> String {
    format!("user/{id}")
}
