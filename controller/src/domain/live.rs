//! What an open page is told: which topics changed, gathered for a moment so that a busy fleet does not flood it.

use std::collections::{BTreeMap, BTreeSet};

/// More objects of one topic than this are not named: whoever shows the topic reads it anew.
const MOST_OBJECTS: usize = 50;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    pub id: i64,
    pub topic: String,
    /// Such as `node/7`.
    pub object: String,
}

/// What a page hears of a topic in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub topic: String,
    /// None: too many, or not for these eyes.
    pub objects: Option<BTreeSet<String>>,
}

/// What waits to be told to one page.
#[derive(Debug)]
pub struct Waiting {
    /// Empty: all of them.
    topics: BTreeSet<String>,
    /// Whether objects are named to whoever listens.
    names: bool,
    last: i64,
    changed: BTreeMap<String, Option<BTreeSet<String>>>,
}

impl Waiting {
    /// Nothing up to `last` is told again.
    pub fn after(last: i64, topics: BTreeSet<String>, names: bool) -> Self {
        Self {
            topics,
            names,
            last,
            changed: BTreeMap::new(),
        }
    }

    pub fn hear(&mut self, happened: &Happened) {
        if happened.id <= self.last {
            return;
        }
        self.last = happened.id;
        if !self.topics.is_empty() && !self.topics.contains(&happened.topic) {
            return;
        }
        let first = || self.names.then(BTreeSet::new);
        let objects = self
            .changed
            .entry(happened.topic.clone())
            .or_insert_with(first);
        if let Some(named) = objects {
            named.insert(happened.object.clone());
            if named.len() > MOST_OBJECTS {
                *objects = None;
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    /// Up to where everything was heard.
    pub fn last(&self) -> i64 {
        self.last
    }

    /// All that waits, each topic once.
    pub fn take(&mut self) -> Vec<Told> {
        let changed = std::mem::take(&mut self.changed);
        let told = |(topic, objects)| Told { topic, objects };
        changed.into_iter().map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happened(id: i64, topic: &str, object: &str) -> Happened {
        Happened {
            id,
            topic: topic.to_owned(),
            object: object.to_owned(),
        }
    }

    fn told(waiting: &mut Waiting) -> Vec<(String, Option<usize>)> {
        let told = waiting.take().into_iter();
        told.map(|told| (told.topic, told.objects.map(|objects| objects.len())))
            .collect()
    }

    #[test]
    fn many_changes_of_a_topic_are_one_word() {
        let mut waiting = Waiting::after(0, BTreeSet::new(), true);
        for id in 1..=3 {
            waiting.hear(&happened(id, "nodes", "node/7"));
        }
        waiting.hear(&happened(4, "peers", "peer/1"));

        assert_eq!(
            told(&mut waiting),
            [("nodes".to_owned(), Some(1)), ("peers".to_owned(), Some(1))]
        );
        assert!(waiting.is_empty());
        assert_eq!(waiting.last(), 4);
    }

    #[test]
    fn too_many_objects_are_not_named_and_nothing_is_told_twice() {
        let mut waiting = Waiting::after(5, BTreeSet::from(["peers".to_owned()]), true);
        waiting.hear(&happened(5, "peers", "peer/0"));
        waiting.hear(&happened(6, "nodes", "node/1"));
        assert!(waiting.is_empty());

        for id in 10..=70 {
            waiting.hear(&happened(id, "peers", &format!("peer/{id}")));
        }

        assert_eq!(told(&mut waiting), [("peers".to_owned(), None)]);
    }

    #[test]
    fn objects_are_named_only_to_those_who_may_know_of_all() {
        let mut waiting = Waiting::after(0, BTreeSet::new(), false);

        waiting.hear(&happened(1, "peers", "peer/1"));

        assert_eq!(told(&mut waiting), [("peers".to_owned(), None)]);
    }
}
