//! Rotating the secret over HTTP: at every moment there is one that works.

use std::time::Duration;

use protocol::rotation::{self, Exchange};
use protocol::signing::Secret;
use protocol::{PrivateKey, PublicKey};
use serde_json::json;

use crate::bed::{Bed, Client, Response, Setup, ip, key};

/// The controller's side of one rotation.
struct Rotation {
    id: String,
    private: PrivateKey,
}

impl Rotation {
    fn new(id: &str, n: u8) -> Self {
        Self {
            id: id.into(),
            private: PrivateKey::from_random([n; 32]),
        }
    }

    fn offer(&self, client: &Client) -> Response {
        let public_key = self.private.public_key().to_string();
        client.post(
            "/v1/secrets",
            &json!({ "id": self.id, "public_key": public_key }),
        )
    }

    /// Offers and derives what the agent must have derived as well.
    fn exchange(&self, client: &Client) -> Secret {
        let answer = self.offer(client);
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = answer.json();
        assert_eq!(body.as_object().unwrap().len(), 2);
        assert_eq!(body["id"], self.id);
        let agent = PublicKey::parse(body["public_key"].as_str().unwrap()).unwrap();
        let exchange = Exchange {
            id: &self.id,
            controller: self.private.public_key(),
            agent,
        };
        rotation::derive(&exchange, &self.private, &agent, &client.secret).unwrap()
    }

    fn activate(&self, client: &Client) -> Response {
        let path = format!("/v1/secrets/{}/activate", self.id);
        client.call("POST", &path, b"")
    }
}

fn holding(client: &Client, secret: &Secret, key_id: Option<&str>) -> Client {
    Client {
        secret: secret.clone(),
        key_id: key_id.map(str::to_owned),
        ..client.clone()
    }
}

fn is_let_in(client: &Client) -> bool {
    let answer = client.send(&client.draft("GET", "/v1/health", b""));
    match answer.status {
        200 => {
            assert_eq!(answer.verified, Some(true));
            true
        }
        401 => false,
        _ => panic!("{answer:?}"),
    }
}

fn with_short_retirement() -> Bed {
    let timing = "observe_s = 1\nwatch_ms = 50\nretry_ms = 50\nsample_s = 1\nretiring_s = 2\ntls_reload_s = 1";
    Bed::with(Setup {
        timing: timing.into(),
        ..Setup::default()
    })
}

#[test]
fn a_secret_is_replaced_without_a_moment_in_which_none_works() {
    let mut bed = Bed::start();
    let rotation = Rotation::new("second", 1);
    let old = bed.client.clone();

    let secret = rotation.exchange(&old);
    assert!(is_let_in(&old));
    let next = holding(&old, &secret, Some("second"));
    let done = rotation.activate(&next);
    assert_eq!(done.status, 200, "{done:?}");

    let new = holding(&old, &secret, None);
    assert!(is_let_in(&new) && is_let_in(&next) && is_let_in(&old));
    bed.client = new;
    assert_eq!(bed.add(&key(1), &[&ip(1)]).status, 201);
    bed.restart();
    assert_eq!(bed.delete(&key(1)).status, 200);
}

#[test]
fn an_offered_secret_verifies_its_own_activation_and_nothing_else() {
    let bed = Bed::start();
    let rotation = Rotation::new("second", 1);
    let secret = rotation.exchange(&bed.client);
    let next = holding(&bed.client, &secret, Some("second"));

    for (method, target) in [
        ("GET", "/v1/health".to_owned()),
        ("GET", bed.path("/dump")),
        ("DELETE", "/v1/secrets/second".into()),
        ("DELETE", bed.path("/peers/x")),
        ("POST", "/v1/secrets/initial/activate".into()),
        ("POST", "/v1/secrets/third/activate".into()),
        ("GET", "/v1/secrets/second/activate".into()),
    ] {
        let refused = next.send(&next.draft(method, &target, b""));
        if target.contains("second/activate") {
            assert_eq!(refused.status, 405);
            continue;
        }
        assert_eq!(
            refused.code(),
            (401, "unknown_key".into()),
            "{method} {target}"
        );
        assert_eq!(refused.verified, None);
    }
    let unnamed = holding(&bed.client, &secret, None);
    let refused = unnamed.send(&unnamed.draft("POST", "/v1/secrets/second/activate", b""));
    assert_eq!(refused.code(), (401, "bad_signature".into()));

    assert_eq!(rotation.activate(&next).status, 200);
}

