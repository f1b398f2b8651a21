//! Why somebody does not come in, in their language, and the answer that goes with it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use askama::Template;
use chrono::TimeDelta;

use crate::api::problem::Problem;
use crate::auth::{Reason, Written};
use crate::domain::profile::Language;
use crate::fleet::sign_in::Denied;
use crate::web::answer;

/// The refusal for whoever reads it.
pub(in crate::web) fn sentence(t: Language, denied: Denied) -> String {
    match denied {
        Denied::Wrong => t.say("door-wrong"),
        Denied::WrongCode => t.say("door-wrong-code"),
        Denied::WrongPasskey => t.say("door-wrong-passkey"),
        Denied::Wait(seconds) => {
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX / 1000);
            let wait = t.span(TimeDelta::seconds(seconds));
            t.say_with("door-wait", [("wait", wait.into())])
        }
        Denied::CaptchaNeeded => t.say("door-work-needed"),
        Denied::Captcha(_) | Denied::CaptchaSpent => t.say("door-work-again"),
        Denied::Expired => t.say("door-expired"),
        Denied::PasswordOff => t.say("door-password-off"),
        Denied::NotConfigured => t.say("door-not-configured"),
        Denied::NotVouched => t.say("door-not-vouched"),
        Denied::ForeignState => t.say("door-expired"),
        Denied::NameTaken => t.say("door-name-taken"),
        Denied::ProviderAway => t.say("door-provider-away"),
    }
}

/// A page that says so.
pub(in crate::web) fn refusal(
    denied: Denied,
    page: &impl Template,
) -> Result<HttpResponse, Problem> {
    let mut answer = answer::answer(status(denied), page)?;
    mark(&mut answer, denied);
    Ok(answer)
}

pub(super) fn status(denied: Denied) -> StatusCode {
    match denied {
        Denied::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
        Denied::ProviderAway => StatusCode::BAD_GATEWAY,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// Tells programs when to come back, and the audit log what it does not know yet.
pub(super) fn mark(answer: &mut HttpResponse, denied: Denied) {
    if let Denied::Wait(seconds) = denied {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer.extensions_mut().insert(Reason(denied.code()));
    if is_written(denied) {
        answer.extensions_mut().insert(Written);
    }
}

/// Whether the flow that refused has written it down.
fn is_written(denied: Denied) -> bool {
    match denied {
        Denied::Wrong
        | Denied::WrongCode
        | Denied::WrongPasskey
        | Denied::NotVouched
        | Denied::NameTaken => true,
        // Switched off for everybody, or for this user: the first is no news to anybody.
        Denied::PasswordOff => true,
        Denied::Wait(_)
        | Denied::CaptchaNeeded
        | Denied::Captcha(_)
        | Denied::CaptchaSpent
        | Denied::Expired
        | Denied::NotConfigured
        | Denied::ForeignState
        | Denied::ProviderAway => false,
    }
}
