//! The evidence about one node: four facts, each with what it rests on and how old that is.

use askama::Template;

use super::standing::{facts, is_behind, standing};
use super::traffic::Lately;
use super::whole::Whole;
use crate::db::interfaces::Interface;
use crate::db::nodes::Node;
use crate::domain::node::State;
use crate::domain::profile::Language;
use crate::web::frame::{Frame, Moment};
use crate::web::pictures::evidence::{Fact, OneBar};

#[derive(Template)]
#[template(path = "nodes/_board.html")]
pub(super) struct Board {
    t: Language,
    /// Where to ask for it again.
    href: String,
    facts: Vec<Evidence>,
}

struct Evidence {
    name: &'static str,
    bar: OneBar,
    text: String,
    at: Option<Moment>,
    detail: String,
    class: &'static str,
}

impl Board {
    pub(super) fn of(frame: &Frame, whole: &Whole, lately: &Lately) -> Self {
        let Whole { node, interfaces } = whole;
        let known = facts(node, interfaces, lately.fact());
        Self {
            t: frame.t,
            href: format!("/nodes/{}/board", node.id),
            facts: vec![
                reachable(frame, node, known.reachable),
                up(frame, node, interfaces, known.up),
                in_sync(frame, interfaces, known.in_sync),
                traffic(frame, lately, known.traffic),
            ],
        }
    }
}

fn class(fact: Fact) -> &'static str {
    match fact {
        Fact::Yes | Fact::Unknown => "",
        Fact::Late => "warn",
        Fact::No => "bad",
    }
}

fn reachable(frame: &Frame, node: &Node, fact: Fact) -> Evidence {
    let t = frame.t;
    let text = match (node.state(), node.good_at) {
        (State::Disabled, _) => t.say("state-disabled"),
        (_, Some(_)) => t.say("seen"),
        (_, None) => t.say("never-seen"),
    };
    let clock = node.clock_offset_ms.map(|ms| {
        let off = [("ms", t.number(ms.unsigned_abs()).into())];
        match ms < 0 {
            true => t.say_with("node-clock-behind", off),
            false => t.say_with("node-clock-ahead", off),
        }
    });
    let agent = node.agent_version.as_ref();
    let agent = agent
        .map(|version| t.say_with("node-agent-version", [("version", version.as_str().into())]));
    let detail = match &node.problem_text {
        Some(problem) => problem.clone(),
        None => [agent, clock]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", "),
    };
    Evidence {
        name: "node-evidence-reachable",
        bar: OneBar(fact),
        text,
        at: node.good_at.map(|at| frame.ago(at)),
        detail,
        class: class(fact),
    }
}

fn up(frame: &Frame, node: &Node, interfaces: &[Interface], fact: Fact) -> Evidence {
    let t = frame.t;
    let count = interfaces
        .iter()
        .filter(|one| one.link.as_deref() == Some("up"))
        .count();
    let text = match (interfaces, fact) {
        ([], _) => t.say("node-no-interface"),
        (_, Fact::Unknown) => t.say("node-not-known"),
        ([only], Fact::Yes) => t.say_with(
            "node-interface-is-up",
            [("name", only.name.as_str().into())],
        ),
        ([only], _) => t.say_with(
            "node-interface-is-not-up",
            [("name", only.name.as_str().into())],
        ),
        (many, _) => {
            let (up, all) = (t.number(count as u64), t.number(many.len() as u64));
            t.say_with(
                "node-interfaces-up",
                [("up", up.into()), ("all", all.into())],
            )
        }
    };
    let detail = match node.booted_at.filter(|_| fact != Fact::Unknown) {
        Some(at) => t.say_with("node-machine-up", [("span", t.span(frame.now - at).into())]),
        None => String::new(),
    };
    Evidence {
        name: "node-evidence-up",
        bar: OneBar(fact),
        text,
        at: None,
        detail,
        class: class(fact),
    }
}

fn in_sync(frame: &Frame, interfaces: &[Interface], fact: Fact) -> Evidence {
    let t = frame.t;
    let unknown: u64 = interfaces
        .iter()
        .map(|one| u64::from(one.unknown_peers.unsigned_abs()))
        .sum();
    let missing: i64 = interfaces
        .iter()
        .map(|one| one.desired_generation - one.applied_generation)
        .filter(|gap| *gap > 0)
        .sum();
    let problem = interfaces.iter().find_map(|one| one.problem_text.as_ref());
    let text = match (fact, problem) {
        (Fact::Yes, _) => t.say("node-in-sync-yes"),
        (Fact::Unknown, _) => t.say("node-not-known"),
        (Fact::No | Fact::Late, Some(_)) => t.say("node-in-sync-refused"),
        (Fact::No | Fact::Late, None) if missing > 0 => {
            t.count("node-behind", missing.unsigned_abs())
        }
        (Fact::No | Fact::Late, None) => t.count("node-unasked-peers", unknown),
    };
    let behind = interfaces.iter().find(|one| is_behind(one));
    let detail = match (problem, behind, interfaces) {
        (Some(problem), ..) => problem.clone(),
        (None, Some(one), _) => generations(t, one),
        // What is not known now is not told as it was.
        (None, None, [_]) if fact != Fact::Unknown => standing(t, interfaces),
        (None, None, _) => String::new(),
    };
    let oldest = interfaces.iter().filter_map(|one| one.observed_at).min();
    Evidence {
        name: "node-evidence-in-sync",
        bar: OneBar(fact),
        text,
        at: oldest.filter(|_| fact == Fact::Yes).map(|at| frame.ago(at)),
        detail,
        class: class(fact),
    }
}

pub(super) fn generations(t: Language, interface: &Interface) -> String {
    let (has, wants) = (interface.applied_generation, interface.desired_generation);
    t.say_with(
        "node-has-and-wants",
        [
            ("has", t.number(has.unsigned_abs()).into()),
            ("wants", t.number(wants.unsigned_abs()).into()),
        ],
    )
}

fn traffic(frame: &Frame, lately: &Lately, fact: Fact) -> Evidence {
    let t = frame.t;
    let text = match (fact, lately.rate) {
        (Fact::Yes, Some(rate)) => t.bits_per_second(rate),
        (_, Some(rate)) if rate <= 0.0 => t.say("node-traffic-none"),
        _ => t.say("node-not-known"),
    };
    Evidence {
        name: "node-evidence-traffic",
        bar: OneBar(fact),
        text,
        at: None,
        detail: match lately.rate {
            Some(_) => t.say("node-traffic-from-samples"),
            None => String::new(),
        },
        class: "",
    }
}
