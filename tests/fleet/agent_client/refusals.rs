//! What the agent refuses: told apart, with all that it says, and together with what did not change.

use std::sync::Arc;

use controller::agent::{AgentError, Refusal};
use protocol::signing::Secret;
use protocol::wire::answers::InSync;
use protocol::wire::{FullSet, PeerUpdate};
use protocol::{Cidr, InterfaceName};

use super::calls::set;
use super::{Node, clients, ip, key, peer, wg0};

/// The refusal that this must be.
pub(super) fn refusal<T: std::fmt::Debug>(
    result: Result<T, AgentError>,
    status: u16,
    problem: &str,
) -> Refusal {
    let err = result.unwrap_err();
    assert_eq!(err.problem(), problem, "{err:?}");
    assert!(!err.is_reachability_fault());
    let refusal = err.refusal().unwrap_or_else(|| panic!("{err:?}")).clone();
    assert_eq!(refusal.status, status, "{refusal:?}");
    refusal
}

#[tokio::test]
async fn what_an_agent_refuses_keeps_what_it_says_and_changes_nothing() {
    let (node, clients, name) = (Node::start(), clients(), wg0());
    let target = &node.target;
    let full = clients
        .put_peers(target, &name, &set(1, 1..=40), false)
        .await;
    let before: InSync = full.unwrap();

    let exists = clients
        .add_peer(target, &name, &peer(1, &["10.0.0.1/32"]))
        .await;
    let exists = refusal(exists, 409, "peer_exists");
    let taken = clients.add_peer(target, &name, &peer(99, &[&ip(2)])).await;
    let taken = refusal(taken, 409, "allowed_ip_taken");
    let unknown = clients
        .update_peer(target, &name, &key(99), &PeerUpdate::default())
        .await;
    let unknown = refusal(unknown, 404, "peer_unknown");
    let mass = clients
        .put_peers(target, &name, &set(2, 1..=5), false)
        .await;
    let mass = refusal(mass, 409, "mass_removal");
    let own = clients
        .add_peer(target, &name, &peer(0, &["10.0.0.1/32"]))
        .await;
    let own = refusal(own, 422, "refused");

    assert!(exists.is_peer_exists() && exists.is_for_content());
    let owned = (Cidr::parse(&ip(2)).unwrap(), key(2));
    assert_eq!(taken.allowed_ip_taken(), Some(owned));
    assert!(unknown.is_peer_unknown());
    assert_eq!(mass.mass_removal(), Some(35));
    assert_eq!(mass.generation_mismatch(), None);
    assert_eq!((own.code(), own.is_for_content()), ("own_key", true));
    assert_eq!(clients.digest(target, &name).await.unwrap(), before);

    let meant = FullSet {
        allow_removals: Some(35),
        ..set(2, 1..=5)
    };
    let done = clients
        .put_peers(target, &name, &meant, false)
        .await
        .unwrap();
    assert_eq!(done.peers, 5);
}

#[tokio::test]
async fn an_interface_that_is_not_served_or_not_there_is_missing() {
    let (node, clients) = (Node::start(), clients());
    let other = InterfaceName::parse("wg7").unwrap();

    let strange = clients.digest(&node.target, &other).await;
    let strange = refusal(strange, 403, "interface_missing");
    assert!(strange.is_interface_missing() && strange.retry_after.is_none());

    node.memory.vanish();
    let gone = clients
        .add_peer(&node.target, &wg0(), &peer(1, &["10.0.0.1/32"]))
        .await;
    let gone = refusal(gone, 503, "interface_missing");
    assert!(gone.is_interface_missing());
    assert_eq!(gone.retry_after, Some(std::time::Duration::from_secs(1)));
    assert_eq!(
        gone.to_string(),
        "the agent refused (interface_missing): interface wg0 does not exist at the moment"
    );
}

#[tokio::test]
async fn another_secret_or_key_id_is_refused_and_changes_nothing() {
    let (node, clients, name) = (Node::start(), clients(), wg0());
    let before = clients.digest(&node.target, &name).await.unwrap();
    let mut other = node.target.clone();
    other.secret = Arc::new(Secret::parse("another secret, of some other machine").unwrap());
    let mut unknown = node.target.clone();
    unknown.key_id = Some("nobody".into());

    for (target, expected) in [(other, "bad_signature"), (unknown, "unknown_key")] {
        let err = clients
            .add_peer(&target, &name, &peer(1, &["10.0.0.1/32"]))
            .await;
        let err = err.unwrap_err();

        assert!(
            matches!(err, AgentError::WrongSecret { code } if code == expected),
            "{err:?}"
        );
        assert_eq!(err.problem(), "wrong_secret");
    }
    assert_eq!(clients.digest(&node.target, &name).await.unwrap(), before);
}

#[tokio::test]
async fn a_key_id_that_no_header_can_carry_is_not_sent() {
    let node = Node::start();
    let mut target = node.target.clone();
    target.key_id = Some("a\nb".into());

    let err = clients().health(&target).await.unwrap_err();

    assert!(matches!(err, AgentError::Unsendable(_)), "{err:?}");
    assert_eq!(err.problem(), "unsendable");
}
