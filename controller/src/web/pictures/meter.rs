//! A bar that fills: so many of so many.

use askama::Template;

/// From here on it is said that room runs out.
const NEARLY_FULL: f64 = 0.9;

#[derive(Debug, Clone, Copy, Template)]
#[template(path = "pictures/meter.html")]
pub struct Meter {
    /// Between 0 and 1.
    part: f64,
    class: &'static str,
    tall: bool,
    /// Where something begins to matter, between 0 and 1.
    mark: Option<f64>,
}

impl Meter {
    /// A load: coloured when there is hardly any room left. Without an end there is nothing to fill.
    pub fn load(used: u64, capacity: Option<u64>) -> Self {
        let part = match capacity {
            Some(capacity) => share(used, capacity),
            None => 0.0,
        };
        let class = match part {
            full if full >= 1.0 => "bad",
            nearly if nearly >= NEARLY_FULL => "warn",
            _ => "",
        };
        Self {
            part,
            class,
            tall: false,
            mark: None,
        }
    }

    /// A share of the largest of its kind, beside a figure.
    pub fn share_of(value: u64, largest: u64) -> Self {
        Self {
            part: share(value, largest),
            class: "",
            tall: true,
            mark: None,
        }
    }

    pub fn progress(done: u64, all: u64) -> Self {
        Self {
            part: share(done, all),
            class: "move",
            tall: false,
            mark: None,
        }
    }

    pub fn with_mark(self, at: f64) -> Self {
        Self {
            mark: Some(at.clamp(0.0, 1.0)),
            ..self
        }
    }

    fn width(&self) -> String {
        format!("{:.1}", self.part * 100.0)
    }

    fn mark_at(&self) -> Option<String> {
        self.mark.map(|at| format!("{:.1}", (at * 100.0).min(99.0)))
    }
}

/// Of nothing, anything is all and nothing is none.
fn share(part: u64, all: u64) -> f64 {
    match (part, all) {
        (0, _) => 0.0,
        (_, 0) => 1.0,
        (part, all) => (part as f64 / all as f64).min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_coloured_only_when_room_runs_out() {
        let classes = [
            (0, Some(0), ""),
            (89, Some(100), ""),
            (90, Some(100), "warn"),
            (100, Some(100), "bad"),
            (120, Some(100), "bad"),
            (1, Some(0), "bad"),
            (5_000, None, ""),
        ];
        for (used, capacity, class) in classes {
            assert_eq!(
                Meter::load(used, capacity).class,
                class,
                "{used} of {capacity:?}"
            );
        }
        assert_eq!(Meter::load(120, Some(100)).width(), "100.0");
    }
}
