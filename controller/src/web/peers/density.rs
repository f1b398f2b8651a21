//! How much room the rows of the list have. It is kept in the browser: it is about that screen, not about somebody.

use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::web::cookie;

/// How much room a row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Density {
    #[default]
    Compact,
    Comfortable,
}

impl Density {
    const COOKIE: &str = "wgfleet-density";
    const KEPT_S: u32 = 365 * 24 * 3600;

    pub(super) fn kept(request: &HttpRequest) -> Self {
        match cookie::read(request, Self::COOKIE) {
            Some("comfortable") => Self::Comfortable,
            _ => Self::Compact,
        }
    }

    pub(super) fn keep(self, answer: &mut HttpResponse) {
        cookie::set(answer, Self::COOKIE, self.as_str(), Self::KEPT_S);
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Comfortable => "comfortable",
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Compact => Self::Comfortable,
            Self::Comfortable => Self::Compact,
        }
    }
}
