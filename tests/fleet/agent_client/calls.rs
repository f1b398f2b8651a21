//! Every call against the agent itself, and what its device then holds.

use node_agent::device::{Device, Memory, Reading};
use protocol::wire::{Batch, ConfigUpdate, FullSet, PeerUpdate};
use protocol::{AllowedIps, Cidr, Digest, PeerConfig, PresharedKey};

use super::refusals::refusal;
use super::{Node, clients, ip, key, peer, peers, private_key, wg0};

/// A full set of peers with one address each.
pub(super) fn set(generation: u64, numbers: impl IntoIterator<Item = u32>) -> FullSet {
    FullSet {
        generation,
        base_generation: None,
        peers: peers(numbers),
        allow_removals: None,
    }
}

#[tokio::test]
async fn peers_are_added_changed_read_and_removed_one_by_one() {
    let (node, clients, name) = (Node::start(), clients(), wg0());
    let mut spec = peer(1, &["10.0.0.1/32", "fd00::1/128"]);
    spec.preshared_key = Some(PresharedKey::from_bytes([9; 32]).unwrap());
    spec.persistent_keepalive = Some(25);

    for _ in 0..2 {
        let added = clients.add_peer(&node.target, &name, &spec).await.unwrap();
        assert_eq!(added.peer.unwrap().allowed_ips, spec.allowed_ips);
    }
    let first = clients.dump(&node.target, &name, None).await.unwrap();
    assert_eq!(first.peers.len(), 1);
    assert_eq!(first.peers[0].public_key, key(1));
    assert_eq!(first.peers[0].persistent_keepalive, 25);
    assert!(first.peers[0].has_preshared_key);
    assert_eq!(
        first.digest,
        Some(Digest::of([(&key(1), &spec.config())]).to_string())
    );

    let update = PeerUpdate {
        preshared_key: Some(None),
        persistent_keepalive: Some(Some(0)),
        ..PeerUpdate::default()
    };
    let updated = clients
        .update_peer(&node.target, &name, &key(1), &update)
        .await;
    assert_eq!(updated.unwrap().message, "Peer updated successfully");
    let config = PeerConfig {
        allowed_ips: spec.allowed_ips.clone(),
        ..PeerConfig::default()
    };
    let in_sync = clients.digest(&node.target, &name).await.unwrap();
    assert_eq!(in_sync.digest, Digest::of([(&key(1), &config)]).to_string());
    let later = clients
        .dump(&node.target, &name, first.cursor.as_deref())
        .await;
    let later = later.unwrap();
    assert_eq!((later.full, later.peers.len()), (Some(false), 1));

    for _ in 0..2 {
        let removed = clients.delete_peer(&node.target, &name, &key(1)).await;
        assert_eq!(removed.unwrap().message, "Peer removed successfully");
    }
    let last = clients
        .dump(&node.target, &name, later.cursor.as_deref())
        .await;
    assert_eq!(last.unwrap().removed, Some(vec![key(1)]));
}

#[tokio::test]
async fn a_key_of_every_spelling_names_its_peer() {
    let (node, clients, name) = (Node::start(), clients(), wg0());
    let awkward = (1..).filter(|n| {
        let text = key(*n).to_string();
        text.contains('/') && text.contains('+')
    });
    for n in awkward.take(3) {
        let spec = peer(n, &[&ip(n)]);
        clients.add_peer(&node.target, &name, &spec).await.unwrap();
        let keepalive = PeerUpdate {
            persistent_keepalive: Some(Some(15)),
            ..PeerUpdate::default()
        };
        let updated = clients
            .update_peer(&node.target, &name, &key(n), &keepalive)
            .await;
        updated.unwrap();
        let dump = clients.dump(&node.target, &name, None).await.unwrap();
        let kept = |it: &&protocol::wire::answers::DumpedPeer| it.public_key == key(n);
        assert_eq!(
            dump.peers.iter().find(kept).unwrap().persistent_keepalive,
            15
        );
        clients
            .delete_peer(&node.target, &name, &key(n))
            .await
            .unwrap();
    }
    assert_eq!(clients.digest(&node.target, &name).await.unwrap().peers, 0);
}

#[tokio::test]
async fn batches_and_full_sets_move_the_generation_and_say_where_the_interface_stands() {
    let (node, clients, name) = (Node::start(), clients(), wg0());
    let batch = |base_generation, generation, upsert, remove| Batch {
        base_generation,
        generation,
        upsert,
        remove,
    };

    let first = batch(None, 3, peers(1..=5), Vec::new());
    let first = clients
        .patch_peers(&node.target, &name, &first)
        .await
        .unwrap();
    let second = batch(Some(3), 4, peers(6..=6), vec![key(1)]);
    let second = clients
        .patch_peers(&node.target, &name, &second)
        .await
        .unwrap();
    let third = clients
        .put_peers(&node.target, &name, &set(9, 2..=7), false)
        .await;
    let third = third.unwrap();

    assert_eq!((first.generation, first.peers), (Some(3), 5));
    assert_eq!((second.generation, second.peers), (Some(4), 5));
    assert_eq!((third.generation, third.peers), (Some(9), 6));
    assert_eq!(clients.digest(&node.target, &name).await.unwrap(), third);

    let late = batch(Some(4), 10, peers(8..=8), Vec::new());
    let late = clients.patch_peers(&node.target, &name, &late).await;
    let late = refusal(late, 409, "generation_mismatch");
    assert_eq!(late.generation_mismatch(), Some(&third));
    assert!(!late.is_for_content());
    assert_eq!(clients.digest(&node.target, &name).await.unwrap(), third);
}

