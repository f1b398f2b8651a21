//! From a request to somebody who proved who they are: reads the key, has it judged, remembers what acts.

use std::error::Error;
use std::net::IpAddr;

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use chrono::{DateTime, TimeDelta, Utc};
use protocol::signing::{RawHeaders, Rejection, Secret, Signature, SignedHeaders, WINDOW_S};

use super::decision::{Bar, Covered, Standing, check_standing, judge};
use super::gate::Gate;
use super::principal::{Principal, Who};
use crate::db::api_keys::{self, Credential};
use crate::db::request_signatures;
use crate::domain::api_key::BearerToken;
use crate::fleet;
use crate::keyring::{KeyringError, OpenError};

/// What a request says for itself.
pub(super) enum Proof {
    Signed(SignedHeaders),
    Bearer(BearerToken),
}

/// What the answer to a request that verified is signed with.
#[derive(Clone)]
pub(super) struct Signer {
    pub(super) secret: Secret,
    pub(super) signature: Signature,
}

pub(super) struct Caller {
    pub(super) principal: Principal,
    pub(super) signer: Option<Signer>,
}

pub(super) enum Denied {
    /// With a signer where the request verified and only its age or repetition spoke against it.
    Rejected {
        rejection: Rejection,
        why: String,
        signer: Option<Signer>,
    },
    Unavailable(Unavailable),
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Unavailable {
    #[error("cannot read or write who may ask")]
    Database(#[from] sqlx::Error),
    #[error("cannot read the data keys again")]
    Keyring(#[from] KeyringError),
    #[error("cannot open the secret of an API key")]
    Sealed(#[from] OpenError),
    #[error("the secret of an API key is not one that could have been made")]
    Secret,
}

impl<E: Into<Unavailable>> From<E> for Denied {
    fn from(err: E) -> Self {
        Self::Unavailable(err.into())
    }
}

impl From<Rejection> for Denied {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected {
            rejection,
            why: rejection.to_string(),
            signer: None,
        }
    }
}

fn denied(bar: Bar, signer: Option<Signer>) -> Denied {
    Denied::Rejected {
        rejection: bar.rejection(),
        why: bar.to_string(),
        signer: signer.filter(|_| bar.is_proved()),
    }
}

impl Proof {
    /// Reads what is known before the body is. A token reads, so a write without a signature has none.
    pub(super) fn read(headers: &HeaderMap, reads: bool) -> Result<Self, Rejection> {
        let all = |name: &str| -> Vec<&[u8]> {
            headers.get_all(name).map(HeaderValue::as_bytes).collect()
        };
        let signature = all("x-signature");
        let authorization = all(header::AUTHORIZATION.as_str());
        if authorization.is_empty() || !signature.is_empty() {
            let raw = RawHeaders {
                signature: &signature,
                timestamp: &all("x-timestamp"),
                nonce: &all("x-nonce"),
                key_id: &all("x-key-id"),
            };
            return SignedHeaders::parse(raw).map(Self::Signed);
        }
        if !reads {
            return Err(Rejection::MissingSignature);
        }
        let [one] = authorization[..] else {
            return Err(Rejection::MalformedSignature);
        };
        let text = std::str::from_utf8(one).map_err(|_| Rejection::MalformedSignature)?;
        let (scheme, token) = text.split_once(' ').ok_or(Rejection::MissingSignature)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Rejection::MissingSignature);
        }
        BearerToken::parse(token)
            .map(Self::Bearer)
            .ok_or(Rejection::UnknownKey)
    }
}

pub(super) async fn authenticate(
    gate: &Gate,
    proof: &Proof,
    covered: Covered<'_>,
    from: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<Caller, Denied> {
    let (key, signer) = match proof {
        Proof::Signed(headers) => signed(gate, headers, covered, from, now).await?,
        Proof::Bearer(token) => (bearer(gate, token, from, now).await?, None),
    };
    // What the note says is nobody's permission: without it the request is as good.
    if let Err(err) = fleet::api_keys::note_use(&gate.pool, key.id, key.last_used_at, now).await {
        tracing::warn!(error = &err as &dyn Error, key = %key.key_id, "cannot note the use of an API key");
    }
    let reach = key.reach();
    let principal = Principal {
        reach,
        who: Who::ApiKey {
            id: key.id,
            key_id: key.key_id,
            scope: key.scope,
        },
        name: key.name,
        from,
    };
    Ok(Caller { principal, signer })
}

async fn signed(
    gate: &Gate,
    headers: &SignedHeaders,
    covered: Covered<'_>,
    from: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<(Credential, Option<Signer>), Denied> {
    let key_id = headers.key_id.as_deref().ok_or(Rejection::UnknownKey)?;
    let key = match api_keys::by_key_id(&gate.pool, key_id).await? {
        Some(key) => Some((secret(gate, &key).await?, key)),
        None => None,
    };
    let standing = key.as_ref().map(|(secret, key)| (secret, standing(key)));
    let verdict = judge(headers, covered, standing, &gate.stranger, from, now);
    let (secret, key) = key.ok_or_else(|| denied(Bar::NoSuchKey, None))?;
    let signer = Signer {
        secret,
        signature: headers.signature,
    };
    verdict.map_err(|bar| denied(bar, Some(signer.clone())))?;
    let writes = !matches!(covered.method, "GET" | "HEAD");
    if writes && !remember(gate, headers, now).await? {
        return Err(Denied::Rejected {
            rejection: Rejection::Replayed,
            why: Rejection::Replayed.to_string(),
            signer: Some(signer),
        });
    }
    Ok((key, Some(signer)))
}

/// Remembers a write before it acts; false where it was remembered already.
///
/// A fresh timestamp verifies for two windows at most, when it is early. It is kept for one more,
/// because controllers forget by their own clocks.
async fn remember(
    gate: &Gate,
    headers: &SignedHeaders,
    now: DateTime<Utc>,
) -> Result<bool, Unavailable> {
    let until = now + TimeDelta::seconds(3 * WINDOW_S);
    let signature = headers.signature.as_bytes();
    Ok(request_signatures::record(&gate.pool, signature, until).await?)
}

async fn bearer(
    gate: &Gate,
    token: &BearerToken,
    from: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<Credential, Denied> {
    let key = api_keys::by_bearer(&gate.pool, &token.hash()).await?;
    let key = key.ok_or_else(|| denied(Bar::NoSuchKey, None))?;
    check_standing(standing(&key), from, now).map_err(|bar| denied(bar, None))?;
    Ok(key)
}

fn standing(key: &Credential) -> Standing<'_> {
    Standing {
        allowed_from: &key.allowed_from,
        expires_at: key.expires_at,
        revoked_at: key.revoked_at,
    }
}

/// Opens a key's secret, with a data key that was made since the ring was read, if need be.
async fn secret(gate: &Gate, key: &Credential) -> Result<Secret, Unavailable> {
    let place = fleet::api_keys::place(&key.key_id);
    let open = || {
        gate.keyring
            .open_sealed(&place, &key.sealed, key.data_key_id)
    };
    let plain = match open() {
        Err(OpenError::UnknownKey(_)) => {
            gate.keyring.refresh(&gate.pool).await?;
            open()?
        }
        opened => opened?,
    };
    let text = std::str::from_utf8(&plain).map_err(|_| Unavailable::Secret)?;
    Secret::parse(text).map_err(|_| Unavailable::Secret)
}
