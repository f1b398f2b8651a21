//! Signing and verifying requests and answers. Byte for byte; no clock, no memory of what was seen.
//!
//! A request is verified in two steps, because its headers are judged before its body is read:
//! [`SignedHeaders::parse`] refuses what no signer sends, [`SignedHeaders::verifies`] computes the MAC.
//! Whether the timestamp is fresh and whether the signature was seen before is the caller's question,
//! asked after the MAC, so that a stranger learns nothing from the answer.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

use crate::target;

/// How far a timestamp may be from the verifier's clock, in either direction.
pub const WINDOW_S: i64 = 300;

/// A shared secret of at least 32 bytes, used as it stands.
#[derive(Clone, PartialEq, Eq, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct Secret(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("is shorter than 32 bytes")]
    Short,
    #[error("has fewer than 8 different characters")]
    Weak,
}

impl Secret {
    /// Takes a secret as it is written in a file or an environment variable.
    ///
    /// One line end at the end belongs to the file, not to the secret.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.len() < 32 {
            return Err(SecretError::Short);
        }
        let mut distinct: Vec<u8> = line.bytes().collect();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() < 8 {
            return Err(SecretError::Weak);
        }
        Ok(Self(line.to_owned()))
    }

    /// Prints the secret itself, for a file that only its owner may read.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn mac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(self.0.as_bytes()).expect("HMAC takes a key of any length")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// An HMAC-SHA256, written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 32]);

impl Signature {
    pub fn parse(text: &[u8]) -> Option<Self> {
        let lower_hex = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
        let mut bytes = [0; 32];
        if !text.iter().all(lower_hex) {
            return None;
        }
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = digits(self.0);
        f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a signature covers. Without a nonce the first form of the contract, with one the second.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    pub target: &'a str,
    pub body: &'a [u8],
    pub timestamp: &'a str,
    pub nonce: Option<&'a str>,
}

impl Request<'_> {
    pub fn sign(&self, secret: &Secret) -> Signature {
        Signature(self.mac(secret).finalize().into_bytes().into())
    }

    fn mac(&self, secret: &Secret) -> Hmac<Sha256> {
        let mut mac = secret.mac();
        match self.nonce {
            None => {
                update(&mut mac, &[self.method, "|", self.target, "|"]);
                mac.update(self.body);
                update(&mut mac, &["|", self.timestamp]);
            }
            Some(nonce) => {
                update(&mut mac, &["v2|", self.method, "|", self.target, "|"]);
                mac.update(&digits(Sha256::digest(self.body).into()));
                update(&mut mac, &["|", self.timestamp, "|", nonce]);
            }
        }
        mac
    }
}

/// Signs an answer, bound to the request it answers.
pub fn sign_response(
    secret: &Secret,
    status: u16,
    body: &[u8],
    timestamp: i64,
    request: &Signature,
) -> Signature {
    let mac = response_mac(secret, status, body, &timestamp.to_string(), request);
    Signature(mac.finalize().into_bytes().into())
}

/// Tells whether an answer was signed by the holder of `secret`, for this very request.
pub fn verify_response(
    secret: &Secret,
    status: u16,
    body: &[u8],
    timestamp: &str,
    request: &Signature,
    signature: &Signature,
) -> bool {
    parse_timestamp(timestamp.as_bytes()).is_some()
        && response_mac(secret, status, body, timestamp, request)
            .verify_slice(&signature.0)
            .is_ok()
}

fn response_mac(
    secret: &Secret,
    status: u16,
    body: &[u8],
    timestamp: &str,
    request: &Signature,
) -> Hmac<Sha256> {
    let mut mac = secret.mac();
    update(&mut mac, &["v2-response|", &status.to_string(), "|"]);
    mac.update(&digits(Sha256::digest(body).into()));
    update(&mut mac, &["|", timestamp, "|"]);
    mac.update(&digits(request.0));
    mac
}

/// Every request and its answer need four of these, so they are not worth a `String` each.
fn digits(bytes: [u8; 32]) -> [u8; 64] {
    let mut digits = [0; 64];
    hex::encode_to_slice(bytes, &mut digits).expect("32 bytes are 64 digits");
    digits
}

fn update(mac: &mut Hmac<Sha256>, fields: &[&str]) {
    for field in fields {
        mac.update(field.as_bytes());
    }
}