#[tokio::test]
async fn a_foreign_peer_goes_only_with_a_set_that_says_so() {
    let (node, clients, name) = (Node::start(), clients(), wg0());
    node.memory.foreign_put(key(50), PeerConfig::default());

    let kept = clients
        .put_peers(&node.target, &name, &set(1, 1..=3), false)
        .await;
    assert_eq!(kept.unwrap().peers, 4);
    let removed = FullSet {
        allow_removals: Some(1),
        ..set(2, 1..=3)
    };
    let removed = clients.put_peers(&node.target, &name, &removed, true).await;
    assert_eq!(removed.unwrap().peers, 3);
}

#[tokio::test]
async fn settings_are_read_and_replaced_and_the_link_goes_up_and_down() {
    let (node, clients, name) = (Node::start(), clients(), wg0());
    let target = &node.target;
    let update = ConfigUpdate {
        private_key: Some(private_key(77)),
        listen_port: Some(51_833),
        address: Some("10.8.0.1/24, fd00::1/64".into()),
        mtu: Some(1380),
        dns: Some(Some("10.8.0.1".into())),
        ..ConfigUpdate::default()
    };

    let done = clients.put_config(target, &name, &update).await.unwrap();
    assert_eq!(done.reloaded, Some(true));
    let config = clients.config(target, &name).await.unwrap().config;
    assert_eq!(config.public_key, Some(key(77)));
    assert_eq!((config.listen_port, config.mtu), (Some(51_833), Some(1380)));
    assert_eq!(config.dns.as_deref(), Some("10.8.0.1"));
    let forgotten = ConfigUpdate {
        dns: Some(None),
        ..ConfigUpdate::default()
    };
    clients.put_config(target, &name, &forgotten).await.unwrap();
    let config = clients.config(target, &name).await.unwrap().config;
    assert_eq!((config.dns, config.mtu), (None, Some(1380)));

    let down = clients.disable(target, &name).await.unwrap();
    assert_eq!(down.was_up, Some(true));
    let health = clients.health(target).await.unwrap();
    assert_eq!(
        health.interface("wg0").unwrap().status.as_deref(),
        Some("down")
    );
    let up = clients.enable(target, &name).await.unwrap();
    assert_eq!(up.was_down, Some(true));

    let kept = refusal(
        clients.remove_interface(target, &name).await,
        409,
        "refused",
    );
    assert_eq!(kept.code(), "not_created");
    assert!(
        Device::Memory(node.memory.clone())
            .index()
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn an_interface_that_the_agent_made_can_be_removed() {
    let memory = Memory::new(&wg0());
    memory.vanish();
    let (node, clients) = (Node::with(memory, "create = true"), clients());

    clients
        .remove_interface(&node.target, &wg0())
        .await
        .unwrap();

    assert!(
        Device::Memory(node.memory.clone())
            .index()
            .unwrap()
            .is_none()
    );
    let gone = clients.digest(&node.target, &wg0()).await;
    assert_eq!(
        refusal(gone, 404, "interface_missing").code(),
        "interface_unknown"
    );
}

#[tokio::test]
async fn a_dump_of_ten_thousand_peers_with_five_addresses_each_reads_back_whole() {
    let config = |n: u32| PeerConfig {
        allowed_ips: (0..5)
            .map(|i| Cidr::parse(&format!("fd00:{:x}:{:x}::{i}/128", n / 256, n % 256)).unwrap())
            .collect::<AllowedIps>(),
        persistent_keepalive: 25,
        preshared_key: None,
    };
    let names = |n: u32| {
        let mut bytes = [7; 32];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        protocol::PublicKey::from_bytes(bytes).unwrap()
    };
    let memory = Memory::from_reading(&wg0(), Reading::default());
    for n in 0..10_000 {
        memory.foreign_put(names(n), config(n));
    }
    let node = Node::with(memory, "");

    let dump = clients().dump(&node.target, &wg0(), None).await.unwrap();

    assert_eq!(dump.peers.len(), 10_000);
    assert!(
        dump.peers
            .iter()
            .all(|it| it.allowed_ips.len() == 5 && it.foreign)
    );
    let all: Vec<_> = (0..10_000).map(|n| (names(n), config(n))).collect();
    let digest = Digest::of(all.iter().map(|(key, config)| (key, config)));
    assert_eq!(dump.digest, Some(digest.to_string()));
}
