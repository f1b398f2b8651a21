//! The secrets that nodes are called with: given or made up, sealed before they are written.
//!
//! Replacing one here follows its replacement on the machine. Rotating one without either noticing is another flow.

use protocol::signing::Secret;

use super::{find, hold, object, seen::Seen};
use crate::db;
use crate::db::node_secrets::InsertError;
use crate::db::nodes::Node;
use crate::domain::ids::NodeId;
use crate::domain::node::KeyId;
use crate::fleet::change::{Call, Change};
use crate::fleet::{Fleet, Refusal, Result};
use crate::keyring::{Column, Place};
use crate::random;

/// What a node is to be called with from now on.
pub struct NewSecret {
    pub key_id: KeyId,
    /// None: one is made up.
    pub secret: Option<Secret>,
}

/// Takes note of a secret that was replaced on the machine, and forgets all earlier ones.
///
/// Answers with the secret if it was made up here.
pub async fn replace_secret(
    fleet: &Fleet,
    call: &Call,
    id: NodeId,
    secret: NewSecret,
) -> Result<(Node, Option<Secret>)> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let before = hold(&mut change, id).await?;
    db::node_secrets::delete_all(change.db(), id).await?;
    let generated = give(fleet, &mut change, id, secret).await?;
    db::nodes::touch(change.db(), id).await?;
    db::nodes::poll_now(change.db(), id).await?;
    let after = find(change.db(), id).await?;
    let object = object(id);
    change
        .event("nodes", "node.secret_replaced", &object, &Seen::of(&after))
        .await?;
    change
        .finish(
            "node.replace_secret",
            &object,
            Some(&Seen::of(&before)),
            Some(&Seen::of(&after)),
        )
        .await?;
    Ok((after, generated))
}

/// Gives a node without secrets one, and answers with it if it was made up here and is kept.
pub(super) async fn give(
    fleet: &Fleet,
    change: &mut Change<'_>,
    node: NodeId,
    new: NewSecret,
) -> Result<Option<Secret>> {
    let (secret, generated) = match new.secret {
        Some(secret) => (secret, false),
        None => (make_up(), true),
    };
    let plain = secret.reveal().as_bytes();
    let sealed = fleet.keyring.seal(&place(node, new.key_id.as_str()), plain);
    let fingerprint = fleet.keyring.fingerprint(plain);
    let inserted = db::node_secrets::insert_active(
        change.db(),
        node,
        new.key_id.as_str(),
        &sealed,
        &fingerprint,
    );
    match inserted.await {
        Ok(()) => {}
        Err(InsertError::SecretTaken) => {
            let text = "another node has this secret; each needs its own";
            return Err(Refusal::conflict("secret_taken", text).into());
        }
        Err(InsertError::Db(err)) => return Err(err.into()),
    }
    // What is taken back again is no secret of anybody's and not worth showing.
    Ok((generated && !change.call.dry_run).then_some(secret))
}

/// Where a node's secret is sealed. Neither id changes while the row lives.
pub(super) fn place(node: NodeId, key_id: &str) -> Place {
    Place::new(Column::NodeSecret, format!("{node}/{key_id}"))
}

fn make_up() -> Secret {
    loop {
        let digits = hex::encode(random::bytes::<32>());
        // Of 64 random digits fewer than 8 different ones are as good as never seen.
        if let Ok(secret) = Secret::parse(&digits) {
            return secret;
        }
    }
}
