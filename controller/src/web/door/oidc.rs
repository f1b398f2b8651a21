//! `/login/oidc`: to the identity provider and back.
//!
//! The way there is a link, not a form: what forms lead to is held to this site by the policy of every page, and
//! browsers apply that to redirects too. It changes nothing but what this browser has begun.

use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::login::{Wanted, refused};
use super::{Stranger, let_in, way};
use crate::api::problem::Problem;
use crate::fleet::sign_in::{Denied, SignInError, oidc};
use crate::web::answer::go_to;
use crate::web::cookie;
use crate::web::form::Form;

/// Where to go on after the visit to the provider.
const NEXT: &str = "wgfleet-next";

/// What the provider sends a browser back with.
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    /// It was refused there.
    error: Option<String>,
}

pub(super) async fn begin(
    stranger: Stranger,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let next = way::own(&wanted.next);
    match oidc::begin(&stranger.fleet, &stranger.door.visitor()).await {
        Ok(url) => {
            let mut answer = go_to(&url);
            let step_s = stranger.fleet.settings.sign_in.step_ttl.num_seconds();
            let seconds = u32::try_from(step_s).unwrap_or(u32::MAX);
            cookie::set(
                &mut answer,
                NEXT,
                &BASE64_URL_SAFE_NO_PAD.encode(next),
                seconds,
            );
            Ok(answer)
        }
        Err(SignInError::Denied(why)) => refused(&stranger, Form::default(), next, why, None).await,
        Err(SignInError::Fault(err)) => Err(err.into()),
    }
}

pub(super) async fn finish(
    request: HttpRequest,
    stranger: Stranger,
    back: Query<Back>,
) -> Result<HttpResponse, Problem> {
    let next = kept(&request);
    let visitor = stranger.door.visitor();
    let finished = match back.error {
        Some(_) => Err(Denied::NotVouched.into()),
        None => oidc::finish(&stranger.fleet, &visitor, &back.code, &back.state).await,
    };
    let mut answer = match finished {
        Ok(begun) => {
            let mut answer = go_to(way::own(&next));
            let_in(&mut answer, &stranger.door, &begun.token);
            answer
        }
        Err(SignInError::Denied(why)) => {
            refused(&stranger, Form::default(), way::own(&next), why, None).await?
        }
        Err(SignInError::Fault(err)) => return Err(err.into()),
    };
    cookie::set(&mut answer, NEXT, "", 0);
    Ok(answer)
}

/// A cookie that holds nothing of ours leads to the overview.
fn kept(request: &HttpRequest) -> String {
    let value =
        cookie::read(request, NEXT).and_then(|value| BASE64_URL_SAFE_NO_PAD.decode(value).ok());
    value
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_else(|| "/".to_owned())
}
