//! Whether what went wrong belongs on the form that was sent, or on a page of its own.

use actix_web::ResponseError;
use actix_web::http::StatusCode;

use super::form::Form;
use crate::api::problem::Problem;
use crate::domain::profile::Language;

/// Puts a refusal onto the form. What no other entry would cure goes on: a thing that is gone, a fault of ours.
pub(super) fn onto(form: &mut Form, problem: Problem, t: Language) -> Result<(), Problem> {
    match problem.status_code() {
        StatusCode::NOT_FOUND | StatusCode::UNAUTHORIZED => Err(problem),
        status if status.is_client_error() => {
            form.refuse(&problem, t);
            Ok(())
        }
        _ => Err(problem),
    }
}
