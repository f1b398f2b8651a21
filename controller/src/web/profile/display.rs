//! How somebody wants to see things. The menu beside every page has a part of this form; what a form does not hold
//! stays as it is.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use chrono_tz::Tz;
use url::Url;

use super::{Forms, page};
use crate::api::caller::Reads;
use crate::api::problem::Problem;
use crate::domain::profile::{Language, Profile, Theme, TimeZone};
use crate::fleet::users::own;
use crate::web::answer::refused;
use crate::web::door::way;
use crate::web::flash;
use crate::web::form::Form;
use crate::web::refusal;
use crate::web::visit::{Visit, asked};

pub(super) fn current(visit: &Visit<Reads>) -> Form {
    let session = &visit.session;
    Form::with([
        (
            "language",
            session.language.map_or("", Language::as_str).to_owned(),
        ),
        ("theme", session.theme.as_str().to_owned()),
        ("time_zone", session.time_zone.clone()),
    ])
}

pub(super) async fn change(
    request: HttpRequest,
    visit: Visit<Reads>,
    mut form: Form,
) -> Result<HttpResponse, Problem> {
    let Some(profile) = parse(&visit, &mut form) else {
        return refuse(&visit, form).await;
    };
    let changed = own::set_profile(&visit.fleet, &visit.call, visit.user(), &profile).await;
    if let Err(err) = changed {
        refusal::onto(&mut form, err.into(), visit.language)?;
        return refuse(&visit, form).await;
    }
    let t = profile.language.or_else(|| asked(&request));
    let t = t.unwrap_or(Language::En);
    Ok(flash::go_to(
        &before(&request),
        &t.say("profile-display-saved"),
    ))
}

/// The whole form again: that in the menu holds too little to say what was wrong.
async fn refuse(visit: &Visit<Reads>, mut form: Form) -> Result<HttpResponse, Problem> {
    let kept = current(visit);
    for name in ["language", "theme", "time_zone"] {
        if !form.has(name) {
            form.set(name, kept.value(name));
        }
    }
    let forms = Forms {
        display: Some(form),
        ..Forms::default()
    };
    refused(&page(visit, forms).await?)
}

fn parse(visit: &Visit<Reads>, form: &mut Form) -> Option<Profile> {
    let session = &visit.session;
    let language = match form.has("language") {
        true => Some(form.value("language"))
            .filter(|code| !code.is_empty())
            .map(Language::of_code),
        false => session.language.map(Some),
    };
    let theme = match form.has("theme") {
        true => theme(form.value("theme")),
        false => Some(session.theme),
    };
    let zone = match form.has("time_zone") {
        true => form.value("time_zone").trim(),
        false => session.time_zone.as_str(),
    };
    // The database asks the same once more, of its own list.
    let zone = zone
        .parse::<Tz>()
        .ok()
        .and_then(|_| TimeZone::parse(zone).ok());
    if zone.is_none() {
        form.set_mistake("time_zone", visit.language.say("profile-zone-wrong"));
    }
    Some(Profile {
        language: match language {
            None => None,
            Some(known) => Some(known?),
        },
        theme: theme?,
        time_zone: zone?,
    })
}

fn theme(word: &str) -> Option<Theme> {
    let all = [Theme::System, Theme::Light, Theme::Dark];
    all.into_iter().find(|theme| theme.as_str() == word)
}

/// The page that the form was on: browsers name it to pages of the same site.
fn before(request: &HttpRequest) -> String {
    let referer = request.headers().get(header::REFERER);
    let url = referer.and_then(|value| Url::parse(value.to_str().ok()?).ok());
    let path = url.map(|url| match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    });
    path.map_or_else(|| "/profile".to_owned(), |path| way::own(&path).to_owned())
}
