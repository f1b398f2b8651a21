//! The first administrator: made by whoever started the controller, with a link that it printed.
//!
//! There is no default password. The link is there only while no administrator is; another start replaces it; it is
//! good once, and for a while.

use sqlx::PgTransaction;

use super::audit;
use super::sessions::{self, Begun, Visitor};
use super::users::{self, NewUser, PasswordHash};
use super::{Fleet, Kind, Refusal, Result};
use crate::db::{setup_link, users as rows};
use crate::domain::actor::{Actor, ActorKind};
use crate::domain::reach::Reach;
use crate::domain::role::Role;
use crate::domain::session::Method;
use crate::domain::token::Token;
use crate::domain::user::{Email, UserName};
use crate::{clock, random};

/// What somebody chose who follows the link.
#[derive(Debug)]
pub struct First {
    pub name: UserName,
    pub email: Option<Email>,
    pub password: PasswordHash,
}

/// Makes a link, unless there is an administrator already.
pub async fn offer(fleet: &Fleet) -> Result<Option<Token>> {
    let mut tx = fleet.pool.begin().await?;
    if rows::any_admin(&mut *tx).await? {
        setup_link::delete(&mut *tx).await?;
        tx.commit().await?;
        return Ok(None);
    }
    let token = Token::from_random(random::bytes());
    let expires_at = clock::now() + fleet.settings.sign_in.setup_link_ttl;
    setup_link::replace(&mut *tx, &token.hash(), expires_at).await?;
    tx.commit().await?;
    Ok(Some(token))
}

/// Whether the link may be used still: to show a form, or what went wrong.
pub async fn is_open(fleet: &Fleet, token: &Token) -> Result<bool> {
    Ok(setup_link::is_open(&fleet.pool, &token.hash(), clock::now()).await?)
}

/// Makes the administrator and signs them in.
pub async fn complete(
    fleet: &Fleet,
    visitor: &Visitor<'_>,
    token: &Token,
    first: First,
) -> Result<Begun> {
    let now = clock::now();
    let mut tx = fleet.pool.begin().await?;
    // Whoever takes the link is the only one.
    let taken = setup_link::take(&mut *tx, &token.hash(), now).await?;
    if !taken || rows::any_admin(&mut *tx).await? {
        tx.rollback().await?;
        let text =
            "this link was used, has expired, or was replaced when the controller started again";
        return Err(Refusal::new(Kind::Forbidden, "setup_closed", text).into());
    }
    let new = NewUser {
        name: first.name,
        email: first.email,
        role: Role::Admin,
        reach: Reach::All,
        password: Some(first.password),
    };
    let user = users::create(&mut tx, &new).await?;
    let begun = sessions::begin(&mut tx, visitor, user.id, Method::Setup, now).await?;
    write_down(&mut tx, visitor, &user, &begun).await?;
    tx.commit().await?;
    Ok(begun)
}

async fn write_down(
    tx: &mut PgTransaction<'_>,
    visitor: &Visitor<'_>,
    user: &rows::UserRow,
    begun: &Begun,
) -> Result<()> {
    let actor = Actor {
        kind: ActorKind::User,
        name: user.name.clone(),
        ip: visitor.address,
        request_id: visitor.request_id.map(str::to_owned),
    };
    let object = format!("user/{}", user.id);
    let after = users::audited::seen(user, true);
    let now = clock::now();
    let made = audit::done(&actor, "setup", &object, None::<&()>, Some(&after), now)?;
    audit::append(&mut *tx, &made).await?;
    let after = sessions::seen(begun, Method::Setup, visitor);
    let came = audit::done(&actor, "sign_in", &object, None::<&()>, Some(&after), now)?;
    audit::append(&mut *tx, &came).await
}
