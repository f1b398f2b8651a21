//! The master key: what it looks like in writing, what it is called, and how it wraps a data key.
//!
//! It wraps nothing but data keys, and it is never in the database.

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::cipher::{self, KeyBytes, NotOpened};

const WRAPPING: &str = "wgfleet-wrap-1";
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey(KeyBytes);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    #[error("is not 32 bytes in 64 hex digits or base64; make one with: openssl rand -hex 32")]
    Malformed,
    #[error("has fewer than 8 different bytes; make one with: openssl rand -hex 32")]
    Weak,
}

impl MasterKey {
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads a key as it is written in a file or an environment variable, with or without a line end.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = decode(text.trim_ascii()).ok_or(MasterKeyError::Malformed)?;
        let mut distinct = bytes.clone();
        distinct.sort_unstable();
        if distinct.chunk_by(u8::eq).count() < 8 {
            return Err(MasterKeyError::Weak);
        }
        Ok(Self(bytes))
    }

    /// Prints the key itself, for a file that only its owner may read.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_slice()))
    }

    /// What the key is called: the first half of its SHA-256, which says nothing about the key.
    pub fn id(&self) -> String {
        hex::encode(&Sha256::digest(self.0.as_slice())[..16])
    }

    pub(super) fn wrap(&self, purpose: &str, nonce: [u8; 24], data_key: &KeyBytes) -> Vec<u8> {
        let key = cipher::derive(&self.0, WRAPPING);
        cipher::seal(&key, nonce, &bound_to(purpose), data_key.as_slice())
    }

    pub(super) fn unwrap(&self, purpose: &str, wrapped: &[u8]) -> Result<KeyBytes, NotOpened> {
        let key = cipher::derive(&self.0, WRAPPING);
        let opened = cipher::open(&key, &bound_to(purpose), wrapped)?;
        let bytes: [u8; 32] = opened.as_slice().try_into().map_err(|_| NotOpened)?;
        Ok(Zeroizing::new(bytes))
    }
}

fn bound_to(purpose: &str) -> String {
    format!("data_keys.wrapped:{purpose}")
}

fn decode(text: &str) -> Option<KeyBytes> {
    let mut bytes = Zeroizing::new([0; 32]);
    if text.len() == 64 {
        hex::decode_to_slice(text, bytes.as_mut_slice()).ok()?;
        return Some(bytes);
    }
    let mut decoded = Zeroizing::new([0; 33]);
    if BASE64.decode_slice(text, decoded.as_mut_slice()).ok()? != 32 {
        return None;
    }
    bytes.copy_from_slice(&decoded[..32]);
    Some(bytes)
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey(*** {})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_key_or_an_error_but_never_a_panic(text in ".{0,70}") {
            if let Ok(key) = MasterKey::parse(&text) {
                prop_assert_eq!(MasterKey::parse(&key.reveal()), Ok(key));
            }
        }

        #[test]
        fn hex_and_base64_are_the_same_key(bytes: [u8; 32]) {
            let key = MasterKey::from_random(bytes);
            let padded = BASE64.encode(bytes);

            for text in [hex::encode_upper(bytes), padded.trim_end_matches('=').to_owned(), format!("{padded}\r\n")] {
                match MasterKey::parse(&text) {
                    Ok(read) => prop_assert_eq!(&read, &key),
                    Err(err) => prop_assert_eq!(err, MasterKeyError::Weak),
                }
            }
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "password",
            &"a1".repeat(31),
            &"zz".repeat(32),
            &"A".repeat(45),
        ] {
            assert_eq!(
                MasterKey::parse(text),
                Err(MasterKeyError::Malformed),
                "{text:?}"
            );
        }
        assert_eq!(
            MasterKey::parse(&"00".repeat(32)),
            Err(MasterKeyError::Weak)
        );
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let key = MasterKey::from_random([0xab; 32]);

        let printed = format!("{key:?}");

        assert!(!printed.contains("abab"), "{printed}");
        assert!(!printed.contains("171"), "{printed}");
    }

    #[test]
    fn only_the_master_key_that_wrapped_a_data_key_unwraps_it_for_its_purpose() {
        let master = MasterKey::from_random([1; 32]);
        let data_key = Zeroizing::new([3; 32]);

        let wrapped = master.wrap("seal", [0; 24], &data_key);

        assert_eq!(master.unwrap("seal", &wrapped), Ok(data_key));
        assert_eq!(master.unwrap("fingerprint", &wrapped), Err(NotOpened));
        assert_eq!(
            MasterKey::from_random([2; 32]).unwrap("seal", &wrapped),
            Err(NotOpened)
        );
    }
}
