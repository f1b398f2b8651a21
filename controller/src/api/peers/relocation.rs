//! `/peers/{id}/move`: a peer to another node or pool.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::directory::Directory;
use super::draft::{known, reference};
use super::view::PeerDetail;
use crate::api::body::{Body, given};
use crate::api::caller::{Caller, WriteQuery, WritesWithin};
use crate::api::fields::Fields;
use crate::api::problem::{Problem, WriteProblems};
use crate::api::reference::IdOrName;
use crate::api::version;
use crate::db::peers::Peer;
use crate::domain::ids::PeerId;
use crate::domain::reach::Access;
use crate::domain::relocation::Wish;
use crate::fleet::{self, Fleet, Refusal};

/// Where a peer is to be. At least one of both is named; its network stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"node": "fra-2"}))]
pub struct PeerMove {
    /// This node and no other: an id or a name. The best placed one if absent.
    node: Option<IdOrName>,
    /// An id or a name; null: any node that serves the network; absent: the pool that it has.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<IdOrName>)]
    pool: Option<Option<IdOrName>>,
}

/// Move a peer to another node or pool. It keeps all it has, and needs its new configuration to get in there. One that
/// is there already is left alone.
#[utoipa::path(tag = "peers", operation_id = "peers.move", params(("id" = i64, Path), WriteQuery),
    request_body = PeerMove, responses((status = 200, body = PeerDetail), WriteProblems))]
#[post("/peers/{id}/move")]
pub(crate) async fn relocate(
    caller: Caller<WritesWithin>,
    fleet: Data<Fleet>,
    id: Path<PeerId>,
    body: Body<PeerMove>,
) -> Result<HttpResponse, Problem> {
    let peer = super::find(&fleet, &caller, *id).await?;
    let wish = body.0.read(&mut Directory::new(&fleet.pool)).await??;
    permit(&caller.access, &peer, wish)?;
    let made = fleet::peers::relocate(&fleet, &caller.call, *id, wish).await?;
    let etag = version::etag(made.peer.version);
    let detail = match caller.call.dry_run {
        // What would be is nowhere to be read again.
        true => PeerDetail::made(made.peer, made.homes),
        false => PeerDetail::read(&fleet, made.peer).await?,
    };
    Ok(HttpResponse::Ok().insert_header(etag).json(detail))
}

/// Refuses to move a peer to where whoever asks reaches nothing.
pub(crate) fn permit(access: &Access, peer: &Peer, wish: Wish) -> Result<(), Refusal> {
    match wish.is_within(access.reach) {
        true => Ok(()),
        false => Err(Refusal::missing("place within reach for peer", &peer.name)),
    }
}

impl PeerMove {
    /// Reads where it is to be; what it names is looked up.
    pub(crate) async fn read(
        self,
        directory: &mut Directory<'_>,
    ) -> Result<Result<Wish, Problem>, sqlx::Error> {
        let mut fields = Fields::default();
        let node = match reference(&mut fields, "node", self.node.as_ref()) {
            Some(wanted) => {
                let found = directory.node(&wanted).await?;
                known(&mut fields, "node", &wanted, found)
            }
            None => None,
        };
        let pool = match &self.pool {
            None => None,
            Some(None) => Some(None),
            Some(Some(named)) => match reference(&mut fields, "pool", Some(named)) {
                Some(wanted) => {
                    let found = directory.pool(&wanted).await?;
                    known(&mut fields, "pool", &wanted, found).map(Some)
                }
                None => None,
            },
        };
        let wish = Wish { node, pool };
        let wish = fields.finish(Some(wish));
        Ok(wish.and_then(|wish| match wish.is_empty() {
            true => Err(nowhere().into()),
            false => Ok(wish),
        }))
    }
}

pub(crate) fn nowhere() -> Refusal {
    Refusal::invalid("nowhere_named", "name a node, a pool, or both")
}
