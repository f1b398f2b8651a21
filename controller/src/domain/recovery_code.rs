//! Codes for the day on which the authenticator is lost: written down on paper, each good for one sign-in.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// How many are made at once.
pub const CODES: usize = 10;
/// 100 bits.
const LETTERS: usize = 20;
/// Without letters that are misread for one another.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode([u8; LETTERS]);

impl RecoveryCode {
    pub fn from_random(bytes: [u8; LETTERS]) -> Self {
        Self(bytes.map(|byte| ALPHABET[usize::from(byte % 32)]))
    }

    /// Reads a code as people write it: in any case, with or without what separates the groups.
    pub fn parse(text: &str) -> Option<Self> {
        let mut letters = Zeroizing::new([0; LETTERS]);
        let mut count = 0;
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let letter = u8::try_from(c).ok()?.to_ascii_lowercase();
            if !ALPHABET.contains(&letter) {
                return None;
            }
            *letters.get_mut(count)? = letter;
            count += 1;
        }
        (count == LETTERS).then_some(Self(*letters))
    }

    /// Prints the code, to be shown once.
    pub fn reveal(&self) -> Zeroizing<String> {
        let groups: Vec<String> = self
            .0
            .chunks(5)
            .map(|group| group.iter().copied().map(char::from).collect())
            .collect();
        Zeroizing::new(groups.join("-"))
    }

    /// What is kept of it. A hundred random bits are not guessed, so a plain hash gives nothing away.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl Drop for RecoveryCode {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(***)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_is_in_groups_and_not_printed() {
        let code = RecoveryCode::from_random([0; 20]);

        assert_eq!(&*code.reveal(), "aaaaa-aaaaa-aaaaa-aaaaa");
        assert_eq!(format!("{code:?}"), "RecoveryCode(***)");
    }

    proptest! {
        #[test]
        fn a_code_is_read_as_it_is_shown_in_any_case_and_grouping(bytes: [u8; 20]) {
            let code = RecoveryCode::from_random(bytes);
            let text = code.reveal();

            for written in [text.to_string(), text.to_uppercase(), text.replace('-', " ")] {
                prop_assert_eq!(RecoveryCode::parse(&written), Some(code.clone()));
            }
        }

        #[test]
        fn any_text_is_a_code_or_none(text in ".{0,40}") {
            if let Some(code) = RecoveryCode::parse(&text) {
                prop_assert_eq!(RecoveryCode::parse(&code.reveal()), Some(code));
            }
        }
    }
}
