//! Signing in: a password, and where somebody has an authenticator a code besides.
//!
//! Every attempt is counted before anything is hashed ([`limits`]), answered in the same words and the same time
//! whether there is such a user or not, and written down. Passkeys and identity providers have doors of their own
//! ([`passkeys`], [`oidc`]); all of them end with a session.

mod denied;
pub mod limits;
pub mod oidc;
pub mod passkeys;
mod vouchers;

use zeroize::Zeroizing;

use super::audit;
use super::sessions::{self, Begun, Visitor};
use super::{Fleet, Refusal};
use crate::clock;
use crate::db::second_factors;
use crate::db::sign_in_steps::{self as steps, Kind, Step};
use crate::db::users::{self, SignIn};
use crate::domain::actor::{Actor, ActorKind};
use crate::domain::audit::Outcome;
use crate::domain::ids::UserId;
use crate::domain::recovery_code::RecoveryCode;
use crate::domain::role::Role;
use crate::domain::session::{LocalLogin, Method};
use crate::domain::throttle::Rules;
use crate::domain::user::UserName;
use crate::fleet::factors;
pub use denied::{Denied, Result, SignInError};
use limits::{Ticket, admit, refund};
pub use vouchers::{Door, DoorError};

#[derive(Debug, Clone)]
pub struct Settings {
    pub password: LocalLogin,
    pub rules: Rules,
    pub captcha_ttl: chrono::TimeDelta,
    pub captcha_cost: u32,
    /// How long a sign-in that was begun may take.
    pub step_ttl: chrono::TimeDelta,
    pub setup_link_ttl: chrono::TimeDelta,
}

/// What somebody typed.
pub struct Attempt<'a> {
    pub name: &'a str,
    pub password: Zeroizing<String>,
    /// A proof of work, as the browser's widget writes it.
    pub captcha: Option<&'a str>,
}

/// How far a password leads.
#[derive(Debug)]
pub enum Passed {
    In(Begun),
    /// A code of the authenticator is asked for, of the same browser.
    SecondStep,
}

/// Tries a password.
pub async fn with_password(
    fleet: &Fleet,
    visitor: &Visitor<'_>,
    attempt: Attempt<'_>,
) -> Result<Passed> {
    let settings = &fleet.settings.sign_in;
    if settings.password == LocalLogin::Off {
        return Err(Denied::PasswordOff.into());
    }
    // What is no name is nobody's, and takes the same way.
    let name =
        UserName::parse(attempt.name).map_or_else(|_| String::new(), |name| name.to_string());
    let ticket = admit(fleet, visitor, &name, limits::Proof::of(attempt.captcha)).await?;
    let user = users::sign_in(&fleet.pool, &name).await?;
    let stored = user.as_ref().and_then(|user| user.password_hash.clone());
    let is_right = fleet.hasher.verify(stored, attempt.password).await?;
    let Some(user) = user.filter(|user| is_right && user.enabled) else {
        refuse(fleet, visitor, &name, Denied::Wrong).await?;
        return Err(Denied::Wrong.into());
    };
    if settings.password == LocalLogin::AdminOnly && user.role != Role::Admin {
        refuse(fleet, visitor, &name, Denied::PasswordOff).await?;
        return Err(Denied::PasswordOff.into());
    }
    go_on(fleet, visitor, &user, ticket).await
}

/// Somebody who knows the password comes in, or is asked for more.
async fn go_on(
    fleet: &Fleet,
    visitor: &Visitor<'_>,
    user: &SignIn,
    ticket: Ticket,
) -> Result<Passed> {
    let now = clock::now();
    let mut tx = fleet.pool.begin().await?;
    refund(&mut tx, fleet, ticket).await?;
    if second_factors::has_totp(&mut *tx, user.id).await? {
        let step = Step {
            user: Some(user.id),
            state: None,
        };
        let expires_at = now + fleet.settings.sign_in.step_ttl;
        steps::put(
            &mut *tx,
            &visitor.browser,
            Kind::SecondStep,
            &step,
            expires_at,
        )
        .await?;
        tx.commit().await?;
        return Ok(Passed::SecondStep);
    }
    let begun = come_in(&mut tx, visitor, user.id, &user.name, Method::Password).await?;
    tx.commit().await?;
    Ok(Passed::In(begun))
}

/// Whether this browser got past the password and is asked for a code.
pub async fn awaits_code(fleet: &Fleet, visitor: &Visitor<'_>) -> Result<bool> {
    let step = steps::find(
        &fleet.pool,
        &visitor.browser,
        Kind::SecondStep,
        clock::now(),
    )
    .await?;
    Ok(step.is_some())
}

