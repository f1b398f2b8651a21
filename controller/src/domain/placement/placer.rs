//! Places one peer after the other, each as if it were alone, and counts it at once.
//!
//! The candidates are judged and sorted once; after that a peer costs what its own nodes cost.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

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
    /// By rising node, then interface.
    order: Vec<usize>,
    nodes: Vec<Node>,
    /// Who can take a peer, the best first.
    eligible: BTreeSet<Standing>,
    /// Who cannot, the nearest to it first; the last part finds the candidate.
    left_out: BTreeSet<Seat>,
    left_out_counts: BTreeMap<Reason, usize>,
}

type Seat = (Reason, NodeId, InterfaceId, usize);

/// A node, where its candidates are in the order, and how many peers it got here.
#[derive(Debug)]
struct Node {
    id: NodeId,
    candidates: Range<usize>,
    added: i64,
}

impl<'a> Placer<'a> {
    pub fn new(candidates: &'a [Candidate], rules: Rules) -> Self {
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_unstable_by_key(|index| (candidates[*index].node, candidates[*index].interface));
        let mut nodes: Vec<Node> = Vec::with_capacity(order.len());
        for (place, index) in order.iter().enumerate() {
            let id = candidates[*index].node;
            match nodes.last_mut().filter(|last| last.id == id) {
                Some(last) => last.candidates.end = place + 1,
                None => nodes.push(Node {
                    id,
                    candidates: place..place + 1,
                    added: 0,
                }),
            }
        }
        let mut placer = Self {
            candidates,
            rules,
            order,
            nodes,
            eligible: BTreeSet::new(),
            left_out: BTreeSet::new(),
            left_out_counts: BTreeMap::new(),
        };
        placer.enter_all();
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
        candidate.node_peers + self.nodes[self.place_of(candidate.node)].added
    }

    fn place_of(&self, node: NodeId) -> usize {
        self.nodes.partition_point(|one| one.id < node)
    }

    fn count_one_more(&mut self, node: NodeId) {
        let place = self.place_of(node);
        self.leave(place);
        self.nodes[place].added += 1;
        self.enter(place);
    }

    /// All at once: a set that is made of everybody costs less than one that grows.
    fn enter_all(&mut self) {
        let mut eligible = Vec::with_capacity(self.order.len());
        let mut left_out = Vec::new();
        for node in &self.nodes {
            for (standing, reason) in self.judge(node) {
                match reason {
                    None => eligible.push(standing),
                    Some(reason) => left_out.push(seat(reason, &standing)),
                }
            }
        }
        for (reason, ..) in &left_out {
            *self.left_out_counts.entry(*reason).or_default() += 1;
        }
        self.eligible = eligible.into_iter().collect();
        self.left_out = left_out.into_iter().collect();
    }

    /// Puts the candidates of a node where they belong.
    fn enter(&mut self, place: usize) {
        let judged: Vec<_> = self.judge(&self.nodes[place]).collect();
        for (standing, reason) in judged {
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
    fn leave(&mut self, place: usize) {
        let judged: Vec<_> = self.judge(&self.nodes[place]).collect();
        for (standing, reason) in judged {
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
    fn judge(&self, node: &Node) -> impl Iterator<Item = (Standing, Option<Reason>)> {
        let (id, added) = (node.id, node.added);
        let mut is_taken = false;
        let judge_one = move |index: &usize| {
            let candidate = &self.candidates[*index];
            let peers = candidate.node_peers + added;
            let mut reason = obstacle(candidate, peers, self.rules);
            if reason.is_none() && self.rules.placement == Placement::All {
                reason = is_taken.then_some(Reason::SameNode);
                is_taken = true;
            }
            let standing = Standing {
                peers,
                weight: candidate.weight,
                node: id,
                interface: candidate.interface,
                index: *index,
            };
            (standing, reason)
        };
        self.order[node.candidates.clone()].iter().map(judge_one)
    }
}

fn seat(reason: Reason, standing: &Standing) -> Seat {
    (reason, standing.node, standing.interface, standing.index)
}
