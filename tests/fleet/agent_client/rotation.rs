//! Replacing a node's secret with one that never travels.

use std::sync::Arc;

use protocol::rotation::{self, Exchange};
use protocol::wire::KeyExchange;

use super::{Node, clients, key, private_key, wg0};

#[tokio::test]
async fn a_secret_is_exchanged_activated_and_the_old_one_deleted() {
    let (node, clients) = (Node::start(), clients());
    let ours = KeyExchange {
        id: "second".into(),
        public_key: key(5),
    };

    let theirs = clients.exchange_secret(&node.target, &ours).await.unwrap();
    assert_eq!(theirs.id, "second");
    assert_eq!(
        clients.exchange_secret(&node.target, &ours).await.unwrap(),
        theirs
    );
    let exchange = Exchange {
        id: "second",
        controller: key(5),
        agent: theirs.public_key,
    };
    let own = private_key(5);
    let derived = rotation::derive(&exchange, &own, &theirs.public_key, &node.target.secret);
    let mut next = node.target.clone();
    next.secret = Arc::new(derived.unwrap());
    next.key_id = Some("second".into());
    let early = clients.digest(&next, &wg0()).await.unwrap_err();
    assert_eq!(early.problem(), "wrong_secret", "not active yet");

    for _ in 0..2 {
        clients.activate_secret(&next, "second").await.unwrap();
    }
    clients.digest(&next, &wg0()).await.unwrap();
    clients.digest(&node.target, &wg0()).await.unwrap();
    let active = clients.delete_secret(&next, "second").await.unwrap_err();
    assert_eq!(active.refusal().unwrap().code(), "secret_active");

    clients.delete_secret(&next, "initial").await.unwrap();
    let gone = clients.digest(&node.target, &wg0()).await.unwrap_err();
    assert_eq!(gone.problem(), "wrong_secret");
    clients.digest(&next, &wg0()).await.unwrap();
}

#[tokio::test]
async fn another_key_under_the_same_id_is_refused() {
    let (node, clients) = (Node::start(), clients());
    let offer = |n| KeyExchange {
        id: "second".into(),
        public_key: key(n),
    };
    let first = clients
        .exchange_secret(&node.target, &offer(5))
        .await
        .unwrap();

    let other = clients
        .exchange_secret(&node.target, &offer(6))
        .await
        .unwrap_err();

    assert_eq!(other.refusal().unwrap().code(), "secret_exists");
    let again = clients
        .exchange_secret(&node.target, &offer(5))
        .await
        .unwrap();
    assert_eq!(again, first);
}
