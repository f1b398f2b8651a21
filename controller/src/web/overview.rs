//! `/`: how the whole fleet is, what needs a person, what it carries, how full it is, what changed lately.
//!
//! Whoever is limited to a pool or a network is shown the way there instead.

pub(super) mod figures;

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use chrono::{DateTime, Utc};

use super::Shown;
use super::answer::show;
use super::frame::{Frame, Moment, Place};
use super::networks::show::{map_of, sentence};
use super::pictures::histogram::Histogram;
use super::pictures::meter::Meter;
use super::pictures::prefix_map::PrefixMap;
use super::pictures::throughput::{Rates, Throughput};
use super::table::Table;
use super::visit::Visit;
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::db::fleetwide::PoolFill;
use crate::db::{self, Span};
use crate::domain::audit::StoredRow;
use crate::domain::profile::Language;
use crate::domain::reach::Reach;
use crate::domain::status::{Facts, Overall, Reason};
use figures::{Figures, Network, Now};

const CHANGES: i64 = 8;
const POOLS: usize = 6;

pub(super) fn configure(table: &mut Table<'_>) {
    table.get("/", index);
}

#[derive(Template)]
#[template(path = "overview/index.html")]
struct OverviewPage {
    frame: Frame,
    facts: Facts,
    needs: Vec<Need>,
    now: Option<Carries>,
    throughput: Option<Throughput>,
    /// The throughput in figures.
    hours: Vec<Hour>,
    ages: Option<Histogram>,
    pools: Vec<Pool>,
    fullest: Option<Fullest>,
    /// Who may see them.
    changes: Option<Vec<Changed>>,
}

#[derive(Template)]
#[template(path = "overview/limited.html")]
struct LimitedPage {
    frame: Frame,
    /// None: what the role was limited to is gone.
    begins: Option<Begins>,
}

struct Begins {
    name: String,
    href: String,
    peers: String,
}

/// Something that a person has to look at.
struct Need {
    class: &'static str,
    word: String,
    text: String,
    href: &'static str,
}

/// What the fleet carries at the moment.
struct Carries {
    peers: String,
    all: String,
    received: String,
    sent: String,
}

struct Hour {
    at: String,
    received: String,
    sent: String,
}

struct Pool {
    href: String,
    name: String,
    members: String,
    peers: String,
    capacity: Option<String>,
    load: Meter,
}

struct Fullest {
    href: String,
    name: String,
    prefix: String,
    sentence: String,
    map: Option<PrefixMap>,
}

struct Changed {
    at: Moment,
    actor: String,
    action: String,
    object: String,
    hash: String,
}

async fn index(visit: Visit<Reads>, shown: Data<Shown>) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Overview).await?;
    if visit.access.reach != Reach::All {
        let begins = begins(&visit).await?;
        return show(&LimitedPage { frame, begins });
    }
    let fleet = &visit.fleet;
    let figures = shown
        .overview
        .read(frame.counts.newest_event, async |now| {
            figures::count(fleet, now).await
        })
        .await?;
    let changes = match frame.administers() {
        true => Some(changes(&visit, &frame).await?),
        false => None,
    };
    show(&OverviewPage::of(frame, &figures, changes))
}

/// Where whoever is limited to a pool or a network has their own.
async fn begins(visit: &Visit<Reads>) -> Result<Option<Begins>, Problem> {
    let pool = &visit.fleet.pool;
    Ok(match visit.access.reach {
        Reach::Pool(Some(id)) => db::pools::find(pool, id).await?.map(|pool| Begins {
            href: format!("/pools/{id}"),
            peers: format!("/peers?pool={id}"),
            name: pool.name,
        }),
        Reach::Network(Some(id)) => db::networks::find(pool, id).await?.map(|network| Begins {
            href: format!("/networks/{id}"),
            peers: format!("/peers?network={id}"),
            name: network.name,
        }),
        Reach::All | Reach::Pool(None) | Reach::Network(None) => None,
    })
}

