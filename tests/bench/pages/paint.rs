//! What a real browser makes of the long lists: `scripts/browser paint` measures, here it is judged.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::browser::COOKIE;
use crate::table::{Table, Target};

const MOST_PAINT_MS: f64 = 500.0;
/// Browsers call longer ones long: they hold up whoever types or clicks.
const MOST_TASK_MS: f64 = 50.0;

#[derive(Deserialize)]
struct Told {
    lists: std::collections::BTreeMap<String, List>,
    refreshes: usize,
    searches: usize,
    refresh_tasks_ms: Vec<f64>,
    typing_tasks_ms: Vec<f64>,
}

#[derive(Deserialize)]
struct List {
    cold_ms: Vec<f64>,
    warm_ms: Vec<f64>,
    processor_ms: Vec<f64>,
    tasks_ms: Vec<f64>,
}

pub(super) fn measure(table: &mut Table, address: SocketAddr, token: &str) {
    let told = Command::new("scripts/browser")
        .arg("paint")
        .env("WGFLEET_URL", format!("http://{address}"))
        .env("WGFLEET_COOKIE", format!("{COOKIE}={token}"))
        .stderr(Stdio::inherit())
        .output()
        .expect("scripts/browser is beside scripts/bench");
    assert!(told.status.success(), "the browser did not measure");
    let text = String::from_utf8(told.stdout).unwrap();
    let line = text.lines().last().expect("a line of figures");
    let told: Told = serde_json::from_str(line).unwrap();

    for (path, list) in &told.lists {
        let name = path.trim_start_matches('/');
        for (cache, times) in [("no", &list.cold_ms), ("a", &list.warm_ms)] {
            table.row(
                format!("{name} in Chromium, first paint with {cache} cache, ms"),
                largest(times),
                Target::AtMost(MOST_PAINT_MS),
                format!("worst of {}, p50 {:.0} ms", times.len(), middle(times)),
            );
        }
        // By the clock a task lasts as long as whatever else a load sets to work lets it: on two processors the
        // browser's other processes and the controller. What the page itself costs is the processor's time.
        let (times, loads) = (&list.processor_ms, list.cold_ms.len() + list.warm_ms.len());
        table.row(
            format!("{name} in Chromium, loading, longest task, ms of a processor"),
            largest(times),
            Target::AtMost(MOST_TASK_MS),
            format!("worst of {}, p50 {:.0} ms", times.len(), middle(times)),
        );
        let name = format!("{name} in Chromium, loading, by the clock");
        let of = format!("of {loads} loads");
        task(table, name, &list.tasks_ms, Target::None, of);
    }
    let most = Target::AtMost(MOST_TASK_MS);
    let of = format!("while the rows came anew {} times", told.refreshes);
    let name = "peers in Chromium, refreshing".to_owned();
    task(table, name, &told.refresh_tasks_ms, most, of);
    let of = format!("while {} searches were typed", told.searches);
    let name = "peers in Chromium, typing".to_owned();
    task(table, name, &told.typing_tasks_ms, most, of);
}

/// A browser tells only of tasks that are long: none is told as 0.
fn task(table: &mut Table, name: String, tasks_ms: &[f64], target: Target, of: String) {
    table.row(
        format!("{name}, longest long task, ms"),
        largest(tasks_ms),
        target,
        match tasks_ms.len() {
            0 => format!("none {of}"),
            count => format!("{count} {of}"),
        },
    );
}

fn largest(times: &[f64]) -> f64 {
    times.iter().copied().fold(0.0, f64::max)
}

fn middle(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
