//! Peers that nodes carry and nobody here knows: shown, adopted, or removed.

use std::collections::BTreeMap;

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, delete, get, post};
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use protocol::PublicKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Body;
use super::caller::{Caller, Reads, WriteQuery, Writes};
use super::fields::Fields;
use super::page::{Page, PageQuery, limit, mark, marked};
use super::peers::PeerDetail;
use super::problem::{Problem, ReadProblems, WriteProblems};
use super::texts;
use crate::api::fields::mistake::Mistake;
use crate::db;
use crate::db::observations::unknown::{self as rows, Unknown};
use crate::domain::ids::{InterfaceId, UserId};
use crate::domain::names::Label;
use crate::domain::peer;
use crate::fleet::adopt::{self, MOST_REMOVALS, Wish};
use crate::fleet::{Fleet, Refusal};

/// What cursors of this list begin with.
const CURSOR: &str = "key";

/// A peer that a node carries and nobody here knows.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnknownView {
    public_key: String,
    #[schema(value_type = Vec<String>)]
    allowed_ips: Vec<IpNet>,
    keepalive: i32,
    has_preshared_key: bool,
    /// The agent does not know it either: something else put it there.
    foreign: bool,
    endpoint: Option<String>,
    handshake_at: Option<DateTime<Utc>>,
    rx_total: i64,
    tx_total: i64,
    first_at: DateTime<Utc>,
}

/// Whom to adopt.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"names": {"xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=": "ada-laptop"}, "tags": ["old"]}))]
pub struct AdoptionDraft {
    /// All unknown ones if absent.
    #[schema(value_type = Option<Vec<texts::Key>>)]
    keys: Option<Vec<String>>,
    /// Names by key; the others are called `adopted-` and the beginning of their key.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, texts::Label>)]
    names: BTreeMap<String, String>,
    #[serde(default)]
    #[schema(value_type = Vec<texts::Tag>)]
    tags: Vec<String>,
    /// The id of a user.
    #[schema(value_type = Option<i64>)]
    owner: Option<UserId>,
    /// Leave those as they are that cannot be adopted, instead of adopting nobody.
    #[serde(default)]
    partial: bool,
}

/// Whom to remove.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovalDraft {
    /// 1 to 1,000.
    #[schema(value_type = Vec<texts::Key>, min_items = 1, max_items = 1000)]
    keys: Vec<String>,
}

/// Who was adopted, and why others were not.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdoptedView {
    adopted: Vec<PeerDetail>,
    left: Vec<LeftView>,
}

/// A key that was left as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeftView {
    key: String,
    code: &'static str,
    detail: String,
}

/// List the unknown peers of an interface.
#[utoipa::path(tag = "adoption", operation_id = "interfaces.unknown", params(("id" = i64, Path), PageQuery),
    responses((status = 200, body = Page<UnknownView>), ReadProblems))]
#[get("/interfaces/{id}/unknown")]
pub(crate) async fn index(
    _caller: Caller<Reads>,
    fleet: Data<Fleet>,
    id: Path<InterfaceId>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let limit = limit(query.limit)?;
    let after: String = match &query.cursor {
        Some(cursor) => marked(CURSOR, cursor)?,
        None => String::new(),
    };
    if db::interfaces::find(&fleet.pool, *id).await?.is_none() {
        return Err(Refusal::missing("interface", *id).into());
    }
    let found = rows::list(&fleet.pool, *id, None, &after, limit).await?;
    let next = |last: &Unknown| mark(CURSOR, &last.public_key);
    Ok(HttpResponse::Ok().json(Page::by(found, limit, next, UnknownView::of)))
}

/// Make peers of unknown keys. Nothing changes on the wire: they keep all they have.
#[utoipa::path(tag = "adoption", operation_id = "interfaces.adopt", params(("id" = i64, Path), WriteQuery),
    request_body = AdoptionDraft, responses((status = 200, body = AdoptedView), WriteProblems))]
#[post("/interfaces/{id}/adoptions")]
pub(crate) async fn create(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<InterfaceId>,
    body: Body<AdoptionDraft>,
) -> Result<HttpResponse, Problem> {
    let wish = body.0.parse()?;
    let adopted = adopt::adopt(&fleet, &caller.call, *id, &wish).await?;
    let peers = adopted.peers.into_iter();
    let left = adopted.left.into_iter();
    Ok(HttpResponse::Ok().json(AdoptedView {
        adopted: peers
            .map(|made| PeerDetail::made(made.peer, made.homes))
            .collect(),
        left: left
            .map(|(key, why)| LeftView {
                key,
                code: why.code,
                detail: why.text,
            })
            .collect(),
    }))
}

/// Have a node remove unknown peers. Answers when it has.
#[utoipa::path(tag = "adoption", operation_id = "interfaces.remove_unknown", params(("id" = i64, Path), WriteQuery),
    request_body = RemovalDraft,
    responses((status = 204), (status = 502, description = "The node is not to be had.", body = Problem),
        WriteProblems))]
#[delete("/interfaces/{id}/unknown")]
pub(crate) async fn remove(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<InterfaceId>,
    body: Body<RemovalDraft>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    if !(1..=MOST_REMOVALS).contains(&body.0.keys.len()) {
        let what = format!("are not 1 to {MOST_REMOVALS}");
        fields.mistake(
            "keys",
            Mistake::new("too_many_keys", what).with("most", MOST_REMOVALS),
        );
    }
    let keys = keys(&mut fields, "keys", &body.0.keys);
    let keys = fields.finish(Some(keys))?;
    adopt::remove(&fleet, &caller.call, *id, &keys).await?;
    Ok(HttpResponse::NoContent().finish())
}

impl AdoptionDraft {
    fn parse(self) -> Result<Wish, Problem> {
        let mut fields = Fields::default();
        let wanted = self.keys.map(|texts| keys(&mut fields, "keys", &texts));
        let tags = fields.take("tags", peer::parse_tags(self.tags));
        let mut names = BTreeMap::new();
        for (key, name) in &self.names {
            let key = fields.take("names", PublicKey::parse(key));
            let name = fields.take("names", Label::parse(name));
            names.extend(key.zip(name));
        }
        fields.finish(tags.map(|tags| Wish {
            keys: wanted,
            names,
            tags,
            owner: self.owner,
            partial: self.partial,
        }))
    }
}

/// Keys, each once.
fn keys(fields: &mut Fields, field: &str, texts: &[String]) -> Vec<PublicKey> {
    let mut keys: Vec<PublicKey> = texts
        .iter()
        .filter_map(|text| fields.take(field, PublicKey::parse(text)))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

impl UnknownView {
    fn of(row: Unknown) -> Self {
        Self {
            public_key: row.public_key,
            allowed_ips: row.allowed_ips,
            keepalive: row.keepalive_s,
            has_preshared_key: row.has_psk,
            foreign: row.is_foreign,
            endpoint: row.endpoint,
            handshake_at: row.handshake_at,
            rx_total: row.rx_total,
            tx_total: row.tx_total,
            first_at: row.first_at,
        }
    }
}
