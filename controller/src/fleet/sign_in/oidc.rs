//! Signing in through an identity provider: authorization code, PKCE, state and nonce.
//!
//! What the provider says of somebody's groups is their role, anew at each sign-in and [again](recheck) while they are
//! signed in; whoever is in none that may come in loses the sessions they have. A local user is never taken for somebody
//! whom the provider calls the same.

mod provider;
pub mod recheck;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Denied, Result, SignInError, come_in, note};
use crate::clock;
use crate::db::oidc_identities as identities;
use crate::db::sign_in_steps::{self as steps, Kind, Step};
use crate::db::users::UserRow;
use crate::db::{sessions as session_rows, users as rows};
use crate::domain::actor::Actor;
use crate::domain::ids::UserId;
use crate::domain::oidc::{ClaimsError, Person};
use crate::domain::reach::Reach;
use crate::domain::session::Method;
use crate::domain::token::Token;
use crate::fleet::audit;
use crate::fleet::sessions::{Begun, Visitor};
use crate::fleet::users::{self, Change, NewUser, UserError};
use crate::fleet::{Fleet, FleetError};
use crate::random;
pub use provider::{Provider, ProviderError};

/// What is remembered of a visit to the provider.
#[derive(Serialize, Deserialize)]
struct Visit {
    state: String,
    nonce: String,
    verifier: String,
}

/// Begins a visit: the address that the browser is sent to.
pub async fn begin(fleet: &Fleet, visitor: &Visitor<'_>) -> Result<String> {
    let provider = provider(fleet)?;
    let [state, nonce, verifier] =
        [(), (), ()].map(|()| Token::from_random(random::bytes()).reveal().to_string());
    let visit = Visit {
        state,
        nonce,
        verifier,
    };
    let url = provider.authorize(&visit.state, &visit.nonce, &visit.verifier);
    let url = url.await.map_err(away)?;
    let step = Step {
        user: None,
        state: Some(serde_json::to_value(&visit)?),
    };
    let expires_at = clock::now() + fleet.settings.sign_in.step_ttl;
    steps::put(&fleet.pool, &visitor.browser, Kind::Oidc, &step, expires_at).await?;
    Ok(url)
}

/// Ends a visit, with what the provider sent the browser back with.
pub async fn finish(
    fleet: &Fleet,
    visitor: &Visitor<'_>,
    code: &str,
    state: &str,
) -> Result<Begun> {
    let provider = provider(fleet)?;
    let step = steps::take(&fleet.pool, &visitor.browser, Kind::Oidc, clock::now()).await?;
    let visit = step
        .and_then(|step| step.state)
        .ok_or(Denied::ForeignState)?;
    let visit: Visit = serde_json::from_value(visit)?;
    if visit.state != state {
        return Err(Denied::ForeignState.into());
    }
    let word = match provider.by_code(code, &visit.verifier).await {
        Ok(word) => word,
        Err(err) if err.is_refusal() => return not_vouched(fleet, visitor, &err).await,
        Err(err) => return Err(away(err)),
    };
    let claims = word.claims.ok_or_else(|| away(ProviderError::Answer))?;
    match provider.judge(&claims, Some(&visit.nonce)) {
        Ok(person) => {
            let again = word.refresh_token.as_ref();
            let_in(fleet, visitor, provider, &person, again).await
        }
        Err(err) => {
            if err == ClaimsError::Group {
                end_sessions(fleet, provider.issuer(), &claims.sub).await?;
            }
            not_vouched(fleet, visitor, &err).await
        }
    }
}