async fn changes(visit: &Visit<Reads>, frame: &Frame) -> Result<Vec<Changed>, Problem> {
    let newest = Span {
        after: 0,
        limit: CHANGES,
    };
    let filter = db::audit::Filter::default();
    let rows = db::audit::list(&visit.fleet.pool, &filter, newest).await?;
    Ok(rows
        .into_iter()
        .map(|row| Changed::of(frame, row))
        .collect())
}

impl OverviewPage {
    fn of(frame: Frame, figures: &Figures, changes: Option<Vec<Changed>>) -> Self {
        let t = frame.t;
        let clock = |at: DateTime<Utc>| at.with_timezone(&frame.zone).format("%H:%M").to_string();
        let name = t.say("throughput-day");
        let seen = figures
            .day
            .iter()
            .filter_map(|one| Some((one.at, one.rates?)));
        let hour = |(at, rates): (DateTime<Utc>, Rates)| Hour {
            at: clock(at),
            received: t.bits_per_second(rates.received),
            sent: t.bits_per_second(rates.sent),
        };
        let ages =
            (figures.ages.total() > 0).then(|| figures.ages.draw(t, t.say("handshake-ages")));
        Self {
            needs: figures
                .status
                .reasons
                .iter()
                .map(|reason| Need::of(t, reason))
                .collect(),
            facts: figures.status.facts.clone(),
            now: figures.now.map(|now| Carries::of(t, now)),
            throughput: Throughput::of(t, name, &figures.day, None, clock),
            hours: seen.map(hour).collect(),
            ages,
            pools: figures
                .pools
                .iter()
                .take(POOLS)
                .map(|pool| Pool::of(t, pool))
                .collect(),
            fullest: figures
                .fullest
                .as_ref()
                .map(|network| Fullest::of(t, network)),
            changes,
            frame,
        }
    }

    fn number(&self, number: &i64) -> String {
        self.frame.t.number(number.unsigned_abs())
    }

    fn summary(&self) -> String {
        let t = self.frame.t;
        match self.needs.len() as u64 {
            0 => t.say("overview-calm"),
            some => t.count("overview-needs", some),
        }
    }
}

impl Need {
    fn of(t: Language, reason: &Reason) -> Self {
        let (class, word) = match reason.level {
            Overall::Critical => ("bad", "level-critical"),
            Overall::Degraded => ("warn", "level-degraded"),
            Overall::Ok => ("ok", "level-ok"),
        };
        let href = match reason.code {
            code if code.starts_with("pool") => "/pools",
            "nodes_offline" => "/nodes?state=offline",
            "nodes_in_error" => "/nodes?state=error",
            _ => "/nodes",
        };
        Self {
            class,
            word: t.say(word),
            text: reason.text.clone(),
            href,
        }
    }
}

impl Carries {
    fn of(t: Language, now: Now) -> Self {
        let Rates { received, sent } = now.rates;
        Self {
            peers: t.number(now.active),
            all: t.bits_per_second(received + sent),
            received: t.bits_per_second(received),
            sent: t.bits_per_second(sent),
        }
    }
}

impl Pool {
    fn of(t: Language, fill: &PoolFill) -> Self {
        let peers = fill.peers.unsigned_abs();
        let capacity = fill.capacity.map(i64::unsigned_abs);
        let number = |count: i64| t.number(count.unsigned_abs());
        Self {
            href: format!("/pools/{}", fill.pool),
            name: fill.name.clone(),
            members: t.say_with(
                "members-online",
                [
                    ("online", number(fill.online).into()),
                    ("members", number(fill.members).into()),
                ],
            ),
            peers: t.number(peers),
            capacity: capacity.map(|most| t.number(most)),
            load: Meter::load(peers, capacity),
        }
    }
}

impl Fullest {
    fn of(t: Language, network: &Network) -> Self {
        Self {
            href: format!("/networks/{}", network.id),
            name: network.name.clone(),
            prefix: network.used.prefix.to_string(),
            sentence: sentence(t, &network.used),
            map: map_of(t, &network.used),
        }
    }
}

impl Changed {
    fn of(frame: &Frame, row: StoredRow) -> Self {
        Self {
            at: frame.ago(row.at),
            actor: row.actor,
            action: row.action,
            object: row.object,
            hash: hex::encode(&row.hash[..4.min(row.hash.len())]),
        }
    }
}
