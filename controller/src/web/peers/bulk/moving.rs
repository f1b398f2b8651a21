//! What moving many peers means: how many go where, how many are there already, and why others cannot go.

use std::collections::BTreeMap;

use super::super::target::{Places, Target};
use crate::api::problem::Problem;
use crate::domain::ids::PeerId;
use crate::domain::profile::Language;
use crate::domain::relocation::Wish;
use crate::fleet::Refusal;
use crate::fleet::peers::relocate::{self, Fate, Preview};
use crate::web::visit::Visit;

/// More nodes are not named one by one.
const NAMED: usize = 10;

/// What a page says of a move before it is done.
pub(super) struct Means {
    pub target: Target,
    /// There is nothing to do yet: one has to choose first, and may choose among these.
    pub choose: Option<Places>,
    pub consequences: Vec<String>,
    /// How many become other ones.
    pub changing: u64,
}

/// Refuses what lies beyond the reach of whoever asks.
pub(super) fn permit<D>(visit: &Visit<D>, wish: Wish) -> Result<Wish, Problem> {
    match wish.is_within(visit.access.reach) {
        true => Ok(wish),
        false => Err(super::super::beyond()),
    }
}

pub(super) async fn means<D>(
    visit: &Visit<D>,
    target: Target,
    peers: &[PeerId],
) -> Result<Means, Problem> {
    let mut means = Means {
        target,
        choose: None,
        consequences: Vec::new(),
        changing: 0,
    };
    if means.target.is_named() {
        let wish = permit(visit, means.target.wish()?)?;
        let preview = relocate::preview(&visit.fleet, peers, wish).await?;
        let tally = Tally::of(preview);
        means.changing = tally.going + tally.staying;
        means.consequences = tally.tell(visit.language);
    }
    if means.changing == 0 {
        means.choose = Some(Places::within(&visit.fleet, visit.access.reach, None).await?);
    }
    Ok(means)
}

#[derive(Default)]
struct Tally {
    going: u64,
    staying: u64,
    already: u64,
    to: BTreeMap<String, u64>,
    /// By what is said to programs, which is the same for the same reason.
    cannot: BTreeMap<String, (Refusal, u64)>,
}

impl Tally {
    fn of(preview: Preview) -> Self {
        let Preview { fates, nodes } = preview;
        let mut tally = Self::default();
        for fate in fates {
            match fate {
                Fate::Already => tally.already += 1,
                Fate::Stays => tally.staying += 1,
                Fate::Goes(route) => {
                    tally.going += 1;
                    let names = route.interfaces.iter().filter_map(|one| nodes.get(one));
                    for name in names {
                        *tally.to.entry(name.clone()).or_default() += 1;
                    }
                }
                Fate::Cannot(refusal) => {
                    let entry = tally.cannot.entry(refusal.text.clone());
                    entry.or_insert((refusal, 0)).1 += 1;
                }
            }
        }
        tally
    }

    fn tell(self, t: Language) -> Vec<String> {
        let mut told = Vec::new();
        if self.going > 0 {
            let to = self.to.iter().take(NAMED).map(|(node, peers)| {
                let peers = t.number(*peers);
                t.say_with(
                    "bulk-move-to",
                    [("node", node.as_str().into()), ("peers", peers.into())],
                )
            });
            let to: Vec<String> = to.collect();
            let rest = match self.to.len() > NAMED {
                true => ", …",
                false => "",
            };
            let going = t.count("bulk-move-go", self.going);
            told.push(format!("{going} {}{rest}", to.join(", ")));
            told.push(t.say("bulk-move-configs"));
        }
        if self.staying > 0 {
            told.push(t.count("bulk-move-stay", self.staying));
        }
        if self.already > 0 {
            told.push(t.count("bulk-move-already", self.already));
        }
        for (refusal, peers) in self.cannot.into_values() {
            let cannot = t.count("bulk-move-cannot", peers);
            told.push(format!("{cannot} {}", t.refusal(refusal)));
        }
        told
    }
}
