//! Where a sealed value belongs. It is sealed together with its place and opens nowhere else, so that
//! whoever can write to the database cannot pass one secret off as another.

use std::fmt::{self, Display};

use crate::domain::ids::DataKeyId;

/// The columns that hold sealed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    ApiKey,
    IdempotentAnswer,
    NodeSecret,
    OidcRefreshToken,
    PlacementPsk,
    TotpSecret,
    Webhook,
}

impl Column {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "api_keys.sealed",
            Self::IdempotentAnswer => "idempotency_keys.sealed",
            Self::NodeSecret => "node_secrets.sealed",
            Self::OidcRefreshToken => "oidc_sessions.sealed",
            Self::PlacementPsk => "placements.psk_sealed",
            Self::TotpSecret => "totp_secrets.sealed",
            Self::Webhook => "webhooks.sealed",
        }
    }
}

/// A column and what tells the row from every other one, such as its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    column: Column,
    row: String,
}

impl Place {
    /// `row` must never change once the value is sealed.
    pub fn new(column: Column, row: impl Display) -> Self {
        Self {
            column,
            row: row.to_string(),
        }
    }

    pub(super) fn column(&self) -> Column {
        self.column
    }

    /// What is authenticated beside the value. No column has a colon in its name and no id does, so
    /// that two places never read the same, whatever a row is called.
    pub(super) fn bound_to(&self, key: DataKeyId) -> String {
        format!("{self}:{key}")
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.column.name(), self.row)
    }
}
