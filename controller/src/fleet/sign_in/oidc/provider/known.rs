//! What the provider says of itself: where it is asked for what, and the keys that it signs with.
//!
//! Fetched when it is first needed and believed for a while. A token signed by a key that is not among them makes them
//! be fetched again, because providers change keys without telling.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use reqwest::Client;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::ProviderError;
use super::http::answer;

/// How soon keys may be fetched again because one was missing: strangers can name any.
const FETCHED_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(10);

pub(super) struct Knowledge {
    issuer: String,
    keep: TimeDelta,
    known: Mutex<Option<Arc<Known>>>,
}

pub(super) struct Known {
    pub discovery: Discovery,
    keys: JwkSet,
    fetched_at: DateTime<Utc>,
}

#[derive(Deserialize)]
pub(super) struct Discovery {
    pub issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    jwks_uri: Url,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Knowledge {
    pub(super) fn new(issuer: &Url, keep: Duration) -> Self {
        Self {
            issuer: issuer.as_str().trim_end_matches('/').to_owned(),
            keep: TimeDelta::from_std(keep).unwrap_or(TimeDelta::MAX),
            known: Mutex::new(None),
        }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) async fn get(
        &self,
        http: &Client,
        now: DateTime<Utc>,
    ) -> Result<Arc<Known>, ProviderError> {
        self.since(http, now, now - self.keep).await
    }

    /// The same where a key is missing: fetched again, unless it was just now.
    pub(super) async fn get_again(
        &self,
        http: &Client,
        now: DateTime<Utc>,
    ) -> Result<Arc<Known>, ProviderError> {
        self.since(http, now, now - FETCHED_AGAIN_AFTER).await
    }

    async fn since(
        &self,
        http: &Client,
        now: DateTime<Utc>,
        since: DateTime<Utc>,
    ) -> Result<Arc<Known>, ProviderError> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.fetched_at > since) {
            return Ok(Arc::clone(known));
        }
        let address = format!("{}/.well-known/openid-configuration", self.issuer);
        let discovery: Discovery = answer(http.get(address)).await?;
        if discovery.issuer.trim_end_matches('/') != self.issuer {
            return Err(ProviderError::Issuer(discovery.issuer));
        }
        let keys = answer(http.get(discovery.jwks_uri.clone())).await?;
        let fetched = Arc::new(Known {
            discovery,
            keys,
            fetched_at: now,
        });
        *known = Some(Arc::clone(&fetched));
        Ok(fetched)
    }
}

impl Known {
    /// A key by its name; a token without a name is of the only key there is.
    pub(super) fn key(&self, name: Option<&str>) -> Option<&Jwk> {
        match (name, &self.keys.keys[..]) {
            (Some(name), _) => self.keys.find(name),
            (None, [one]) => Some(one),
            (None, _) => None,
        }
    }
}

impl Discovery {
    /// As the standard says where the provider says nothing.
    pub(super) fn takes_basic(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|all| all.iter().any(|one| one == "client_secret_basic"))
    }
}
