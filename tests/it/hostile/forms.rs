//! Requests of another form than the contract's: targets, methods, versions, kinds of body.

use protocol::signing::Request;
use serde_json::json;

use super::{assert_stranger, bed, refused, removal, write};
use crate::bed::{Bed, Client, Wire, key, now};

/// A removal of a peer that is there, signed over this target and sent to it.
fn removal_of(bed: &Bed, target: &str) -> crate::bed::Draft {
    bed.client.draft_of(Request {
        method: "DELETE",
        target,
        body: b"",
        timestamp: &now().to_string(),
        nonce: None,
    })
}

#[test]
fn a_target_that_is_no_plain_path_is_refused_however_well_signed() {
    let bed = bed();
    let good = removal(&bed);
    for target in [
        format!("{good}|"),
        bed.path("/peers/a|b"),
        format!("{good}?a|b"),
        format!("http://node{good}"),
        format!("https://node{good}"),
        "*".to_owned(),
    ] {
        let draft = removal_of(&bed, &target);

        refused(&bed, &draft, 400, "bad_target", &target);
    }
}

#[test]
fn control_bytes_in_a_target_are_refused_however_well_signed() {
    let bed = bed();
    let before = bed.standing();
    for byte in [0_u8, 1, 9, 11, 12, 27, 31, 127] {
        let target = format!("{}{}", removal(&bed), char::from(byte));

        let response = bed.client.send(&removal_of(&bed, &target));

        // The parser below the agent may refuse it first, with no body.
        assert_eq!(response.status, 400, "{byte}: {response:?}");
        assert_eq!(response.verified, None);
        assert_eq!(bed.standing(), before, "{byte}");
    }
}

#[test]
fn other_versions_of_http_are_refused() {
    let bed = bed();
    let before = bed.standing();
    let bytes = removal_of(&bed, &removal(&bed)).bytes();
    let request = String::from_utf8(bytes).unwrap();

    for version in [
        "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "http/1.1", "",
    ] {
        let mut wire = Wire::open(bed.address());
        wire.send(request.replacen("HTTP/1.1", version, 1).as_bytes());
        let response = wire.answer();

        assert!(
            [400, 505].contains(&response.status),
            "{version:?}: {response:?}"
        );
        assert_eq!(response.header("x-signature"), None, "{version:?}");
        assert_eq!(bed.standing(), before, "{version:?}");
    }
}

#[test]
fn methods_that_the_contract_does_not_know_are_refused() {
    let bed = bed();
    for method in ["OPTIONS", "TRACE", "CONNECT", "PURGE", "get", "DELETEX"] {
        // What CONNECT names is an authority, of which nothing is left for a path.
        let target = match method {
            "CONNECT" => "node:8080".to_owned(),
            _ => removal(&bed),
        };
        let draft = bed.client.draft(method, &target, b"");

        refused(&bed, &draft, 405, "method_not_allowed", method);
    }
    let before = bed.standing();
    for (method, target) in [
        ("POST", bed.path("/dump")),
        ("GET", bed.path("/peers")),
        ("PATCH", removal(&bed)),
        ("PUT", "/health".into()),
        ("POST", "/livez".into()),
    ] {
        let response = bed.client.call(method, &target, b"");
        assert_eq!(response.code(), (405, "method_not_allowed".into()));
        assert!(response.header("allow").is_some(), "{response:?}");
    }
    assert_eq!(bed.standing(), before);
}

#[test]
fn an_encoded_body_is_refused_unread() {
    let bed = bed();
    for encoding in ["gzip", "identity", "br, gzip", ""] {
        let mut draft = write(&bed, &bed.client);
        draft.set("Content-Encoding", encoding);

        refused(&bed, &draft, 415, "content_encoding", encoding);
    }
    let mut without_body = bed.client.draft("DELETE", &removal(&bed), b"");
    without_body.set("Content-Encoding", "gzip");
    refused(&bed, &without_body, 415, "content_encoding", "no body");
}

#[test]
fn a_body_that_does_not_say_it_is_json_is_refused_in_a_signed_answer() {
    let bed = bed();
    let before = bed.standing();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "",
    ] {
        let mut draft = write(&bed, &bed.client);
        draft.set("Content-Type", kind);
        let response = bed.client.send(&draft);
        assert_eq!(response.code(), (415, "not_json".into()), "{kind}");
        assert_eq!(response.verified, Some(true), "{kind}");
    }
    let mut draft = write(&bed, &bed.client);
    draft.unset("Content-Type");
    assert_eq!(bed.client.send(&draft).code(), (415, "not_json".into()));
    assert_eq!(bed.standing(), before);

    let mut draft = write(&bed, &bed.client);
    draft.set("Content-Type", "Application/JSON; charset=utf-8");
    assert_eq!(bed.client.send(&draft).status, 201);
}

