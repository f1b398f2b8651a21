//! Many peers at once, all or none.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use protocol::PrivateKey;
use serde_json::json;
use utoipa::ToSchema;

use super::directory::Directory;
use super::draft::PeerDraft;
use super::made::{self, PeerMade};
use crate::api::body::Rows;
use crate::api::caller::{Caller, WriteQuery, WritesWithin};
use crate::api::problem::{Problem, WriteProblems};
use crate::clock;
use crate::domain::peer::NewPeer;
use crate::domain::reach::Access;
use crate::fleet::{self, Fleet};

/// More would hold the network's lock for too long.
const MOST: usize = 10_000;

/// Peers to be made together.
#[derive(ToSchema)]
#[schema(min_items = 1, max_items = 10_000)]
pub struct PeerDrafts(pub Vec<PeerDraft>);

/// Make up to 10,000 peers, all or none. If any row is wrong, `details.rows` tells of every one that is.
#[utoipa::path(tag = "peers", operation_id = "peers.create_many", params(WriteQuery), request_body = PeerDrafts,
    responses((status = 201, body = Vec<PeerMade>), WriteProblems))]
#[post("/peers/bulk")]
pub(crate) async fn create(
    caller: Caller<WritesWithin>,
    fleet: Data<Fleet>,
    body: Rows<PeerDraft>,
) -> Result<HttpResponse, Problem> {
    let drafts = body.0.into_iter().map(|draft| draft.0).collect();
    let (peers, keys) = read(&fleet, &caller.access, drafts).await?;
    let made = fleet::peers::create_all(&fleet, &caller.call, &peers).await?;
    let shown = made::show(&fleet, &caller.call, made, keys).await?;
    Ok(made::keep_out(&mut HttpResponse::Created(), &shown).json(&shown))
}

/// Reads all of them, or tells of every row that is wrong.
pub(crate) async fn read(
    fleet: &Fleet,
    access: &Access,
    drafts: Vec<PeerDraft>,
) -> Result<(Vec<NewPeer>, Vec<Option<PrivateKey>>), Problem> {
    if !(1..=MOST).contains(&drafts.len()) {
        let text = format!("1 to {MOST} peers can be made at once");
        return Err(invalid("number_of_rows", text));
    }
    let mut directory = Directory::new(&fleet.pool);
    let now = clock::now();
    let (mut peers, mut keys, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for (row, draft) in drafts.into_iter().enumerate() {
        let read = draft.read(&mut directory, now).await?;
        let placed = read.and_then(|read| Ok(super::place(access, &read.peer).map(|()| read)?));
        match placed {
            Ok(read) => {
                peers.push(read.peer);
                keys.push(read.private_key);
            }
            Err(problem) => problems.push(problem.row(row)),
        }
    }
    if !problems.is_empty() {
        let text = format!("{} rows are wrong", problems.len());
        return Err(invalid("invalid_rows", text).with("details", json!({"rows": problems})));
    }
    Ok((peers, keys))
}

fn invalid(code: &'static str, text: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, text)
}
