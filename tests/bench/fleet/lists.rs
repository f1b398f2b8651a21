//! Lists of a quarter of a million peers, while all nodes are polled.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::controller::Controller;
use crate::sample::{Samples, ratio};
use crate::table::{Table, Target, text};

const REQUESTS: usize = 300;

pub(crate) fn measure(table: &mut Table, controller: &mut Controller) {
    let most = controller.database.count("peers");
    // Far apart, and each once.
    let after = |n: usize| (n as i64 * 7919 * 31) % (most - 50);
    let cursor = |n: usize| URL_SAFE_NO_PAD.encode(format!("id:{}", after(n)));
    let pages = requests(controller, |n| format!("/peers?cursor={}", cursor(n)), 50);
    let mut bare = Samples::default();
    for n in 0..REQUESTS {
        bare.push(controller.database.bare_page(after(n)));
    }
    judge(table, most, "a page of 50", &pages, 50.0, Some(&bare));
    let filtered = requests(
        controller,
        |n| format!("/peers?node=node-{:04}", n % 1000),
        50,
    );
    judge(table, most, "a page of one node", &filtered, 50.0, None);
    let tagged = requests(controller, |n| format!("/peers?tag=team-{}", n % 100), 50);
    judge(table, most, "a page of one tag", &tagged, 50.0, None);

    let name = |n: usize| format!("/peers?q=-{:04}-{:04}", n * 3 % 1000, n % 250);
    let found = requests(controller, name, 1);
    judge(
        table,
        most,
        "search for a part of a name",
        &found,
        100.0,
        None,
    );
    let many = requests(controller, |n| format!("/peers?q=phone-{:03}", n % 100), 50);
    judge(
        table,
        most,
        "search for what begins many names",
        &many,
        100.0,
        None,
    );
    let word = requests(
        controller,
        |n| format!("/peers?q={}", ["phone", "lap", "a", "camera-0"][n % 4]),
        50,
    );
    judge(
        table,
        most,
        "search for what is in a fifth of all",
        &word,
        100.0,
        None,
    );
    let none = requests(controller, |n| format!("/peers?q=nobody-{n}"), 0);
    judge(
        table,
        most,
        "search for what is not there",
        &none,
        100.0,
        None,
    );
    let address = |n: usize| {
        let offset = (n * 3 % 1000) << 14 | (2 + n % 250);
        format!(
            "/peers?q=10.{}.{}.{}",
            offset >> 16,
            offset >> 8 & 255,
            offset & 255
        )
    };
    let held = requests(controller, address, 1);
    judge(table, most, "search for an address", &held, 100.0, None);
}

fn requests(
    controller: &mut Controller,
    path: impl Fn(usize) -> String,
    at_least: usize,
) -> Samples {
    let mut samples = Samples::default();
    for n in 0..REQUESTS {
        let (took, page) = controller.api.get(&path(n));
        let items = page["items"].as_array().unwrap().len();
        assert!(items >= at_least, "{items} of {}", path(n));
        samples.push(took);
    }
    samples
}

fn judge(
    table: &mut Table,
    most: i64,
    what: &str,
    samples: &Samples,
    target_ms: f64,
    bare: Option<&Samples>,
) {
    let nearly_all = samples.percentile(99);
    let half = samples.percentile(50);
    let floor = bare.map_or_else(String::new, |bare| {
        let floor = bare.percentile(50);
        format!(
            ", {:.1} x {} of the bare rows",
            ratio(half, floor),
            text(floor)
        )
    });
    table.row(
        format!("{most} peers: {what}, p99, ms"),
        milliseconds(nearly_all),
        Target::AtMost(target_ms),
        format!("p50 {}{floor}", text(half)),
    );
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
