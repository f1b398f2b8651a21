//! What an agent refused, in its own words, and what callers tell apart in it.

use std::time::Duration;

use protocol::wire::answers::{Failure, InSync};
use protocol::{Cidr, PublicKey};

/// As much of a sentence as a page or a log line bears.
const LONGEST_SENTENCE: usize = 300;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the agent refused ({}): {}", failure.code, failure.error)]
pub struct Refusal {
    pub status: u16,
    pub failure: Failure,
    /// When the agent wants to be asked again.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Takes what the agent said, without what could upset a log.
    pub(super) fn new(status: u16, mut failure: Failure, retry_after: Option<Duration>) -> Self {
        failure.error = plain(&failure.error, LONGEST_SENTENCE);
        failure.code = plain(&failure.code, 64);
        Self {
            status,
            failure,
            retry_after,
        }
    }

    pub fn code(&self) -> &str {
        &self.failure.code
    }

    /// Where the interface stands instead, if its generation is not the one planned against.
    pub fn generation_mismatch(&self) -> Option<&InSync> {
        let standing = self.failure.in_sync.as_ref();
        standing.filter(|_| self.code() == "generation_mismatch")
    }

    /// Whether there is no such interface: not allowed on the node, removed, or not there right now.
    pub fn is_interface_missing(&self) -> bool {
        matches!(
            self.code(),
            "interface_not_allowed" | "interface_unknown" | "interface_missing"
        )
    }

    pub fn is_peer_exists(&self) -> bool {
        self.code() == "peer_exists"
    }

    pub fn is_peer_unknown(&self) -> bool {
        self.code() == "peer_unknown"
    }

    /// The prefix that another peer has, and that peer.
    pub fn allowed_ip_taken(&self) -> Option<(Cidr, PublicKey)> {
        if self.code() != "allowed_ip_taken" {
            return None;
        }
        self.failure.allowed_ip.zip(self.failure.owner)
    }

    /// How many peers would have gone.
    pub fn mass_removal(&self) -> Option<usize> {
        let count = self.failure.count;
        count.filter(|_| self.code() == "mass_removal")
    }

    /// Whether the same request may do in a moment.
    pub fn is_busy(&self) -> bool {
        matches!(self.code(), "busy" | "stopping") || self.status == 429
    }

    /// Whether the disk of the node refuses: removals were made all the same.
    pub fn is_not_durable(&self) -> bool {
        self.code() == "not_durable"
    }

    /// Whether the contents of the request were at fault, so that sending it again cannot help.
    pub fn is_for_content(&self) -> bool {
        let about_peers = self.code() != "generation_backwards";
        (matches!(self.status, 400 | 413 | 422) && about_peers)
            || self.is_peer_exists()
            || self.is_peer_unknown()
            || self.code() == "allowed_ip_taken"
    }

    pub(super) fn problem(&self) -> &'static str {
        if self.is_interface_missing() {
            return "interface_missing";
        }
        let known = [
            "generation_mismatch",
            "peer_exists",
            "peer_unknown",
            "allowed_ip_taken",
            "mass_removal",
            "not_durable",
            "replayed",
        ];
        match known.into_iter().find(|word| *word == self.code()) {
            Some(word) => word,
            None if self.is_busy() => "busy",
            None => "refused",
        }
    }
}

fn plain(text: &str, longest: usize) -> String {
    let printable = text.chars().filter(|c| !c.is_control());
    printable.take(longest).collect()
}
