//! `/reports/csp`: what browsers report of pages that broke their policy. Anybody may send that, signed in or not, so it
//! is small, rare, and written to the log once for each directive; nothing that a sender made up is.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::web::{self, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde_json::Value;

use super::answer::REPORTS;
use super::table::Table;
use crate::auth::{Site, Written};
use crate::domain::throttle::source;

const MOST_BYTES: usize = 5 * 1024;
const MOST_REPORTS: u32 = 5;
const WINDOW: Duration = Duration::from_secs(60);
/// How long a report may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
/// Beyond this many at once, those who came before begin anew.
const MOST_SOURCES: usize = 4096;

/// What the policy of a page speaks of: a report about anything else is made up.
const DIRECTIVES: [&str; 15] = [
    "default-src",
    "script-src",
    "script-src-elem",
    "script-src-attr",
    "style-src",
    "style-src-elem",
    "style-src-attr",
    "img-src",
    "connect-src",
    "font-src",
    "worker-src",
    "manifest-src",
    "base-uri",
    "form-action",
    "frame-ancestors",
];

static SENDERS: LazyLock<Mutex<Senders>> = LazyLock::new(Mutex::default);
static LOGGED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

/// How many reports came from where, and since when that is counted.
#[derive(Default)]
struct Senders(HashMap<IpAddr, (Instant, u32)>);

pub(super) fn configure(table: &mut Table<'_>) {
    table.post_at_most(MOST_BYTES, REPORTS, take);
}

async fn take(request: HttpRequest, site: Data<Site>, payload: web::Payload) -> HttpResponse {
    if let Some(from) = sender(&request, &site) {
        let mut senders = SENDERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(seconds) = senders.count(from, Instant::now()) {
            let mut answer = HttpResponse::TooManyRequests();
            return answer
                .insert_header((header::RETRY_AFTER, seconds))
                .force_close()
                .finish();
        }
    }
    let body = web::Bytes::from_request(&request, &mut payload.into_inner());
    match tokio::time::timeout(PATIENCE, body).await {
        Ok(Ok(body)) => {
            tell(&body);
            HttpResponse::NoContent().finish()
        }
        Ok(Err(err)) => refusal(err.as_response_error().status_code()),
        Err(_) => refusal(StatusCode::REQUEST_TIMEOUT),
    }
}

/// Of no interest to the audit log: it is about changes.
fn refusal(status: StatusCode) -> HttpResponse {
    let mut answer = HttpResponse::build(status).force_close().finish();
    answer.extensions_mut().insert(Written);
    answer
}

fn sender(request: &HttpRequest, site: &Site) -> Option<IpAddr> {
    const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    let peer = request.peer_addr()?.ip();
    let forwarded: Vec<&str> = texts(request.headers(), &FORWARDED_FOR).collect();
    let address = site.client(peer, &forwarded);
    Some(source(address))
}

fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .map(|value| value.to_str().unwrap_or(""))
}

impl Senders {
    /// Counts a report, or says in how many seconds the next one may come.
    fn count(&mut self, from: IpAddr, now: Instant) -> Result<(), u64> {
        if self.0.len() >= MOST_SOURCES && !self.0.contains_key(&from) {
            self.0.retain(|_, (since, _)| now - *since < WINDOW);
            if self.0.len() >= MOST_SOURCES {
                self.0.clear();
            }
        }
        let (since, count) = self.0.entry(from).or_insert((now, 0));
        if now - *since >= WINDOW {
            (*since, *count) = (now, 0);
        }
        if *count >= MOST_REPORTS {
            let left = WINDOW - (now - *since);
            return Err(left.as_secs_f64().ceil() as u64);
        }
        *count += 1;
        Ok(())
    }
}

/// Writes to the log what is news: a page of ours that breaks its own policy is a mistake of ours.
fn tell(body: &[u8]) {
    let Some(directive) = serde_json::from_slice(body)
        .ok()
        .and_then(|report| violated(&report))
    else {
        return;
    };
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    if logged.insert(directive) {
        tracing::warn!(directive, "a browser reports that a page broke its policy");
    }
}

/// The directive that a report names, in either of the forms that browsers send.
fn violated(report: &Value) -> Option<&'static str> {
    let old = report.pointer("/csp-report/effective-directive");
    let older = report.pointer("/csp-report/violated-directive");
    let new = report.pointer("/0/body/effectiveDirective");
    let named = old.or(older).or(new)?.as_str()?.split(' ').next()?;
    DIRECTIVES.into_iter().find(|directive| *directive == named)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn five_reports_a_minute_are_taken_from_one_address_and_others_are_not_held_up() {
        let (mut senders, begin) = (Senders::default(), Instant::now());
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        for _ in 0..MOST_REPORTS {
            assert_eq!(senders.count(one, begin), Ok(()));
        }

        assert_eq!(senders.count(one, begin + Duration::from_secs(20)), Err(40));
        assert_eq!(senders.count(other, begin), Ok(()));
        assert_eq!(senders.count(one, begin + WINDOW), Ok(()));
    }

    #[test]
    fn however_many_senders_there_are_few_are_kept_in_mind() {
        let (mut senders, begin) = (Senders::default(), Instant::now());
        for number in 0..3 * MOST_SOURCES as u32 {
            assert_eq!(
                senders.count(std::net::Ipv4Addr::from_bits(number).into(), begin),
                Ok(())
            );
        }
        assert!(senders.0.len() <= MOST_SOURCES);
    }

    #[test]
    fn a_report_is_about_a_directive_of_the_policy_or_about_nothing() {
        let cases = [
            (
                json!({"csp-report": {"effective-directive": "script-src-elem"}}),
                Some("script-src-elem"),
            ),
            (
                json!({"csp-report": {"violated-directive": "img-src 'self'"}}),
                Some("img-src"),
            ),
            (
                json!([{"type": "csp-violation", "body": {"effectiveDirective": "style-src-attr"}}]),
                Some("style-src-attr"),
            ),
            (
                json!({"csp-report": {"effective-directive": "a line\nof my own"}}),
                None,
            ),
            (json!([]), None),
            (json!(7), None),
        ];
        for (report, directive) in cases {
            assert_eq!(violated(&report), directive, "{report}");
        }
    }
}
