//! The published cases that must fail, sent over the wire: as they were published, and moved to today
//! so that the fault itself is what refuses them.

use protocol::signing::{Request, Secret};
use serde_json::Value;

use super::{assert_stranger, bed, flip_last, removal};
use crate::bed::{Bed, Client, Draft, now};

fn cases() -> Vec<Value> {
    let all: Value =
        serde_json::from_str(include_str!("../../vectors/signing-vectors.json")).unwrap();
    all["must_fail"].as_array().unwrap().clone()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap()
}

/// What refuses a case as it was published: its fault, or its age.
fn published_refusal(case: &Value) -> (u16, &'static str) {
    match text(case, "why") {
        // Signed by the secret of this agent, long ago.
        "another secret" | "301 s old" | "301 s ahead" => (401, "stale_timestamp"),
        "truncated" | "empty" | "not hex" | "upper-case hex" => (401, "malformed_signature"),
        why if why.contains("timestamp not")
            || why.contains("with a sign")
            || why.contains("leading zero") =>
        {
            (401, "bad_timestamp")
        }
        why if why.starts_with("a v2 signature") => (405, "method_not_allowed"),
        why if why.starts_with("raw |") => (400, "bad_target"),
        _ => (401, "bad_signature"),
    }
}

#[test]
fn every_published_case_is_refused_as_it_stands() {
    let bed = bed();
    let before = bed.standing();
    for case in cases() {
        let signed = text(&case, "signature");
        let mut draft = bed.client.draft_of(Request {
            method: text(&case, "method"),
            target: text(&case, "path"),
            body: text(&case, "body").as_bytes(),
            timestamp: text(&case, "timestamp"),
            nonce: None,
        });
        draft.set("X-Signature", signed);

        let response = bed.client.send(&draft);

        let (status, code) = published_refusal(&case);
        assert_eq!(
            response.code(),
            (status, code.into()),
            "{case}: {response:?}"
        );
        assert_eq!(
            response.header("x-signature").is_some(),
            code == "stale_timestamp",
            "{case}"
        );
        assert_eq!(bed.standing(), before, "{case}");
    }
}

/// The same fault in a removal that would work today, and what refuses it.
fn of_today(bed: &Bed, why: &str) -> (Draft, u16, &'static str) {
    let first = Client {
        nonces: false,
        ..bed.client.clone()
    };
    let target = removal(bed);
    let good = first.draft("DELETE", &target, b"");
    let signed_at = |timestamp: String| {
        first.draft_of(Request {
            method: "DELETE",
            target: &target,
            body: b"",
            timestamp: &timestamp,
            nonce: None,
        })
    };
    let tampered = |tamper: &dyn Fn(&mut Draft)| {
        let mut draft = good.clone();
        tamper(&mut draft);
        draft
    };
    let signature = |text: &str| tampered(&|draft| draft.set("X-Signature", text));
    let full = good.signature.to_string();
    match why {
        "one hex digit changed" => (signature(&flip_last(&full)), 401, "bad_signature"),
        "truncated" => (signature(&full[..32]), 401, "malformed_signature"),
        "empty" => (signature(""), 401, "malformed_signature"),
        "not hex" => (signature(&"z".repeat(64)), 401, "malformed_signature"),
        "upper-case hex" => (signature(&full.to_uppercase()), 401, "malformed_signature"),
        "another method" => (tampered(&|d| d.method = "PUT".into()), 401, "bad_signature"),
        "another path" => {
            let other = target.replacen(bed.name.as_str(), "wg1", 1);
            (
                tampered(&|d| d.target.clone_from(&other)),
                401,
                "bad_signature",
            )
        }
        "another body" => (tampered(&|d| d.body = b"{}".to_vec()), 401, "bad_signature"),
        "another secret" => {
            let other = Client {
                secret: Secret::parse("x9Jp0n5Yb1mQkq0Hn7oYwJxk3uXr2tVv").unwrap(),
                ..first
            };
            (other.draft("DELETE", &target, b""), 401, "bad_signature")
        }
        "301 s old" => (signed_at((now() - 301).to_string()), 401, "stale_timestamp"),
        // Two more seconds, should the clock tick before it arrives.
        "301 s ahead" => (signed_at((now() + 303).to_string()), 401, "stale_timestamp"),
        "timestamp not a number" => (signed_at("soon".into()), 401, "bad_timestamp"),
        "timestamp with a sign" => (signed_at(format!("+{}", now())), 401, "bad_timestamp"),
        "leading zero in the timestamp" => (signed_at(format!("0{}", now())), 401, "bad_timestamp"),
        "raw | in the target" => {
            let target = bed.path("/peers/a|b");
            (first.draft("DELETE", &target, b""), 400, "bad_target")
        }
        "decoded fallback: %7C is not allowed in it" => {
            let mut draft = first.draft("DELETE", &bed.path("/peers/a|b"), b"");
            draft.target = bed.path("/peers/a%7Cb");
            (draft, 401, "bad_signature")
        }
        "decoded fallback: not with a query" => {
            let mut draft = first.draft("DELETE", &bed.path("/peers/+?x=1"), b"");
            draft.target = bed.path("/peers/%2B?x=1");
            (draft, 401, "bad_signature")
        }
        why if why.starts_with("a v2 signature re-presented as v1") => {
            let mut draft = bed.client.draft("DELETE", &target, b"");
            let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
            draft.body = format!("{empty}|{}", draft.header("X-Timestamp")).into_bytes();
            draft.method = "v2|DELETE".into();
            draft.unset("X-Nonce");
            (draft, 405, "method_not_allowed")
        }
        _ => panic!("no way to bring this case to today: {why}"),
    }
}

#[test]
fn every_published_fault_is_what_refuses_a_request_of_today() {
    let bed = bed();
    let before = bed.standing();
    for case in cases() {
        let why = text(&case, "why");
        let (draft, status, code) = of_today(&bed, why);

        let response = bed.client.send(&draft);

        if code == "stale_timestamp" {
            assert_eq!(response.code(), (status, code.into()), "{why}");
            assert_eq!(response.verified, Some(true), "{why}");
        } else {
            assert_stranger(&response, status, code, why);
        }
        assert_eq!(bed.standing(), before, "{why}");
    }
    assert_eq!(
        bed.client.delete(&removal(&bed)).status,
        200,
        "without a fault it works"
    );
    assert!(bed.hand.peers().is_empty());
}
