use proptest::prelude::*;

use super::*;

fn secret() -> Secret {
    Secret::parse("correct horse battery staple 0123456789").unwrap()
}

fn headers(
    signature: &[u8],
    timestamp: &[u8],
    nonce: Option<&[u8]>,
) -> Result<SignedHeaders, Rejection> {
    SignedHeaders::parse(RawHeaders {
        signature: &[signature],
        timestamp: &[timestamp],
        nonce: nonce.as_slice(),
        key_id: &[],
    })
}

proptest! {
    #[test]
    fn what_was_signed_verifies_and_nothing_else(
        method in "GET|POST|PUT|PATCH|DELETE",
        target in "/[!-{}~]{0,40}",
        body: Vec<u8>,
        other: Vec<u8>,
        timestamp in 1_000_000_000i64..999_999_999_999,
        nonce in proptest::option::of("[A-Za-z0-9_-]{16,64}"),
    ) {
        let text = timestamp.to_string();
        let request = Request { method: &method, target: &target, body: &body, timestamp: &text, nonce: nonce.as_deref() };
        let signature = request.sign(&secret()).to_string();

        let headers = headers(signature.as_bytes(), text.as_bytes(), nonce.as_deref().map(str::as_bytes)).unwrap();

        prop_assert!(headers.verifies(&secret(), &method, &target, &body));
        prop_assert_eq!(headers.verifies(&secret(), &method, &target, &other), body == other);
        prop_assert!(!headers.verifies(&secret(), "HEAD", &target, &body));
    }
}

#[test]
fn the_window_is_300_seconds_on_both_sides() {
    let headers = headers(&[b'0'; 64], b"1766000000", None).unwrap();

    assert!(headers.is_fresh(1_766_000_300, WINDOW_S));
    assert!(headers.is_fresh(1_765_999_700, WINDOW_S));
    assert!(!headers.is_fresh(1_766_000_301, WINDOW_S));
    assert!(!headers.is_fresh(1_765_999_699, WINDOW_S));
}

#[test]
fn a_secret_file_ends_with_at_most_one_line_end() {
    let text = "correct horse battery staple 0123456789";

    for file in [text.to_owned(), format!("{text}\n"), format!("{text}\r\n")] {
        assert_eq!(Secret::parse(&file).unwrap().reveal(), text);
    }
    assert_eq!(
        Secret::parse(&format!("{text}\n\n")).unwrap().reveal(),
        format!("{text}\n")
    );
}

#[test]
fn short_and_monotonous_secrets_are_refused() {
    assert_eq!(
        Secret::parse("0123456789abcdef0123456789abcde"),
        Err(SecretError::Short)
    );
    assert_eq!(Secret::parse(&"a".repeat(64)), Err(SecretError::Weak));
    assert_eq!(Secret::parse(&"abcdefg".repeat(8)), Err(SecretError::Weak));
    assert!(Secret::parse(&"abcdefgh".repeat(8)).is_ok());
}

#[test]
fn a_secret_does_not_print_itself() {
    assert_eq!(format!("{:?}", secret()), "Secret(***)");
}