/// Tries a code after the password: of the authenticator, or one of those on paper.
pub async fn with_code(fleet: &Fleet, visitor: &Visitor<'_>, code: &str) -> Result<Begun> {
    let now = clock::now();
    let step = steps::find(&fleet.pool, &visitor.browser, Kind::SecondStep, now).await?;
    let id = step.and_then(|step| step.user).ok_or(Denied::Expired)?;
    let user = users::find(&fleet.pool, id).await?;
    let user = user.filter(|user| user.enabled).ok_or(Denied::Expired)?;
    let ticket = admit(fleet, visitor, &user.name, limits::Proof::NotAsked).await?;
    let mut tx = fleet.pool.begin().await?;
    let method = match RecoveryCode::parse(code) {
        Some(code) => {
            let taken = second_factors::take_code(&mut *tx, id, &code.hash(), now).await?;
            taken.then_some(Method::RecoveryCode)
        }
        None => {
            let taken = factors::take_totp(&mut tx, fleet, id, code, now).await?;
            taken.then_some(Method::Totp)
        }
    };
    // Whoever takes the step is the only one: two right codes at once make one session.
    let step = steps::take(&mut *tx, &visitor.browser, Kind::SecondStep, now).await?;
    let Some(method) = method.filter(|_| step.is_some()) else {
        tx.rollback().await?;
        refuse(fleet, visitor, &user.name, Denied::WrongCode).await?;
        return Err(Denied::WrongCode.into());
    };
    refund(&mut tx, fleet, ticket).await?;
    let begun = come_in(&mut tx, visitor, id, &user.name, method).await?;
    tx.commit().await?;
    Ok(begun)
}

/// Proves again that whoever is signed in is who they were: before what cannot be taken back.
pub async fn confirm_password(
    fleet: &Fleet,
    visitor: &Visitor<'_>,
    user: UserId,
    password: Zeroizing<String>,
) -> Result<()> {
    let row = users::find(&fleet.pool, user).await?;
    let name = row.ok_or_else(|| Refusal::missing("user", user))?.name;
    let ticket = admit(fleet, visitor, &name, limits::Proof::NotAsked).await?;
    let stored = users::sign_in(&fleet.pool, &name).await?;
    let stored = stored.and_then(|user| user.password_hash);
    if !fleet.hasher.verify(stored, password).await? {
        refuse(fleet, visitor, &name, Denied::Wrong).await?;
        return Err(Denied::Wrong.into());
    }
    let mut tx = fleet.pool.begin().await?;
    refund(&mut tx, fleet, ticket).await?;
    Ok(tx.commit().await?)
}

/// The last of every way in: a session, and a row in the audit log, in the transaction that proved the person.
async fn come_in(
    tx: &mut sqlx::PgTransaction<'_>,
    visitor: &Visitor<'_>,
    user: UserId,
    name: &str,
    method: Method,
) -> Result<Begun> {
    let now = clock::now();
    let begun = sessions::begin(tx, visitor, user, method, now).await?;
    let actor = Actor {
        kind: ActorKind::User,
        name: name.to_owned(),
        ..nobody(visitor)
    };
    let after = sessions::seen(&begun, method, visitor);
    let object = format!("user/{user}");
    let entry = audit::done(&actor, "sign_in", &object, None::<&()>, Some(&after), now)?;
    audit::append(tx, &entry).await?;
    Ok(begun)
}

/// Writes down that somebody was not let in. A name that nobody has is not written: people type passwords there.
async fn refuse(fleet: &Fleet, visitor: &Visitor<'_>, name: &str, why: Denied) -> Result<()> {
    let user = users::sign_in(&fleet.pool, name).await?;
    let object = match user {
        Some(user) => format!("user/{}", user.id),
        None => "user/unknown".to_owned(),
    };
    note(fleet, visitor, &object, why).await
}

async fn note(fleet: &Fleet, visitor: &Visitor<'_>, object: &str, why: Denied) -> Result<()> {
    let actor = nobody(visitor);
    let entry = audit::not_done(
        &actor,
        "sign_in",
        object,
        Outcome::Refused,
        why.code(),
        clock::now(),
    );
    let mut tx = fleet.pool.begin().await?;
    audit::append(&mut tx, &entry).await?;
    Ok(tx.commit().await?)
}

fn nobody(visitor: &Visitor<'_>) -> Actor {
    Actor {
        kind: ActorKind::Nobody,
        name: "nobody".into(),
        ip: visitor.address,
        request_id: visitor.request_id.map(str::to_owned),
    }
}
