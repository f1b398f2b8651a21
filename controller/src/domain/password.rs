//! Which passwords are accepted. Length counts; rules about digits and signs only make people write
//! passwords down, so there are none.

use std::fmt;

use zeroize::Zeroizing;

use super::user::UserName;

const LEAST_CHARACTERS: usize = 12;
/// More is no safer, and hashing it would cost the controller.
const MOST_BYTES: usize = 1024;
const LEAST_DIFFERENT: usize = 5;

/// What guessers try first, among passwords that are long enough; without case and what stands between.
const OBVIOUS: [&str; 26] = [
    "password1234",
    "password12345",
    "password123456",
    "passwordpassword",
    "administrator",
    "administrator1",
    "adminadminadmin",
    "letmeinletmein",
    "correcthorsebatterystaple",
    "qwertyuiop123",
    "qwertyuiopasdf",
    "qwertyqwerty",
    "qwerty123456",
    "asdfghjklqwerty",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "zaq12wsxcde3",
    "123456789012",
    "1234567890123",
    "1234567890abc",
    "abcdefghijkl",
    "abc123abc123",
    "changemechangeme",
    "changeme1234",
    "iloveyou1234",
    "wireguardwireguard",
];

/// A password that somebody chose and that may be theirs.
pub struct Password(Zeroizing<String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("has fewer than 12 characters")]
    Short,
    #[error("is longer than 1024 bytes")]
    Long,
    #[error("is among the first that a guesser tries")]
    Obvious,
    #[error("is the login name")]
    Name,
}

impl Password {
    pub fn choose(text: &str, name: &UserName) -> Result<Self, PasswordError> {
        if text.len() > MOST_BYTES {
            return Err(PasswordError::Long);
        }
        if text.chars().count() < LEAST_CHARACTERS {
            return Err(PasswordError::Short);
        }
        if text.eq_ignore_ascii_case(name.as_str()) {
            return Err(PasswordError::Name);
        }
        if is_obvious(text) {
            return Err(PasswordError::Obvious);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn is_obvious(text: &str) -> bool {
    let mut different: Vec<char> = text.chars().collect();
    different.sort_unstable();
    different.dedup();
    let plain: Zeroizing<String> = Zeroizing::new(
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect(),
    );
    different.len() < LEAST_DIFFERENT || OBVIOUS.contains(&plain.as_str())
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(text: &str) -> Result<(), PasswordError> {
        let name = UserName::parse("a.long.login.name").unwrap();
        Password::choose(text, &name).map(|_| ())
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(choose("ab cd ef gh "), Ok(()));
        assert_eq!(choose("ab cd ef gh"), Err(PasswordError::Short));
        assert_eq!(choose("äöüßéèêàçñåø"), Ok(()));
        assert_eq!(choose("äöüßéèêàçñå"), Err(PasswordError::Short));
        assert_eq!(choose(&"abcdefgh".repeat(129)), Err(PasswordError::Long));
    }

    #[test]
    fn what_is_guessed_first_is_refused() {
        for text in [
            "Password-1234",
            "correct horse battery staple",
            "QWERTYUIOP123",
            "aaaaaaaaaaaaaaaa",
            "abababababababab",
        ] {
            assert_eq!(choose(text), Err(PasswordError::Obvious), "{text}");
        }
        assert_eq!(choose("A.Long.Login.Name"), Err(PasswordError::Name));
    }

    #[test]
    fn what_is_listed_would_otherwise_be_long_enough() {
        for text in OBVIOUS {
            assert!(text.len() >= LEAST_CHARACTERS, "{text}");
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric()), "{text}");
        }
    }

    #[test]
    fn a_password_does_not_print_itself() {
        let name = UserName::parse("ada").unwrap();
        let password = Password::choose("a fine long phrase", &name).unwrap();

        assert_eq!(format!("{password:?}"), "Password(***)");
    }
}
