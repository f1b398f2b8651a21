//! Who goes where: networks, pools and nodes from left to right, the width of a link is how many peers use it.
//!
//! Where there are more nodes than can be told apart, they are drawn as the groups that the caller made of them.

use std::collections::BTreeMap;

use askama::Template;

use crate::domain::profile::Language;

const WIDTH: f64 = 720.0;
const COLUMNS: [f64; 3] = [70.0, 325.0, 600.0];
const BAR: f64 = 5.0;
/// Between two bars of a column, so that their names do not touch.
const GAP: f64 = 14.0;
const LEAST: f64 = 1.4;
/// Above all bars, for a name that stands over its own.
const ROOM: f64 = 20.0;
/// So high all peers together are.
const FULL: f64 = 260.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Live,
    Moving,
    /// Meant, and not seen to carry anything.
    Configured,
    Blocked,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    pub name: String,
    pub href: String,
    pub peers: u64,
    /// A class of the stylesheet for exceptions, or nothing.
    pub exception: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    pub from: usize,
    pub to: usize,
    pub peers: u64,
    pub link: Link,
}

/// Columns of ends, and what flows from each column to the next.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    pub networks: Vec<End>,
    pub pools: Vec<End>,
    pub nodes: Vec<End>,
    pub into_pools: Vec<Flow>,
    pub into_nodes: Vec<Flow>,
}

#[derive(Template)]
#[template(path = "pictures/topology.html")]
pub struct Topology {
    label: String,
    width: f64,
    top: f64,
    height: String,
    links: Vec<Path>,
    bars: Vec<Bar>,
}

struct Path {
    class: &'static str,
    width: String,
    d: String,
    title: String,
}

struct Bar {
    x: String,
    y: String,
    height: String,
    class: &'static str,
    href: String,
    name: String,
    peers: String,
    text_x: String,
    text_y: String,
    is_left: bool,
}

/// Where a bar stands, and how much of either side is taken by links already.
struct Slot {
    top: f64,
    height: f64,
    left: f64,
    right: f64,
}

impl Graph {
    pub fn draw(&self, language: Language) -> Topology {
        let per_peer = FULL
            / self
                .networks
                .iter()
                .map(|end| end.peers)
                .sum::<u64>()
                .max(1) as f64;
        let columns = [&self.networks, &self.pools, &self.nodes];
        let needed = columns.map(|ends| column_height(ends, per_peer));
        let height = needed.into_iter().fold(0.0, f64::max);
        let mut slots = [0, 1, 2].map(|at| stand(columns[at], per_peer, height - needed[at]));
        let mut links = Vec::new();
        for (left, flows) in [&self.into_pools, &self.into_nodes].into_iter().enumerate() {
            for flow in flows {
                let names = [
                    &columns[left][flow.from].name,
                    &columns[left + 1][flow.to].name,
                ];
                let title = format!(
                    "{} → {}: {}",
                    names[0],
                    names[1],
                    language.number(flow.peers)
                );
                links.push(link(&mut slots, left, flow, per_peer, title));
            }
        }
        let bars = columns
            .iter()
            .zip(&slots)
            .enumerate()
            .flat_map(|(at, (ends, slots))| {
                let ends = ends.iter().zip(slots);
                ends.map(move |(end, slot)| bar(at, end, slot, language))
            });
        Topology {
            label: language.say("topology-in-words"),
            width: WIDTH,
            top: -ROOM,
            height: format!("{:.0}", ROOM + height + GAP),
            links,
            bars: bars.collect(),
        }
    }
}

fn column_height(ends: &[End], per_peer: f64) -> f64 {
    let bars: f64 = ends.iter().map(|end| bar_height(end, per_peer)).sum();
    bars + GAP * ends.len() as f64
}

fn bar_height(end: &End, per_peer: f64) -> f64 {
    (end.peers as f64 * per_peer).max(LEAST)
}

/// Spreads what room is left over between the bars of a column.
fn stand(ends: &[End], per_peer: f64, room: f64) -> Vec<Slot> {
    let between = GAP + room.max(0.0) / ends.len().max(1) as f64;
    let mut top = between / 2.0;
    let mut slots = Vec::with_capacity(ends.len());
    for end in ends {
        let height = bar_height(end, per_peer);
        slots.push(Slot {
            top,
            height,
            left: 0.0,
            right: 0.0,
        });
        top += height + between;
    }
    slots
}

