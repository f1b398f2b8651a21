//! What is asked of a webhook, read field by field. What holds a secret here cannot be printed.

use protocol::signing::Secret;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::fields::Fields;
use crate::api::problem::Problem;
use crate::api::texts;
use crate::domain::names::Label;
use crate::domain::webhook::{WebhookUrl, check_kinds};
use crate::fleet::webhooks::change::{Changes, NewWebhook};

/// A webhook to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "pager", "url": "https://hooks.example.com/wgfleet", "kinds": ["nodes", "peer.created"]}))]
pub struct WebhookDraft {
    /// A DNS label.
    #[schema(value_type = texts::Label)]
    name: String,
    /// `http://` or `https://`; no user name, no password, no fragment. Redirects are not followed.
    #[schema(value_type = texts::WebhookUrl)]
    url: String,
    /// Kinds of events, or topics; all if empty or absent. Only who names `peer.connected` and `peer.disconnected` is
    /// told of sessions: there are many.
    #[serde(default)]
    #[schema(value_type = Vec<texts::Kind>)]
    kinds: Vec<String>,
    /// `true` if absent.
    enabled: Option<bool>,
    /// What deliveries are signed with: at least 32 bytes, at least 8 of them different. Made up and shown once if absent.
    #[schema(value_type = Option<texts::Secret>, write_only)]
    secret: Option<String>,
}

/// What to change of a webhook; absent keeps.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookChange {
    #[schema(value_type = Option<texts::Label>)]
    name: Option<String>,
    #[schema(value_type = Option<texts::WebhookUrl>)]
    url: Option<String>,
    #[schema(value_type = Option<Vec<texts::Kind>>)]
    kinds: Option<Vec<String>>,
    enabled: Option<bool>,
    /// Signs from the next attempt on.
    #[schema(value_type = Option<texts::Secret>, write_only)]
    secret: Option<String>,
}

impl WebhookDraft {
    pub(super) fn parse(self) -> Result<NewWebhook, Problem> {
        let mut fields = Fields::default();
        let name = fields.take("name", Label::parse(&self.name));
        let url = fields.take("url", WebhookUrl::parse(&self.url));
        fields.take("kinds", check_kinds(&self.kinds));
        let secret = secret(&mut fields, self.secret);
        let new = name.zip(url).map(|(name, url)| NewWebhook {
            name,
            url,
            kinds: self.kinds,
            enabled: self.enabled.unwrap_or(true),
            secret,
        });
        fields.finish(new)
    }
}

impl WebhookChange {
    pub(super) fn parse(self) -> Result<Changes, Problem> {
        let mut fields = Fields::default();
        let name = self
            .name
            .map(|name| fields.take("name", Label::parse(&name)));
        let url = self
            .url
            .map(|url| fields.take("url", WebhookUrl::parse(&url)));
        if let Some(kinds) = &self.kinds {
            fields.take("kinds", check_kinds(kinds));
        }
        let secret = secret(&mut fields, self.secret);
        fields.finish(Some(Changes {
            name: name.flatten(),
            url: url.flatten(),
            kinds: self.kinds,
            enabled: self.enabled,
            secret,
        }))
    }
}

fn secret(fields: &mut Fields, given: Option<String>) -> Option<Secret> {
    let text = zeroize::Zeroizing::new(given?);
    fields.take("secret", Secret::parse(&text))
}
