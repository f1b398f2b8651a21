//! Places one peer after the other, each as if it were alone, and counts it at once.
//!
//! The candidates are judged and sorted once; after that a peer costs what its own nodes cost.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::explanation::{Explanation, NAMED, Ranked};
use super::reason::{NoCandidate, Reason, obstacle, tallies};
use super::standing::Standing;
use super::{Candidate, Placement, Rules};
use crate::domain::ids::{InterfaceId, NodeId};

/// Where one peer goes, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub chosen: Vec<InterfaceId>,
    pub explanation: Explanation,
}

#[derive(Debug)]
pub struct Placer<'a> {
    candidates: &'a [Candidate],
    rules: Rules,
    nodes: HashMap<NodeId, Node>,
    /// Who can take a peer, the best first.
    eligible: BTreeSet<Standing>,
    /// Who cannot, the nearest to it first; the last part finds the candidate.
    left_out: BTreeSet<(Reason, NodeId, InterfaceId, usize)>,
    left_out_counts: BTreeMap<Reason, usize>,
}

/// The candidates of one node by rising interface, and how many peers it got here.
#[derive(Debug, Default)]
struct Node {
    candidates: Vec<usize>,
    added: i64,
}

impl<'a> Placer<'a> {
    pub fn new(candidates: &'a [Candidate], rules: Rules) -> Self {
        let mut nodes: HashMap<NodeId, Node> = HashMap::new();
        for (index, candidate) in candidates.iter().enumerate() {
            let node = nodes.entry(candidate.node).or_default();
            node.candidates.push(index);
        }
        for node in nodes.values_mut() {
            node.candidates
                .sort_by_key(|index| candidates[*index].interface);
        }
        let mut placer = Self {
            candidates,
            rules,
            nodes,
            eligible: BTreeSet::new(),
            left_out: BTreeSet::new(),
            left_out_counts: BTreeMap::new(),
        };
        let all: Vec<NodeId> = placer.nodes.keys().copied().collect();
        for node in all {
            placer.enter(node);
        }
        placer
    }

    /// Places the next peer. Once this fails it fails for good: counts only rise.
    pub fn place(&mut self) -> Result<Choice, NoCandidate> {
        let chosen: Vec<Standing> = match self.rules.placement {
            Placement::One => self.eligible.first().copied().into_iter().collect(),
            Placement::All => self.eligible.iter().copied().collect(),
        };
        if chosen.is_empty() {
            return Err(NoCandidate {
                reasons: tallies(&self.left_out_counts),
            });
        }
        let explanation = self.explain(chosen.len());
        for standing in &chosen {
            self.count_one_more(standing.node);
        }
        Ok(Choice {
            chosen: chosen.iter().map(|standing| standing.interface).collect(),
            explanation,
        })
    }

    /// Every candidate as it is for the next peer: the chosen first, then whoever is nearest to it.
    pub fn ranked(&self) -> Vec<Ranked> {
        self.of_eligible().chain(self.of_left_out()).collect()
    }

    fn explain(&self, chosen: usize) -> Explanation {
        let named: Vec<Ranked> = match self.rules.placement {
            Placement::One => {
                let all = self.of_eligible().chain(self.of_left_out());
                all.take(NAMED).collect()
            }
            Placement::All => {
                let members = |ranked: &Ranked| ranked.reason != Some(Reason::NotInPool);
                let all = self
                    .of_left_out()
                    .take_while(members)
                    .chain(self.of_eligible());
                all.take(NAMED).collect()
            }
        };
        Explanation {
            placement: self.rules.placement,
            chosen,
            others: tallies(&self.counts_without(&named)),
            named,
        }
    }

    fn counts_without(&self, named: &[Ranked]) -> BTreeMap<Reason, usize> {
        let mut counts = self.left_out_counts.clone();
        if self.rules.placement == Placement::One {
            let tied = self
                .eligible
                .iter()
                .skip(1)
                .take_while(|one| self.is_tied(one))
                .count();
            counts.insert(Reason::Tied, tied);
            counts.insert(Reason::Loaded, self.eligible.len().saturating_sub(1 + tied));
        }
        for reason in named.iter().filter_map(|ranked| ranked.reason) {
            counts.entry(reason).and_modify(|count| *count -= 1);
        }
        counts
    }

    fn of_eligible(&self) -> impl Iterator<Item = Ranked> {
        self.eligible.iter().enumerate().map(|(place, standing)| {
            let reason = match self.rules.placement {
                Placement::One if place > 0 && self.is_tied(standing) => Some(Reason::Tied),
                Placement::One if place > 0 => Some(Reason::Loaded),
                Placement::One | Placement::All => None,
            };
            self.describe(standing.index, reason)
        })
    }

    fn of_left_out(&self) -> impl Iterator<Item = Ranked> {
        self.left_out
            .iter()
            .map(|(reason, _, _, index)| self.describe(*index, Some(*reason)))
    }

    fn is_tied(&self, standing: &Standing) -> bool {
        let best = self.eligible.first();
        best.is_some_and(|best| best.compare_load(standing) == Ordering::Equal)
    }

    fn describe(&self, index: usize, reason: Option<Reason>) -> Ranked {
        let candidate = &self.candidates[index];
        let silence = candidate
            .good_at
            .map(|at| (self.rules.now - at).num_seconds());
        Ranked::new(candidate, self.peers(index), silence, reason)
    }

    fn peers(&self, index: usize) -> i64 {
        let candidate = &self.candidates[index];
        candidate.node_peers + self.nodes[&candidate.node].added
    }

    fn count_one_more(&mut self, node: NodeId) {
        self.leave(node);
        self.nodes.entry(node).and_modify(|node| node.added += 1);
        self.enter(node);
    }

    /// Puts the candidates of a node where they belong.
    fn enter(&mut self, node: NodeId) {
        for (standing, reason) in self.judge(node) {
            match reason {
                None => drop(self.eligible.insert(standing)),
                Some(reason) => {
                    self.left_out.insert(seat(reason, &standing));
                    *self.left_out_counts.entry(reason).or_default() += 1;
                }
            }
        }
    }

    /// Takes them out again, which needs the very counts they were put in with.
    fn leave(&mut self, node: NodeId) {
        for (standing, reason) in self.judge(node) {
            match reason {
                None => drop(self.eligible.remove(&standing)),
                Some(reason) => {
                    self.left_out.remove(&seat(reason, &standing));
                    self.left_out_counts
                        .entry(reason)
                        .and_modify(|count| *count -= 1);
                }
            }
        }
    }

    /// With placement on all, one interface of a node is enough: the first that can.
    fn judge(&self, node: NodeId) -> Vec<(Standing, Option<Reason>)> {
        let mut is_taken = false;
        let judge_one = |index: &usize| {
            let candidate = &self.candidates[*index];
            let peers = self.peers(*index);
            let mut reason = obstacle(candidate, peers, self.rules);
            if reason.is_none() && self.rules.placement == Placement::All {
                reason = is_taken.then_some(Reason::SameNode);
                is_taken = true;
            }
            let standing = Standing {
                peers,
                weight: candidate.weight,
                node,
                interface: candidate.interface,
                index: *index,
            };
            (standing, reason)
        };
        self.nodes[&node].candidates.iter().map(judge_one).collect()
    }
}

fn seat(reason: Reason, standing: &Standing) -> (Reason, NodeId, InterfaceId, usize) {
    (reason, standing.node, standing.interface, standing.index)
}
