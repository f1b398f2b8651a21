//! Four bars for four facts: reachable, interface up, in sync, carrying traffic.
//!
//! What cannot be known is shown as unknown: behind a node that does not answer, nothing is green.

use askama::Template;

use crate::domain::profile::Language;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    Yes,
    /// On its way: neither true nor wrong.
    Late,
    No,
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    pub reachable: Fact,
    pub up: Fact,
    pub in_sync: Fact,
    pub traffic: Fact,
}

impl Facts {
    pub const UNKNOWN: Self = Self {
        reachable: Fact::Unknown,
        up: Fact::Unknown,
        in_sync: Fact::Unknown,
        traffic: Fact::Unknown,
    };

    /// What remains known when the node itself is out of reach.
    pub fn behind(self) -> Self {
        match self.reachable {
            Fact::Yes => self,
            Fact::Late | Fact::No | Fact::Unknown => Self {
                reachable: self.reachable,
                ..Self::UNKNOWN
            },
        }
    }

    pub fn draw(self, language: Language) -> FourBars {
        let texts = [
            (
                self.reachable,
                [
                    "fact-reachable",
                    "fact-reachable-late",
                    "fact-reachable-no",
                    "fact-reachable-unknown",
                ],
            ),
            (
                self.up,
                ["fact-up", "fact-up-late", "fact-up-no", "fact-up-unknown"],
            ),
            (
                self.in_sync,
                [
                    "fact-in-sync",
                    "fact-in-sync-late",
                    "fact-in-sync-no",
                    "fact-in-sync-unknown",
                ],
            ),
            (
                self.traffic,
                [
                    "fact-traffic",
                    "fact-traffic-late",
                    "fact-traffic-no",
                    "fact-traffic-unknown",
                ],
            ),
        ];
        let said: Vec<String> = texts
            .map(|(fact, names)| language.say(names[fact as usize]))
            .into();
        FourBars {
            bars: [self.reachable, self.up, self.in_sync, self.traffic],
            label: said.join(", "),
        }
    }
}

#[derive(Template)]
#[template(path = "pictures/four_bars.html")]
pub struct FourBars {
    bars: [Fact; 4],
    label: String,
}

/// One of the four, beside a sentence that says the same.
#[derive(Template)]
#[template(path = "pictures/one_bar.html")]
pub struct OneBar(pub Fact);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_node_that_does_not_answer_nothing_is_known() {
        let facts = Facts {
            reachable: Fact::No,
            up: Fact::Yes,
            in_sync: Fact::Late,
            traffic: Fact::Yes,
        };

        let expected = Facts {
            reachable: Fact::No,
            ..Facts::UNKNOWN
        };
        assert_eq!(facts.behind(), expected);
        let reachable = Facts {
            reachable: Fact::Yes,
            ..facts
        };
        assert_eq!(reachable.behind(), reachable);
    }

    #[test]
    fn the_four_facts_are_said_in_words() {
        let drawn = Facts::UNKNOWN.draw(Language::En).render().unwrap();

        assert_eq!(drawn.matches("class=\"unknown\"").count(), 4);
        assert!(
            drawn.contains("aria-label=\"unknown: reachable, unknown: interface up"),
            "{drawn}"
        );
    }
}
