//! Peer by peer: for agents that know no batches, for batches that are refused, and for peers whose preshared key
//! only the node knows.

use protocol::PublicKey;
use protocol::wire::{PeerSpec, PeerUpdate};

use super::apply::Stop;
use super::carry::Link;
use super::desired::Changed;
use crate::agent::AgentError;
use crate::domain::drift::{Changes, Desired, DesiredPeers, Release};

/// Everything that changed. Removals first: what they free can be claimed then.
pub(super) async fn send_all(link: &Link<'_>, changed: &Changed) -> Result<(), Stop> {
    for key in &changed.absent {
        remove(link, key).await?;
    }
    send_unknown(link, &changed.present).await?;
    let known = changed.present.iter().filter(|(_, peer)| !peer.psk_unknown);
    let peers: Vec<PeerSpec> = known.map(|(key, peer)| peer.spec(*key)).collect();
    send_each(link, &peers).await
}

/// What would have gone as a batch.
pub(super) async fn send_changes(link: &Link<'_>, changes: &Changes) -> Result<(), Stop> {
    for key in &changes.remove {
        remove(link, key).await?;
    }
    send_each(link, &changes.upsert).await
}

/// Has a peer let go of what another one is to have.
pub(super) async fn release(link: &Link<'_>, release: &Release) -> Result<(), Stop> {
    let update = PeerUpdate {
        allowed_ips: Some(release.keeps.clone()),
        ..PeerUpdate::default()
    };
    let sent = link
        .agents
        .update_peer(&link.target, &link.name, &release.key, &update);
    sent.await?;
    Ok(())
}

/// Peers whose preshared key only the node knows: told everything else, so that it keeps the key.
pub(super) async fn send_unknown(link: &Link<'_>, peers: &DesiredPeers) -> Result<(), Stop> {
    for (key, peer) in peers.iter().filter(|(_, peer)| peer.psk_unknown) {
        let sent = link
            .agents
            .update_peer(&link.target, &link.name, key, &all_but_psk(peer))
            .await;
        match sent {
            Ok(_) => {}
            // It is gone there, and its preshared key with it: a person has to give it a new one.
            Err(AgentError::Refused(refusal)) if refusal.is_peer_unknown() => {}
            Err(err) => return Err(err.into()),
        }
    }
    Ok(())
}

fn all_but_psk(peer: &Desired) -> PeerUpdate {
    PeerUpdate {
        allowed_ips: Some(peer.config.allowed_ips.clone()),
        persistent_keepalive: Some(Some(peer.config.persistent_keepalive)),
        expires_at: Some(peer.expires_at),
        ..PeerUpdate::default()
    }
}

/// Sends each peer, and goes on where one is refused for what it is.
async fn send_each(link: &Link<'_>, peers: &[PeerSpec]) -> Result<(), Stop> {
    let mut refused = Vec::new();
    for peer in peers {
        match put(link, peer).await {
            Ok(()) => {}
            Err(AgentError::Refused(refusal)) if refusal.is_for_content() => {
                refused.push(format!("{}: {refusal}", peer.public_key));
            }
            Err(err) => return Err(err.into()),
        }
    }
    let count = refused.len();
    match refused.into_iter().next() {
        None => Ok(()),
        Some(first) => Err(Stop::Partly {
            refused: count,
            first,
        }),
    }
}

/// Adds a peer, or makes the one that is there the same.
async fn put(link: &Link<'_>, peer: &PeerSpec) -> Result<(), AgentError> {
    match link.agents.add_peer(&link.target, &link.name, peer).await {
        Ok(_) => Ok(()),
        Err(AgentError::Refused(refusal)) if refusal.is_peer_exists() => {
            let update = PeerUpdate {
                allowed_ips: Some(peer.allowed_ips.clone()),
                preshared_key: Some(peer.preshared_key.clone()),
                persistent_keepalive: Some(peer.persistent_keepalive),
                endpoint: None,
                expires_at: Some(peer.expires_at),
            };
            let key = &peer.public_key;
            let sent = link
                .agents
                .update_peer(&link.target, &link.name, key, &update);
            sent.await.map(|_| ())
        }
        Err(err) => Err(err),
    }
}

async fn remove(link: &Link<'_>, key: &PublicKey) -> Result<(), Stop> {
    link.agents
        .delete_peer(&link.target, &link.name, key)
        .await?;
    Ok(())
}
