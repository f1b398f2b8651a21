//! Who asks for a change.

use std::net::IpAddr;

pub use super::audit::ActorKind;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    pub name: String,
    pub ip: Option<IpAddr>,
    pub request_id: Option<String>,
}

impl Actor {
    /// The controller itself, acting on what it saw.
    pub fn controller() -> Self {
        Self {
            kind: ActorKind::Controller,
            name: "controller".into(),
            ip: None,
            request_id: None,
        }
    }
}
