//! `/login`: a name with a password, and the other ways in that are set up here.
//!
//! Whoever fails often is asked to let their browser work a little first. That needs scripts; everything else does not.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Outside, Stranger, denied, let_in, way};
use crate::api::problem::Problem;
use crate::db;
use crate::domain::session::LocalLogin;
use crate::domain::user::UserName;
use crate::fleet::FleetError;
use crate::fleet::sign_in::{Attempt, Denied, Passed, SignInError, limits, with_password};
use crate::web::answer::{go_to, show as page};
use crate::web::form::Form;
use crate::web::pictures::evidence::{Fact, Facts};

/// Where to go on once signed in.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    pub(super) next: String,
}

#[derive(Template)]
#[template(path = "door/login.html")]
pub(super) struct LoginPage {
    outside: Outside,
    form: Form,
    next: String,
    ways: Ways,
    /// The work that the browser has to prove, as its widget takes it.
    challenge: Option<String>,
    /// Nobody has been made administrator yet.
    is_new: bool,
}

struct Ways {
    password: bool,
    passkey: bool,
    /// What people call the identity provider.
    provider: Option<String>,
}

pub(super) async fn show(
    stranger: Stranger,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let next = way::own(&wanted.next);
    if stranger.door.session().is_some() {
        return Ok(go_to(next));
    }
    page(&LoginPage::of(&stranger, Form::default(), next, None).await?)
}

pub(super) async fn sign_in(stranger: Stranger, mut form: Form) -> Result<HttpResponse, Problem> {
    let next = way::own(form.value("next")).to_owned();
    let attempt = Attempt {
        name: form.value("name"),
        password: Zeroizing::new(form.value("password").to_owned()),
        captcha: Some(form.value("altcha")),
    };
    let passed = with_password(&stranger.fleet, &stranger.door.visitor(), attempt).await;
    let denied = match passed {
        Ok(Passed::In(begun)) => {
            let mut answer = go_to(&next);
            let_in(&mut answer, &stranger.door, &begun.token);
            return Ok(answer);
        }
        Ok(Passed::SecondStep) => return Ok(go_to(&way::with_next("/login/code", &next))),
        Err(SignInError::Denied(denied)) => denied,
        Err(SignInError::Fault(err)) => return Err(err.into()),
    };
    form.forget("password");
    let name = form.value("name").to_owned();
    refused(&stranger, form, &next, denied, Some(&name)).await
}

/// The page again, with the reason why somebody did not come in.
pub(super) async fn refused(
    stranger: &Stranger,
    mut form: Form,
    next: &str,
    why: Denied,
    name: Option<&str>,
) -> Result<HttpResponse, Problem> {
    form.refusal = Some(denied::sentence(stranger.t, why));
    denied::refusal(why, &LoginPage::of(stranger, form, next, name).await?)
}

impl LoginPage {
    /// `name` is what was tried already: an account that many guess at asks for work from everywhere.
    async fn of(
        stranger: &Stranger,
        form: Form,
        next: &str,
        name: Option<&str>,
    ) -> Result<Self, Problem> {
        let (fleet, visitor) = (&stranger.fleet, stranger.door.visitor());
        let account = name.map(|name| {
            UserName::parse(name).map_or_else(|_| String::new(), |name| name.to_string())
        });
        let wants = limits::wants_captcha(fleet, &visitor, account.as_deref()).await;
        let challenge = match wants {
            Ok(true) => Some(limits::challenge(fleet, &visitor.browser)),
            Ok(false) => None,
            Err(SignInError::Fault(err)) => return Err(err.into()),
            Err(SignInError::Denied(_)) => None,
        };
        let challenge = challenge
            .map(|challenge| serde_json::to_string(&challenge))
            .transpose();
        Ok(Self {
            outside: stranger.outside(way::with_next("/login", next)),
            form,
            next: next.to_owned(),
            ways: Ways {
                password: fleet.settings.sign_in.password != LocalLogin::Off,
                passkey: fleet.door.passkeys.is_some(),
                provider: fleet
                    .door
                    .provider
                    .as_ref()
                    .map(|provider| provider.label().to_owned()),
            },
            challenge: challenge.map_err(FleetError::from)?,
            is_new: !db::users::any_admin(&fleet.pool).await?,
        })
    }

    fn with_provider(&self, label: &str) -> String {
        self.outside
            .t
            .say_with("door-use-provider", [("provider", label.into())])
    }

    fn oidc(&self) -> String {
        way::with_next("/login/oidc", &self.next)
    }

    fn passkey_finish(&self) -> String {
        way::with_next("/login/passkey/finish", &self.next)
    }

    /// How to read what the pages behind the door show.
    fn legend(&self) -> [(String, &'static str); 5] {
        let good = Facts {
            reachable: Fact::Yes,
            up: Fact::Yes,
            in_sync: Fact::Yes,
            traffic: Fact::Yes,
        };
        let late = Facts {
            in_sync: Fact::Late,
            ..good
        };
        let wrong = Facts {
            in_sync: Fact::No,
            ..good
        };
        let idle = Facts {
            traffic: Fact::Unknown,
            ..good
        };
        let away = Facts {
            reachable: Fact::No,
            ..Facts::UNKNOWN
        };
        [
            (good, "door-legend-good"),
            (late, "door-legend-late"),
            (wrong, "door-legend-wrong"),
            (idle, "door-legend-idle"),
            (away, "door-legend-away"),
        ]
        .map(|(facts, text)| (facts.draw(self.outside.t).to_string(), text))
    }
}
