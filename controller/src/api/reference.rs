//! References to rows in bodies and queries: an id or a name, as is handier.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::names::HostNameError;
use crate::domain::reference::Reference;

/// An id, as a number or as digits, or a name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum IdOrName {
    Id(i64),
    Name(String),
}

impl IdOrName {
    pub fn parse(&self) -> Result<Reference, HostNameError> {
        match self {
            Self::Id(id) => Ok(Reference::Id(*id)),
            Self::Name(text) => Reference::parse(text),
        }
    }
}
