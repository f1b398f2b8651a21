//! Whether a token is one that the provider signed for this program, and what it holds then.

use std::error::Error;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

use super::ProviderError;
use super::known::Known;
use crate::domain::oidc::Claims;

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
/// How far the provider's clock may be off.
const LEEWAY_S: u64 = 60;

/// The name of the key that signed it, as it says.
pub(super) fn key_name(token: &str) -> Result<Option<String>, ProviderError> {
    Ok(decode_header(token).map_err(foreign)?.kid)
}

pub(super) fn verify(token: &str, known: &Known, client_id: &str) -> Result<Claims, ProviderError> {
    let header = decode_header(token).map_err(foreign)?;
    let key = known.key(header.kid.as_deref());
    let key = key.ok_or_else(|| foreign("no such key"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(foreign("not signed with a public key"));
    }
    let key = DecodingKey::from_jwk(key).map_err(foreign)?;
    let mut rules = Validation::new(header.alg);
    rules.leeway = LEEWAY_S;
    rules.validate_nbf = true;
    rules.set_audience(&[client_id]);
    rules.set_issuer(&[&known.discovery.issuer]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    Ok(decode(token, &key, &rules).map_err(foreign)?.claims)
}

fn foreign(err: impl Into<Box<dyn Error + Send + Sync>>) -> ProviderError {
    ProviderError::Token(err.into())
}
