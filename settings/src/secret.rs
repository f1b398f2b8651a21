//! Refuses secrets that a stranger would guess.
//!
//! A secret is made by a machine; what a person typed shows as words, as a walk along the alphabet
//! or the digits, or as a short text repeated until it was long enough.

use protocol::signing::Secret;
use zeroize::Zeroizing;

const ADVICE: &str = "make one with: openssl rand -hex 32";

/// Words of examples and keyboards, the longer before those that they contain.
const OBVIOUS: [&str; 24] = [
    "changeme",
    "change",
    "password",
    "passphrase",
    "passwort",
    "production",
    "development",
    "administrator",
    "wireguard",
    "wgfleet",
    "secret",
    "default",
    "example",
    "insecure",
    "placeholder",
    "please",
    "qwerty",
    "asdfgh",
    "admin",
    "agent",
    "token",
    "test",
    "this",
    "your",
];

/// Takes a secret as it is written in a file or an environment variable. The refusal never quotes it.
pub fn judge(text: &str) -> Result<Secret, String> {
    let secret = Secret::parse(text).map_err(|err| format!("{err}; {ADVICE}"))?;
    let revealed = secret.reveal();
    if revealed.chars().any(char::is_control) {
        return Err(format!("holds a line end or control byte; {ADVICE}"));
    }
    match weakness(revealed.as_bytes()) {
        Some(weakness) => Err(format!("{weakness}; {ADVICE}")),
        None => Ok(secret),
    }
}

fn weakness(secret: &[u8]) -> Option<&'static str> {
    if repeats(secret) {
        return Some("repeats a short text");
    }
    if walks(secret) {
        return Some("is mostly a sequence of neighbours such as abc or 321");
    }
    if is_mostly_words(secret) {
        return Some("is made of words that everyone tries");
    }
    None
}

/// Whether up to 16 bytes, over and over, make the whole.
fn repeats(secret: &[u8]) -> bool {
    (1..=16).any(|period| {
        let later = secret.iter().skip(period);
        period < secret.len() && later.zip(secret).all(|(a, b)| a == b)
    })
}

/// Whether more than half of the bytes are next to their predecessor, or the same.
fn walks(secret: &[u8]) -> bool {
    let steps = secret.windows(2);
    let near = steps.filter(|step| step[0].abs_diff(step[1]) <= 1).count();
    near * 2 > secret.len()
}

/// Whether fewer than 16 bytes stay when words, digits at the ends and punctuation are taken away.
fn is_mostly_words(secret: &[u8]) -> bool {
    let lower = secret.to_ascii_lowercase();
    let mut rest = Zeroizing::new(lower);
    rest.retain(u8::is_ascii_alphanumeric);
    let before = rest.len();
    for word in OBVIOUS {
        while let Some(at) = rest.windows(word.len()).position(|w| w == word.as_bytes()) {
            rest.drain(at..at + word.len());
        }
    }
    rest.len() < 16 && rest.len() < before
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_person_types_is_refused() {
        for text in [
            "change-me-in-production-change-me!",
            "Password1234Password1234Password1234",
            "my-secret-secret-secret-password-123",
            "0123456789abcdef0123456789abcdef",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "9876543210zyxwvutsrqponmlkjihgfedcba",
            "kX8!q2Lmz0kX8!q2Lmz0kX8!q2Lmz0kX8!q2",
            "replace-this-default-secret-please-admin",
            "short",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "e3b0c44298fc1c149afbf4c8996fb924\n27ae41e4649b934ca495991b7852b855",
        ] {
            let judged = judge(text);

            assert!(judged.is_err(), "{text}");
        }
    }

    #[test]
    fn a_refusal_does_not_quote_the_secret() {
        let text = "change-me-in-production-change-me!";

        let what = judge(text).unwrap_err();

        assert!(!what.contains("change-me"), "{what}");
    }

    proptest! {
        #[test]
        fn what_a_machine_makes_is_taken(bytes: [u8; 32]) {
            let hex = hex::encode(bytes);
            // The all-alike arrays that proptest shrinks to are not what a machine makes.
            prop_assume!(bytes.iter().collect::<std::collections::BTreeSet<_>>().len() > 20);

            prop_assert!(judge(&hex).is_ok(), "{:?}", judge(&hex));
        }

        #[test]
        fn any_text_is_judged_without_a_panic(text in ".{0,80}") {
            let _judged: Result<Secret, String> = judge(&text);
        }
    }
}
