//! Why a peer is on its nodes, as it was written down when that was decided, or would be now.

use askama::Template;

use crate::domain::placement::{Explanation, Placement, Ranked, Reason};
use crate::domain::profile::Language;
use crate::web::frame::{Frame, Moment};

/// Why a peer is where it is, or would go: the candidates and what each lacked.
#[derive(Template)]
#[template(path = "peers/_why.html")]
pub(super) struct Why {
    t: Language,
    pub(super) at: Moment,
    pub(super) is_everywhere: bool,
    candidates: Vec<Candidate>,
    others: Vec<String>,
}

struct Candidate {
    node: String,
    peers: String,
    weight: String,
    score: Option<String>,
    /// None: it was chosen.
    lacked: Option<String>,
}

impl Why {
    pub(super) fn of(frame: &Frame, explanation: &Explanation, at: Moment) -> Self {
        let t = frame.t;
        let others = explanation.others.iter().map(|tally| {
            let many = t.number(tally.candidates as u64);
            format!("{many} {}", lacked(t, tally.reason))
        });
        Self {
            t,
            at,
            is_everywhere: explanation.placement == Placement::All,
            others: others.collect(),
            candidates: explanation
                .named
                .iter()
                .map(|one| Candidate::of(t, one))
                .collect(),
        }
    }
}

impl Candidate {
    fn of(t: Language, ranked: &Ranked) -> Self {
        let score =
            f64::from(i32::try_from(ranked.peers).unwrap_or(i32::MAX)) / f64::from(ranked.weight);
        Self {
            node: ranked.node_name.clone(),
            peers: t.number(ranked.peers.unsigned_abs()),
            weight: t.number(u64::from(ranked.weight.unsigned_abs())),
            score: (ranked.weight > 0).then(|| t.rough(score)),
            lacked: ranked.reason.map(|reason| lacked(t, reason)),
        }
    }
}

fn lacked(t: Language, reason: Reason) -> String {
    match reason {
        Reason::Tied => t.say("lacked-tied"),
        Reason::Loaded => t.say("lacked-loaded"),
        Reason::SameNode => t.say("lacked-same-node"),
        Reason::Full => t.say("lacked-full"),
        Reason::Drained => t.say("lacked-drained"),
        Reason::Unreachable => t.say("lacked-unreachable"),
        Reason::Disabled => t.say("lacked-disabled"),
        Reason::NotInPool => t.say("lacked-not-in-pool"),
    }
}
