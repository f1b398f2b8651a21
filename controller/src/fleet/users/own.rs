//! What people change of themselves: how they want to see things, and their own password.

use zeroize::Zeroizing;

use super::audited;
use super::{Change as Wanted, PasswordHash};
use crate::db::sessions::SignedInRow;
use crate::db::users;
use crate::domain::ids::UserId;
use crate::domain::profile::Profile;
use crate::fleet::change::{Call, Change, NOTHING};
use crate::fleet::sessions::{self, Begun, Visitor};
use crate::fleet::sign_in::{self, SignInError};
use crate::fleet::{Fleet, Refusal, Result};

pub async fn set_profile(
    fleet: &Fleet,
    call: &Call,
    user: UserId,
    profile: &Profile,
) -> Result<()> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    if !users::set_profile(change.db(), user, profile).await? {
        let text = format!("no time zone is called {}", profile.time_zone.as_str());
        return Err(Refusal::invalid("unknown_time_zone", text).into());
    }
    let object = format!("user/{user}");
    change
        .finish("profile.change", &object, NOTHING, Some(profile))
        .await
}

/// Changes one's own password, having proved the old one. All other sessions end; this one gets a new token.
pub async fn change_password(
    fleet: &Fleet,
    call: &Call,
    visitor: &Visitor<'_>,
    session: &SignedInRow,
    old: Zeroizing<String>,
    new: PasswordHash,
) -> Result<Begun, SignInError> {
    sign_in::confirm_password(fleet, visitor, session.user, old).await?;
    let wanted = Wanted {
        password: Some(new),
        keeps: Some(session.id),
        ..Wanted::default()
    };
    audited::change(&fleet.pool, call, session.user, wanted).await?;
    Ok(sessions::rotate(fleet, visitor, session).await?)
}
