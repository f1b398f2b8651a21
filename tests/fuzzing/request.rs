//! A request as it comes off the wire: its target, its four signing headers, and what a signature covers.
//!
//! The input reads like HTTP without versions and carriage returns: `METHOD TARGET`, header lines, an
//! empty line, the body.

use node_agent::api::route::{self, Route};
use protocol::signing::{RawHeaders, Request, Secret, SignedHeaders};
use protocol::target;
use sha2::{Digest, Sha256};

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const HEADERS: [&str; 4] = ["X-Signature", "X-Timestamp", "X-Nonce", "X-Key-Id"];

pub fn check(input: &[u8]) {
    let (head, body) = split_at_first(input, b"\n\n");
    let (first, lines) = split_at_first(head, b"\n");
    let Some((method, target)) = std::str::from_utf8(first)
        .ok()
        .and_then(|line| line.split_once(' '))
    else {
        return;
    };
    check_target(target);
    let headers = HEADERS.map(|name| values(lines, name));
    let Some(parsed) = parse(&headers) else {
        return;
    };
    if !METHODS.contains(&method) || target::check(target).is_err() {
        return;
    }
    let timestamp = parsed.timestamp.to_string();
    check_coverage(&Request {
        method,
        target,
        body,
        timestamp: &timestamp,
        nonce: parsed.nonce.as_deref(),
    });
}

fn split_at_first<'a>(bytes: &'a [u8], separator: &[u8]) -> (&'a [u8], &'a [u8]) {
    match bytes.windows(separator.len()).position(|w| w == separator) {
        Some(at) => (&bytes[..at], &bytes[at + separator.len()..]),
        None => (bytes, &[]),
    }
}

fn values<'a>(lines: &'a [u8], name: &str) -> Vec<&'a [u8]> {
    lines
        .split(|b| *b == b'\n')
        .filter_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b": "))
        .collect()
}

fn check_target(target: &str) {
    let sound =
        target.starts_with('/') && !target.contains(|c: char| c == '|' || c.is_ascii_control());
    assert_eq!(target::check(target).is_ok(), sound);
    let decoded = target::decoded_for_fallback(target);
    assert_eq!(decoded, decoded_by_hand(target));
    let found = route::find(target);
    if let Some(decoded) = &decoded {
        assert!(!decoded.contains(['|', '?', '%']));
        assert!(!sound || target::check(decoded).is_ok());
        // Whoever signed the one spelling must not have signed another thing to do.
        if let (Ok(raw), Ok(signed)) = (&found, route::find(decoded)) {
            let common = |method: &&str| signed.methods().contains(method);
            assert!(*raw == signed || !raw.methods().iter().any(common));
        }
    }
    if let Some(plain) = target
        .strip_prefix("/v1")
        .filter(|rest| rest.starts_with('/'))
    {
        if !plain.starts_with("/v1/") {
            assert_eq!(route::find(plain), found);
        }
    } else if target.starts_with('/') {
        assert_eq!(route::find(&format!("/v1{target}")), found);
    }
    if let Ok(route) = found {
        let methods = route.methods();
        assert!(!methods.is_empty() && methods.iter().all(|method| METHODS.contains(method)));
        assert_eq!(methods.contains(&"GET"), methods.contains(&"HEAD"));
        assert_eq!(route::find(&path(&route)), Ok(route));
    }
}

