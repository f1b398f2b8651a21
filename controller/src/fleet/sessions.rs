//! Sessions: begun by whoever proved who they are, looked up with each request, ended one by one or all together.
//!
//! The token is in the browser's cookie and nowhere else. A sign-in always gets a new one, and the session that the
//! browser had before ends: a token from before the sign-in is never worth more afterwards.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use serde::Serialize;
use sqlx::PgTransaction;

use super::change::{Call, Change, NOTHING};
use super::{Fleet, Refusal, Result};
use crate::db::oidc_sessions;
use crate::db::sessions::{self, NewSession, SessionRow, SignedInRow};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::{Lifetimes, Method};
use crate::domain::token::{Token, TokenHash};
use crate::{clock, random};

/// What is kept of the name that a browser gives itself.
const MOST_AGENT_CHARACTERS: usize = 200;

/// How long sessions last, and how exactly that is noted.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub lifetimes: Lifetimes,
    pub note_every: TimeDelta,
}

/// Who is at the door, as far as a request tells.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// The cookie that a browser has before anybody signs in with it.
    pub browser: TokenHash,
    /// The session that it has already, whose place a new one takes.
    pub session: Option<TokenHash>,
    pub address: Option<IpAddr>,
    pub user_agent: Option<&'a str>,
    pub request_id: Option<&'a str>,
}

/// A session at the only moment at which its token is known here.
#[derive(Debug)]
pub struct Begun {
    pub id: SessionId,
    pub user: UserId,
    /// For the cookie.
    pub token: Token,
}

/// What makes a browser ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    BySomebody,
    /// The page that is open, to keep itself fresh: nobody need be there.
    ByItself,
}

/// What the audit log shows of a session.
#[derive(Serialize)]
struct Seen<'a> {
    session: SessionId,
    method: Method,
    user_agent: Option<&'a str>,
}

/// Begins a session in the caller's transaction, which also says who came in and how.
pub(super) async fn begin(
    db: &mut PgTransaction<'_>,
    visitor: &Visitor<'_>,
    user: UserId,
    method: Method,
    now: DateTime<Utc>,
) -> Result<Begun> {
    let begun = add(db, visitor, user, method, now).await?;
    leave(db, visitor).await?;
    Ok(begun)
}

/// Ends the session that the browser had before.
async fn leave(db: &mut PgTransaction<'_>, visitor: &Visitor<'_>) -> Result<()> {
    if let Some(before) = &visitor.session {
        sessions::delete_token(&mut **db, before).await?;
    }
    Ok(())
}

async fn add(
    db: &mut PgTransaction<'_>,
    visitor: &Visitor<'_>,
    user: UserId,
    method: Method,
    now: DateTime<Utc>,
) -> Result<Begun> {
    let token = Token::from_random(random::bytes());
    let user_agent = visitor.user_agent.map(shortened);
    let new = NewSession {
        token_hash: token.hash(),
        user,
        method,
        user_agent: user_agent.as_deref(),
        address: visitor.address.map(IpNet::from),
    };
    let id = sessions::insert(&mut **db, &new, now).await?;
    Ok(Begun { id, user, token })
}

/// Whom a token belongs to, and that they are there: `None` for a session that is over or a user who is disabled.
///
/// What a page asks by itself keeps no session alive. It is the browser that says so, and whoever lies about it shortens
/// their own session; but a session that is used from elsewhere is noted as such in any case.
pub async fn find(
    fleet: &Fleet,
    token: &Token,
    address: Option<IpAddr>,
    asked: Asked,
) -> Result<Option<SignedInRow>> {
    let now = clock::now();
    let settings = &fleet.settings.sessions;
    let found = sessions::find(&fleet.pool, &token.hash()).await?;
    let alive = |row: &SignedInRow| {
        let times = (row.created_at, row.last_seen_at);
        row.enabled && settings.lifetimes.is_alive(times.0, times.1, now)
    };
    let Some(row) = found.filter(alive) else {
        return Ok(None);
    };
    let unless_since = now - settings.note_every;
    let address = address.map(IpNet::from);
    let counts = asked == Asked::BySomebody || row.address != address;
    if counts && row.last_seen_at <= unless_since {
        sessions::touch(&fleet.pool, row.id, address, now, unless_since).await?;
    }
    Ok(Some(row))
}

/// Whether a session is still there: for what lasts longer than a request. Says nothing of its user's rights.
pub async fn is_alive(fleet: &Fleet, token: &TokenHash) -> Result<bool> {
    let now = clock::now();
    let found = sessions::find(&fleet.pool, token).await?;
    Ok(found.is_some_and(|row| {
        let lifetimes = &fleet.settings.sessions.lifetimes;
        row.enabled && lifetimes.is_alive(row.created_at, row.last_seen_at, now)
    }))
}

/// The devices on which somebody is signed in, those used last first.
pub async fn list(fleet: &Fleet, user: UserId) -> Result<Vec<SessionRow>> {
    let now = clock::now();
    let lifetimes = &fleet.settings.sessions.lifetimes;
    let mut rows = sessions::list(&fleet.pool, user).await?;
    rows.retain(|row| lifetimes.is_alive(row.created_at, row.last_seen_at, now));
    Ok(rows)
}

/// Ends one session of a user, one's own or another's.
pub async fn end(fleet: &Fleet, call: &Call, user: UserId, id: SessionId) -> Result<()> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    if !sessions::delete(change.db(), user, id).await? {
        return Err(Refusal::missing("session", id).into());
    }
    let object = format!("user/{user}");
    change
        .finish("session.end", &object, Some(&id), NOTHING)
        .await
}

/// Ends all sessions of a user but one, and tells how many there were.
pub async fn end_all(
    fleet: &Fleet,
    call: &Call,
    user: UserId,
    but: Option<SessionId>,
) -> Result<u64> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let ended = sessions::delete_all(change.db(), user, but).await?;
    let object = format!("user/{user}");
    change
        .finish("session.end_all", &object, Some(&ended), NOTHING)
        .await?;
    Ok(ended)
}

/// Gives a session a new token, for when its owner has just proved again who they are.
pub async fn rotate(fleet: &Fleet, visitor: &Visitor<'_>, row: &SignedInRow) -> Result<Begun> {
    let mut tx = fleet.pool.begin().await?;
    let begun = add(&mut tx, visitor, row.user, row.method, clock::now()).await?;
    oidc_sessions::hand_over(&mut *tx, row.id, begun.id).await?;
    leave(&mut tx, visitor).await?;
    tx.commit().await?;
    Ok(begun)
}

/// Forgets sessions that are over.
pub(super) async fn prune(fleet: &Fleet, now: DateTime<Utc>) -> Result<()> {
    let Lifetimes { idle, absolute } = fleet.settings.sessions.lifetimes;
    Ok(sessions::prune(&fleet.pool, now - idle, now - absolute).await?)
}

/// What is written down of a session that begins.
pub(super) fn seen<'a>(
    begun: &Begun,
    method: Method,
    visitor: &Visitor<'a>,
) -> impl Serialize + use<'a> {
    Seen {
        session: begun.id,
        method,
        user_agent: visitor.user_agent,
    }
}

fn shortened(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control());
    plain.take(MOST_AGENT_CHARACTERS).collect()
}
