//! The endpoints of an agent as typed calls. Each may be repeated: that is the agents' contract.

use protocol::wire::answers::{Config, Done, Dump, Health, InSync};
use protocol::wire::{Batch, ConfigUpdate, FullSet, KeyExchange, PeerSpec, PeerUpdate};
use protocol::{InterfaceName, PublicKey};
use reqwest::Method;
use serde::Serialize;

use super::error::{AgentError, Malformed};
use super::exchange::Call;
use super::{Clients, Target, paths};

/// What agents take in one body, and in a full set of peers.
const BODY_BYTES: usize = 1 << 20;
const FULL_SET_BYTES: usize = 16 << 20;

/// Far more than any answer but a dump has, and than a dump of 10,000 peers.
const ANSWER_BYTES: usize = 1 << 20;
const DUMP_BYTES: usize = 32 << 20;

impl Clients {
    pub async fn health(&self, target: &Target) -> Result<Health, AgentError> {
        self.call(target, &get(paths::HEALTH.into())).await
    }

    /// All peers, or those that changed since a cursor that an earlier dump gave.
    pub async fn dump(
        &self,
        target: &Target,
        interface: &InterfaceName,
        since: Option<&str>,
    ) -> Result<Dump, AgentError> {
        let call = Call {
            answer_limit: DUMP_BYTES,
            ..get(paths::dump(interface, since))
        };
        self.call(target, &call).await
    }

    pub async fn digest(
        &self,
        target: &Target,
        interface: &InterfaceName,
    ) -> Result<InSync, AgentError> {
        self.call(target, &get(paths::below(interface, "digest")))
            .await
    }

    pub async fn add_peer(
        &self,
        target: &Target,
        interface: &InterfaceName,
        peer: &PeerSpec,
    ) -> Result<Done, AgentError> {
        let path = paths::below(interface, "peers");
        self.call(target, &write(Method::POST, path, peer)?).await
    }

    pub async fn update_peer(
        &self,
        target: &Target,
        interface: &InterfaceName,
        key: &PublicKey,
        update: &PeerUpdate,
    ) -> Result<Done, AgentError> {
        let path = paths::peer(interface, key);
        self.call(target, &write(Method::PUT, path, update)?).await
    }

    pub async fn delete_peer(
        &self,
        target: &Target,
        interface: &InterfaceName,
        key: &PublicKey,
    ) -> Result<Done, AgentError> {
        let path = paths::peer(interface, key);
        self.call(target, &bare(Method::DELETE, path)).await
    }

    /// Moves an interface from one generation to the next, and returns where it then stands.
    pub async fn patch_peers(
        &self,
        target: &Target,
        interface: &InterfaceName,
        batch: &Batch,
    ) -> Result<InSync, AgentError> {
        let path = paths::below(interface, "peers");
        let call = write(Method::PATCH, path, batch)?;
        standing(self.call(target, &call).await?)
    }

    /// Has an interface hold these peers and no others, and returns where it then stands.
    pub async fn put_peers(
        &self,
        target: &Target,
        interface: &InterfaceName,
        set: &FullSet,
        foreign_remove: bool,
    ) -> Result<InSync, AgentError> {
        let call = Call {
            body_limit: FULL_SET_BYTES,
            ..write(Method::PUT, paths::full_set(interface, foreign_remove), set)?
        };
        standing(self.call(target, &call).await?)
    }

    pub async fn config(
        &self,
        target: &Target,
        interface: &InterfaceName,
    ) -> Result<Config, AgentError> {
        self.call(target, &get(paths::below(interface, "config")))
            .await
    }

    pub async fn put_config(
        &self,
        target: &Target,
        interface: &InterfaceName,
        update: &ConfigUpdate,
    ) -> Result<Done, AgentError> {
        let path = paths::below(interface, "config");
        self.call(target, &write(Method::PUT, path, update)?).await
    }

    pub async fn enable(
        &self,
        target: &Target,
        interface: &InterfaceName,
    ) -> Result<Done, AgentError> {
        let path = paths::below(interface, "enable");
        self.call(target, &bare(Method::POST, path)).await
    }

    pub async fn disable(
        &self,
        target: &Target,
        interface: &InterfaceName,
    ) -> Result<Done, AgentError> {
        let path = paths::below(interface, "disable");
        self.call(target, &bare(Method::POST, path)).await
    }

    /// Removes an interface that the agent made.
    pub async fn remove_interface(
        &self,
        target: &Target,
        interface: &InterfaceName,
    ) -> Result<Done, AgentError> {
        let path = paths::interface(interface);
        self.call(target, &bare(Method::DELETE, path)).await
    }

    /// Offers our half of a key exchange and returns the agent's.
    pub async fn exchange_secret(
        &self,
        target: &Target,
        ours: &KeyExchange,
    ) -> Result<KeyExchange, AgentError> {
        let path = paths::SECRETS.into();
        self.call(target, &write(Method::POST, path, ours)?).await
    }

    /// Makes a secret the active one. The target must hold that very secret.
    pub async fn activate_secret(&self, target: &Target, id: &str) -> Result<Done, AgentError> {
        let path = paths::activation(id);
        self.call(target, &bare(Method::POST, path)).await
    }

    pub async fn delete_secret(&self, target: &Target, id: &str) -> Result<Done, AgentError> {
        let path = paths::secret(id);
        self.call(target, &bare(Method::DELETE, path)).await
    }
}

fn get(target: String) -> Call {
    bare(Method::GET, target)
}

fn bare(method: Method, target: String) -> Call {
    Call {
        method,
        target,
        body: Vec::new(),
        body_limit: BODY_BYTES,
        answer_limit: ANSWER_BYTES,
    }
}

fn write<T: Serialize>(method: Method, target: String, body: &T) -> Result<Call, AgentError> {
    let body = serde_json::to_vec(body);
    let body = body.map_err(|_| AgentError::Unsendable("its body cannot be written as JSON"))?;
    Ok(Call {
        body,
        ..bare(method, target)
    })
}

/// A batch is answered with where the interface stands, or the answer is not one to a batch.
fn standing(done: Done) -> Result<InSync, AgentError> {
    let absent = Malformed::Shape { line: 1, column: 1 };
    done.in_sync.ok_or(AgentError::Malformed(absent))
}
