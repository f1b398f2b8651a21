//! How many peers had their last handshake how long ago: bars in a real table.

use askama::Template;

use super::meter::Meter;
use crate::domain::profile::Language;

/// The ends of the classes in seconds, and how they are called; beyond the last there are the older and the silent.
pub const CLASSES: [(i64, &str); 7] = [
    (30, "ages-30s"),
    (60, "ages-1min"),
    (120, "ages-2min"),
    (180, "ages-3min"),
    (600, "ages-10min"),
    (3_600, "ages-1h"),
    (86_400, "ages-1d"),
];

/// WireGuard lets go of a session that was silent for as long as the classes up to here.
const LIVE_CLASSES: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ages {
    pub within: [u64; CLASSES.len()],
    pub older: u64,
    pub never: u64,
}

#[derive(Template)]
#[template(path = "pictures/histogram.html")]
pub struct Histogram {
    caption: String,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    count: String,
    bar: Meter,
    is_cut: bool,
}

impl Ages {
    pub fn total(&self) -> u64 {
        self.within.iter().sum::<u64>() + self.older + self.never
    }

    pub fn draw(&self, language: Language, caption: String) -> Histogram {
        let named = CLASSES
            .iter()
            .map(|(_, name)| *name)
            .chain(["ages-older", "ages-never"]);
        let counts = self.within.into_iter().chain([self.older, self.never]);
        let largest = counts.clone().max().unwrap_or(0);
        let row = |(at, (name, count)): (usize, (&'static str, u64))| Row {
            name: language.say(name),
            count: language.number(count),
            bar: Meter::share_of(count, largest),
            is_cut: at == LIVE_CLASSES,
        };
        Histogram {
            caption,
            rows: named.zip(counts).enumerate().map(row).collect(),
        }
    }
}
