//! How an API key is named and how its bearer token is spelled. Random bytes are parameters.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

const PREFIX: &str = "wgc_";
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Makes the public name of a key: `k` and twelve letters and digits that are hard to misread.
pub fn key_id(random: [u8; 12]) -> String {
    let letters = random
        .iter()
        .map(|byte| char::from(BASE32[usize::from(byte % 32)]));
    std::iter::once('k').chain(letters).collect()
}

/// What lets a script read without signing: `wgc_`, 64 hex digits, and a checksum of 8.
///
/// The prefix and the checksum are for scanners that look for secrets in public places, and spare the
/// database a look for what never was a token.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken([u8; 32]);

impl BearerToken {
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if !digits.bytes().all(lower_hex) {
            return None;
        }
        let mut bytes = Zeroizing::new([0; 36]);
        hex::decode_to_slice(digits, bytes.as_mut_slice()).ok()?;
        let (secret, sum) = bytes.split_first_chunk::<32>()?;
        (crc32(secret).to_be_bytes() == *sum).then_some(Self(*secret))
    }

    /// Prints the token itself, to be shown once.
    pub fn reveal(&self) -> Zeroizing<String> {
        let sum = crc32(&self.0);
        Zeroizing::new(format!("{PREFIX}{}{sum:08x}", hex::encode(self.0)))
    }

    /// What is kept of it. A token is as random as a key, so a plain hash gives nothing away.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl Drop for BearerToken {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(***)")
    }
}

/// The checksum of zip and PNG, bit by bit: there are 32 bytes.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_read_as_it_is_shown(bytes: [u8; 32]) {
            let token = BearerToken::from_random(bytes);

            prop_assert_eq!(BearerToken::parse(&token.reveal()), Some(token));
        }

        #[test]
        fn a_token_with_one_wrong_digit_is_none(bytes: [u8; 32], at in 4..76usize, digit in "[0-9a-fA-Fg]") {
            let mut text = BearerToken::from_random(bytes).reveal().to_string();
            prop_assume!(text[at..=at] != digit);

            text.replace_range(at..=at, &digit);

            prop_assert_eq!(BearerToken::parse(&text), None);
        }

        #[test]
        fn any_text_is_a_token_or_none(text in "(wgc_)?.{0,80}") {
            prop_assert_eq!(BearerToken::parse(&text), None);
        }

        #[test]
        fn a_key_id_is_one_that_a_request_may_carry(random: [u8; 12]) {
            let id = key_id(random);

            prop_assert_eq!(id.len(), 13);
            prop_assert!(protocol::signing::is_key_id(&id));
        }
    }

    #[test]
    fn the_checksum_is_the_one_that_scanners_compute() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_token_does_not_print_itself() {
        let token = BearerToken::from_random([7; 32]);

        assert_eq!(format!("{token:?}"), "BearerToken(***)");
    }
}
