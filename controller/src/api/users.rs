//! `/users`: people who may sign in. No answer holds anything of a password.

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, delete, get, patch, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::body::{Body, given};
use super::caller::{Administers, Caller, WriteQuery};
use super::fields::Fields;
use super::page::{Page, PageQuery};
use super::problem::{Problem, ReadProblems, WriteProblems};
use super::texts;
use super::version;
use crate::db;
use crate::db::users::UserRow;
use crate::domain::ids::UserId;
use crate::domain::password::Password;
use crate::domain::reach::Reach;
use crate::domain::role::Role;
use crate::domain::user::{Email, UserName};
use crate::fleet::users::{self, NewUser};
use crate::fleet::{Fleet, FleetError, Refusal};

/// A user to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "ada", "role": "operator", "email": "ada@example.org"}))]
pub struct UserDraft {
    /// What they sign in with: 1 to 64 of `a-z`, `0-9`, `.`, `_` and `-`.
    #[schema(value_type = texts::UserName)]
    name: String,
    role: Role,
    /// To what the role extends; everything if absent. An admin's is not limited.
    reach: Option<Reach>,
    #[schema(value_type = Option<texts::Email>)]
    email: Option<String>,
    /// At least 12 characters. Nobody without one can sign in with a password.
    #[schema(min_length = 12)]
    password: Option<String>,
}

/// What to change of a user; absent keeps.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    role: Option<Role>,
    /// To what the role extends.
    reach: Option<Reach>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<texts::Email>)]
    email: Option<Option<String>>,
    /// Who is not enabled cannot sign in.
    enabled: Option<bool>,
    #[schema(min_length = 12)]
    password: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct UserView {
    id: UserId,
    name: String,
    email: Option<String>,
    role: Role,
    reach: Reach,
    enabled: bool,
    has_password: bool,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// List users.
#[utoipa::path(tag = "users", operation_id = "users.list", params(PageQuery),
    responses((status = 200, body = Page<UserView>), ReadProblems))]
#[get("/users")]
pub(crate) async fn index(
    _caller: Caller<Administers>,
    fleet: Data<Fleet>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let span = query.span()?;
    let rows = db::users::list(&fleet.pool, span).await?;
    let page = Page::of(rows, span, |user| user.id.0, UserView::of);
    Ok(HttpResponse::Ok().json(page))
}

/// Make a user.
#[utoipa::path(tag = "users", operation_id = "users.create", params(WriteQuery), request_body = UserDraft,
    responses((status = 201, body = UserView), WriteProblems))]
#[post("/users")]
pub(crate) async fn create(
    caller: Caller<Administers>,
    fleet: Data<Fleet>,
    body: Body<UserDraft>,
) -> Result<HttpResponse, Problem> {
    let parsed = body.0.parse()?;
    let password = hash(&fleet, parsed.password).await?;
    let new = NewUser {
        name: parsed.name,
        email: parsed.email,
        role: parsed.role,
        reach: parsed.reach,
        password,
    };
    let user = users::audited::create(&fleet.pool, &caller.call, &new).await?;
    Ok(HttpResponse::Created()
        .insert_header(version::etag(user.version))
        .insert_header((header::LOCATION, format!("/api/v1/users/{}", user.id)))
        .json(UserView::of(user)))
}

/// Show a user.
#[utoipa::path(tag = "users", operation_id = "users.show", params(("id" = i64, Path)),
    responses((status = 200, body = UserView), ReadProblems))]
#[get("/users/{id}")]
pub(crate) async fn show(
    _caller: Caller<Administers>,
    fleet: Data<Fleet>,
    id: Path<UserId>,
) -> Result<HttpResponse, Problem> {
    let user = find(&fleet, *id).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version::etag(user.version))
        .json(UserView::of(user)))
}

