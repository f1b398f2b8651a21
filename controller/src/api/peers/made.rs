//! Peers that were just made, with the secrets that only this answer shows.

use std::collections::BTreeMap;
use std::fmt;

use actix_web::HttpResponseBuilder;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use protocol::PrivateKey;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::PeerDetail;
use crate::api::problem::Problem;
use crate::domain::config_text::Mode;
use crate::domain::ids::PeerId;
use crate::fleet::peers::{Made, issue};
use crate::fleet::{Call, Fleet};

/// A peer that was just made.
#[derive(Serialize, ToSchema)]
pub struct PeerMade {
    #[serde(flatten)]
    peer: PeerDetail,
    /// Where the key pair was made here: shown this once, and kept nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key: Option<String>,
    /// Its whole configuration in mode `split`, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<String>,
    /// Why there is no configuration yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    config_problem: Option<String>,
}

/// Shows peers, each with its private key if that was made here. One that was only tried has none.
pub(super) async fn show(
    fleet: &Fleet,
    call: &Call,
    made: Vec<Made>,
    keys: Vec<Option<PrivateKey>>,
) -> Result<Vec<PeerMade>, Problem> {
    let mut own: BTreeMap<PeerId, PrivateKey> = BTreeMap::new();
    if !call.dry_run {
        let ids = made.iter().map(|made| made.peer.id);
        own.extend(ids.zip(keys).filter_map(|(id, key)| Some((id, key?))));
    }
    let mut texts = match own.is_empty() {
        true => BTreeMap::new(),
        false => issue::issue_whole(fleet, &own, Mode::Split).await?,
    };
    let shown = made.into_iter().map(|made| {
        let id = made.peer.id;
        let (config, config_problem) = match texts.remove(&id) {
            Some(Ok(issued)) => (Some(issued.text().to_owned()), None),
            Some(Err(refusal)) => (None, Some(refusal.text)),
            None => (None, None),
        };
        PeerMade {
            peer: PeerDetail::made(made.peer, made.homes),
            private_key: own.get(&id).map(PrivateKey::reveal),
            config,
            config_problem,
        }
    });
    Ok(shown.collect())
}

/// Marks an answer that holds secrets, so that nothing on its way keeps it.
pub(super) fn keep_out<'a>(
    answer: &'a mut HttpResponseBuilder,
    shown: &[PeerMade],
) -> &'a mut HttpResponseBuilder {
    if shown.iter().any(|peer| peer.private_key.is_some()) {
        answer.insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")));
    }
    answer
}

impl fmt::Debug for PeerMade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerMade")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
