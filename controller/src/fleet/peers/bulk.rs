//! One act on many peers, part by part: each part is a change of its own, with its audit row.
//!
//! What an act finds done already it leaves, so that one broken off half-way is completed by doing it again. Which
//! peers are meant, and how that was confirmed, is the caller's matter.

use serde_json::json;
use sqlx::PgConnection;

use super::super::change::{Call, Change};
use super::super::{Fleet, FleetError, Refusal, Result};
use super::change::raise;
use super::relocate::{self, Wish};
use crate::db;
use crate::db::peers::bulk;
use crate::domain::ids::PeerId;
use crate::domain::peer::{MOST_TAGS, parse_tags};

/// So many are held together: their nodes and everybody else wait no longer than that takes.
pub const PART: usize = 500;

/// More would keep whoever asked waiting for too long.
pub const MOST: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Enable,
    Disable,
    Delete,
    Tag(String),
    Untag(String),
    Move(Wish),
}

/// How many peers became other ones, of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    pub asked: usize,
    pub changed: usize,
}

impl Act {
    pub const WORDS: [&str; 6] = ["enable", "disable", "delete", "tag", "untag", "move"];

    /// Reads an act, and what tag it is about where that matters. Moving takes more than a word.
    pub fn parse(word: &str, tag: &str) -> Result<Self, Refusal> {
        let tag = || {
            let tags = parse_tags(vec![tag.trim().to_owned()]);
            let refused = |err| Refusal::invalid("invalid_tag", format!("tags {err}"));
            tags.map(|mut tags| tags.remove(0)).map_err(refused)
        };
        match word {
            "enable" => Ok(Self::Enable),
            "disable" => Ok(Self::Disable),
            "delete" => Ok(Self::Delete),
            "tag" => Ok(Self::Tag(tag()?)),
            "untag" => Ok(Self::Untag(tag()?)),
            _ => Err(Self::unknown()),
        }
    }

    pub fn unknown() -> Refusal {
        let text = format!("is none of {}", Self::WORDS.join(", "));
        Refusal::invalid("unknown_act", text)
    }

    fn action(&self) -> &'static str {
        match self {
            Self::Enable => "peer.enable_many",
            Self::Disable => "peer.disable_many",
            Self::Delete => "peer.delete_many",
            Self::Tag(_) => "peer.tag_many",
            Self::Untag(_) => "peer.untag_many",
            Self::Move(_) => "peer.move_many",
        }
    }

    fn event(&self) -> &'static str {
        match self {
            Self::Delete => "peers.deleted",
            Self::Move(_) => "peers.moved",
            _ => "peers.changed",
        }
    }

    fn tag(&self) -> Option<&str> {
        match self {
            Self::Tag(tag) | Self::Untag(tag) => Some(tag),
            _ => None,
        }
    }
}

/// Does it to these peers; those that are gone meanwhile are passed over.
pub async fn run(fleet: &Fleet, call: &Call, act: &Act, peers: &[PeerId]) -> Result<Done> {
    if peers.len() > MOST {
        let text = format!("at most {MOST} peers can be changed at once");
        return Err(Refusal::invalid("too_many", text).into());
    }
    let mut sorted = peers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut done = Done {
        asked: sorted.len(),
        changed: 0,
    };
    for part in sorted.chunks(PART) {
        done.changed += run_part(fleet, call, act, part).await?;
    }
    Ok(done)
}

async fn run_part(fleet: &Fleet, call: &Call, act: &Act, peers: &[PeerId]) -> Result<usize> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let mut moved = None;
    let changed = match act {
        Act::Enable => set_enabled(change.db(), peers, true).await?,
        Act::Disable => set_enabled(change.db(), peers, false).await?,
        Act::Delete => delete(change.db(), peers).await?,
        Act::Tag(tag) => {
            bulk::lock(change.db(), peers).await?;
            let most = i32::try_from(MOST_TAGS).map_err(|_| FleetError::Corrupt("MOST_TAGS"))?;
            bulk::tag(change.db(), peers, tag, most).await?
        }
        Act::Untag(tag) => {
            bulk::lock(change.db(), peers).await?;
            bulk::untag(change.db(), peers, tag).await?
        }
        Act::Move(wish) => {
            let (changed, from, to) = relocate::part(change.db(), fleet, peers, *wish).await?;
            moved = Some((from, to));
            changed
        }
    };
    if changed.is_empty() {
        return Ok(0);
    }
    let mut told = json!({"count": changed.len(), "peers": changed});
    if let Some(tag) = act.tag() {
        told["tag"] = tag.into();
    }
    let mut before = None;
    if let Some((from, to)) = moved {
        told["from"] = from.clone();
        told["to"] = to;
        before = Some(from);
    }
    change.event("peers", act.event(), "peers", &told).await?;
    change
        .finish(act.action(), "peers", before.as_ref(), Some(&told))
        .await?;
    Ok(changed.len())
}

async fn set_enabled(
    db: &mut PgConnection,
    peers: &[PeerId],
    enabled: bool,
) -> Result<Vec<PeerId>> {
    let changed = bulk::lock_unless(&mut *db, peers, enabled).await?;
    if changed.is_empty() {
        return Ok(changed);
    }
    raise(db, &changed).await?;
    bulk::set_enabled(&mut *db, &changed, enabled).await?;
    db::placements::touch(db, &changed).await?;
    Ok(changed)
}

/// As one is deleted: keys stay known and are removed wherever they are seen, addresses rest.
async fn delete(db: &mut PgConnection, peers: &[PeerId]) -> Result<Vec<PeerId>> {
    let held = bulk::lock(&mut *db, peers).await?;
    if held.is_empty() {
        return Ok(held);
    }
    raise(db, &held).await?;
    db::placements::depart(&mut *db, &held).await?;
    db::placements::delete(&mut *db, &held).await?;
    db::retired_keys::retire(&mut *db, &held).await?;
    db::observations::disown(&mut *db, &held).await?;
    db::peer_sessions::forget(&mut *db, &held).await?;
    db::peers::delete(db, &held).await?;
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_about_a_tag_needs_one_that_can_be_a_tag() {
        assert_eq!(Act::parse("tag", " lab "), Ok(Act::Tag("lab".to_owned())));
        assert_eq!(Act::parse("disable", ""), Ok(Act::Disable));
        assert!(Act::parse("tag", "").is_err());
        assert!(Act::parse("untag", "a,b").is_err());
        assert!(Act::parse("explode", "").is_err());
    }
}
