//! Who vouches for people beside their passwords: their own devices, and an identity provider.

use webauthn_rs::Webauthn;
use webauthn_rs::prelude::WebauthnError;

use super::{oidc, passkeys};
use crate::config::Config;

pub struct Door {
    pub passkeys: Option<Webauthn>,
    pub provider: Option<oidc::Provider>,
}

/// Why somebody's vouching cannot be set up as configured.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error("passkeys cannot be made for base_url")]
    Passkeys(#[from] WebauthnError),
    #[error(transparent)]
    Provider(#[from] oidc::ProviderError),
}

impl Door {
    pub fn new(config: &Config) -> std::result::Result<Self, DoorError> {
        Ok(Self {
            passkeys: passkeys::relying_party(config.base_url.as_ref())?,
            provider: oidc::Provider::new(config)?,
        })
    }
}
