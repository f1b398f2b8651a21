//! What is shown of webhooks.

use chrono::{DateTime, Utc};
use protocol::signing::Secret;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::webhooks::Webhook;
use crate::domain::ids::WebhookId;

#[derive(Serialize, ToSchema)]
pub struct WebhookView {
    /// Also the `X-Key-Id` of what it is sent.
    id: WebhookId,
    name: String,
    url: String,
    kinds: Vec<String>,
    enabled: bool,
    /// Deliveries that have not succeeded and are not given up.
    waiting: i64,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: WebhookView,
    /// What verifies deliveries, if it was made up here. It is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl WebhookView {
    pub(super) fn of(webhook: Webhook) -> Self {
        Self {
            id: webhook.id,
            name: webhook.name,
            url: webhook.url,
            kinds: webhook.kinds,
            enabled: webhook.enabled,
            waiting: webhook.waiting,
            version: webhook.version,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

impl WebhookWithSecret {
    pub(super) fn of(webhook: Webhook, secret: Option<Secret>) -> Self {
        Self {
            webhook: WebhookView::of(webhook),
            secret: secret.map(|secret| secret.reveal().to_owned()),
        }
    }
}
