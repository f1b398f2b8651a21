//! The published signatures, digests and derived secrets, reproduced byte for byte.

use protocol::rotation::{self, Exchange};
use protocol::signing::{
    self, RawHeaders, Rejection, Request, Secret, Signature, SignedHeaders, WINDOW_S,
};
use protocol::wire::PeerSpec;
use protocol::{Digest, PeerConfig, PrivateKey, PublicKey, target};
use serde_json::Value;

fn vectors(section: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../vectors/signing-vectors.json")).unwrap();
    let cases = all[section].as_array().expect(section).clone();
    assert!(!cases.is_empty(), "{section} holds no case");
    cases
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} in {case}"))
}

fn secret(case: &Value) -> Secret {
    Secret::parse(text(case, "secret")).unwrap()
}

/// Judges a request as the agent does: target, headers, MAC, age.
fn judge(case: &Value, now: i64) -> Result<(), String> {
    let method = text(case, "method");
    if !["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(&method) {
        return Err("method".into());
    }
    let path = text(case, "path");
    target::check(path).map_err(|err| err.to_string())?;
    let nonce: Vec<&[u8]> = case["nonce"]
        .as_str()
        .iter()
        .map(|n| n.as_bytes())
        .collect();
    let raw = RawHeaders {
        signature: &[text(case, "signature").as_bytes()],
        timestamp: &[text(case, "timestamp").as_bytes()],
        nonce: &nonce,
        key_id: &[],
    };
    let headers = SignedHeaders::parse(raw).map_err(|err| err.code().to_owned())?;
    if !headers.verifies(&secret(case), method, path, text(case, "body").as_bytes()) {
        return Err(Rejection::BadSignature.code().into());
    }
    if !headers.is_fresh(now, WINDOW_S) {
        return Err(Rejection::StaleTimestamp.code().into());
    }
    Ok(())
}

#[test]
fn request_signatures_of_both_forms_are_reproduced() {
    for case in vectors("v1").iter().chain(&vectors("v2")) {
        let request = Request {
            method: text(case, "method"),
            target: text(case, "path"),
            body: text(case, "body").as_bytes(),
            timestamp: text(case, "timestamp"),
            nonce: case["nonce"].as_str(),
        };

        assert_eq!(
            request.sign(&secret(case)).to_string(),
            text(case, "signature"),
            "{case}"
        );
        assert_eq!(
            judge(case, text(case, "timestamp").parse().unwrap()),
            Ok(()),
            "{case}"
        );
    }
}

#[test]
fn answer_signatures_are_reproduced() {
    for case in vectors("v2_response") {
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        let body = text(&case, "body").as_bytes();
        let timestamp = text(&case, "timestamp");
        let request = Signature::parse(text(&case, "request_signature").as_bytes()).unwrap();
        let signature = Signature::parse(text(&case, "signature").as_bytes()).unwrap();
        let secret = secret(&case);

        let made =
            signing::sign_response(&secret, status, body, timestamp.parse().unwrap(), &request);

        assert_eq!(made, signature, "{case}");
        assert!(signing::verify_response(
            &secret, status, body, timestamp, &request, &signature
        ));
        assert!(!signing::verify_response(
            &secret,
            status + 1,
            body,
            timestamp,
            &request,
            &signature
        ));
    }
}

#[test]
fn every_case_that_must_fail_fails() {
    for case in vectors("must_fail") {
        assert!(
            judge(&case, case["now"].as_i64().unwrap()).is_err(),
            "{case}"
        );
    }
}

#[test]
fn a_target_signed_in_its_decoded_form_verifies() {
    for case in vectors("v1_decoded_fallback") {
        assert_eq!(
            judge(&case, text(&case, "timestamp").parse().unwrap()),
            Ok(()),
            "{case}"
        );
    }
}

#[test]
fn digests_are_reproduced() {
    for case in vectors("digest") {
        let peers: Vec<(PublicKey, PeerConfig)> = case["peers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|peer| serde_json::from_value::<PeerSpec>(peer.clone()).unwrap())
            .map(|peer| (peer.public_key, peer.config()))
            .collect();

        let digest = Digest::of(peers.iter().map(|(key, config)| (key, config)));

        assert_eq!(digest.to_string(), text(&case, "digest"), "{case}");
    }
}

#[test]
fn rotated_secrets_are_derived_by_both_sides() {
    for case in vectors("rotation") {
        let controller = PrivateKey::parse(text(&case, "controller_private")).unwrap();
        let agent = PrivateKey::parse(text(&case, "agent_private")).unwrap();
        let verifying = Secret::parse(text(&case, "verifying_secret")).unwrap();
        let exchange = Exchange {
            id: text(&case, "id"),
            controller: PublicKey::parse(text(&case, "controller_public")).unwrap(),
            agent: PublicKey::parse(text(&case, "agent_public")).unwrap(),
        };
        assert_eq!(controller.public_key(), exchange.controller);
        assert_eq!(agent.public_key(), exchange.agent);

        let ours = rotation::derive(&exchange, &agent, &exchange.controller, &verifying).unwrap();
        let theirs = rotation::derive(&exchange, &controller, &exchange.agent, &verifying).unwrap();

        assert_eq!(ours.reveal(), text(&case, "new_secret"));
        assert_eq!(theirs.reveal(), text(&case, "new_secret"));
    }
}
