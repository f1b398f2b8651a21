//! `/events`: an open page hears which topics changed, and asks again for what it shows of them.
//!
//! Topics are told by name as often as the settings allow, with the objects that changed for those who may know of all.
//! A page that was away says by `Last-Event-ID` what it heard last.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{Bytes, Query};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, Interval, interval_at, sleep_until};

use super::table::Table;
use super::visit::Visit;
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::domain::live::{Happened, Told, Waiting};
use crate::domain::role::Permission;
use crate::fleet::Shared;
use crate::fleet::live::{Seat, Settings, since};

pub(super) fn configure(table: &mut Table<'_>) {
    table.get("/events", follow);
}

#[derive(Debug, Deserialize)]
struct Wanted {
    /// Apart by commas; all if absent.
    topics: Option<String>,
}

/// One open page.
struct Following {
    fleet: Shared,
    settings: Settings,
    news: Receiver<Arc<Happened>>,
    waiting: Waiting,
    /// When what waits is told.
    due: Option<Instant>,
    ping: Interval,
    seat: Seat,
}

async fn follow(
    visit: Visit<Reads>,
    request: HttpRequest,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let fleet = visit.fleet.clone().into_inner();
    let settings = fleet.settings.live;
    let session = visit.door.session_token().ok_or_else(Problem::not_found)?;
    let seat = fleet.live.sit_down(session, settings.streams_per_session);
    // Before the rows are read: what comes in between is heard twice and told once.
    let news = fleet.live.listen();
    let last = match heard_last(&request) {
        Some(last) => last,
        None => crate::db::events::newest(&fleet.pool).await?,
    };
    let topics = wanted.topics.iter().flat_map(|topics| topics.split(','));
    let topics: BTreeSet<String> = topics
        .filter(|topic| !topic.is_empty())
        .map(str::to_owned)
        .collect();
    let names = visit.access.may_everywhere(Permission::Read);
    let mut waiting = Waiting::after(last, topics, names);
    for happened in since(&fleet, last).await? {
        waiting.hear(&happened);
    }
    let now = Instant::now();
    let following = Following {
        due: (!waiting.is_empty()).then_some(now),
        ping: interval_at(now, settings.ping_every),
        fleet,
        settings,
        news,
        waiting,
        seat,
    };
    let body = stream::unfold(following, |mut following| async {
        let text = following.next().await?;
        Some((Ok::<_, actix_web::Error>(Bytes::from(text)), following))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Proxies that gather answers would hold this back.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body))
}

fn heard_last(request: &HttpRequest) -> Option<i64> {
    let header = request.headers().get("Last-Event-ID")?.to_str().ok()?;
    header.parse().ok().filter(|last| *last >= 0)
}

impl Following {
    /// The next lines for the page; none when it is over.
    async fn next(&mut self) -> Option<String> {
        loop {
            let due = self
                .due
                .unwrap_or_else(|| Instant::now() + self.settings.ping_every);
            tokio::select! {
                () = self.seat.end.cancelled() => return None,
                heard = self.news.recv() => self.hear(heard).await?,
                () = sleep_until(due), if self.due.is_some() => {
                    self.due = None;
                    let told = self.waiting.take();
                    return Some(lines(self.waiting.last(), &told));
                }
                _ = self.ping.tick() => return Some(": here\n\n".to_owned()),
            }
        }
    }

    async fn hear(&mut self, heard: Result<Arc<Happened>, RecvError>) -> Option<()> {
        match heard {
            Ok(happened) => self.waiting.hear(&happened),
            Err(RecvError::Closed) => return None,
            // Too slow for the channel: the rows have it still. A page that cannot be told all comes again by itself.
            Err(RecvError::Lagged(_)) => match since(&self.fleet, self.waiting.last()).await {
                Ok(missed) => missed
                    .iter()
                    .for_each(|happened| self.waiting.hear(happened)),
                Err(err) => {
                    tracing::warn!(
                        error = &err as &dyn std::error::Error,
                        "an open page lost its place"
                    );
                    return None;
                }
            },
        }
        if self.due.is_none() && !self.waiting.is_empty() {
            self.due = Some(Instant::now() + self.settings.gather);
        }
        Some(())
    }
}

fn lines(id: i64, told: &[Told]) -> String {
    let mut text = String::new();
    for one in told {
        let data = json!({"objects": one.objects});
        write!(text, "event: {}\nid: {id}\ndata: {data}\n\n", one.topic)
            .expect("a String takes whatever is written");
    }
    text
}