/// Why a request is refused with 401. The code is all that the caller is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("the request is not signed")]
    MissingSignature,
    #[error("a signature header is malformed or repeated")]
    MalformedSignature,
    #[error("the timestamp is not a count of seconds")]
    BadTimestamp,
    #[error("the signature does not match")]
    BadSignature,
    #[error("the key id is not known")]
    UnknownKey,
    #[error("the timestamp is too far from this node's clock")]
    StaleTimestamp,
    #[error("the request was seen before")]
    Replayed,
    #[error("the request may have been seen before this node started")]
    BeforeRestart,
}

impl Rejection {
    pub fn code(self) -> &'static str {
        match self {
            Self::MissingSignature => "missing_signature",
            Self::MalformedSignature => "malformed_signature",
            Self::BadTimestamp => "bad_timestamp",
            Self::BadSignature => "bad_signature",
            Self::UnknownKey => "unknown_key",
            Self::StaleTimestamp => "stale_timestamp",
            Self::Replayed => "replayed",
            Self::BeforeRestart => "before_restart",
        }
    }
}

/// All values that a request carries for each of the four headers, so that repetition shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawHeaders<'a> {
    pub signature: &'a [&'a [u8]],
    pub timestamp: &'a [&'a [u8]],
    pub nonce: &'a [&'a [u8]],
    pub key_id: &'a [&'a [u8]],
}

/// Headers that some signer could have sent.
#[derive(Debug, Clone)]
pub struct SignedHeaders {
    pub signature: Signature,
    pub timestamp: i64,
    pub nonce: Option<Box<str>>,
    pub key_id: Option<Box<str>>,
    timestamp_text: Box<str>,
}

impl SignedHeaders {
    pub fn parse(raw: RawHeaders<'_>) -> Result<Self, Rejection> {
        let all = [raw.signature, raw.timestamp, raw.nonce, raw.key_id];
        if all.iter().any(|values| values.len() > 1) {
            return Err(Rejection::MalformedSignature);
        }
        let signature = raw.signature.first().ok_or(Rejection::MissingSignature)?;
        let signature = Signature::parse(signature).ok_or(Rejection::MalformedSignature)?;
        let timestamp_text = raw.timestamp.first().ok_or(Rejection::BadTimestamp)?;
        let timestamp = parse_timestamp(timestamp_text).ok_or(Rejection::BadTimestamp)?;
        let nonce = raw.nonce.first().map(|nonce| word(nonce, 16..=64));
        let key_id = raw.key_id.first().map(|id| word(id, 1..=64));
        Ok(Self {
            signature,
            timestamp,
            nonce: nonce
                .map(|nonce| nonce.ok_or(Rejection::MalformedSignature))
                .transpose()?,
            key_id: key_id
                .map(|id| id.ok_or(Rejection::UnknownKey))
                .transpose()?,
            timestamp_text: timestamp.to_string().into(),
        })
    }

    /// Tells whether the holder of `secret` signed this request, in constant time.
    pub fn verifies(&self, secret: &Secret, method: &str, target: &str, body: &[u8]) -> bool {
        let matches = |target: &str| {
            let request = Request {
                method,
                target,
                body,
                timestamp: &self.timestamp_text,
                nonce: self.nonce.as_deref(),
            };
            request.mac(secret).verify_slice(&self.signature.0).is_ok()
        };
        if matches(target) {
            return true;
        }
        self.nonce.is_none()
            && target::decoded_for_fallback(target).is_some_and(|decoded| matches(&decoded))
    }

    pub fn is_fresh(&self, now: i64, window_s: i64) -> bool {
        now.abs_diff(self.timestamp) <= window_s.unsigned_abs()
    }
}

/// Reads 10 to 12 ASCII digits without a leading zero.
fn parse_timestamp(text: &[u8]) -> Option<i64> {
    let well_formed =
        (10..=12).contains(&text.len()) && text[0] != b'0' && text.iter().all(u8::is_ascii_digit);
    if !well_formed {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn word(text: &[u8], length: std::ops::RangeInclusive<usize>) -> Option<Box<str>> {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"_-".contains(b);
    if !length.contains(&text.len()) || !text.iter().all(allowed) {
        return None;
    }
    std::str::from_utf8(text).ok().map(Box::from)
}

/// Tells whether `text` may name a secret: 1 to 64 of `A-Za-z0-9_-`.
pub fn is_key_id(text: &str) -> bool {
    word(text.as_bytes(), 1..=64).is_some()
}

#[cfg(test)]
mod tests;
