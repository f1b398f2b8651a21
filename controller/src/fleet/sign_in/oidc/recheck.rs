//! Asking the identity provider again, while people are signed in: who lost their groups loses the role with it.
//!
//! Each session that came with a refresh token is asked about once in the configured time, by one controller. The
//! provider's no ends the session. A provider that is away ends none: it is asked again the next time, and a session
//! never lasts longer than any other.

use std::error::Error;

use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{Provider, renewed};
use crate::clock;
use crate::db::oidc_sessions::{self, OidcSession};
use crate::db::sessions as session_rows;
use crate::domain::actor::Actor;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::oidc::{Claims, ClaimsError};
use crate::fleet::change::{Call, Change, NOTHING};
use crate::fleet::users::{UserError, audited};
use crate::fleet::{Fleet, FleetError, Result, Shared, sessions};
use crate::keyring::{Column, Place, Sealed};
use crate::metrics::Task;

/// Runs until it is stopped; at once where there is no provider.
pub async fn run(fleet: Shared, stop: CancellationToken) {
    let Some(provider) = &fleet.door.provider else {
        return;
    };
    let mut tick = tokio::time::interval(provider.recheck_every());
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        match round(&fleet, provider, &stop).await {
            Ok(()) => fleet.metrics.did_round(Task::Vouching, clock::now()),
            Err(err) => tracing::warn!(
                error = &err as &dyn Error,
                "sessions cannot be asked about and stay until they can"
            ),
        }
    }
}

async fn round(
    fleet: &Fleet,
    provider: &Provider,
    stop: &CancellationToken,
) -> std::result::Result<(), RecheckError> {
    while !stop.is_cancelled() {
        let now = clock::now();
        let next = now + provider.recheck_every() / 2;
        let due = oidc_sessions::claim(&fleet.pool, provider.issuer(), now, next).await;
        let Some(session) = due.map_err(FleetError::from)? else {
            break;
        };
        ask(fleet, provider, &session).await?;
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
enum RecheckError {
    #[error("the identity provider does not say whether it vouches for somebody")]
    Away(#[source] super::ProviderError),
    #[error(transparent)]
    Fault(#[from] FleetError),
}

async fn ask(
    fleet: &Fleet,
    provider: &Provider,
    session: &OidcSession,
) -> std::result::Result<(), RecheckError> {
    let opened =
        fleet
            .keyring
            .open_sealed(&place(session.user), &session.sealed, session.data_key_id);
    let token = opened.map_err(FleetError::from)?;
    let token =
        std::str::from_utf8(&token).map_err(|_| FleetError::Corrupt("oidc_sessions.sealed"))?;
    match provider.by_refresh(token).await {
        Ok(word) => {
            if let Some(token) = &word.refresh_token {
                let sealed = seal(fleet, session.user, token);
                let sealed = (&sealed.bytes[..], sealed.data_key_id);
                let kept = oidc_sessions::renew(&fleet.pool, session.session, sealed).await;
                kept.map_err(FleetError::from)?;
            }
            match &word.claims {
                Some(claims) => Ok(heed(fleet, provider, session, claims).await?),
                None => Ok(()),
            }
        }
        Err(err) if err.is_refusal() => Ok(end(fleet, session, &err).await?),
        Err(err) => Err(RecheckError::Away(err)),
    }
}

/// Makes of a user what the provider says by now.
async fn heed(
    fleet: &Fleet,
    provider: &Provider,
    session: &OidcSession,
    claims: &Claims,
) -> Result<()> {
    let person = match provider.judge(claims, None) {
        Ok(person) if person.subject == session.subject => person,
        Ok(_) => return end(fleet, session, &ClaimsError::Subject).await,
        Err(ClaimsError::Group) => {
            sessions::end_all(fleet, &controller(), session.user, None).await?;
            return Ok(());
        }
        Err(err) => return end(fleet, session, &err).await,
    };
    let call = controller();
    let mut change = Change::begin(&fleet.pool, &call).await?;
    match renewed(change.tx(), session.user, &person).await {
        Ok((_, None)) => Ok(()),
        Ok((user, Some(action))) => {
            let object = format!("user/{}", user.id);
            let after = audited::seen(&user, false);
            change.finish(action, &object, NOTHING, Some(&after)).await
        }
        Err(err @ UserError::LastAdmin(_)) => {
            drop(change);
            end(fleet, session, &err).await
        }
        // Deleted meanwhile, and the session with it.
        Err(UserError::Unknown(_)) => Ok(()),
        Err(err) => Err(err.into()),
    }
}

async fn end(
    fleet: &Fleet,
    session: &OidcSession,
    why: &(dyn Error + Send + Sync + 'static),
) -> Result<()> {
    tracing::info!(
        user = session.user.0,
        error = why as &dyn Error,
        "the identity provider does not vouch for somebody any more"
    );
    let call = controller();
    let mut change = Change::begin(&fleet.pool, &call).await?;
    let (user, id) = (session.user, session.session);
    if !session_rows::delete(change.db(), user, id).await? {
        return Ok(());
    }
    let object = format!("user/{user}");
    change
        .finish("session.end", &object, Some(&id), NOTHING)
        .await
}

/// Remembers what a session can be asked about with.
pub(super) async fn remember(
    db: &mut sqlx::PgTransaction<'_>,
    fleet: &Fleet,
    provider: &Provider,
    (session, user): (SessionId, UserId),
    subject: &str,
    token: &Zeroizing<String>,
) -> Result<()> {
    let sealed = seal(fleet, user, token);
    let due_at = clock::now() + provider.recheck_every() / 2;
    let whose = (provider.issuer(), subject);
    let sealed = (&sealed.bytes[..], sealed.data_key_id);
    Ok(oidc_sessions::put(&mut **db, session, whose, sealed, due_at).await?)
}

fn seal(fleet: &Fleet, user: UserId, token: &Zeroizing<String>) -> Sealed {
    fleet.keyring.seal(&place(user), token.as_bytes())
}

/// Of the user and not of the session: a session gets a new id when its owner changes their password.
fn place(user: UserId) -> Place {
    Place::new(Column::OidcRefreshToken, user)
}

/// The provider is nobody here, and acts through the controller.
fn controller() -> Call {
    Call::by(Actor::controller())
}