/// The contract's words on the second spelling, written down a second time.
fn decoded_by_hand(target: &str) -> Option<String> {
    if target.contains('?') || !target.contains('%') {
        return None;
    }
    let mut pieces = target.split('%');
    let mut decoded = pieces.next()?.to_owned();
    for piece in pieces {
        let digits = piece.get(..2)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        decoded.push(u8::from_str_radix(digits, 16).ok()?.into());
        decoded.push_str(&piece[2..]);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/+=_.-".contains(c);
    decoded.chars().all(plain).then_some(decoded)
}

/// The plainest spelling of a route.
fn path(route: &Route) -> String {
    let encode = |text: &str| -> String { text.bytes().map(|b| format!("%{b:02x}")).collect() };
    match route {
        Route::Livez => "/livez".into(),
        Route::Health => "/health".into(),
        Route::Status => "/status".into(),
        Route::Metrics => "/metrics".into(),
        Route::Secrets => "/secrets".into(),
        Route::Secret { id } => format!("/secrets/{}", encode(id)),
        Route::Activate { id } => format!("/secrets/{}/activate", encode(id)),
        Route::Interface { name } => format!("/wg/{name}"),
        Route::Dump { name, since: None } => format!("/wg/{name}/dump"),
        Route::Dump {
            name,
            since: Some(since),
        } => format!("/wg/{name}/dump?since={}", encode(since)),
        Route::Digest { name } => format!("/wg/{name}/digest"),
        Route::Config { name } => format!("/wg/{name}/config"),
        Route::Syncconf { name } => format!("/wg/{name}/syncconf"),
        Route::Enable { name } => format!("/wg/{name}/enable"),
        Route::Disable { name } => format!("/wg/{name}/disable"),
        Route::Peers {
            name,
            remove_foreign,
        } => {
            let foreign = if *remove_foreign { "remove" } else { "keep" };
            format!("/wg/{name}/peers?foreign={foreign}")
        }
        Route::Peer { name, key } => format!("/wg/{name}/peers/{}", key.to_url_safe()),
    }
}

/// Headers parse exactly if each is there at most once and has its form; then they say what they said.
fn parse(headers: &[Vec<&[u8]>; 4]) -> Option<SignedHeaders> {
    let [signature, timestamp, nonce, key_id] = headers;
    let parsed = SignedHeaders::parse(RawHeaders {
        signature,
        timestamp,
        nonce,
        key_id,
    });
    let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-';
    let sound = match (&signature[..], &timestamp[..]) {
        ([signature], [timestamp]) => {
            let hex = |b: &u8| b"0123456789abcdef".contains(b);
            signature.len() == 64
                && signature.iter().all(hex)
                && matches!(timestamp, [b'1'..=b'9', rest @ ..] if (9..12).contains(&rest.len()) && rest.iter().all(u8::is_ascii_digit))
                && matches!(&nonce[..], [] | [[_, ..]])
                && nonce
                    .iter()
                    .all(|n| (16..=64).contains(&n.len()) && n.iter().all(word))
                && matches!(&key_id[..], [] | [[_, ..]])
                && key_id
                    .iter()
                    .all(|id| id.len() <= 64 && id.iter().all(word))
        }
        _ => false,
    };
    assert_eq!(parsed.is_ok(), sound);
    let parsed = parsed.ok()?;
    let said = |word: &Option<Box<str>>| word.as_deref().map(|w| w.as_bytes().to_vec());
    assert_eq!(parsed.signature.to_string().as_bytes(), signature[0]);
    assert_eq!(parsed.timestamp.to_string().as_bytes(), timestamp[0]);
    assert_eq!(said(&parsed.nonce).as_deref(), nonce.first().copied());
    assert_eq!(said(&parsed.key_id).as_deref(), key_id.first().copied());
    Some(parsed)
}

/// A signature covers this request and no other.
fn check_coverage(request: &Request<'_>) {
    let secret = Secret::parse("correct horse battery staple 0123456789").unwrap();
    let other = Secret::parse("correct horse battery staple 012345678_").unwrap();
    let headers = signed(request, &secret);
    let verifies = |r: &Request<'_>| headers.verifies(&secret, r.method, r.target, r.body);
    assert!(verifies(request));
    assert!(!headers.verifies(&other, request.method, request.target, request.body));
    for method in METHODS {
        assert_eq!(
            verifies(&Request { method, ..*request }),
            method == request.method
        );
    }
    let longer = [request.body, b"|"].concat();
    assert!(!verifies(&Request {
        body: &longer,
        ..*request
    }));
    if let Some(shorter) = request.body.split_last().map(|(_, rest)| rest) {
        assert!(!verifies(&Request {
            body: shorter,
            ..*request
        }));
    }
    // The same signature beside another timestamp or nonce, or without one.
    let later = (headers.timestamp + 1).to_string();
    let others = [
        (&*later, request.nonce),
        (request.timestamp, Some("0123456789abcdef")),
        (request.timestamp, Some("0123456789abcdeg")),
        (request.timestamp, None),
    ];
    for (timestamp, nonce) in others {
        let same = (timestamp, nonce) == (request.timestamp, request.nonce);
        let other = Request {
            timestamp,
            nonce,
            ..*request
        };
        let beside = headers_of(&other, &headers.signature.to_string());
        let verifies = |headers: SignedHeaders| {
            headers.verifies(&secret, request.method, request.target, request.body)
        };
        assert_eq!(beside.is_some_and(verifies), same);
    }
    let only = (request.method, request.target, request.body);
    let readings = readings_without_nonce(&signed_text(request));
    if request.nonce.is_none() {
        assert_eq!(readings, [(only.0.into(), only.1.into(), only.2.to_vec())]);
    } else {
        assert_eq!(readings, []);
    }
    check_fallback(request, &secret);
}

fn signed(request: &Request<'_>, secret: &Secret) -> SignedHeaders {
    headers_of(request, &request.sign(secret).to_string()).unwrap()
}

fn headers_of(request: &Request<'_>, signature: &str) -> Option<SignedHeaders> {
    let nonce = request.nonce.iter().map(|nonce| nonce.as_bytes());
    parse(&[
        vec![signature.as_bytes()],
        vec![request.timestamp.as_bytes()],
        nonce.collect(),
        vec![],
    ])
}

fn signed_text(request: &Request<'_>) -> Vec<u8> {
    let Request {
        method,
        target,
        body,
        timestamp,
        nonce,
    } = request;
    match nonce {
        None => [
            method.as_bytes(),
            target.as_bytes(),
            body,
            timestamp.as_bytes(),
        ]
        .join(&b'|'),
        Some(nonce) => {
            let body = hex::encode(Sha256::digest(body));
            format!("v2|{method}|{target}|{body}|{timestamp}|{nonce}").into_bytes()
        }
    }
}

/// Every request without a nonce for which this text would be signed, near both ends of the text.
fn readings_without_nonce(text: &[u8]) -> Vec<(String, String, Vec<u8>)> {
    let bars: Vec<usize> = (0..text.len()).filter(|at| text[*at] == b'|').collect();
    let mut readings = Vec::new();
    for (first, method_end) in bars.iter().enumerate().take(2) {
        for (second, target_end) in bars.iter().enumerate().skip(first + 1).take(3) {
            for body_end in bars.iter().skip(second + 1).rev().take(3) {
                let method = String::from_utf8_lossy(&text[..*method_end]);
                let target = String::from_utf8_lossy(&text[method_end + 1..*target_end]);
                let body = text[target_end + 1..*body_end].to_vec();
                let headers = parse(&[
                    vec![&[b'0'; 64]],
                    vec![&text[body_end + 1..]],
                    vec![],
                    vec![],
                ]);
                if METHODS.contains(&&*method)
                    && target::check(&target).is_ok()
                    && headers.is_some()
                {
                    readings.push((method.into(), target.into(), body));
                }
            }
        }
    }
    readings
}

/// The decoded spelling of a target verifies for the encoded one where the contract says so; the
/// other way round, and with a nonce, nothing but the bytes that were sent does.
fn check_fallback(request: &Request<'_>, secret: &Secret) {
    let lenient = target::percent_decode(request.target);
    let Some(decoded) = lenient.filter(|decoded| decoded != request.target) else {
        return;
    };
    let by_decoded = signed(
        &Request {
            target: &decoded,
            ..*request
        },
        secret,
    );
    let allowed = request.nonce.is_none() && decoded_by_hand(request.target).is_some();
    let verifies = |headers: &SignedHeaders, target: &str| {
        headers.verifies(secret, request.method, target, request.body)
    };
    assert_eq!(verifies(&by_decoded, request.target), allowed);
    assert!(!verifies(&signed(request, secret), &decoded));
}
