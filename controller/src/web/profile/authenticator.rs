//! An authenticator: its secret and the codes on paper are each on one page only, when they are made.

use actix_web::HttpResponse;
use askama::Template;
use zeroize::Zeroizing;

use super::{Forms, page, password};
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::domain::recovery_code::RecoveryCode;
use crate::fleet::factors;
use crate::qr;
use crate::web::answer::{refused, show};
use crate::web::door;
use crate::web::flash;
use crate::web::form::Form;
use crate::web::frame::{Frame, Place};
use crate::web::refusal;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "profile/authenticator.html")]
struct EnrolPage {
    frame: Frame,
    form: Form,
    /// Shown once: not after a wrong code, when the authenticator has it already.
    secret: Option<Secret>,
}

struct Secret {
    picture: Zeroizing<String>,
    letters: Zeroizing<String>,
}

#[derive(Template)]
#[template(path = "profile/recovery_codes.html")]
struct CodesPage {
    frame: Frame,
    codes: Vec<Zeroizing<String>>,
}

pub(super) async fn begin(visit: Visit<Reads>) -> Result<HttpResponse, Problem> {
    let enrolment = match factors::begin_totp(&visit.fleet, &visit.call, visit.user()).await {
        Ok(enrolment) => enrolment,
        Err(err) => return refuse(&visit, err.into()).await,
    };
    let picture = qr::svg(&enrolment.address()).map_err(|err| Problem::fault(&err))?;
    show(&EnrolPage {
        frame: visit.frame(Place::Nowhere).await?,
        form: Form::default(),
        secret: Some(Secret {
            picture: Zeroizing::new(picture),
            letters: enrolment.secret.base32(),
        }),
    })
}

pub(super) async fn confirm(visit: Visit<Reads>, mut form: Form) -> Result<HttpResponse, Problem> {
    let code = form.value("code").trim();
    match factors::confirm_totp(&visit.fleet, &visit.call, visit.user(), code).await {
        Ok(codes) => show_codes(&visit, &codes).await,
        Err(err) => {
            let problem = Problem::from(err);
            if problem.code() != "wrong_code" {
                return refuse(&visit, problem).await;
            }
            form.forget("code");
            form.set_mistake("code", visit.language.say("profile-totp-wrong"));
            refused(&EnrolPage {
                frame: visit.frame(Place::Nowhere).await?,
                form,
                secret: None,
            })
        }
    }
}

pub(super) async fn remove(visit: Visit<Reads>, form: Form) -> Result<HttpResponse, Problem> {
    if let Some(answer) = unproved(&visit, &form).await? {
        return Ok(answer);
    }
    factors::remove_totp(&visit.fleet, &visit.call, visit.user()).await?;
    Ok(flash::go_to(
        "/profile",
        &visit.language.say("profile-totp-removed"),
    ))
}

pub(super) async fn renew_codes(visit: Visit<Reads>, form: Form) -> Result<HttpResponse, Problem> {
    if let Some(answer) = unproved(&visit, &form).await? {
        return Ok(answer);
    }
    let codes = factors::renew_codes(&visit.fleet, &visit.call, visit.user()).await?;
    show_codes(&visit, &codes).await
}

async fn show_codes(visit: &Visit<Reads>, codes: &[RecoveryCode]) -> Result<HttpResponse, Problem> {
    show(&CodesPage {
        frame: visit.frame(Place::Nowhere).await?,
        codes: codes.iter().map(RecoveryCode::reveal).collect(),
    })
}

/// The page again, for whoever did not prove that it is still them.
async fn unproved(visit: &Visit<Reads>, sent: &Form) -> Result<Option<HttpResponse>, Problem> {
    let Some(why) = password::check(visit, sent).await? else {
        return Ok(None);
    };
    let mut form = Form::default();
    form.set_mistake("password", password::wrong(visit, why));
    let forms = Forms {
        authenticator: form,
        ..Forms::default()
    };
    door::refusal(why, &page(visit, forms).await?).map(Some)
}

async fn refuse(visit: &Visit<Reads>, problem: Problem) -> Result<HttpResponse, Problem> {
    let mut form = Form::default();
    refusal::onto(&mut form, problem, visit.language)?;
    let forms = Forms {
        authenticator: form,
        ..Forms::default()
    };
    refused(&page(visit, forms).await?)
}