#[test]
fn every_step_may_be_repeated() {
    let bed = Bed::start();
    let rotation = Rotation::new("second", 1);

    let secret = rotation.exchange(&bed.client);
    assert_eq!(rotation.exchange(&bed.client), secret);
    let next = holding(&bed.client, &secret, Some("second"));
    assert_eq!(rotation.activate(&next).status, 200);
    assert_eq!(rotation.activate(&next).status, 200);

    let again = rotation.offer(&next);
    assert_eq!(again.status, 200, "{again:?}");
    assert!(is_let_in(&next));
}

#[test]
fn a_restart_between_any_two_steps_loses_nothing() {
    let mut bed = Bed::start();
    let rotation = Rotation::new("second", 1);

    let secret = rotation.exchange(&bed.client);
    bed.restart();
    assert!(is_let_in(&bed.client));
    assert_eq!(rotation.exchange(&bed.client), secret);
    bed.restart();
    let next = holding(&bed.client, &secret, Some("second"));
    assert_eq!(rotation.activate(&next).status, 200);
    bed.restart();
    let next = holding(&bed.client, &secret, Some("second"));
    assert_eq!(rotation.activate(&next).status, 200);

    assert!(is_let_in(&next) && is_let_in(&bed.client));
}

#[test]
fn the_same_id_with_another_key_is_refused_and_another_id_replaces_the_offer() {
    let bed = Bed::start();
    let first = Rotation::new("second", 1);
    let secret = first.exchange(&bed.client);

    let refused = Rotation::new("second", 2).offer(&bed.client);
    assert_eq!(refused.code(), (409, "secret_exists".into()));
    let initial = Rotation::new("initial", 2).offer(&bed.client);
    assert_eq!(initial.code(), (409, "secret_exists".into()));
    assert_eq!(first.exchange(&bed.client), secret);

    let third = Rotation::new("third", 3);
    let newer = third.exchange(&bed.client);
    let replaced = holding(&bed.client, &secret, Some("second"));
    let refused = replaced.send(&replaced.draft("POST", "/v1/secrets/second/activate", b""));
    assert_eq!(refused.code(), (401, "unknown_key".into()));
    let next = holding(&bed.client, &newer, Some("third"));
    assert_eq!(third.activate(&next).status, 200);
}

#[test]
fn bad_offers_are_refused() {
    let bed = Bed::start();
    let good = key(1);
    let low_order = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    for body in [
        json!({ "id": "", "public_key": good }),
        json!({ "id": "a b", "public_key": good }),
        json!({ "id": "a".repeat(65), "public_key": good }),
        json!({ "id": "a", "public_key": "nonsense" }),
        json!({ "id": "a", "public_key": low_order }),
        json!({ "id": "a" }),
        json!({ "id": "a", "public_key": good, "secret": "x" }),
    ] {
        let refused = bed.client.post("/v1/secrets", &body);
        assert_eq!(refused.status, 422, "{body}: {refused:?}");
    }
    let unknown = bed.client.call("POST", "/v1/secrets/a/activate", b"");
    assert_eq!(unknown.code(), (404, "secret_unknown".into()));
    assert!(is_let_in(&bed.client));
}

