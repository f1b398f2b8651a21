//! WireGuard's three kinds of keys, each its own type so that none can stand where another belongs.
//!
//! A key is made only by `parse`, which refuses the all-zero key: WireGuard reads it as
//! "no key", so accepting it would silently mean something else than was asked.
//! Private and preshared keys print as `***` and are wiped when dropped.

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::{Zeroize, ZeroizeOnDrop};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD_LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE_LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("is not a WireGuard key: 32 bytes in padded base64")]
    Malformed,
    #[error("is all zero, which WireGuard reads as no key at all")]
    AllZero,
}

/// The name of a peer: a Curve25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// The secret that two peers may share on top of their key pairs.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PresharedKey([u8; 32]);

/// An interface's own secret.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PrivateKey([u8; 32]);

impl PublicKey {
    /// Reads padded standard base64, the spelling that WireGuard prints.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        decode(&general_purpose::STANDARD, text).map(Self)
    }

    /// Reads a key out of a path: standard or URL-safe base64, padded or not.
    ///
    /// Percent-encoding must have been undone before.
    pub fn parse_in_path(text: &str) -> Result<Self, KeyError> {
        if text.contains(['-', '_']) {
            decode(&URL_SAFE_LENIENT, text).map(Self)
        } else {
            decode(&STANDARD_LENIENT, text).map(Self)
        }
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        non_zero(bytes).map(Self)
    }

    /// The name of a peer that a device already has. Other tools can make one of the all-zero key;
    /// it never connects, but it holds allowed IPs, so it must not be overlooked.
    pub fn observed(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads a key that a device already holds, the all-zero one included.
    pub fn parse_observed(text: &str) -> Result<Self, KeyError> {
        match Self::parse(text) {
            Err(KeyError::AllZero) => Ok(Self::observed([0; 32])),
            parsed => parsed,
        }
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Prints the key without `/`, `+` and `=`, for use as one path segment.
    pub fn to_url_safe(&self) -> String {
        general_purpose::URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl PresharedKey {
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        decode(&general_purpose::STANDARD, text).map(Self)
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        non_zero(bytes).map(Self)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Prints the secret itself, for a file that only its owner may read.
    pub fn reveal(&self) -> String {
        general_purpose::STANDARD.encode(self.0)
    }
}

impl PrivateKey {
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        decode(&general_purpose::STANDARD, text).map(Self)
    }

    /// Makes a private key of random bytes, clamped as Curve25519 wants it.
    pub fn from_random(mut bytes: [u8; 32]) -> Self {
        bytes[0] &= 248;
        bytes[31] = (bytes[31] & 127) | 64;
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub fn public_key(&self) -> PublicKey {
        let secret = x25519_dalek::StaticSecret::from(self.0);
        PublicKey(x25519_dalek::PublicKey::from(&secret).to_bytes())
    }

    /// Prints the secret itself, for a file that only its owner may read.
    pub fn reveal(&self) -> String {
        general_purpose::STANDARD.encode(self.0)
    }
}

fn decode(engine: &GeneralPurpose, text: &str) -> Result<[u8; 32], KeyError> {
    let mut bytes = [0; 33];
    match engine.decode_slice(text, &mut bytes) {
        Ok(32) => {}
        _ => return Err(KeyError::Malformed),
    }
    let mut key = [0; 32];
    key.copy_from_slice(&bytes[..32]);
    bytes.zeroize();
    non_zero(key)
}

fn non_zero(bytes: [u8; 32]) -> Result<[u8; 32], KeyError> {
    if bytes == [0; 32] {
        return Err(KeyError::AllZero);
    }
    Ok(bytes)
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 44];
        general_purpose::STANDARD
            .encode_slice(self.0, &mut text)
            .map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for PresharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresharedKey(***)")
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(***)")
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|err| de::Error::custom(format!("public key {text:?} {err}")))
    }
}

impl<'de> Deserialize<'de> for PresharedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = String::deserialize(deserializer)?;
        let key = Self::parse(&text);
        text.zeroize();
        key.map_err(|err| de::Error::custom(format!("preshared key {err}")))
    }
}

impl<'de> Deserialize<'de> for PrivateKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = String::deserialize(deserializer)?;
        let key = Self::parse(&text);
        text.zeroize();
        key.map_err(|err| de::Error::custom(format!("private key {err}")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_spelling_of_a_key_names_the_same_peer(bytes: [u8; 32]) {
            prop_assume!(bytes != [0; 32]);
            let key = PublicKey::from_bytes(bytes).unwrap();
            let padded = key.to_string();

            prop_assert_eq!(PublicKey::parse(&padded), Ok(key));
            prop_assert_eq!(PublicKey::parse_in_path(&padded), Ok(key));
            prop_assert_eq!(PublicKey::parse_in_path(padded.trim_end_matches('=')), Ok(key));
            prop_assert_eq!(PublicKey::parse_in_path(&key.to_url_safe()), Ok(key));
            prop_assert_eq!(PublicKey::parse_in_path(&format!("{}=", key.to_url_safe())), Ok(key));
        }

        #[test]
        fn any_text_is_a_key_or_an_error_but_never_a_panic(text in ".{0,60}") {
            if let Ok(key) = PublicKey::parse(&text) {
                prop_assert_eq!(key.to_string(), text);
            }
        }
    }

    #[test]
    fn zero_is_no_key() {
        let zero = general_purpose::STANDARD.encode([0; 32]);

        assert_eq!(PublicKey::parse(&zero), Err(KeyError::AllZero));
        assert_eq!(PresharedKey::parse(&zero), Err(KeyError::AllZero));
        assert_eq!(PrivateKey::parse(&zero), Err(KeyError::AllZero));
    }

    #[test]
    fn secrets_do_not_print_themselves() {
        let private = PrivateKey::from_random([7; 32]);
        let preshared = PresharedKey::from_bytes([7; 32]).unwrap();

        let printed = format!("{private:?} {preshared:?}");

        assert!(!printed.contains(&private.reveal()), "{printed}");
        assert!(!printed.contains(&preshared.reveal()), "{printed}");
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        for bytes in [0, 31, 33, 64] {
            let text = general_purpose::STANDARD.encode(vec![1; bytes]);
            assert_eq!(
                PublicKey::parse(&text),
                Err(KeyError::Malformed),
                "{bytes} bytes"
            );
            assert_eq!(PublicKey::parse_in_path(&text), Err(KeyError::Malformed));
        }
    }
}
