//! Requests that prove nothing, or prove it to the wrong thing: who did not sign is told a code and
//! nothing else, and nothing changes.

use serde_json::json;

use crate::bed::{Bed, Client, Draft, Response, Setup, encode, key, now, wait_for_next_second};

mod forms;
mod published;
mod times;

/// An agent with one peer, which answers every failure with its reason.
fn bed() -> Bed {
    let bed = Bed::with(Setup {
        limits: "failure_burst = 100000".into(),
        ..Setup::default()
    });
    assert_eq!(bed.add(&key(1), &["10.0.1.1/32"]).status, 201);
    bed
}

/// A write that would work, were it not tampered with.
fn write(bed: &Bed, client: &Client) -> Draft {
    let body = json!({ "public_key": key(2), "allowed_ips": ["10.0.1.2/32"] }).to_string();
    client.draft("POST", &bed.path("/peers"), body.as_bytes())
}

/// A removal that would work, were it not tampered with.
fn removal(bed: &Bed) -> String {
    bed.path(&format!("/peers/{}", encode(&key(1))))
}

/// Insists that the answer is the refusal of a stranger: a code, a sentence, no more, and unsigned.
fn assert_stranger(response: &Response, status: u16, code: &str, what: &str) {
    assert_eq!(
        response.code(),
        (status, code.to_owned()),
        "{what}: {response:?}"
    );
    assert_eq!(response.verified, None, "{what}: {response:?}");
    assert_eq!(response.header("x-timestamp"), None, "{what}: {response:?}");
    let body = response.json();
    let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["code", "error"], "{what}: {response:?}");
}

/// Sends what must be refused to a stranger, and looks that nothing came of it.
fn refused(bed: &Bed, draft: &Draft, status: u16, code: &str, what: &str) {
    let before = bed.standing();

    let response = bed.client.send(draft);

    assert_stranger(&response, status, code, what);
    assert_eq!(bed.standing(), before, "{what}");
}

fn both_forms(bed: &Bed) -> [Client; 2] {
    [true, false].map(|nonces| Client {
        nonces,
        ..bed.client.clone()
    })
}

