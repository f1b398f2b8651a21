//! The table: what was measured, against what, and whether that is good enough.

use std::fmt;
use std::fs;
use std::time::Duration;

use crate::sample::{Samples, ratio};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Shown, not judged.
    None,
}

impl Target {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
            Self::None => true,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "<= {most}"),
            Self::AtLeast(least) => write!(f, ">= {least}"),
            Self::None => f.write_str("-"),
        }
    }
}

struct Row {
    what: String,
    value: f64,
    target: Target,
    figures: String,
}

#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    pub(crate) fn row(
        &mut self,
        what: impl Into<String>,
        value: f64,
        target: Target,
        figures: impl Into<String>,
    ) {
        let row = Row {
            what: what.into(),
            value,
            target,
            figures: figures.into(),
        };
        eprintln!("bench: {}: {value:.2} ({})", row.what, row.figures);
        self.0.push(row);
    }

    /// One row for the middle of the samples, one for their tail. The tail is not judged: on a shared
    /// machine the neighbours make it.
    pub(crate) fn percentiles(
        &mut self,
        what: &str,
        measured: &Samples,
        floor: &Samples,
        [half, nearly_all]: [Target; 2],
    ) {
        for (percent, target) in [(50, half), (99, nearly_all)] {
            let (ours, theirs) = (measured.percentile(percent), floor.percentile(percent));
            self.row(
                format!("{what}, p{percent}"),
                ratio(ours, theirs),
                target,
                format!("{} / {}", text(ours), text(theirs)),
            );
        }
    }

    pub(crate) fn passed(&self) -> bool {
        self.0.iter().all(|row| row.target.is_met_by(row.value))
    }

    #[expect(
        clippy::print_stdout,
        reason = "the table is what this program is started for"
    )]
    pub(crate) fn print(&self, heading: &str, [value, figures]: [&str; 2]) {
        println!("{heading}");
        println!();
        let cells: Vec<[String; 5]> =
            std::iter::once(["what", value, "target", "verdict", figures].map(String::from))
                .chain(std::iter::once(
                    ["-", "-:", "-:", "-", "-"].map(String::from),
                ))
                .chain(self.0.iter().map(Row::cells))
                .collect();
        let mut widths = [0; 5];
        for row in &cells {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.len());
            }
        }
        for row in cells {
            let padded: Vec<String> = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| pad(cell, width))
                .collect();
            println!("| {} |", padded.join(" | "));
        }
    }
}

impl Row {
    fn cells(&self) -> [String; 5] {
        let verdict = match self.target {
            Target::None => "-",
            target if target.is_met_by(self.value) => "PASS",
            _ => "FAIL",
        };
        [
            self.what.clone(),
            format!("{:.2}", self.value),
            self.target.to_string(),
            verdict.into(),
            self.figures.clone(),
        ]
    }
}

fn pad(cell: &str, width: usize) -> String {
    match cell {
        "-:" => format!("{}:", "-".repeat(width - 1)),
        "-" if width > 1 => format!("{:<width$}", "-"),
        cell => format!("{cell:<width$}"),
    }
}

pub(crate) fn text(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    match nanos {
        0..10_000 => format!("{nanos} ns"),
        10_000..10_000_000 => format!("{} us", nanos / 1000),
        _ => format!("{} ms", nanos / 1_000_000),
    }
}

/// What a reader must know to compare two tables.
pub(crate) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores, Linux {}", kernel.trim())
}
