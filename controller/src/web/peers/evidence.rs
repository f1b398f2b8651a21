//! The four bars of a peer, and the one word where something is not as it usually is.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::db::peers::homes::Home;
use crate::domain::ids::PeerId;
use crate::domain::profile::Language;
use crate::web::pictures::evidence::{Fact, Facts};

/// A device renews its session every two minutes while it sends anything at all.
const SESSION: TimeDelta = TimeDelta::minutes(3);

/// What people said of a peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intent {
    pub enabled: bool,
    pub expired: bool,
    pub isolated: bool,
}

/// A word with the class that gives it its shape.
pub(super) struct Exception {
    pub class: &'static str,
    pub text: String,
}

impl Intent {
    pub(super) fn is_active(self) -> bool {
        self.enabled && !self.expired && !self.isolated
    }
}

pub(super) fn by_peer(homes: Vec<Home>) -> BTreeMap<PeerId, Vec<Home>> {
    let mut by_peer: BTreeMap<PeerId, Vec<Home>> = BTreeMap::new();
    for home in homes {
        by_peer.entry(home.peer).or_default().push(home);
    }
    by_peer
}

/// The worst of its nodes stands for all; a session with any of them is traffic.
pub(super) fn facts(intent: Intent, homes: &[Home], now: DateTime<Utc>) -> Facts {
    Facts {
        reachable: worst(homes.iter().map(reachable)),
        up: worst(homes.iter().map(link)),
        in_sync: worst(homes.iter().map(sync)),
        traffic: traffic(intent, homes, now),
    }
    .behind()
}

pub(super) fn exception(t: Language, intent: Intent, homes: &[Home]) -> Option<Exception> {
    let (class, text) = if intent.isolated {
        ("bad", t.say("peer-isolated"))
    } else if !intent.enabled {
        ("off", t.say("peer-disabled"))
    } else if intent.expired {
        ("warn", t.say("peer-expired"))
    } else if homes.iter().any(|home| home.problem.is_some()) {
        ("bad", t.say("peer-refused"))
    } else if homes.iter().any(is_waiting) {
        ("move", t.say("peer-waiting"))
    } else {
        return None;
    };
    Some(Exception { class, text })
}

pub(super) fn handshake(homes: &[Home]) -> Option<DateTime<Utc>> {
    homes.iter().filter_map(|home| home.handshake_at).max()
}

/// How long ago the node was heard that was not heard for the longest.
pub(super) fn seen(homes: &[Home]) -> Option<DateTime<Utc>> {
    let heard: Option<Vec<_>> = homes.iter().map(|home| home.good_at).collect();
    heard?.into_iter().min()
}

fn is_waiting(home: &Home) -> bool {
    home.generation > home.applied_generation
}

fn reachable(home: &Home) -> Fact {
    match (home.node_enabled, home.reachability.as_str()) {
        (true, "online") => Fact::Yes,
        (false, _) | (true, "pending") => Fact::Unknown,
        (true, _) => Fact::No,
    }
}

fn link(home: &Home) -> Fact {
    match home.link.as_deref() {
        Some("up") => Fact::Yes,
        Some(_) => Fact::No,
        None => Fact::Unknown,
    }
}

fn sync(home: &Home) -> Fact {
    if home.problem.is_some() {
        Fact::No
    } else if is_waiting(home) {
        Fact::Late
    } else if home.observed_at.is_none() {
        Fact::Unknown
    } else {
        Fact::Yes
    }
}

/// An idle tunnel says nothing; one that nobody lets in carries nothing.
fn traffic(intent: Intent, homes: &[Home], now: DateTime<Utc>) -> Fact {
    match handshake(homes) {
        _ if !intent.is_active() => Fact::No,
        Some(at) if now - at < SESSION => Fact::Yes,
        _ => Fact::Unknown,
    }
}

fn worst(facts: impl Iterator<Item = Fact>) -> Fact {
    let badness = |fact: &Fact| match fact {
        Fact::Yes => 0,
        Fact::Unknown => 1,
        Fact::Late => 2,
        Fact::No => 3,
    };
    facts.max_by_key(badness).unwrap_or(Fact::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{InterfaceId, NodeId};

    const ACTIVE: Intent = Intent {
        enabled: true,
        expired: false,
        isolated: false,
    };

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn home() -> Home {
        Home {
            peer: PeerId(1),
            interface: InterfaceId(1),
            interface_name: "wg0".to_owned(),
            node: NodeId(1),
            node_name: "fra-1".to_owned(),
            node_enabled: true,
            reachability: "online".to_owned(),
            good_at: Some(now()),
            link: Some("up".to_owned()),
            problem: None,
            generation: 3,
            applied_generation: 3,
            observed_at: Some(now()),
            has_psk: true,
            endpoint: None,
            handshake_at: Some(now() - TimeDelta::seconds(41)),
            rx_total: 0,
            tx_total: 0,
        }
    }

    #[test]
    fn a_peer_with_a_fresh_session_on_a_node_that_answers_is_all_well() {
        let expected = Facts {
            reachable: Fact::Yes,
            up: Fact::Yes,
            in_sync: Fact::Yes,
            traffic: Fact::Yes,
        };
        assert_eq!(facts(ACTIVE, &[home()], now()), expected);
        assert!(exception(Language::En, ACTIVE, &[home()]).is_none());
    }

    #[test]
    fn behind_a_node_that_is_silent_nothing_is_known_and_an_idle_tunnel_is_no_error() {
        let silent = Home {
            reachability: "offline".to_owned(),
            ..home()
        };
        let idle = Home {
            handshake_at: Some(now() - TimeDelta::hours(4)),
            ..home()
        };

        let expected = Facts {
            reachable: Fact::No,
            ..Facts::UNKNOWN
        };
        assert_eq!(facts(ACTIVE, &[silent], now()), expected);
        assert_eq!(facts(ACTIVE, &[idle], now()).traffic, Fact::Unknown);
        assert_eq!(facts(ACTIVE, &[], now()), Facts::UNKNOWN);
    }

    #[test]
    fn isolation_is_told_before_anything_else() {
        let late = Home {
            applied_generation: 2,
            ..home()
        };
        let isolated = Intent {
            enabled: false,
            isolated: true,
            ..ACTIVE
        };

        let told = |intent| {
            exception(Language::En, intent, std::slice::from_ref(&late)).map(|told| told.class)
        };
        assert_eq!(told(isolated), Some("bad"));
        assert_eq!(told(ACTIVE), Some("move"));
        assert_eq!(
            facts(ACTIVE, std::slice::from_ref(&late), now()).in_sync,
            Fact::Late
        );
    }
}