async fn let_in(
    fleet: &Fleet,
    visitor: &Visitor<'_>,
    provider: &Provider,
    person: &Person,
    refresh_token: Option<&Zeroizing<String>>,
) -> Result<Begun> {
    let (now, issuer) = (clock::now(), provider.issuer());
    let mut tx = fleet.pool.begin().await?;
    let known = identities::sign_in(&mut *tx, issuer, &person.subject, now).await?;
    let user = match known {
        Some(id) => renewed(&mut tx, id, person).await,
        None => made(&mut tx, issuer, person)
            .await
            .map(|user| (user, Some("user.create"))),
    };
    let denied = match user {
        Ok((user, changed)) if user.enabled => {
            if let Some(action) = changed {
                write_down(&mut tx, visitor, action, &user).await?;
            }
            let begun = come_in(&mut tx, visitor, user.id, &user.name, Method::Oidc).await?;
            if let Some(token) = refresh_token {
                let session = (begun.id, begun.user);
                recheck::remember(&mut tx, fleet, provider, session, &person.subject, token)
                    .await?;
            }
            tx.commit().await?;
            return Ok(begun);
        }
        Ok(_) | Err(UserError::LastAdmin(_)) => Denied::NotVouched,
        Err(UserError::NameTaken) => Denied::NameTaken,
        Err(err) => return Err(FleetError::from(err).into()),
    };
    tx.rollback().await?;
    note(fleet, visitor, "user/unknown", denied).await?;
    Err(denied.into())
}

/// What the provider's word made of a user; the provider is nobody here, and acts through the controller.
async fn write_down(
    tx: &mut sqlx::PgTransaction<'_>,
    visitor: &Visitor<'_>,
    action: &str,
    user: &UserRow,
) -> Result<()> {
    let actor = Actor {
        ip: visitor.address,
        request_id: visitor.request_id.map(str::to_owned),
        ..Actor::controller()
    };
    let object = format!("user/{}", user.id);
    let after = users::audited::seen(user, false);
    let entry = audit::done(
        &actor,
        action,
        &object,
        None::<&()>,
        Some(&after),
        clock::now(),
    )?;
    Ok(audit::append(tx, &entry).await?)
}

/// Somebody who was here before, with the role that they have by now, and whether that is another one.
async fn renewed(
    tx: &mut sqlx::PgTransaction<'_>,
    id: UserId,
    person: &Person,
) -> std::result::Result<(UserRow, Option<&'static str>), UserError> {
    let row = rows::find(&mut **tx, id).await?;
    let row = row.ok_or(UserError::Unknown(id))?;
    let email = person.email.as_ref().map(|email| email.as_str());
    if row.role == person.role && row.email.as_deref() == email {
        return Ok((row, None));
    }
    let wanted = Change {
        role: Some(person.role),
        email: Some(person.email.clone()),
        ..Change::default()
    };
    let changed = users::change(tx, id, &wanted, clock::now()).await?;
    Ok((changed.after, Some("user.change")))
}

async fn made(
    tx: &mut sqlx::PgTransaction<'_>,
    issuer: &str,
    person: &Person,
) -> std::result::Result<UserRow, UserError> {
    let new = NewUser {
        name: person.name.clone(),
        email: person.email.clone(),
        role: person.role,
        reach: Reach::All,
        password: None,
    };
    let user = users::create(tx, &new).await?;
    let now = clock::now();
    identities::insert(&mut **tx, issuer, &person.subject, user.id, now).await?;
    Ok(user)
}

/// Somebody whom the provider has taken out of every group that may come in is out here too.
async fn end_sessions(fleet: &Fleet, issuer: &str, subject: &str) -> Result<()> {
    let mut tx = fleet.pool.begin().await?;
    let known = identities::sign_in(&mut *tx, issuer, subject, clock::now()).await?;
    if let Some(user) = known {
        session_rows::delete_all(&mut *tx, user, None).await?;
    }
    Ok(tx.commit().await?)
}

async fn not_vouched<T>(
    fleet: &Fleet,
    visitor: &Visitor<'_>,
    why: &(dyn std::error::Error + 'static),
) -> Result<T> {
    tracing::warn!(error = why, "an identity provider's word was not taken");
    note(fleet, visitor, "user/unknown", Denied::NotVouched).await?;
    Err(Denied::NotVouched.into())
}

fn away(err: ProviderError) -> SignInError {
    tracing::warn!(
        error = &err as &dyn std::error::Error,
        "the identity provider cannot be asked"
    );
    Denied::ProviderAway.into()
}

fn provider(fleet: &Fleet) -> Result<&Provider> {
    Ok(fleet.door.provider.as_ref().ok_or(Denied::NotConfigured)?)
}
