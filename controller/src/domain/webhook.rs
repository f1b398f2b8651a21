//! Receivers of events: where they are reached, of what they are told, and how long one keeps trying.
//!
//! An address may lie in a private network: those who receive events from a fleet of their own run there as often as
//! not. Only administrators may name one, the request is always a signed POST, and of the answer nobody sees more than
//! its status and a line of text; that is what keeps the controller from being used to look around its own network.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;
use url::{Host, Position, Url};

use super::backoff::Backoff;
use super::ids::EventId;
use super::peer_session::{CONNECTED, DISCONNECTED};

const MOST_KINDS: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookUrlError {
    #[error("is not an address that begins with http:// or https://")]
    Scheme,
    #[error("holds a user name or a password; deliveries are signed instead")]
    UserInfo,
    #[error("has a fragment, which is never sent")]
    Fragment,
    #[error("holds a |, which a signature has no place for")]
    Separator,
    #[error("has more than 2000 characters")]
    Long,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("are at most 64 kinds or topics, each 1 to 64 of a-z, 0-9, _ and .")]
pub struct KindsError;

/// Where a receiver takes events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

impl WebhookUrl {
    pub fn parse(text: &str) -> Result<Self, WebhookUrlError> {
        let url = Url::parse(text).map_err(|_| WebhookUrlError::Scheme)?;
        let has_host = !matches!(url.host(), None | Some(Host::Domain("")));
        if !matches!(url.scheme(), "http" | "https") || !has_host || url.port() == Some(0) {
            return Err(WebhookUrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookUrlError::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(WebhookUrlError::Fragment);
        }
        if url.as_str().contains('|') {
            return Err(WebhookUrlError::Separator);
        }
        if url.as_str().len() > 2000 {
            return Err(WebhookUrlError::Long);
        }
        Ok(Self(url))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Scheme, host and port, which hold no secret.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Path and query as they are sent and signed.
    pub fn target(&self) -> &str {
        &self.0[Position::BeforePath..]
    }
}

/// The kinds and topics that a receiver is told of; empty: all.
pub fn check_kinds(kinds: &[String]) -> Result<(), KindsError> {
    let fits = |kind: &String| {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.".contains(&b);
        (1..=64).contains(&kind.len()) && kind.bytes().all(allowed)
    };
    if kinds.len() <= MOST_KINDS && kinds.iter().all(fits) {
        Ok(())
    } else {
        Err(KindsError)
    }
}

/// Whether a receiver that asked for these is told of an event. Peers come and go by the thousand, and each time costs a
/// delivery: of that only those are told who name it.
pub fn is_told(kinds: &[String], topic: &str, kind: &str) -> bool {
    let is_named = kinds.iter().any(|one| one == kind);
    let is_included = kinds.is_empty() || kinds.iter().any(|one| one == topic);
    is_named || (is_included && ![CONNECTED, DISCONNECTED].contains(&kind))
}

/// What a receiver gets. The id is the same each time it is sent, so that it can tell a repetition.
#[derive(Debug, Serialize)]
pub struct Message<'a> {
    pub id: EventId,
    pub at: DateTime<Utc>,
    pub topic: &'a str,
    pub kind: &'a str,
    pub object: &'a str,
    pub data: &'a Value,
}

/// How long to go on with a receiver that does not take a delivery.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub backoff: Backoff,
    pub give_up_after: TimeDelta,
}

impl Patience {
    /// How long to wait before the next attempt of a delivery of this age, or none: it is given up.
    pub fn wait(&self, failures: u32, age: TimeDelta, jitter: f64) -> Option<Duration> {
        // Half of each wait is by chance: a receiver that comes back does not get all at once.
        let wait = self.backoff.wait(failures, 0.5 + jitter / 2.0);
        let then = TimeDelta::from_std(wait)
            .ok()
            .and_then(|wait| age.checked_add(&wait))?;
        (then <= self.give_up_after).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PATIENCE: Patience = Patience {
        backoff: Backoff {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(3600),
        },
        give_up_after: TimeDelta::hours(72),
    };

    proptest! {
        #[test]
        fn no_attempt_comes_after_patience_has_ended(failures in 1u32..100, age_s in 0i64..400_000, jitter in 0.0f64..=1.0) {
            let age = TimeDelta::seconds(age_s);
            if let Some(wait) = PATIENCE.wait(failures, age, jitter) {
                prop_assert!(age + TimeDelta::from_std(wait).unwrap() <= PATIENCE.give_up_after);
                prop_assert!(wait <= PATIENCE.backoff.cap);
            }
        }

        #[test]
        fn any_text_is_an_address_or_a_mistake(text in ".{0,60}") {
            if let Ok(url) = WebhookUrl::parse(&text) {
                prop_assert!(url.target().starts_with('/'));
                prop_assert_eq!(WebhookUrl::parse(url.as_str()), Ok(url.clone()));
            }
        }
    }

    #[test]
    fn patience_ends() {
        assert_eq!(
            PATIENCE.wait(3, TimeDelta::zero(), 1.0),
            Some(Duration::from_secs(4))
        );
        assert_eq!(PATIENCE.wait(30, TimeDelta::hours(72), 1.0), None);
    }

    #[test]
    fn path_and_query_are_signed_as_they_are_sent() {
        let target = |text| WebhookUrl::parse(text).unwrap().target().to_owned();
        assert_eq!(target("http://localhost:81"), "/");
        assert_eq!(
            target("https://hooks.example/a%20b?c=d e"),
            "/a%20b?c=d%20e"
        );
    }

    #[test]
    fn addresses_that_cannot_be_called_are_refused() {
        let refused = |text| WebhookUrl::parse(text).unwrap_err();
        for text in ["", "hooks", "ftp://a/", "file:///etc/passwd", "http://:80/"] {
            assert_eq!(refused(text), WebhookUrlError::Scheme, "{text}");
        }
        assert_eq!(refused("http://me:secret@a/"), WebhookUrlError::UserInfo);
        assert_eq!(refused("http://me@a/"), WebhookUrlError::UserInfo);
        assert_eq!(refused("http://a/#b"), WebhookUrlError::Fragment);
        assert_eq!(refused("http://a/b|c"), WebhookUrlError::Separator);
        let long = format!("http://a/{}", "b".repeat(2000));
        assert_eq!(refused(&long), WebhookUrlError::Long);
    }

    #[test]
    fn who_comes_and_goes_is_told_only_to_those_who_name_it() {
        let named = [CONNECTED.to_owned()];
        let topic = ["peers".to_owned()];
        assert!(is_told(&named, "peers", CONNECTED));
        assert!(!is_told(&named, "peers", DISCONNECTED));
        for kind in [CONNECTED, DISCONNECTED] {
            assert!(!is_told(&[], "peers", kind));
            assert!(!is_told(&topic, "peers", kind));
        }
        assert!(is_told(&topic, "peers", "peer.created"));
    }

    #[test]
    fn a_receiver_is_told_of_kinds_and_of_topics() {
        let kinds = ["nodes".to_owned(), "peer.created".to_owned()];
        assert!(is_told(&kinds, "nodes", "node.deleted"));
        assert!(is_told(&kinds, "peers", "peer.created"));
        assert!(!is_told(&kinds, "peers", "peer.deleted"));
        assert!(is_told(&[], "peers", "peer.deleted"));
        assert!(!is_told(&kinds, "networks", "network.created"));
        assert_eq!(check_kinds(&kinds), Ok(()));
        assert_eq!(check_kinds(&["Nodes".to_owned()]), Err(KindsError));
        assert_eq!(check_kinds(&[String::new()]), Err(KindsError));
    }
}
