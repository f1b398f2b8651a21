//! What the figures are told apart by.

use std::fmt::Error;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PollLabels {
    pub outcome: PollOutcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PollOutcome {
    Good,
    Bad,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ApplyLabels {
    pub outcome: ApplyOutcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApplyOutcome {
    Applied,
    /// The node was elsewhere than thought; what differs is worked out anew.
    Mismatch,
    /// The node understood and said no.
    Refused,
    Unreachable,
    /// Nothing was wrong with the node: the database was, or another controller was quicker.
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct InterfaceLabels {
    pub node: String,
    pub interface: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct WorkLabels {
    pub kind: WorkKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkKind {
    /// An interface whose desired generation is ahead.
    Interface,
    /// A delivery to a receiver of events.
    Webhook,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TaskLabels {
    pub task: Task,
}

/// What a controller does besides serving requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    Poll,
    Reconcile,
    Samples,
    Webhooks,
    Upkeep,
    Live,
    Vouching,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PoolLabels {
    pub pool: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ConnectionLabels {
    pub state: ConnectionState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    Open,
    Idle,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HttpLabels {
    /// The pattern, as in `/nodes/{id}`: a path as it came would make a figure for each visitor's fancy.
    pub route: String,
    /// One of the methods that are served, for the same reason.
    pub method: &'static str,
    pub status: StatusClass,
}

/// The first digit of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusClass(u16);

impl StatusClass {
    pub fn of(status: u16) -> Self {
        Self(status / 100)
    }
}

impl EncodeLabelValue for StatusClass {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), Error> {
        format!("{}xx", self.0).encode(encoder)
    }
}

impl EncodeLabelValue for PollOutcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), Error> {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
        }
        .encode(encoder)
    }
}

impl EncodeLabelValue for ApplyOutcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), Error> {
        match self {
            Self::Applied => "applied",
            Self::Mismatch => "mismatch",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Failed => "failed",
        }
        .encode(encoder)
    }
}

impl EncodeLabelValue for WorkKind {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), Error> {
        match self {
            Self::Interface => "interface",
            Self::Webhook => "webhook",
        }
        .encode(encoder)
    }
}

impl EncodeLabelValue for Task {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), Error> {
        match self {
            Self::Poll => "poll",
            Self::Reconcile => "reconcile",
            Self::Samples => "samples",
            Self::Webhooks => "webhooks",
            Self::Upkeep => "upkeep",
            Self::Live => "live",
            Self::Vouching => "vouching",
        }
        .encode(encoder)
    }
}

impl EncodeLabelValue for ConnectionState {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), Error> {
        match self {
            Self::Open => "open",
            Self::Idle => "idle",
        }
        .encode(encoder)
    }
}
