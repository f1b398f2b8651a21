//! `/api-keys`: what scripts sign with. Secret and token of a key are in one answer only, to whoever made it.

use std::net::IpAddr;

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, delete, get, post};
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Body;
use super::caller::{Administers, Caller, WriteQuery};
use super::fields::Fields;
use super::page::{Page, PageQuery};
use super::problem::{Problem, ReadProblems, WriteProblems};
use super::texts;
use super::version;
use crate::api::fields::mistake::Mistake;
use crate::db;
use crate::db::api_keys::ApiKeyRow;
use crate::domain::ids::ApiKeyId;
use crate::domain::reach::Reach;
use crate::domain::role::Scope;
use crate::fleet::api_keys::{Created, NewApiKey, audited};
use crate::fleet::{Fleet, Refusal};

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "grafana", "scope": "read", "bearer": true, "allowed_from": ["10.0.0.0/8"]}))]
pub struct ApiKeyDraft {
    /// For people, 1 to 100 characters.
    #[schema(value_type = texts::Purpose)]
    name: String,
    scope: Scope,
    /// To what the scope extends; everything if absent. That of scope admin is not limited.
    reach: Option<Reach>,
    /// Whether a token that needs no signing goes with it; for scope read alone.
    #[serde(default)]
    bearer: bool,
    /// Prefixes that it may be used from; empty is anywhere.
    #[serde(default)]
    allowed_from: Vec<String>,
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeyView {
    id: ApiKeyId,
    /// What goes into `X-Key-Id`.
    key_id: String,
    name: String,
    scope: Scope,
    reach: Reach,
    bearer: bool,
    #[schema(value_type = Vec<String>)]
    allowed_from: Vec<IpNet>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    /// To the minute.
    last_used_at: Option<DateTime<Utc>>,
    created_by: String,
    created_at: DateTime<Utc>,
}

/// A key with what is shown once.
#[derive(Serialize, ToSchema)]
pub struct ApiKeyWithSecret {
    #[serde(flatten)]
    key: ApiKeyView,
    /// To sign with; it cannot be had again. Absent on a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// To be sent as `Authorization: Bearer …`; it cannot be had again.
    #[serde(skip_serializing_if = "Option::is_none")]
    bearer_token: Option<String>,
}

/// List API keys, the newest first, revoked ones too.
#[utoipa::path(tag = "api keys", operation_id = "api_keys.list", params(PageQuery),
    responses((status = 200, body = Page<ApiKeyView>), ReadProblems))]
#[get("/api-keys")]
pub(crate) async fn index(
    _caller: Caller<Administers>,
    fleet: Data<Fleet>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let span = query.span()?;
    let after = (span.after > 0).then_some(ApiKeyId(span.after));
    let rows = db::api_keys::list(&fleet.pool, after, span.limit).await?;
    let page = Page::of(rows, span, |key| key.id.0, ApiKeyView::of);
    Ok(HttpResponse::Ok().json(page))
}

/// Make an API key. This answer alone shows its secret.
#[utoipa::path(tag = "api keys", operation_id = "api_keys.create", params(WriteQuery), request_body = ApiKeyDraft,
    responses((status = 201, body = ApiKeyWithSecret), WriteProblems))]
#[post("/api-keys")]
pub(crate) async fn create(
    caller: Caller<Administers>,
    fleet: Data<Fleet>,
    body: Body<ApiKeyDraft>,
) -> Result<HttpResponse, Problem> {
    let new = body.0.parse(&caller.call.actor.name)?;
    let created = audited::create(&fleet.pool, &fleet.keyring, &caller.call, &new).await?;
    let id = created.key.id;
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(version::etag(audited::version(&created.key)))
        .insert_header((header::LOCATION, format!("/api/v1/api-keys/{id}")))
        .json(ApiKeyWithSecret::of(created, caller.call.dry_run)))
}

/// Show an API key, without its secret.
#[utoipa::path(tag = "api keys", operation_id = "api_keys.show", params(("id" = i64, Path)),
    responses((status = 200, body = ApiKeyView), ReadProblems))]
#[get("/api-keys/{id}")]
pub(crate) async fn show(
    _caller: Caller<Administers>,
    fleet: Data<Fleet>,
    id: Path<ApiKeyId>,
) -> Result<HttpResponse, Problem> {
    let key = db::api_keys::find(&fleet.pool, *id).await?;
    let key = key.ok_or_else(|| Refusal::missing("API key", *id))?;
    Ok(HttpResponse::Ok()
        .insert_header(version::etag(audited::version(&key)))
        .json(ApiKeyView::of(key)))
}

/// Revoke an API key: it ends with this answer and stays listed.
#[utoipa::path(tag = "api keys", operation_id = "api_keys.revoke", params(("id" = i64, Path), WriteQuery),
    responses((status = 204), WriteProblems))]
#[delete("/api-keys/{id}")]
pub(crate) async fn revoke(
    caller: Caller<Administers>,
    fleet: Data<Fleet>,
    id: Path<ApiKeyId>,
) -> Result<HttpResponse, Problem> {
    audited::revoke(&fleet.pool, &caller.call, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

impl ApiKeyDraft {
    pub(crate) fn parse(self, created_by: &str) -> Result<NewApiKey, Problem> {
        let mut fields = Fields::default();
        let prefix = |text: &String| {
            let net = text.parse::<IpNet>();
            let host = || text.parse::<IpAddr>().map(IpNet::from);
            net.or_else(|_| host()).map(|net| net.trunc()).map_err(|_| {
                let what = format!("{text:?} is neither a prefix nor an address");
                Mistake::new("no_prefix_no_address", what).with("text", text.as_str())
            })
        };
        let parsed: Vec<Option<IpNet>> = self
            .allowed_from
            .iter()
            .map(|text| fields.take("allowed_from", prefix(text)))
            .collect();
        fields.finish(Some(NewApiKey {
            name: self.name,
            scope: self.scope,
            reach: self.reach.unwrap_or(Reach::All),
            bearer: self.bearer,
            allowed_from: parsed.into_iter().flatten().collect(),
            expires_at: self.expires_at,
            created_by: created_by.to_owned(),
        }))
    }
}

impl ApiKeyView {
    fn of(key: ApiKeyRow) -> Self {
        Self {
            id: key.id,
            reach: key.reach(),
            key_id: key.key_id,
            name: key.name,
            scope: key.scope,
            bearer: key.has_bearer,
            allowed_from: key.allowed_from,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
            created_by: key.created_by,
            created_at: key.created_at,
        }
    }
}

impl ApiKeyWithSecret {
    /// A key that was only tried has nothing to show.
    fn of(created: Created, tried: bool) -> Self {
        let secret = (!tried).then(|| created.secret.reveal().to_owned());
        let token = created.bearer.filter(|_| !tried);
        Self {
            key: ApiKeyView::of(created.key),
            secret,
            bearer_token: token.map(|token| token.reveal().to_string()),
        }
    }
}
