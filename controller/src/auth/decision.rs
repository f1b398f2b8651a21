//! Decides over one request from what is known of it and of the key it names.
//!
//! Whether it was seen before is the one question left open: only the database can settle it, and it is
//! asked only where everything else speaks for the request.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use protocol::signing::{Rejection, Secret, SignedHeaders, WINDOW_S};

/// The parts of a request that its signature covers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Covered<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) body: &'a [u8],
}

/// What a key may still be used for, whoever holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing<'a> {
    pub(super) allowed_from: &'a [IpNet],
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) revoked_at: Option<DateTime<Utc>>,
}

/// Why a request may not act. The caller learns the rejection, the log all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Bar {
    #[error("no such key")]
    NoSuchKey,
    #[error("the key is revoked")]
    Revoked,
    #[error("the key has expired")]
    Expired,
    #[error("the key may not be used from there")]
    Elsewhere,
    #[error("the signature does not match")]
    BadSignature,
    #[error("the timestamp is too far from now")]
    Stale,
}

impl Bar {
    /// A key that may not be used is to its holder the same as none.
    pub(super) fn rejection(self) -> Rejection {
        match self {
            Self::NoSuchKey | Self::Revoked | Self::Expired | Self::Elsewhere => {
                Rejection::UnknownKey
            }
            Self::BadSignature => Rejection::BadSignature,
            Self::Stale => Rejection::StaleTimestamp,
        }
    }

    /// Whether the holder of the key spoke all the same, and the answer may be signed.
    pub(super) fn is_proved(self) -> bool {
        self == Self::Stale
    }
}

/// Judges a signed request. The MAC is computed with `stranger` where there is no key, so that it takes
/// as long.
pub(super) fn judge(
    headers: &SignedHeaders,
    covered: Covered<'_>,
    key: Option<(&Secret, Standing<'_>)>,
    stranger: &Secret,
    from: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<(), Bar> {
    let secret = key.map_or(stranger, |(secret, _)| secret);
    let verifies = headers.verifies(secret, covered.method, covered.target, covered.body);
    let (_, standing) = key.ok_or(Bar::NoSuchKey)?;
    check_standing(standing, from, now)?;
    if !verifies {
        return Err(Bar::BadSignature);
    }
    if !headers.is_fresh(now.timestamp(), WINDOW_S) {
        return Err(Bar::Stale);
    }
    Ok(())
}

/// Judges a key by itself; an address that is not known is allowed only where every address is.
pub(super) fn check_standing(
    standing: Standing<'_>,
    from: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<(), Bar> {
    if standing.revoked_at.is_some() {
        return Err(Bar::Revoked);
    }
    if standing.expires_at.is_some_and(|at| at <= now) {
        return Err(Bar::Expired);
    }
    let allowed = |from: IpAddr| {
        let from = from.to_canonical();
        standing
            .allowed_from
            .iter()
            .any(|range| range.contains(&from))
    };
    if !standing.allowed_from.is_empty() && !from.is_some_and(allowed) {
        return Err(Bar::Elsewhere);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
