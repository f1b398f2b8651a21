//! How far a visitor's role reaches, asked of what a page is about to show or to change.

use std::fmt;

use actix_web::http::StatusCode;

use super::Visit;
use crate::api::caller::Demand;
use crate::api::problem::Problem;
use crate::domain::reach::Belongs;
use crate::fleet::Refusal;

impl<D: Demand> Visit<D> {
    /// Refuses whoever is limited to a pool or a network: this concerns more than that.
    pub fn everywhere(&self) -> Result<(), Problem> {
        match self.access.may_everywhere(D::PERMISSION) {
            true => Ok(()),
            false => {
                let text = "your role is limited to a pool or a network";
                Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", text))
            }
        }
    }

    /// Refuses an object beyond the visitor's reach, in the words for one that is not there.
    pub fn within(
        &self,
        what: &str,
        which: impl fmt::Display,
        object: Belongs<'_>,
    ) -> Result<(), Problem> {
        match self.access.may_to(D::PERMISSION, object) {
            true => Ok(()),
            false => Err(Refusal::missing(what, which).into()),
        }
    }
}
