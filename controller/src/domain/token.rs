//! Random tokens that a browser or a person holds and the database knows only the hash of.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// 256 random bits: of a session, of a browser that is not signed in yet, of a setup link.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

/// What is kept of a token. A token is as random as a key, so a plain hash gives nothing away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl Token {
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        // The 43 characters of 32 bytes; what is longer is not even decoded.
        if text.len() != 43 {
            return None;
        }
        let length = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice());
        (length == Ok(32)).then_some(Self(*bytes))
    }

    /// Prints the token itself, for its cookie or its link.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0))
    }

    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0).into())
    }
}

impl TokenHash {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_read_as_it_is_shown(bytes: [u8; 32]) {
            let token = Token::from_random(bytes);

            prop_assert_eq!(Token::parse(&token.reveal()), Some(token));
        }

        #[test]
        fn any_text_is_a_token_or_none(text in ".{0,60}") {
            if let Some(token) = Token::parse(&text) {
                prop_assert_eq!(&*token.reveal(), &text);
            }
        }
    }

    #[test]
    fn a_token_does_not_print_itself() {
        assert_eq!(format!("{:?}", Token::from_random([7; 32])), "Token(***)");
    }
}
