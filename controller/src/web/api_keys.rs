//! `/api-keys`: what scripts sign with, for administrators. A secret is on one page only, when its key is made.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::answer::{refused, show};
use super::flash;
use super::form::{Form, Holds, read_body};
use super::frame::{Frame, Moment, Place};
use super::refusal;
use super::table::Table;
use super::users::reaches::{self, ReachChoice, Reaches};
use super::visit::Visit;
use crate::api::api_keys::ApiKeyDraft;
use crate::api::caller::Administers;
use crate::api::page::{Page, PageQuery};
use crate::api::problem::Problem;
use crate::db;
use crate::db::api_keys::ApiKeyRow;
use crate::domain::ids::ApiKeyId;
use crate::domain::role::Scope;
use crate::fleet::Refusal;
use crate::fleet::api_keys::{Created, audited};

const FIELDS: [(&str, Holds); 4] = [
    ("name", Holds::Exactly),
    ("scope", Holds::Text),
    ("bearer", Holds::Flag),
    ("allowed_from", Holds::List),
];

const SCOPES: [(&str, &str); 3] = [
    ("read", "scope-read-long"),
    ("write", "scope-write-long"),
    ("admin", "scope-admin-long"),
];

pub(super) fn configure(table: &mut Table<'_>) {
    table
        .get("/api-keys", index)
        .post("/api-keys", create)
        .get("/api-keys/new", new)
        .get("/api-keys/{id}/revoke", ask)
        .post("/api-keys/{id}/revoke", revoke);
}

#[derive(Template)]
#[template(path = "api_keys/index.html")]
struct IndexPage {
    frame: Frame,
    rows: Vec<Row>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "api_keys/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    reaches: Vec<ReachChoice>,
}

#[derive(Template)]
#[template(path = "api_keys/created.html")]
struct CreatedPage {
    frame: Frame,
    name: String,
    key_id: String,
    secret: Zeroizing<String>,
    bearer: Option<Zeroizing<String>>,
}

#[derive(Template)]
#[template(path = "api_keys/revoke.html")]
struct RevokePage {
    frame: Frame,
    key: Row,
}

struct Row {
    id: ApiKeyId,
    key_id: String,
    name: String,
    scope: &'static str,
    reach: String,
    has_bearer: bool,
    allowed_from: String,
    created: Moment,
    created_by: String,
    used: Option<Moment>,
    expires: Option<Moment>,
    revoked: Option<Moment>,
    is_expired: bool,
}

async fn index(visit: Visit<Administers>, page: Query<PageQuery>) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Users).await?;
    let pool = &visit.fleet.pool;
    let span = page.span()?;
    let after = (span.after > 0).then_some(ApiKeyId(span.after));
    let keys = db::api_keys::list(pool, after, span.limit).await?;
    let reaches = Reaches::read(pool).await?;
    let page = Page::of(
        keys,
        span,
        |key| key.id.0,
        |key| Row::of(&frame, &reaches, key),
    );
    show(&IndexPage {
        frame,
        rows: page.items,
        next: page.next,
    })
}

async fn new(visit: Visit<Administers>) -> Result<HttpResponse, Problem> {
    let form = Form::with([("scope", "read".to_owned()), ("reach", "all".to_owned())]);
    show(&NewPage::of(&visit, form).await?)
}

/// The one answer to a form that is a page itself: what it shows, nobody can be sent to.
async fn create(visit: Visit<Administers>, mut form: Form) -> Result<HttpResponse, Problem> {
    match made(&visit, &form).await {
        Ok(created) => show(&CreatedPage {
            frame: visit.frame(Place::Users).await?,
            name: created.key.name,
            key_id: created.key.key_id,
            secret: Zeroizing::new(created.secret.reveal().to_owned()),
            bearer: created.bearer.map(|token| token.reveal()),
        }),
        Err(problem) => {
            refusal::onto(&mut form, problem, visit.language)?;
            refused(&NewPage::of(&visit, form).await?)
        }
    }
}

async fn made(visit: &Visit<Administers>, form: &Form) -> Result<Created, Problem> {
    let mut body: Map<String, Value> = form.read(&FIELDS)?;
    body.extend(reaches::json(form.value("reach")).map(|reach| ("reach".to_owned(), reach)));
    let day = form.value("expires_on").trim();
    if !day.is_empty() {
        body.insert("expires_at".to_owned(), format!("{day}T00:00:00Z").into());
    }
    let new = read_body::<ApiKeyDraft>(body)?.parse(&visit.call.actor.name)?;
    let fleet = &visit.fleet;
    Ok(audited::create(&fleet.pool, &fleet.keyring, &visit.call, &new).await?)
}

async fn ask(visit: Visit<Administers>, id: Path<ApiKeyId>) -> Result<HttpResponse, Problem> {
    let frame = visit.frame(Place::Users).await?;
    let pool = &visit.fleet.pool;
    let key = db::api_keys::find(pool, *id).await?;
    let key = key.ok_or_else(|| Refusal::missing("API key", *id))?;
    let reaches = Reaches::read(pool).await?;
    show(&RevokePage {
        key: Row::of(&frame, &reaches, key),
        frame,
    })
}

async fn revoke(visit: Visit<Administers>, id: Path<ApiKeyId>) -> Result<HttpResponse, Problem> {
    audited::revoke(&visit.fleet.pool, &visit.call, *id).await?;
    Ok(flash::go_to(
        "/api-keys",
        &visit.language.say("key-revoked"),
    ))
}

impl NewPage {
    async fn of(visit: &Visit<Administers>, form: Form) -> Result<Self, Problem> {
        let frame = visit.frame(Place::Users).await?;
        let reaches = Reaches::read(&visit.fleet.pool).await?;
        Ok(Self {
            reaches: reaches.choices(frame.t),
            frame,
            form,
        })
    }
}

impl RevokePage {
    fn heading(&self) -> String {
        let name = self.key.name.as_str();
        self.frame
            .t
            .say_with("key-revoke-name", [("name", name.into())])
    }
}

impl Row {
    fn of(frame: &Frame, reaches: &Reaches, key: ApiKeyRow) -> Self {
        let prefixes: Vec<String> = key.allowed_from.iter().map(ToString::to_string).collect();
        Self {
            id: key.id,
            reach: reaches.words(frame.t, key.reach()),
            scope: match key.scope {
                Scope::Read => "scope-read",
                Scope::Write => "scope-write",
                Scope::Admin => "scope-admin",
            },
            has_bearer: key.has_bearer,
            allowed_from: prefixes.join(", "),
            created: frame.ago(key.created_at),
            used: key.last_used_at.map(|at| frame.ago(at)),
            expires: key.expires_at.map(|at| frame.ago(at)),
            revoked: key.revoked_at.map(|at| frame.ago(at)),
            is_expired: key.expires_at.is_some_and(|at| at <= frame.now),
            key_id: key.key_id,
            name: key.name,
            created_by: key.created_by,
        }
    }
}