#[test]
fn the_active_secret_is_not_deleted_and_an_offer_is() {
    let bed = Bed::start();
    let rotation = Rotation::new("second", 1);
    let secret = rotation.exchange(&bed.client);

    let refused = bed.client.delete("/v1/secrets/initial");
    assert_eq!(refused.code(), (409, "secret_active".into()));
    assert!(is_let_in(&bed.client));

    assert_eq!(bed.client.delete("/v1/secrets/second").status, 200);
    assert_eq!(bed.client.delete("/v1/secrets/second").status, 200);
    let next = holding(&bed.client, &secret, Some("second"));
    let refused = next.send(&next.draft("POST", "/v1/secrets/second/activate", b""));
    assert_eq!(refused.code(), (401, "unknown_key".into()));
}

#[test]
fn a_retiring_secret_works_changes_no_secrets_and_is_gone_in_time() {
    let mut bed = with_short_retirement();
    let old = bed.client.clone();
    let rotation = Rotation::new("second", 1);
    let secret = rotation.exchange(&old);
    let new = holding(&old, &secret, Some("second"));
    assert_eq!(rotation.activate(&new).status, 200);

    assert!(is_let_in(&old));
    assert_eq!(bed.add(&key(1), &[&ip(1)]).status, 201);
    for refused in [
        Rotation::new("third", 3).offer(&old),
        old.call("POST", "/v1/secrets/second/activate", b""),
        old.delete("/v1/secrets/second"),
        old.delete("/v1/secrets/initial"),
    ] {
        assert_eq!(refused.code(), (403, "retiring_secret".into()));
    }

    Bed::within(Duration::from_secs(4), "the old secret to go", || {
        !is_let_in(&old)
    });
    Bed::within(Duration::from_secs(3), "the disk to forget it", || {
        let kept = std::fs::read_to_string(bed.state_dir().join("secrets.json")).unwrap();
        !kept.contains(crate::bed::SECRET)
    });
    assert!(is_let_in(&new));
    bed.client = new;
    bed.restart();
    assert!(is_let_in(&bed.client));
}

#[test]
fn a_retiring_secret_is_deleted_before_its_time() {
    let bed = Bed::start();
    let rotation = Rotation::new("second", 1);
    let secret = rotation.exchange(&bed.client);
    let new = holding(&bed.client, &secret, Some("second"));
    rotation.activate(&new);

    assert_eq!(new.delete("/v1/secrets/initial").status, 200);

    assert!(!is_let_in(&bed.client));
    assert!(is_let_in(&new));
    assert_eq!(
        new.delete("/v1/secrets/second").code(),
        (409, "secret_active".into())
    );
}

#[test]
fn another_secret_at_the_machine_replaces_the_whole_ring() {
    let mut bed = Bed::start();
    let rotation = Rotation::new("second", 1);
    let secret = rotation.exchange(&bed.client);
    let rotated = holding(&bed.client, &secret, None);
    let named = holding(&bed.client, &secret, Some("second"));
    assert_eq!(rotation.activate(&named).status, 200);
    bed.restart();
    let rotated = holding(&bed.client, &rotated.secret, None);
    assert!(is_let_in(&rotated));

    bed.stop();
    bed.replace_secret("another secret, made at the machine itself");
    bed.run();

    assert!(is_let_in(&bed.client));
    let rotated = holding(&bed.client, &rotated.secret, None);
    let first = holding(&bed.client, &crate::bed::secret(), None);
    assert!(!is_let_in(&rotated) && !is_let_in(&first));
    assert_eq!(bed.client.delete("/v1/secrets/initial").status, 409);
}

#[test]
fn no_answer_and_no_file_for_others_holds_a_secret() {
    let bed = Bed::start();
    let rotation = Rotation::new("second", 1);

    let offered = rotation.offer(&bed.client);
    let secret = rotation.exchange(&bed.client);

    for text in [offered.text(), bed.health().to_string()] {
        assert!(!text.contains(secret.reveal()) && !text.contains(crate::bed::SECRET));
    }
}