#[test]
fn a_signed_body_that_is_not_utf8_fails_as_json() {
    let bed = bed();
    let before = bed.standing();
    for body in [&b"\xff\xfe{}"[..], b"{\"public_key\":\"\xff\"}", b"\0"] {
        let response = bed.client.call("POST", &bed.path("/peers"), body);

        assert_eq!(response.code(), (400, "not_json".into()), "{body:?}");
    }
    assert_eq!(bed.standing(), before);
}

#[test]
fn a_request_of_two_lengths_is_refused() {
    let bed = bed();
    let before = bed.standing();
    let extra: [&[(&str, &str)]; 4] = [
        &[("Content-Length", "0")],
        &[("Content-Length", "+5")],
        &[("Content-Length", "-1")],
        &[("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
    ];
    for headers in extra {
        let mut draft = write(&bed, &bed.client);
        for (name, value) in headers {
            draft.repeat(name, value);
        }

        let response = bed.client.send(&draft);

        assert_eq!(response.status, 400, "{headers:?}: {response:?}");
        assert_eq!(bed.standing(), before, "{headers:?}");
    }
}

#[test]
fn a_chunked_body_is_what_is_left_when_the_chunks_are_undone() {
    let bed = bed();
    let mut draft = write(&bed, &bed.client);
    draft.set("Transfer-Encoding", "chunked");
    let (first, second) = draft.body.split_at(10);
    let chunk =
        |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    draft.body = [chunk(first), chunk(second), b"0\r\n\r\n".to_vec()].concat();

    let response = bed.client.send(&draft);

    assert_eq!((response.status, response.verified), (201, Some(true)));
}

#[test]
fn headers_are_judged_before_a_body_is_waited_for() {
    let bed = bed();
    for (name, code) in [
        ("X-Signature", "missing_signature"),
        ("X-Timestamp", "bad_timestamp"),
    ] {
        let mut draft = write(&bed, &bed.client);
        draft.unset(name);
        let mut bytes = draft.bytes();
        bytes.truncate(bytes.len() - draft.body.len());

        let mut wire = Wire::open(bed.address());
        wire.send(&bytes);
        let response = wire.answer();

        assert_stranger(&response, 401, code, name);
    }
}

#[test]
fn the_decoded_path_counts_for_the_first_form_without_a_query_alone() {
    let bed = bed();
    let [awkward, ..] = crate::bed::awkward_keys();
    let sent = bed.path(&format!("/peers/{}", crate::bed::encode(&awkward)));
    let signed = bed.path(&format!("/peers/{awkward}"));
    let first = Client {
        nonces: false,
        ..bed.client.clone()
    };
    assert_eq!(bed.add(&awkward, &["10.0.3.1/32"]).status, 201);

    let mut second_form = bed.client.draft("DELETE", &signed, b"");
    second_form.target.clone_from(&sent);
    refused(&bed, &second_form, 401, "bad_signature", "with a nonce");

    let mut with_query = first.draft("DELETE", &format!("{signed}?x=1"), b"");
    with_query.target = format!("{sent}?x=1");
    refused(&bed, &with_query, 401, "bad_signature", "with a query");

    for (raw, decoded) in [
        ("a%7Cb", "a|b"),
        ("a%20b", "a b"),
        ("a%25b", "a%b"),
        ("a%3Fb", "a?b"),
        ("a%7E", "a~"),
    ] {
        let mut draft = first.draft("DELETE", &bed.path(&format!("/peers/{decoded}")), b"");
        draft.target = bed.path(&format!("/peers/{raw}"));
        refused(&bed, &draft, 401, "bad_signature", raw);
    }

    let twice = sent.replace('%', "%25");
    let mut decoded_once = first.draft("DELETE", &signed, b"");
    decoded_once.target = twice;
    refused(&bed, &decoded_once, 401, "bad_signature", "encoded twice");

    let mut good = first.draft("DELETE", &signed, b"");
    good.target = sent;
    let response = bed.client.send(&good);
    assert_eq!((response.status, response.verified), (200, Some(true)));
    assert!(bed.peers().iter().all(|(held, _)| *held != awkward));
}

#[test]
fn what_was_asked_of_an_interface_beyond_the_list_is_refused_signed_and_leads_nowhere() {
    let bed = bed();
    let before = bed.standing();
    let body = json!({ "public_key": key(2), "allowed_ips": ["10.0.1.2/32"] }).to_string();
    for name in ["lo", "eth0", "wg0", "..", "%2e%2e", "a%2Fb", "%00", ""] {
        let target = format!("/v1/wg/{name}/peers");

        let response = bed.client.call("POST", &target, body.as_bytes());

        assert_eq!(
            response.code(),
            (403, "interface_not_allowed".into()),
            "{name}"
        );
    }
    assert_eq!(bed.standing(), before);
}
