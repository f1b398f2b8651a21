//! What happened, passed on to the pages that are open at this controller.
//!
//! One task reads new events, however many pages listen; each page gathers for itself. A page that comes back says what
//! it heard last and is told the rest from the rows, so nothing is missed while those are kept. The sessions behind the
//! pages are looked at together: what a session may not see any more ends with it.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::broadcast;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{Result, Shared};
use crate::clock;
use crate::db;
use crate::db::Span;
use crate::db::events::{Event, Filter};
use crate::domain::live::Happened;
use crate::domain::token::TokenHash;
use crate::metrics::Task;

/// What inserted events are announced on.
const CHANNEL: &str = "wgfleet_events";

/// How long to leave the database alone when it fails.
const PAUSE: Duration = Duration::from_secs(1);

/// Events that are read at once, and that a slow page may lag behind before it reads them itself.
const AT_ONCE: i64 = 500;
const LAG: usize = 1024;

#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How often a page without news hears that the connection stands.
    pub ping_every: Duration,
    /// How long news are gathered before they are told.
    pub gather: Duration,
    /// How often sessions with open pages are looked at.
    pub check_every: Duration,
    /// Open pages of one session.
    pub streams_per_session: usize,
}

/// Where pages hear what happened.
#[derive(Debug)]
pub struct Live {
    news: broadcast::Sender<Arc<Happened>>,
    seats: Arc<Mutex<HashMap<TokenHash, Seats>>>,
    /// How many places were ever taken: each has a number of its own.
    taken: AtomicU64,
}

/// The open pages of a session, the oldest first.
type Seats = VecDeque<(u64, CancellationToken)>;

/// The place of one open page; it is free again when this goes.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Mutex<HashMap<TokenHash, Seats>>>,
    session: TokenHash,
    number: u64,
    /// Cancelled when the session is over, or has too many younger pages.
    pub end: CancellationToken,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            news: broadcast::Sender::new(LAG),
            seats: Arc::default(),
            taken: AtomicU64::new(0),
        }
    }
}

impl Live {
    pub fn listen(&self) -> broadcast::Receiver<Arc<Happened>> {
        self.news.subscribe()
    }

    /// A place for one more page of a session. The oldest ones give up theirs if there are too many: a page that was
    /// left is often not known to be gone yet.
    pub fn sit_down(&self, session: TokenHash, most: usize) -> Seat {
        let mut all = locked(&self.seats);
        let seats = all.entry(session).or_default();
        while seats.len() >= most.max(1)
            && let Some((_, oldest)) = seats.pop_front()
        {
            oldest.cancel();
        }
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let end = CancellationToken::new();
        seats.push_back((number, end.clone()));
        Seat {
            seats: Arc::clone(&self.seats),
            session,
            number,
            end,
        }
    }

    fn sessions(&self) -> Vec<TokenHash> {
        locked(&self.seats).keys().copied().collect()
    }

    fn end(&self, session: &TokenHash) {
        let ended = locked(&self.seats).remove(session);
        for (_, end) in ended.into_iter().flatten() {
            end.cancel();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = locked(&self.seats);
        let Some(seats) = all.get_mut(&self.session) else {
            return;
        };
        seats.retain(|(number, _)| *number != self.number);
        if seats.is_empty() {
            all.remove(&self.session);
        }
    }
}

/// Places are whole, whoever panicked.
fn locked(seats: &Mutex<HashMap<TokenHash, Seats>>) -> MutexGuard<'_, HashMap<TokenHash, Seats>> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs until it is stopped; then open pages end.
pub async fn run(fleet: Shared, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let following = async {
            match follow(&fleet).await {
                Ok(never) => match never {},
                Err(err) => {
                    tracing::warn!(
                        error = &err as &dyn Error,
                        "open pages hear nothing for a moment"
                    );
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        stop.run_until_cancelled(following).await;
    }
    for session in fleet.live.sessions() {
        fleet.live.end(&session);
    }
}

async fn follow(fleet: &Shared) -> Result<Infallible> {
    let mut listener = PgListener::connect_with(&fleet.pool).await?;
    listener.listen(CHANNEL).await?;
    let mut last = db::events::newest(&fleet.pool).await?;
    let mut tick = tokio::time::interval(fleet.settings.live.check_every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            announced = listener.recv() => {
                announced?;
                while listener.next_buffered().is_some() {}
                last = pass_on(fleet, last).await?;
            }
            _ = tick.tick() => {
                last = pass_on(fleet, last).await?;
                check_sessions(fleet).await?;
                fleet.metrics.did_round(Task::Live, clock::now());
            }
        }
    }
}

/// Tells what came after an event, and returns the last one.
async fn pass_on(fleet: &Shared, mut last: i64) -> Result<i64> {
    if fleet.live.news.receiver_count() == 0 {
        return Ok(db::events::newest(&fleet.pool).await?.max(last));
    }
    loop {
        let events = since(fleet, last).await?;
        let is_full = i64::try_from(events.len()) == Ok(AT_ONCE);
        for event in events {
            last = event.id;
            // Nobody listens any more: then nobody misses it.
            if fleet.live.news.send(Arc::new(event)).is_err() {
                break;
            }
        }
        if !is_full {
            return Ok(last);
        }
    }
}

/// What happened after an event, at most so much as is read at once.
pub async fn since(fleet: &Shared, last: i64) -> Result<Vec<Happened>> {
    let span = Span {
        after: last,
        limit: AT_ONCE,
    };
    let events = db::events::list(&fleet.pool, &Filter::default(), span).await?;
    let happened = |event: Event| Happened {
        id: event.id.0,
        topic: event.topic,
        object: event.object,
    };
    Ok(events.into_iter().map(happened).collect())
}

async fn check_sessions(fleet: &Shared) -> Result<()> {
    let open = fleet.live.sessions();
    if open.is_empty() {
        return Ok(());
    }
    for session in open {
        if !super::sessions::is_alive(fleet, &session).await? {
            fleet.live.end(&session);
        }
    }
    Ok(())
}
