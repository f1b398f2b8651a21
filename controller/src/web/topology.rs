//! `/topology`: who goes where, from networks by pools to nodes; the width of a way is how many peers take it.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::Shown;
use super::answer::show;
use super::frame::{Frame, Place};
use super::pictures::topology::{End, Flow, Graph, Link, Topology, grouped};
use super::table::Table;
use super::visit::Visit;
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::db::fleetwide::{Stop, Way, stops, ways};
use crate::domain::profile::Language;

/// More nodes than this are drawn by their countries.
const APART: usize = 30;

pub(super) fn configure(table: &mut Table<'_>) {
    table.get("/topology", index);
}

#[derive(Template)]
#[template(path = "topology/index.html")]
struct TopologyPage {
    frame: Frame,
    picture: Option<Topology>,
    /// The same in a table.
    rows: Vec<Row>,
    is_grouped: bool,
}

struct Row {
    from: String,
    by: String,
    to: String,
    peers: String,
}

async fn index(visit: Visit<Reads>, shown: Data<Shown>) -> Result<HttpResponse, Problem> {
    visit.everywhere()?;
    let frame = visit.frame(Place::Topology).await?;
    let pool = &visit.fleet.pool;
    let counted = shown.topology.read(frame.counts.newest_event, async |_| {
        Ok(Counted {
            stops: stops(pool).await?,
            ways: ways(pool).await?,
        })
    });
    let counted = counted.await?;
    let drawing = Drawing::of(frame.t, &counted.stops, &counted.ways);
    show(&TopologyPage {
        picture: (!counted.stops.is_empty()).then(|| drawing.graph.draw(frame.t)),
        rows: drawing.rows(frame.t),
        is_grouped: drawing.is_grouped,
        frame,
    })
}

/// Who takes which way, of every peer there is.
pub(in crate::web) struct Counted {
    stops: Vec<Stop>,
    ways: Vec<Way>,
}

struct Drawing {
    graph: Graph,
    /// From a network by a pool to a node, each by its place in the graph.
    ways: BTreeMap<(usize, usize, usize), u64>,
    is_grouped: bool,
}

impl Drawing {
    fn of(t: Language, stops: &[Stop], ways: &[Way]) -> Self {
        let of_kind = |kind: &'static str| stops.iter().filter(move |stop| stop.kind == kind);
        let places = |kind| of_kind(kind).map(|stop| stop.id).zip(0..).collect();
        let networks: BTreeMap<i64, usize> = places("network");
        let pools: BTreeMap<i64, usize> = places("pool");
        let nodes: BTreeMap<i64, usize> = places("node");
        let ends = |kind| {
            of_kind(kind)
                .map(|stop| end(stop, kind))
                .collect::<Vec<End>>()
        };
        let mut graph = Graph {
            networks: ends("network"),
            pools: ends("pool"),
            nodes: ends("node"),
            ..Graph::default()
        };
        let no_pool = graph.pools.len();
        if ways.iter().any(|way| way.pool.is_none()) {
            graph.pools.push(End {
                name: t.say("no-pool"),
                href: "/nodes".to_owned(),
                peers: 0,
                exception: "",
            });
        }
        let mut counted: BTreeMap<(usize, usize, usize), u64> = BTreeMap::new();
        for way in ways {
            // What was made or deleted between the two statements is drawn the next time.
            let pool = match way.pool {
                Some(pool) => pools.get(&pool.0),
                None => Some(&no_pool),
            };
            let ends = (networks.get(&way.network.0), pool, nodes.get(&way.node.0));
            if let (Some(network), Some(pool), Some(node)) = ends {
                *counted.entry((*network, *pool, *node)).or_default() += way.peers.unsigned_abs();
            }
        }
        let states: Vec<Link> = of_kind("node").map(link).collect();
        graph.count(&counted, &states);
        let mut drawing = Self {
            graph,
            ways: counted,
            is_grouped: false,
        };
        if nodes.len() > APART {
            let countries: Vec<String> = of_kind("node").map(|stop| country(t, stop)).collect();
            drawing.group(&countries);
        }
        drawing
    }

    /// Draws countries in place of nodes.
    fn group(&mut self, countries: &[String]) {
        let nodes = std::mem::take(&mut self.graph.nodes);
        let (mut groups, flows) =
            grouped(nodes, &self.graph.into_nodes, |at| countries[at].clone());
        for group in &mut groups {
            group.href = "/nodes".to_owned();
        }
        let place = |node: usize| {
            groups
                .iter()
                .position(|group| group.name == countries[node])
        };
        let mut ways: BTreeMap<(usize, usize, usize), u64> = BTreeMap::new();
        for ((network, pool, node), peers) in &self.ways {
            if let Some(group) = place(*node) {
                *ways.entry((*network, *pool, group)).or_default() += peers;
            }
        }
        self.ways = ways;
        self.graph.nodes = groups;
        self.graph.into_nodes = flows;
        self.is_grouped = true;
    }

