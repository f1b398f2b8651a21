//! The identity provider over HTTP: what it says of itself, the code for a token, and whether the token is its own.
//!
//! Its settings and keys are fetched when they are first needed and believed for a while; a token signed by a key that
//! is not among them makes them be fetched again, because providers change keys without telling.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use reqwest::tls::Certificate;
use reqwest::{Client, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use url::Url;
use zeroize::Zeroizing;

use crate::clock;
use crate::config::{Config, Oidc};
use crate::domain::oidc::{Claims, ClaimsError, Expected, GroupRoles, Person, judge};

/// Those that sign with a key of which only one side has the secret half.
const ALGORITHMS: [Algorithm; 8] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::EdDSA,
];
/// More is no answer of a provider.
const MOST_BYTES: usize = 1 << 20;
/// How soon keys may be fetched again because one was missing: strangers can name any.
const FETCHED_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(10);
/// How far the provider's clock may be off.
const LEEWAY_S: u64 = 60;

#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("{0} cannot be read")]
    File(String, #[source] Box<dyn Error + Send + Sync>),
    #[error("the client of the identity provider cannot be set up")]
    Client(#[source] reqwest::Error),
    #[error("the identity provider does not answer")]
    Http(#[source] reqwest::Error),
    #[error("the identity provider answered {0}")]
    Status(u16),
    #[error("the identity provider answered what is not to be understood")]
    Answer,
    #[error("the provider calls itself {0}, which is not the configured issuer")]
    Issuer(String),
    #[error("the identity provider took the code for none of its own")]
    Code,
    #[error("the token is not one that the provider signed for this program")]
    Token(#[source] Box<dyn Error + Send + Sync>),
}

impl ProviderError {
    /// Whether it says no, other than being away.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Code | Self::Token(_))
    }
}

pub struct Provider {
    config: Oidc,
    secret: Option<Zeroizing<String>>,
    redirect: String,
    roles: GroupRoles,
    issuer: String,
    http: Client,
    known: Mutex<Option<Arc<Known>>>,
}

/// What the provider says of itself.
struct Known {
    discovery: Discovery,
    keys: JwkSet,
    fetched_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Zeroizing<String>,
}

impl Provider {
    /// None where none is configured. Asks nobody yet: a provider that is away does not keep the controller from serving.
    pub fn new(config: &Config) -> Result<Option<Self>, ProviderError> {
        let (Some(oidc), Some(base)) = (&config.oidc, &config.base_url) else {
            return Ok(None);
        };
        let read = |path: &std::path::Path| {
            std::fs::read(path)
                .map(Zeroizing::new)
                .map_err(|err| ProviderError::File(path.display().to_string(), err.into()))
        };
        let secret = match &oidc.client_secret_file {
            Some(path) => {
                let bytes = read(path)?;
                let text = std::str::from_utf8(&bytes)
                    .map_err(|err| ProviderError::File(path.display().to_string(), err.into()))?;
                Some(Zeroizing::new(text.trim().to_owned()))
            }
            None => None,
        };
        let authorities = match &oidc.ca_file {
            Some(path) => Certificate::from_pem_bundle(&read(path)?)
                .map_err(|err| ProviderError::File(path.display().to_string(), err.into()))?,
            None => Vec::new(),
        };
        Ok(Some(Self {
            secret,
            redirect: format!("{base}login/oidc/callback"),
            roles: GroupRoles {
                admin: oidc.admin_groups.clone(),
                operator: oidc.operator_groups.clone(),
                viewer: oidc.viewer_groups.clone(),
            },
            issuer: oidc.issuer.as_str().trim_end_matches('/').to_owned(),
            http: client(authorities, oidc.timeout)?,
            known: Mutex::new(None),
            config: oidc.clone(),
        }))
    }

    /// Under which people of this provider are known.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What the button on the login page says.
    pub fn label(&self) -> &str {
        &self.config.label
    }

    pub(super) async fn authorize(
        &self,
        state: &str,
        nonce: &str,
        verifier: &str,
    ) -> Result<String, ProviderError> {
        let known = self.known(None).await?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let mut url = known.discovery.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", &self.config.scopes.join(" "))
            .append_pair("state", state)
            .append_pair("nonce", nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// Trades a code for a token, and says what a token that verifies holds.
    pub(super) async fn claims(&self, code: &str, verifier: &str) -> Result<Claims, ProviderError> {
        let known = self.known(None).await?;
        let token = self.trade(&known.discovery, code, verifier).await?;
        let header = decode_header(&*token).map_err(foreign)?;
        let kid = header.kid.as_deref();
        let known = match find(&known.keys, kid) {
            Some(_) => known,
            None => self.known(Some(clock::now() - FETCHED_AGAIN_AFTER)).await?,
        };
        let key = find(&known.keys, kid).ok_or_else(|| foreign("no such key"))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(foreign("not signed with a public key"));
        }
        let key = DecodingKey::from_jwk(key).map_err(foreign)?;
        let mut rules = Validation::new(header.alg);
        rules.leeway = LEEWAY_S;
        rules.validate_nbf = true;
        rules.set_audience(&[&self.config.client_id]);
        rules.set_issuer(&[&known.discovery.issuer]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Ok(decode(&*token, &key, &rules).map_err(foreign)?.claims)
    }

    pub(super) fn judge(&self, claims: &Claims, nonce: &str) -> Result<Person, ClaimsError> {
        let expected = Expected {
            client_id: &self.config.client_id,
            nonce,
            name_claim: &self.config.name_claim,
            groups_claim: &self.config.groups_claim,
            roles: &self.roles,
        };
        judge(claims, expected)
    }

    async fn trade(
        &self,
        discovery: &Discovery,
        code: &str,
        verifier: &str,
    ) -> Result<Zeroizing<String>, ProviderError> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("code_verifier", verifier);
        let request = self.http.post(discovery.token_endpoint.clone());
        let encoded = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
        };
        let id = &self.config.client_id;
        let request = match &self.secret {
            Some(secret) if discovery.takes_basic() => {
                request.basic_auth(encoded(id), Some(encoded(secret)))
            }
            Some(secret) => {
                form.append_pair("client_id", id)
                    .append_pair("client_secret", secret);
                request
            }
            None => {
                form.append_pair("client_id", id);
                request
            }
        };
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(form.finish());
        let tokens: Result<Tokens, ProviderError> = answer(request).await;
        match tokens {
            Ok(tokens) => Ok(tokens.id_token),
            Err(ProviderError::Status(400..=403)) => Err(ProviderError::Code),
            Err(err) => Err(err),
        }
    }

    /// What the provider says of itself, fetched after `since` or as long ago as it is believed.
    async fn known(&self, since: Option<DateTime<Utc>>) -> Result<Arc<Known>, ProviderError> {
        let mut known = self.known.lock().await;
        let now = clock::now();
        let keep = TimeDelta::from_std(self.config.keys_keep).unwrap_or(TimeDelta::MAX);
        let since = since.unwrap_or(now - keep);
        if let Some(known) = known.as_ref().filter(|known| known.fetched_at > since) {
            return Ok(Arc::clone(known));
        }
        let address = format!("{}/.well-known/openid-configuration", self.issuer);
        let discovery: Discovery = answer(self.http.get(address)).await?;
        if discovery.issuer.trim_end_matches('/') != self.issuer {
            return Err(ProviderError::Issuer(discovery.issuer));
        }
        let keys = answer(self.http.get(discovery.jwks_uri.clone())).await?;
        let fetched = Arc::new(Known {
            discovery,
            keys,
            fetched_at: now,
        });
        *known = Some(Arc::clone(&fetched));
        Ok(fetched)
    }
}

impl Discovery {
    /// As the standard says where the provider says nothing.
    fn takes_basic(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|all| all.iter().any(|one| one == "client_secret_basic"))
    }
}

/// A key by its name; a token without a name is of the only key there is.
fn find<'a>(keys: &'a JwkSet, kid: Option<&str>) -> Option<&'a jsonwebtoken::jwk::Jwk> {
    match (kid, &keys.keys[..]) {
        (Some(kid), _) => keys.find(kid),
        (None, [one]) => Some(one),
        (None, _) => None,
    }
}

fn client(authorities: Vec<Certificate>, timeout: Duration) -> Result<Client, ProviderError> {
    let builder = || {
        Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .timeout(timeout)
            .user_agent(concat!("wgfleet/", env!("CARGO_PKG_VERSION")))
    };
    let built = builder().tls_certs_merge(authorities.clone()).build();
    // A machine without any authority of its own can still ask whom the named one vouches for.
    built
        .or_else(|_| builder().tls_certs_only(authorities).build())
        .map_err(ProviderError::Client)
}

async fn answer<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, ProviderError> {
    let mut response = request.send().await.map_err(ProviderError::Http)?;
    if !response.status().is_success() {
        return Err(ProviderError::Status(response.status().as_u16()));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(ProviderError::Http)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_BYTES {
            return Err(ProviderError::Answer);
        }
    }
    serde_json::from_slice(&bytes).map_err(|_| ProviderError::Answer)
}

fn foreign(err: impl Into<Box<dyn Error + Send + Sync>>) -> ProviderError {
    ProviderError::Token(err.into())
}
