//! Who may what, of every route there is: one line per route in `matrix/pages.txt` and `matrix/api.txt`, held against
//! the router itself, so that a route without a line fails here, and tried by everybody of whom the lines speak.

mod line;
mod scene;

use reqwest::Method;

use crate::rights::contents;
use crate::stage::operations;
use line::{Expected, Line, Who, lines};
pub(crate) use scene::furnished;
use scene::{Caller, NAMES, renew};

const PAGES: &str = include_str!("matrix/pages.txt");
const API: &str = include_str!("matrix/api.txt");

#[test]
fn every_page_of_the_router_has_a_line_and_every_line_a_page() {
    let routes = controller::web::routes();
    let routes = routes
        .iter()
        .map(|route| format!("{} {}", route.method, route.pattern));

    assert_eq!(named(PAGES), sorted(routes));
}

#[test]
fn every_operation_of_the_api_has_a_line_and_every_line_an_operation() {
    let operations = operations();
    let operations = operations.iter().map(|operation| operation.named());

    assert_eq!(named(API), sorted(operations));
}

/// The addresses of all pages that a browser is shown, for the objects with the id 1.
pub(crate) fn shown() -> Vec<String> {
    let pages = lines(PAGES).into_iter();
    let shown = pages.filter(|line| line.method == Method::GET && !line.is_open());
    let paths = shown.map(|line| line.path());
    paths.filter(|path| path != "/events").collect()
}

fn named(text: &str) -> Vec<String> {
    let lines = lines(text).into_iter();
    sorted(lines.map(|line| format!("{} {}", line.method, line.pattern)))
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn strangers_are_shown_the_door_and_nothing_else() {
    try_all(Who::Nobody).await;
}

#[tokio::test]
async fn viewers_read_and_change_nothing() {
    try_all(Who::Viewer).await;
}

#[tokio::test]
async fn operators_decide_nothing_about_others() {
    try_all(Who::Operator).await;
}

#[tokio::test]
async fn administrators_may_everything() {
    try_all(Who::Admin).await;
}

#[tokio::test]
async fn operators_of_the_pool_do_what_is_theirs_and_no_more() {
    try_all(Who::OfPool).await;
}

#[tokio::test]
async fn operators_of_the_network_do_what_is_theirs_and_no_more() {
    try_all(Who::OfNetwork).await;
}

#[tokio::test]
async fn to_operators_of_another_pool_nothing_of_it_is_there() {
    try_all(Who::OfOtherPool).await;
}

#[tokio::test]
async fn to_operators_of_another_network_nothing_of_it_is_there() {
    try_all(Who::OfOtherNetwork).await;
}

#[tokio::test]
async fn to_whoever_is_limited_no_page_and_no_answer_names_what_is_beyond() {
    for who in [Who::OfOtherPool, Who::OfOtherNetwork] {
        for text in [PAGES, API] {
            let stage = furnished().await;
            let mut caller = Caller::new(&stage, who, text == PAGES).await;
            let mut read = 0;
            for line in lines(text) {
                let is_shown = line.method == Method::GET && !line.is_open();
                if !is_shown || line.pattern == "/events" {
                    continue;
                }
                read += 1;
                let answer = caller.read(&line).await;
                let named = NAMES.iter().find(|name| answer.contains(*name));
                assert_eq!(named, None, "{who:?} at {line:?}: {answer}");
            }
            assert!(read > 25, "{read}");
        }
    }
}

/// Tries every route on the objects with the id 1, as pages and as the API. First whatever must be refused, after which
/// all is as it was; then what may be done.
async fn try_all(who: Who) {
    for text in [PAGES, API] {
        let stage = furnished().await;
        let mut caller = Caller::new(&stage, who, text == PAGES).await;
        let (permitted, refused): (Vec<Line>, Vec<Line>) = lines(text)
            .into_iter()
            .filter(|line| !line.is_open() || who == Who::Nobody)
            .partition(|line| line.expects(who) == Expected::Permitted);
        let before = contents(stage.rows()).await;

        for line in &refused {
            let got = caller.call(line).await;
            assert_eq!(got, line.expects(who), "{who:?} at {line:?}");
        }
        for (table, rows) in contents(stage.rows()).await {
            assert_eq!(rows, before[&table], "{who:?} changed {table}");
        }

        for line in in_order(permitted) {
            renew(&stage).await;
            let got = caller.call(&line).await;
            assert_eq!(got, Expected::Permitted, "{who:?} at {line:?}");
        }
    }
}

/// What deletes comes last, and ends nothing that another line needs.
fn in_order(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by_key(|line| {
        let deletes = line.method == Method::DELETE
            || line.method == Method::POST && line.pattern.ends_with("}/delete");
        (deletes, line.pattern.clone())
    });
    lines
}