    fn rows(&self, t: Language) -> Vec<Row> {
        let row = |((network, pool, node), peers): (&(usize, usize, usize), &u64)| Row {
            from: self.graph.networks[*network].name.clone(),
            by: self.graph.pools[*pool].name.clone(),
            to: self.graph.nodes[*node].name.clone(),
            peers: t.number(*peers),
        };
        self.ways.iter().map(row).collect()
    }
}

impl Graph {
    /// Adds up the ways at their ends and along their halves.
    fn count(&mut self, ways: &BTreeMap<(usize, usize, usize), u64>, states: &[Link]) {
        let mut into_pools: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        let mut into_nodes: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        for ((network, pool, node), peers) in ways {
            self.networks[*network].peers += peers;
            self.pools[*pool].peers += peers;
            self.nodes[*node].peers += peers;
            *into_pools.entry((*network, *pool)).or_default() += peers;
            *into_nodes.entry((*pool, *node)).or_default() += peers;
        }
        let flow = |((from, to), peers): ((usize, usize), u64), link| Flow {
            from,
            to,
            peers,
            link,
        };
        self.into_pools = into_pools
            .into_iter()
            .map(|way| flow(way, Link::Live))
            .collect();
        self.into_nodes = into_nodes
            .into_iter()
            .map(|way| flow(way, states[way.0.1]))
            .collect();
    }
}

fn end(stop: &Stop, kind: &str) -> End {
    let link = match kind {
        "node" => link(stop),
        _ => Link::Live,
    };
    End {
        name: stop.name.clone(),
        href: format!("/{kind}s/{}", stop.id),
        peers: 0,
        exception: match link {
            Link::Blocked => "bad",
            Link::Moving => "move",
            Link::Live | Link::Configured => "",
        },
    }
}

/// What is known of the last part of a way.
fn link(stop: &Stop) -> Link {
    match (stop.enabled, stop.reachability.as_deref()) {
        (Some(true), Some("online")) if stop.is_behind == Some(true) => Link::Moving,
        (Some(true), Some("online")) => Link::Live,
        (Some(true), Some("offline" | "error")) => Link::Blocked,
        _ => Link::Configured,
    }
}

fn country(t: Language, stop: &Stop) -> String {
    match &stop.country {
        Some(country) => country.clone(),
        None => t.say("no-country"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{NetworkId, NodeId, PoolId};

    fn stop(kind: &str, id: i64, country: &str) -> Stop {
        Stop {
            kind: kind.to_owned(),
            id,
            name: format!("{kind}-{id}"),
            country: Some(country.to_owned()),
            enabled: Some(true),
            reachability: Some("online".to_owned()),
            is_behind: Some(false),
        }
    }

    fn way(pool: Option<i64>, node: i64, peers: i64) -> Way {
        Way {
            network: NetworkId(1),
            pool: pool.map(PoolId),
            node: NodeId(node),
            peers,
        }
    }

    #[test]
    fn every_peer_is_counted_at_each_stop_of_its_way() {
        let stops = [
            stop("network", 1, ""),
            stop("node", 1, "DE"),
            stop("node", 2, "FR"),
            stop("pool", 5, ""),
        ];

        let drawing = Drawing::of(
            Language::En,
            &stops,
            &[way(Some(5), 1, 3), way(Some(5), 2, 4), way(None, 2, 2)],
        );

        let peers = |ends: &[End]| ends.iter().map(|end| end.peers).collect::<Vec<u64>>();
        assert_eq!(peers(&drawing.graph.networks), [9]);
        assert_eq!(peers(&drawing.graph.pools), [7, 2]);
        assert_eq!(peers(&drawing.graph.nodes), [3, 6]);
        assert_eq!(drawing.rows(Language::En).len(), 3);
    }

    #[test]
    fn many_nodes_are_drawn_by_country_and_lose_nobody() {
        let mut stops = vec![stop("network", 1, ""), stop("pool", 5, "")];
        stops.extend((1..=40).map(|id| stop("node", id, if id % 2 == 0 { "DE" } else { "FR" })));
        let ways: Vec<Way> = (1..=40).map(|id| way(Some(5), id, 10)).collect();

        let drawing = Drawing::of(Language::En, &stops, &ways);

        assert!(drawing.is_grouped);
        let nodes: Vec<(&str, u64)> = drawing
            .graph
            .nodes
            .iter()
            .map(|end| (end.name.as_str(), end.peers))
            .collect();
        assert_eq!(nodes, [("FR", 200), ("DE", 200)]);
        assert_eq!(drawing.ways.values().sum::<u64>(), 400);
    }
}
