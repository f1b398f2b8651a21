//! Nodes as people ask for them, and what a node is said to be in.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::agent_url::AgentUrl;
use super::names::Label;
use super::reachability::Reachability;

pub const WEIGHTS: RangeInclusive<u32> = 0..=1_000_000;
pub const DEFAULT_WEIGHT: u32 = 100;
/// The most that the column holds; 0 is no limit.
pub const MAX_PEERS: RangeInclusive<u32> = 0..=i32::MAX as u32;
pub const TIMEOUTS_MS: RangeInclusive<u32> = 100..=120_000;

/// A node to be added.
#[derive(Debug, Clone)]
pub struct NewNode {
    pub name: Label,
    pub agent_url: AgentUrl,
    pub enabled: bool,
    pub weight: u32,
    pub max_peers: u32,
    pub country: Option<Country>,
    pub operator_country: Option<Country>,
    pub region: Option<Label>,
    pub notes: String,
    /// A third-party agent that cannot sign its answers.
    pub legacy: bool,
    pub timeout_ms: Option<u32>,
}

/// What to replace; the rest stays. The outer option of what may be empty says whether it is replaced at all.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub name: Option<Label>,
    pub agent_url: Option<AgentUrl>,
    pub enabled: Option<bool>,
    pub weight: Option<u32>,
    pub max_peers: Option<u32>,
    pub country: Option<Option<Country>>,
    pub operator_country: Option<Option<Country>>,
    pub region: Option<Option<Label>>,
    pub notes: Option<String>,
    pub legacy: Option<bool>,
    pub timeout_ms: Option<Option<u32>>,
}

impl Changes {
    /// Whether the node may take peers after it that it did not take before.
    pub fn may_take_more(&self) -> bool {
        self.enabled == Some(true)
            || self.weight.is_some_and(|weight| weight > 0)
            || self.max_peers.is_some()
    }
}

/// One word for where a node stands. It is no health: that takes the evidence beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Added, and no verdict yet.
    Pending,
    Online,
    /// Nothing answers.
    Offline,
    /// Something answers, but not as this node should.
    Error,
    /// Neither asked nor told anything, because a person said so.
    Disabled,
}

impl State {
    pub const ALL: [Self; 5] = [
        Self::Online,
        Self::Offline,
        Self::Error,
        Self::Pending,
        Self::Disabled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Error => "error",
            Self::Disabled => "disabled",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    pub fn of(enabled: bool, reachability: Reachability) -> Self {
        match (enabled, reachability) {
            (false, _) => Self::Disabled,
            (true, Reachability::Pending) => Self::Pending,
            (true, Reachability::Online) => Self::Online,
            (true, Reachability::Offline) => Self::Offline,
            (true, Reachability::Error) => Self::Error,
        }
    }

    /// What the polls of a node in this state say; none if that does not matter.
    pub fn reachability(self) -> Option<Reachability> {
        match self {
            Self::Pending => Some(Reachability::Pending),
            Self::Online => Some(Reachability::Online),
            Self::Offline => Some(Reachability::Offline),
            Self::Error => Some(Reachability::Error),
            Self::Disabled => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a country of two letters, such as FI")]
pub struct CountryError;

/// Two letters as ISO 3166 gives them; whether anybody lives there is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country([u8; 2]);

impl Country {
    pub fn parse(text: &str) -> Result<Self, CountryError> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => Err(CountryError),
        }
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = self.0;
        write!(f, "{}{}", char::from(a), char::from(b))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not the id of a secret: 1 to 64 of A-Z a-z 0-9 _ -")]
pub struct KeyIdError;

/// Which of a node's secrets signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId(String);

impl KeyId {
    /// What an agent calls the secret that it was set up with.
    pub const INITIAL: &str = "initial";

    pub fn parse(text: &str) -> Result<Self, KeyIdError> {
        if protocol::signing::is_key_id(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyIdError)
        }
    }

    pub fn initial() -> Self {
        Self(Self::INITIAL.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_country_is_two_letters_in_upper_case_or_an_error(text in "\\PC{0,4}") {
            match Country::parse(&text) {
                Ok(country) => {
                    prop_assert_eq!(country.to_string(), text.to_ascii_uppercase());
                    prop_assert_eq!(text.len(), 2);
                }
                Err(CountryError) => prop_assert!(!text.chars().all(|c| c.is_ascii_alphabetic()) || text.len() != 2),
            }
        }
    }

    #[test]
    fn a_disabled_node_is_disabled_whatever_was_last_seen_of_it() {
        for reachability in [
            Reachability::Pending,
            Reachability::Online,
            Reachability::Offline,
            Reachability::Error,
        ] {
            assert_eq!(State::of(false, reachability), State::Disabled);
            let state = State::of(true, reachability);
            assert_eq!(state.reachability(), Some(reachability));
        }
    }

    #[test]
    fn the_id_of_a_secret_fits_a_header() {
        assert_eq!(KeyId::parse("2026-11_a").unwrap().as_str(), "2026-11_a");
        for text in ["", "a b", "a\n", "é", &"a".repeat(65)] {
            assert_eq!(KeyId::parse(text), Err(KeyIdError), "{text:?}");
        }
        assert_eq!(KeyId::parse("initial"), Ok(KeyId::initial()));
    }
}
