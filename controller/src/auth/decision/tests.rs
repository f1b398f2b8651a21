//! Every reason to refuse, one at a time, and in which order they count.

use chrono::TimeDelta;
use proptest::prelude::*;
use protocol::signing::{RawHeaders, Request};

use super::*;

const BODY: &[u8] = b"{}";

fn secret(n: u8) -> Secret {
    Secret::parse(&hex::encode(std::array::from_fn::<u8, 32, _>(|at| {
        n + at as u8
    })))
    .unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn anywhere() -> Standing<'static> {
    Standing {
        allowed_from: &[],
        expires_at: None,
        revoked_at: None,
    }
}

fn signed_at(timestamp: i64, nonce: Option<&str>) -> SignedHeaders {
    let timestamp = timestamp.to_string();
    let signature = Request {
        method: "POST",
        target: "/api/v1/nodes?x=1",
        body: BODY,
        timestamp: &timestamp,
        nonce,
    }
    .sign(&secret(1))
    .to_string();
    let nonce: Vec<&[u8]> = nonce.iter().map(|nonce| nonce.as_bytes()).collect();
    SignedHeaders::parse(RawHeaders {
        signature: &[signature.as_bytes()],
        timestamp: &[timestamp.as_bytes()],
        nonce: &nonce,
        key_id: &[b"kabc"],
    })
    .unwrap()
}

fn signed() -> SignedHeaders {
    signed_at(now().timestamp(), Some("0123456789abcdef"))
}

fn covered() -> Covered<'static> {
    Covered {
        method: "POST",
        target: "/api/v1/nodes?x=1",
        body: BODY,
    }
}

fn verdict(key: Option<(&Secret, Standing<'_>)>, from: Option<&str>) -> Result<(), Bar> {
    let from = from.map(|from| from.parse().unwrap());
    judge(&signed(), covered(), key, &secret(9), from, now())
}

#[test]
fn a_request_signed_by_its_key_is_let_in_in_both_forms() {
    for nonce in [None, Some("0123456789abcdef")] {
        let headers = signed_at(now().timestamp(), nonce);
        let key = Some((&secret(1), anywhere()));
        assert_eq!(
            judge(&headers, covered(), key, &secret(9), None, now()),
            Ok(())
        );
    }
}

#[test]
fn whatever_the_signature_covers_may_not_change() {
    let changed = [
        Covered {
            method: "PUT",
            ..covered()
        },
        Covered {
            target: "/api/v1/nodes?x=2",
            ..covered()
        },
        Covered {
            target: "/api/v1/nodes",
            ..covered()
        },
        Covered {
            body: b"{ }",
            ..covered()
        },
    ];

    for covered in changed {
        let key = Some((&secret(1), anywhere()));
        let verdict = judge(&signed(), covered, key, &secret(9), None, now());
        assert_eq!(verdict, Err(Bar::BadSignature), "{covered:?}");
    }
    let other = secret(2);
    assert_eq!(
        verdict(Some((&other, anywhere())), None),
        Err(Bar::BadSignature)
    );
}

#[test]
fn an_unknown_key_is_refused_even_where_the_stand_in_would_verify() {
    let verdict = judge(&signed(), covered(), None, &secret(1), None, now());

    assert_eq!(verdict, Err(Bar::NoSuchKey));
}

#[test]
fn a_revoked_or_expired_key_is_to_its_holder_as_unknown() {
    let secret = secret(1);
    let revoked = Standing {
        revoked_at: Some(now()),
        ..anywhere()
    };
    let expired = Standing {
        expires_at: Some(now()),
        ..anywhere()
    };
    let lasting = Standing {
        expires_at: Some(now() + TimeDelta::seconds(1)),
        ..anywhere()
    };

    assert_eq!(verdict(Some((&secret, revoked)), None), Err(Bar::Revoked));
    assert_eq!(verdict(Some((&secret, expired)), None), Err(Bar::Expired));
    assert_eq!(verdict(Some((&secret, lasting)), None), Ok(()));
    for bar in [Bar::NoSuchKey, Bar::Revoked, Bar::Expired, Bar::Elsewhere] {
        assert_eq!(bar.rejection(), Rejection::UnknownKey);
        assert!(!bar.is_proved());
    }
}

#[test]
fn a_key_is_used_from_where_it_may_be_used() {
    let secret = secret(1);
    let ranges: Vec<IpNet> = ["192.0.2.0/24", "2001:db8::/32"]
        .map(|range| range.parse().unwrap())
        .to_vec();
    let standing = Standing {
        allowed_from: &ranges,
        ..anywhere()
    };

    for (from, expected) in [
        (Some("192.0.2.7"), Ok(())),
        (Some("::ffff:192.0.2.7"), Ok(())),
        (Some("2001:db8::1"), Ok(())),
        (Some("192.0.3.7"), Err(Bar::Elsewhere)),
        (None, Err(Bar::Elsewhere)),
    ] {
        assert_eq!(
            verdict(Some((&secret, standing)), from),
            expected,
            "{from:?}"
        );
    }
}

#[test]
fn age_is_judged_after_the_signature() {
    let old = signed_at(now().timestamp() - WINDOW_S - 1, None);
    let judge = |secret: &Secret| {
        judge(
            &old,
            covered(),
            Some((secret, anywhere())),
            secret,
            None,
            now(),
        )
    };

    assert_eq!(judge(&secret(1)), Err(Bar::Stale));
    assert_eq!(judge(&secret(2)), Err(Bar::BadSignature));
    assert!(Bar::Stale.is_proved() && !Bar::BadSignature.is_proved());
}

proptest! {
    #[test]
    fn the_window_is_five_minutes_both_ways(offset in -1000i64..1000) {
        let headers = signed_at(now().timestamp() + offset, None);

        let verdict = judge(&headers, covered(), Some((&secret(1), anywhere())), &secret(9), None, now());

        prop_assert_eq!(verdict.is_ok(), offset.abs() <= 300);
    }
}