fn link(
    slots: &mut [Vec<Slot>; 3],
    left: usize,
    flow: &Flow,
    per_peer: f64,
    title: String,
) -> Path {
    let width = (flow.peers as f64 * per_peer).max(LEAST);
    let from = &mut slots[left][flow.from];
    let start = from.top + from.right + width / 2.0;
    from.right += flow.peers as f64 * per_peer;
    let to = &mut slots[left + 1][flow.to];
    let end = to.top + to.left + width / 2.0;
    to.left += flow.peers as f64 * per_peer;
    let (x1, x2) = (COLUMNS[left] + BAR, COLUMNS[left + 1]);
    let bend = (x1 + x2) / 2.0;
    let (class, width) = match flow.link {
        Link::Live => ("", width),
        Link::Moving => ("moving", width),
        // A dash as broad as the bar would not be a line.
        Link::Configured => ("configured", LEAST),
        Link::Blocked => ("blocked", LEAST),
    };
    Path {
        class,
        width: format!("{width:.1}"),
        d: format!("M{x1:.0} {start:.1}C{bend:.0} {start:.1} {bend:.0} {end:.1} {x2:.0} {end:.1}"),
        title,
    }
}

fn bar(column: usize, end: &End, slot: &Slot, language: Language) -> Bar {
    let is_left = column < 2;
    let x = COLUMNS[column];
    // A thin link that arrives would run through the name of what it arrives at.
    let baseline = match column == 1 && slot.height < GAP {
        true => slot.top - 5.0,
        false => slot.top + slot.height / 2.0 + 4.0,
    };
    Bar {
        x: format!("{x:.0}"),
        y: format!("{:.1}", slot.top),
        height: format!("{:.1}", slot.height),
        class: end.exception,
        href: end.href.clone(),
        name: end.name.clone(),
        peers: language.number(end.peers),
        text_x: format!("{:.0}", if is_left { x - 6.0 } else { x + BAR + 6.0 }),
        text_y: format!("{baseline:.1}"),
        is_left,
    }
}

/// Draws many as few: ends of one group become one, and their links with them.
pub fn grouped(
    ends: Vec<End>,
    flows: &[Flow],
    group: impl Fn(usize) -> String,
) -> (Vec<End>, Vec<Flow>) {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    let mut joined: Vec<End> = Vec::new();
    let mut place = Vec::with_capacity(ends.len());
    for (at, end) in ends.into_iter().enumerate() {
        let name = group(at);
        let index = *groups.entry(name.clone()).or_insert(joined.len());
        if index == joined.len() {
            joined.push(End { name, ..end });
        } else {
            joined[index].peers += end.peers;
            if joined[index].exception.is_empty() {
                joined[index].exception = end.exception;
            }
        }
        place.push(index);
    }
    let mut merged: BTreeMap<(usize, usize, u8), Flow> = BTreeMap::new();
    for flow in flows {
        let to = place[flow.to];
        let together = merged
            .entry((flow.from, to, flow.link as u8))
            .or_insert(Flow {
                to,
                peers: 0,
                ..*flow
            });
        together.peers += flow.peers;
    }
    (joined, merged.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(name: &str, peers: u64) -> End {
        End {
            name: name.to_owned(),
            href: format!("/nodes/{name}"),
            peers,
            exception: "",
        }
    }

    fn flow(from: usize, to: usize, peers: u64) -> Flow {
        Flow {
            from,
            to,
            peers,
            link: Link::Live,
        }
    }

    #[test]
    fn links_fill_their_bars_and_no_more() {
        let graph = Graph {
            networks: vec![end("home", 30)],
            pools: vec![end("one", 20), end("two", 10)],
            nodes: vec![end("a", 30)],
            into_pools: vec![flow(0, 0, 20), flow(0, 1, 10)],
            into_nodes: vec![flow(0, 0, 20), flow(1, 0, 10)],
        };

        let drawn = graph.draw(Language::En);

        let widths: Vec<f64> = drawn
            .links
            .iter()
            .map(|link| link.width.parse().unwrap())
            .collect();
        let height: f64 = drawn.bars[0].height.parse().unwrap();
        assert!(
            (widths[0] + widths[1] - height).abs() < 0.2,
            "{widths:?} {height}"
        );
        assert_eq!(drawn.bars.len(), 4);
    }

    #[test]
    fn groups_have_the_peers_and_links_of_their_members() {
        let nodes = vec![end("a", 1), end("b", 2), end("c", 4)];
        let flows = [flow(0, 0, 1), flow(0, 1, 2), flow(1, 2, 4)];

        let (ends, flows) = grouped(nodes, &flows, |at| {
            if at < 2 { "DE" } else { "FR" }.to_owned()
        });

        let peers: Vec<(&str, u64)> = ends
            .iter()
            .map(|end| (end.name.as_str(), end.peers))
            .collect();
        assert_eq!(peers, [("DE", 3), ("FR", 4)]);
        assert_eq!(flows, [flow(0, 0, 3), flow(1, 1, 4)]);
    }
}
