//! What is said of a node in few words: four facts, how far it is, and what is out of the ordinary.

use crate::db::interfaces::Interface;
use crate::db::nodes::Node;
use crate::domain::node::State;
use crate::domain::profile::Language;
use crate::web::pictures::evidence::{Fact, Facts};

/// A word with the class that gives it its shape.
pub(super) struct Exception {
    pub class: &'static str,
    pub text: String,
}

/// What is known of a node: the worst of its interfaces stands for all. Whether it carries traffic, only samples tell.
pub(super) fn facts(node: &Node, interfaces: &[Interface], traffic: Fact) -> Facts {
    Facts {
        reachable: reachable(node),
        up: worst(interfaces.iter().map(up)),
        in_sync: worst(interfaces.iter().map(in_sync)),
        traffic,
    }
    .behind()
}

fn reachable(node: &Node) -> Fact {
    match node.state() {
        State::Online => Fact::Yes,
        State::Offline | State::Error => Fact::No,
        State::Pending | State::Disabled => Fact::Unknown,
    }
}

fn up(interface: &Interface) -> Fact {
    match interface.link.as_deref() {
        Some("up") => Fact::Yes,
        Some(_) => Fact::No,
        None => Fact::Unknown,
    }
}

pub(super) fn is_behind(interface: &Interface) -> bool {
    interface.applied_generation < interface.desired_generation
}

fn in_sync(interface: &Interface) -> Fact {
    match (interface.problem.is_some(), is_behind(interface)) {
        (true, _) => Fact::No,
        (false, true) => Fact::Late,
        (false, false) if interface.unknown_peers > 0 => Fact::No,
        (false, false) if interface.observed_at.is_none() => Fact::Unknown,
        (false, false) => Fact::Yes,
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

/// How far the interfaces are with what they should hold.
pub(super) fn standing(t: Language, interfaces: &[Interface]) -> String {
    match interfaces {
        [] => t.say("node-no-interface"),
        [only] if !is_behind(only) && only.observed_at.is_none() => t.say("node-not-compared"),
        [only] if !is_behind(only) => {
            let at = t.number(only.applied_generation.unsigned_abs());
            t.say_with("node-in-sync-at", [("generation", at.into())])
        }
        [only] => {
            let missing = only.desired_generation - only.applied_generation;
            t.count("node-behind", missing.unsigned_abs())
        }
        many => t.count("node-interfaces", many.len() as u64),
    }
}

pub(super) fn exception(t: Language, node: &Node, interfaces: &[Interface]) -> Option<Exception> {
    let tag = |class, name| {
        let text = t.say(name);
        Some(Exception { class, text })
    };
    match node.state() {
        State::Disabled => return tag("off", "state-disabled"),
        State::Pending => return tag("off", "state-pending"),
        State::Offline => return tag("bad", "state-offline"),
        State::Error => return tag("bad", "state-error"),
        State::Online => {}
    }
    if interfaces
        .iter()
        .any(|interface| interface.problem.is_some())
    {
        return tag("bad", "state-refused");
    }
    if interfaces
        .iter()
        .any(|interface| interface.unknown_peers > 0)
    {
        return tag("warn", "state-drift");
    }
    if interfaces.iter().any(is_behind) {
        return tag("move", "state-applying");
    }
    let full = node.max_peers > 0 && node.peers >= i64::from(node.max_peers);
    if full {
        tag("warn", "state-full")
    } else {
        None
    }
}