fn flip_last(text: &str) -> String {
    let (rest, last) = text.split_at(text.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}

type Tamper = fn(&mut Draft);

const SIGNATURES: &[(&str, Tamper, &str)] = &[
    ("none", |d| d.unset("X-Signature"), "missing_signature"),
    (
        "none, and no timestamp",
        |d| {
            d.unset("X-Signature");
            d.unset("X-Timestamp");
        },
        "missing_signature",
    ),
    ("empty", |d| d.set("X-Signature", ""), "malformed_signature"),
    (
        "one digit changed",
        |d| d.set("X-Signature", &flip_last(&d.signature.to_string())),
        "bad_signature",
    ),
    (
        "all zero",
        |d| d.set("X-Signature", &"0".repeat(64)),
        "bad_signature",
    ),
    (
        "truncated to half",
        |d| d.set("X-Signature", &d.signature.to_string()[..32]),
        "malformed_signature",
    ),
    (
        "truncated by one digit",
        |d| d.set("X-Signature", &d.signature.to_string()[..63]),
        "malformed_signature",
    ),
    (
        "one digit too many",
        |d| d.set("X-Signature", &format!("{}0", d.signature)),
        "malformed_signature",
    ),
    (
        "not hex",
        |d| d.set("X-Signature", &"z".repeat(64)),
        "malformed_signature",
    ),
    (
        "not ASCII",
        |d| d.set("X-Signature", &"é".repeat(32)),
        "malformed_signature",
    ),
    (
        "upper-case hex",
        |d| d.set("X-Signature", &d.signature.to_string().to_uppercase()),
        "malformed_signature",
    ),
    (
        "with a prefix",
        |d| d.set("X-Signature", &format!("sha256={}", d.signature)),
        "malformed_signature",
    ),
    (
        "twice, parted by a comma",
        |d| d.set("X-Signature", &format!("{0}, {0}", d.signature)),
        "malformed_signature",
    ),
];

#[test]
fn a_signature_that_is_absent_damaged_or_wrong_is_refused() {
    let bed = bed();
    for client in both_forms(&bed) {
        for (what, tamper, code) in SIGNATURES {
            let mut draft = write(&bed, &client);
            tamper(&mut draft);

            refused(&bed, &draft, 401, code, what);
        }
    }
}

#[test]
fn a_signature_header_that_is_repeated_is_refused_even_with_the_same_value() {
    let bed = bed();
    let client = Client {
        key_id: Some("initial".into()),
        ..bed.client.clone()
    };
    assert_eq!(client.send(&write(&bed, &client)).verified, Some(true));
    for name in ["X-Signature", "X-Timestamp", "X-Nonce", "X-Key-Id"] {
        for spelling in [name.to_owned(), name.to_lowercase()] {
            let mut same = write(&bed, &client);
            let value = same.header(name).to_owned();
            same.repeat(&spelling, &value);
            refused(&bed, &same, 401, "malformed_signature", name);

            let mut empty = write(&bed, &client);
            empty.repeat(&spelling, "");
            refused(&bed, &empty, 401, "malformed_signature", name);
        }
    }
}

#[test]
fn a_nonce_of_another_shape_is_refused_though_it_was_signed() {
    let bed = bed();
    let body = write(&bed, &bed.client).body;
    let path = bed.path("/peers");
    let long = "a".repeat(65);
    for nonce in [
        "",
        "short",
        "fifteen-bytes-x",
        long.as_str(),
        "has a blank in the middle",
        "has-a-dot-in-the-middle.",
        "has|separators|in|it|all",
        "ümlaut-ümlaut-ümlaut",
    ] {
        let draft = bed
            .client
            .draft_at("POST", &path, &body, now(), Some(nonce.into()));

        refused(&bed, &draft, 401, "malformed_signature", nonce);
    }
    wait_for_next_second();
    for nonce in ["sixteen-bytes-ok", &long[..64], "ABCXYZabcxyz0189_-_-"] {
        let draft = bed
            .client
            .draft_at("POST", &path, &body, now(), Some(nonce.into()));
        assert!(bed.client.send(&draft).status < 300, "{nonce}");
    }
}

#[test]
fn a_key_id_that_nobody_has_is_refused() {
    let bed = bed();
    let long = "k".repeat(65);
    for id in ["other", "INITIAL", "", "in itial", "initial,initial", &long] {
        let mut draft = write(&bed, &bed.client);
        draft.set("X-Key-Id", id);

        refused(&bed, &draft, 401, "unknown_key", id);
    }
}

#[test]
fn one_form_of_signing_does_not_pass_for_the_other() {
    let bed = bed();
    let [with_nonce, without] = both_forms(&bed);

    let mut stripped = write(&bed, &with_nonce);
    stripped.unset("X-Nonce");
    refused(&bed, &stripped, 401, "bad_signature", "v2 shown as v1");

    let mut added = write(&bed, &without);
    added.set("X-Nonce", "a-nonce-that-was-not-signed");
    refused(&bed, &added, 401, "bad_signature", "v1 shown as v2");

    let mut other = write(&bed, &with_nonce);
    other.set("X-Nonce", "another-nonce-than-signed");
    refused(&bed, &other, 401, "bad_signature", "another nonce");
}

#[test]
fn whatever_is_changed_after_signing_spoils_the_signature() {
    let bed = bed();
    let tampers: &[(&str, Tamper)] = &[
        ("another body", |d| {
            let text = String::from_utf8(d.body.clone()).unwrap();
            d.body = text.replacen("10.0.1.2", "10.0.1.9", 1).into_bytes();
        }),
        ("a blank after the body", |d| d.body.push(b' ')),
        ("no body", |d| d.body.clear()),
        ("another method", |d| d.method = "PUT".into()),
        ("a query", |d| d.target.push_str("?foreign=remove")),
        ("an empty query", |d| d.target.push('?')),
        ("a slash at the end", |d| d.target.push('/')),
        ("a slash too many", |d| d.target.insert(0, '/')),
        ("without the version", |d| {
            d.target = d.target.replacen("/v1", "", 1);
        }),
        ("a detour", |d| {
            d.target = d.target.replacen("/wg", "/x/../wg", 1);
        }),
        ("an escape that means the same", |d| {
            d.target = d.target.replacen("/peers", "/p%65ers", 1);
        }),
        ("a later timestamp", |d| {
            d.set("X-Timestamp", &(now() + 7).to_string());
        }),
    ];
    for client in both_forms(&bed) {
        for (what, tamper) in tampers {
            let mut draft = write(&bed, &client);
            tamper(&mut draft);

            // A first form may be signed over the decoded path: that much normalising is the law.
            if !client.nonces && *what == "an escape that means the same" {
                continue;
            }
            refused(&bed, &draft, 401, "bad_signature", what);
        }
    }
}

#[test]
fn another_secret_signs_for_nobody() {
    let bed = bed();
    let client = Client {
        secret: protocol::signing::Secret::parse("another secret, of some other machine").unwrap(),
        ..bed.client.clone()
    };

    refused(&bed, &write(&bed, &client), 401, "bad_signature", "write");
    let read = client.draft("GET", "/health", b"");
    refused(&bed, &read, 401, "bad_signature", "health");
    let read = client.draft("GET", "/metrics", b"");
    refused(&bed, &read, 401, "bad_signature", "metrics");
}

#[test]
fn only_the_sign_of_life_needs_no_signature() {
    let bed = bed();
    for target in ["/livez", "/v1/livez"] {
        let mut draft = bed.client.draft("GET", target, b"");
        draft.headers.clear();

        let response = bed.client.send(&draft);

        assert_eq!((response.status, response.body.len()), (204, 0));
        assert_eq!(response.verified, None);
    }
    for target in [
        "/",
        "/health",
        "/v1/health",
        "/status",
        "/metrics",
        "/secrets",
        "/livez/",
        "/livez?x",
        "/LIVEZ",
        "/nothing",
        &bed.path("/dump"),
        &bed.path("/config"),
    ] {
        let mut draft = bed.client.draft("GET", target, b"");
        draft.headers.clear();

        refused(&bed, &draft, 401, "missing_signature", target);
    }
}
