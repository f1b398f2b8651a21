//! What a request target may look like, and the one reading of it that is not byte for byte.
//!
//! A target is never normalised: what was signed is what was sent.

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("the request target does not begin with /")]
    NotAPath,
    #[error("the request target holds a raw |, which separates the signed fields")]
    Separator,
    #[error("the request target holds a control byte")]
    Control,
}

pub fn check(target: &str) -> Result<(), TargetError> {
    if !target.starts_with('/') {
        return Err(TargetError::NotAPath);
    }
    match target.bytes().find(|&b| b == b'|' || b.is_ascii_control()) {
        Some(b'|') => Err(TargetError::Separator),
        Some(_) => Err(TargetError::Control),
        None => Ok(()),
    }
}

/// Returns the target as clients sign it that decode before they sign.
///
/// Only where that cannot be mistaken for anything else: no query, something to decode, and the
/// result made of nothing but the characters of a key and of our paths.
pub fn decoded_for_fallback(target: &str) -> Option<String> {
    if target.contains('?') || !target.contains('%') {
        return None;
    }
    let decoded = percent_decode(target)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/+=_.-".contains(&b);
    decoded.bytes().all(plain).then_some(decoded)
}

/// Undoes percent-encoding once; `+` stays `+`. `None` for a broken escape or what is not UTF-8.
pub fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        let mut value = [0];
        hex::decode_to_slice(digits, &mut value).ok()?;
        decoded.push(value[0]);
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_target_is_a_path_without_separator_or_control_bytes() {
        assert_eq!(check("/health?x=%7C"), Ok(()));
        assert_eq!(check("health"), Err(TargetError::NotAPath));
        assert_eq!(check("http://node/health"), Err(TargetError::NotAPath));
        assert_eq!(check("*"), Err(TargetError::NotAPath));
        assert_eq!(check("/a|b"), Err(TargetError::Separator));
        assert_eq!(check("/a\u{7f}"), Err(TargetError::Control));
        assert_eq!(check("/a\0"), Err(TargetError::Control));
    }

    #[test]
    fn the_fallback_reads_keys_and_nothing_else() {
        assert_eq!(
            decoded_for_fallback("/peers/a%2Bb%2F%3D").as_deref(),
            Some("/peers/a+b/=")
        );
        assert_eq!(
            decoded_for_fallback("/peers/a+%2B").as_deref(),
            Some("/peers/a++")
        );
        for target in [
            "/peers/abc",
            "/a%2B?x=1",
            "/a%7Cb",
            "/a%20b",
            "/a%25",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%C3%A9",
        ] {
            assert_eq!(decoded_for_fallback(target), None, "{target}");
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(text in "[ -~]{0,40}") {
            let encoded: String = text.bytes().map(|b| format!("%{b:02X}")).collect();

            prop_assert_eq!(percent_decode(&encoded), Some(text));
        }
    }
}
