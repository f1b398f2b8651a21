//! A key that somebody sends in the wrong place must not come back in the answer, nor go into a log.

/// As many characters of base64 as hold more than half of a key.
const KEY_LIKE: usize = 24;

/// The stretches of `text` that look like a key.
pub(super) fn key_like(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "+/".contains(c)))
        .filter(|stretch| stretch.len() >= KEY_LIKE)
}

/// Panics if `error` repeats one of `secrets`, which stand in `input` once each or do not count:
/// what stands there twice may be named for its other place.
pub(super) fn check<'a>(error: &str, input: &str, secrets: impl IntoIterator<Item = &'a str>) {
    for secret in secrets {
        if input.matches(secret).count() == 1 {
            assert!(!error.contains(secret), "{error:?} repeats {secret:?}");
        }
    }
}
