//! Peers as people ask for them.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use protocol::{PresharedKey, PublicKey};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{NetworkId, NodeId, PoolId, UserId};
use super::names::Label;

/// `static`: a configuration that somebody downloaded. `managed`: an agent of its own follows changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PeerKind {
    #[default]
    Static,
    Managed,
}

impl PeerKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Managed => "managed",
        }
    }
}

/// How a peer stands, as lists are narrowed to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A handshake within the last three minutes.
    Online,
    /// Its nodes have yet to learn of a change.
    Waiting,
    Disabled,
    Expired,
    Isolated,
}

impl Standing {
    pub const ALL: [Self; 5] = [
        Self::Online,
        Self::Waiting,
        Self::Disabled,
        Self::Expired,
        Self::Isolated,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Waiting => "waiting",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Isolated => "isolated",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|standing| standing.as_str() == word)
    }
}

pub const MOST_TAGS: usize = 32;
const LONGEST_TAG: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    #[error("are more than {MOST_TAGS}")]
    TooMany,
    #[error(
        "hold {0:?}, which is not 1 to {LONGEST_TAG} bytes without commas and control characters"
    )]
    Malformed(String),
}

/// Reads tags, in the order given and each once.
pub fn parse_tags(given: Vec<String>) -> Result<Vec<String>, TagsError> {
    let mut tags: Vec<String> = Vec::with_capacity(given.len());
    for tag in given {
        let is_tag = (1..=LONGEST_TAG).contains(&tag.len())
            && tag.trim() == tag
            && !tag.chars().any(|c| c.is_control() || c == ',');
        if !is_tag {
            return Err(TagsError::Malformed(tag));
        }
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    match tags.len() > MOST_TAGS {
        true => Err(TagsError::TooMany),
        false => Ok(tags),
    }
}

/// The preshared key of a peer on each of its interfaces.
#[derive(Debug, Clone, Default)]
pub enum Psk {
    /// A fresh one for each interface.
    #[default]
    Fresh,
    Given(PresharedKey),
    None,
}

/// A peer to be made.
#[derive(Debug, Clone)]
pub struct NewPeer {
    pub network: NetworkId,
    pub pool: Option<PoolId>,
    /// This node and no other, whatever placement would choose.
    pub node: Option<NodeId>,
    pub name: Label,
    pub public_key: PublicKey,
    pub kind: PeerKind,
    pub owner: Option<UserId>,
    pub tags: Vec<String>,
    pub notes: String,
    pub keepalive_s: Option<u16>,
    /// Addresses asked for, at most one of each family; the rest is chosen.
    pub addresses: Vec<IpAddr>,
    /// Networks behind the peer.
    pub routes: Vec<IpNet>,
    pub psk: Psk,
    pub enabled: bool,
    pub expires_at: Option<DateTime<Utc>>,
}

/// What to replace; the rest stays. An outer option says whether, an inner one with what.
#[derive(Debug, Clone, Default)]
pub struct PeerChanges {
    pub name: Option<Label>,
    pub public_key: Option<PublicKey>,
    pub owner: Option<Option<UserId>>,
    pub tags: Option<Vec<String>>,
    pub notes: Option<String>,
    pub keepalive_s: Option<Option<u16>>,
    pub routes: Option<Vec<IpNet>>,
    pub psk: Option<Psk>,
    pub enabled: Option<bool>,
    pub expires_at: Option<Option<DateTime<Utc>>>,
}

impl PeerChanges {
    /// Whether a node has to be told. A new name or owner is nobody's business but ours.
    pub fn concerns_nodes(&self) -> bool {
        self.public_key.is_some()
            || self.routes.is_some()
            || self.psk.is_some()
            || self.enabled.is_some()
            || self.expires_at.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn tags_are_kept_in_order_and_once() {
        let given = tags(&["paris", "büro 2", "paris"]);

        assert_eq!(parse_tags(given), Ok(tags(&["paris", "büro 2"])));
    }

    #[test]
    fn what_no_list_could_show_is_no_tag() {
        for text in ["", " a", "a,b", "a\0", "a\n", &"a".repeat(65)] {
            let expected = Err(TagsError::Malformed(text.to_owned()));
            assert_eq!(parse_tags(tags(&[text])), expected);
        }
        let many: Vec<String> = (0..33).map(|n| n.to_string()).collect();
        assert_eq!(parse_tags(many), Err(TagsError::TooMany));
    }

    #[test]
    fn a_new_name_is_no_business_of_a_node() {
        let renamed = PeerChanges {
            name: Label::parse("other").ok(),
            notes: Some("moved".into()),
            keepalive_s: Some(None),
            ..PeerChanges::default()
        };
        assert!(!renamed.concerns_nodes());

        let disabled = PeerChanges {
            enabled: Some(false),
            ..renamed
        };
        assert!(disabled.concerns_nodes());
    }
}
