//! The identity provider over HTTP: where people are sent, and what it says of them when they come back and later.
//!
//! What it says of itself is in [`known`], how it is asked for tokens in [`grant`], whether a token is its own in
//! [`token`].

use std::error::Error;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Client;
use reqwest::tls::Certificate;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::clock;
use crate::config::{Config, Oidc};
use crate::domain::oidc::{Claims, ClaimsError, Expected, GroupRoles, Person, judge};

mod grant;
mod http;
mod known;
mod token;

use grant::Grant;
use known::Knowledge;

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
    #[error("the identity provider does not take what it gave out, or not any more")]
    Grant,
    #[error("the token is not one that the provider signed for this program")]
    Token(#[source] Box<dyn Error + Send + Sync>),
}

impl ProviderError {
    /// Whether it says no, other than being away.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Grant | Self::Token(_))
    }
}

/// What the provider says of somebody.
pub(super) struct Word {
    /// None: nothing new. Only of somebody who comes in must it say something.
    pub claims: Option<Claims>,
    /// With which it can be asked again; none if it does not want to be, or the one before is good still.
    pub refresh_token: Option<Zeroizing<String>>,
}

pub struct Provider {
    config: Oidc,
    secret: Option<Zeroizing<String>>,
    redirect: String,
    roles: GroupRoles,
    http: Client,
    knowledge: Knowledge,
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
            http: http::client(authorities, oidc.timeout)?,
            knowledge: Knowledge::new(&oidc.issuer, oidc.keys_keep),
            config: oidc.clone(),
        }))
    }

    /// Under which people of this provider are known.
    pub(super) fn issuer(&self) -> &str {
        self.knowledge.issuer()
    }

    /// What the button on the login page says.
    pub fn label(&self) -> &str {
        &self.config.label
    }

    /// In what time each session is asked about once.
    pub fn recheck_every(&self) -> Duration {
        self.config.recheck_every
    }

    pub(super) async fn authorize(
        &self,
        state: &str,
        nonce: &str,
        verifier: &str,
    ) -> Result<String, ProviderError> {
        let known = self.knowledge.get(&self.http, clock::now()).await?;
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

    /// What it says of whoever came back with this code.
    pub(super) async fn by_code(&self, code: &str, verifier: &str) -> Result<Word, ProviderError> {
        self.word(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect),
            ("code_verifier", verifier),
        ])
        .await
    }

    /// What it says by now of whoever this refresh token is about.
    pub(super) async fn by_refresh(&self, token: &str) -> Result<Word, ProviderError> {
        self.word(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    /// Who somebody is and what they may. `nonce` is that of the sign-in, where the word ends one.
    pub(super) fn judge(
        &self,
        claims: &Claims,
        nonce: Option<&str>,
    ) -> Result<Person, ClaimsError> {
        let expected = Expected {
            client_id: &self.config.client_id,
            nonce,
            name_claim: &self.config.name_claim,
            groups_claim: &self.config.groups_claim,
            roles: &self.roles,
        };
        judge(claims, expected)
    }

    async fn word(&self, fields: &[(&str, &str)]) -> Result<Word, ProviderError> {
        let now = clock::now();
        let known = self.knowledge.get(&self.http, now).await?;
        let grant = Grant {
            client_id: &self.config.client_id,
            secret: self.secret.as_ref().map(|secret| secret.as_str()),
            fields,
        };
        let tokens = grant.send(&self.http, &known.discovery).await?;
        let claims = match &tokens.id_token {
            Some(id_token) => {
                let key = token::key_name(id_token)?;
                let known = match known.key(key.as_deref()) {
                    Some(_) => known,
                    None => self.knowledge.get_again(&self.http, now).await?,
                };
                Some(token::verify(id_token, &known, &self.config.client_id)?)
            }
            None => None,
        };
        Ok(Word {
            claims,
            refresh_token: tokens.refresh_token,
        })
    }
}