/// Change a user. The last enabled admin stays one.
#[utoipa::path(tag = "users", operation_id = "users.change", params(("id" = i64, Path), WriteQuery),
    request_body = UserChange, responses((status = 200, body = UserView), WriteProblems))]
#[patch("/users/{id}")]
pub(crate) async fn change(
    caller: Caller<Administers>,
    fleet: Data<Fleet>,
    id: Path<UserId>,
    body: Body<UserChange>,
) -> Result<HttpResponse, Problem> {
    // A name never changes, so the password may be compared with it before the row is locked.
    let user = find(&fleet, *id).await?;
    let (mut wanted, password) = body.0.parse(&user.name)?;
    wanted.password = hash(&fleet, password).await?;
    let user = users::audited::change(&fleet.pool, &caller.call, *id, wanted).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version::etag(user.version))
        .json(UserView::of(user)))
}

/// Delete a user. Peers that were theirs are nobody's afterwards.
#[utoipa::path(tag = "users", operation_id = "users.delete", params(("id" = i64, Path), WriteQuery),
    responses((status = 204), WriteProblems))]
#[delete("/users/{id}")]
pub(crate) async fn delete(
    caller: Caller<Administers>,
    fleet: Data<Fleet>,
    id: Path<UserId>,
) -> Result<HttpResponse, Problem> {
    users::audited::delete(&fleet.pool, &caller.call, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A draft whose fields are what they should be.
pub(crate) struct Parsed {
    pub(crate) name: UserName,
    pub(crate) email: Option<Email>,
    pub(crate) role: Role,
    pub(crate) reach: Reach,
    pub(crate) password: Option<Password>,
}

impl UserDraft {
    pub(crate) fn parse(self) -> Result<Parsed, Problem> {
        let mut fields = Fields::default();
        let email = email(&mut fields, self.email);
        let name = fields.take("name", UserName::parse(&self.name));
        let text = self.password.map(Zeroizing::new);
        let password = match (&name, text) {
            (Some(name), Some(text)) => fields.take("password", Password::choose(&text, name)),
            _ => None,
        };
        let parsed = name.map(|name| Parsed {
            name,
            email,
            role: self.role,
            reach: self.reach.unwrap_or(Reach::All),
            password,
        });
        fields.finish(parsed)
    }
}

impl UserChange {
    pub(crate) fn parse(self, name: &str) -> Result<(users::Change, Option<Password>), Problem> {
        let mut fields = Fields::default();
        let name = fields.take("name", UserName::parse(name));
        let email = self.email.map(|text| email(&mut fields, text));
        let text = self.password.map(Zeroizing::new);
        let password = match (name, text) {
            (Some(name), Some(text)) => fields.take("password", Password::choose(&text, &name)),
            _ => None,
        };
        let wanted = users::Change {
            email,
            role: self.role,
            reach: self.reach,
            enabled: self.enabled,
            ..users::Change::default()
        };
        fields.finish(Some((wanted, password)))
    }
}

impl UserView {
    fn of(user: UserRow) -> Self {
        Self {
            id: user.id,
            reach: user.reach(),
            name: user.name,
            email: user.email,
            role: user.role,
            enabled: user.enabled,
            has_password: user.has_password,
            version: user.version,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

fn email(fields: &mut Fields, text: Option<String>) -> Option<Email> {
    text.and_then(|text| fields.take("email", Email::parse(&text)))
}

async fn find(fleet: &Fleet, id: UserId) -> Result<UserRow, Problem> {
    let user = db::users::find(&fleet.pool, id).await?;
    Ok(user.ok_or_else(|| Refusal::missing("user", id))?)
}

pub(crate) async fn hash(
    fleet: &Fleet,
    password: Option<Password>,
) -> Result<Option<users::PasswordHash>, Problem> {
    match password {
        Some(password) => {
            let hash = fleet.hasher.hash(password).await;
            Ok(Some(hash.map_err(FleetError::from)?))
        }
        None => Ok(None),
    }
}
