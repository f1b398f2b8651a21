//! Taking peers that a node already carries into the database, without touching anything on the wire; and the other
//! way to be rid of them, having the node remove them.
//!
//! An adopted peer keeps its addresses, what lies behind it, its keepalive, and its preshared key, which stays with the
//! node alone. The interface's generation rises, so that its agent takes a peer that only the kernel knew for its own;
//! it is told nothing that differs from what it has.

mod carried;
mod check;
mod remove;

use std::collections::BTreeMap;

use protocol::PublicKey;
use protocol::wire::answers::DumpedPeer;
use serde_json::json;

use super::change::{Call, Change, NOTHING};
use super::peers::create::{self, Made};
use super::{Fleet, Refusal, Result};
use crate::db;
use crate::db::interfaces::Interface;
use crate::db::placements::NewPlacement;
use crate::domain::actor::Actor;
use crate::domain::ids::{InterfaceId, UserId};
use crate::domain::names::Label;

use carried::Carried;
pub use remove::{MOST_REMOVALS, remove};

/// More unknown keys than any device was seen with.
const ALL: i64 = 100_000;

/// Who is to be adopted, and as what.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// None: whoever is unknown.
    pub keys: Option<Vec<PublicKey>>,
    /// What they are to be called; who has no name here is called after its key.
    pub names: BTreeMap<PublicKey, Label>,
    pub tags: Vec<String>,
    pub owner: Option<UserId>,
    /// Leave those alone that cannot be adopted, instead of adopting nobody.
    pub partial: bool,
}

/// Who was adopted, and why others were not.
#[derive(Debug)]
pub struct Adopted {
    pub peers: Vec<Made>,
    pub left: Vec<(String, Refusal)>,
}

/// Makes peers of unknown keys that an interface was seen with.
pub async fn adopt(fleet: &Fleet, call: &Call, id: InterfaceId, wish: &Wish) -> Result<Adopted> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let interface = hold(&mut change, id).await?;
    let wanted: Option<Vec<String>> = wish
        .keys
        .as_ref()
        .map(|keys| keys.iter().map(PublicKey::to_string).collect());
    let rows = db::observations::unknown::list(change.db(), id, wanted.as_deref(), "", ALL).await?;
    let carried: Vec<Carried> = rows.into_iter().map(Carried::seen).collect::<Result<_>>()?;
    let mut missing = Vec::new();
    for key in wanted.iter().flatten() {
        if !carried.iter().any(|one| one.key == *key) {
            let text = format!("interface {} holds no unknown key {key}", interface.name);
            missing.push((key.clone(), Refusal::conflict("unknown_key", text)));
        }
    }
    take(change, &interface, carried, missing, wish).await
}

/// What the policy `adopt` found: whoever can be adopted is, the others stay as they are. Tells how many these are.
pub async fn found(fleet: &Fleet, id: InterfaceId, peers: &[DumpedPeer]) -> Result<usize> {
    let call = Call::by(Actor::controller());
    let mut change = Change::begin(&fleet.pool, &call).await?;
    let interface = hold(&mut change, id).await?;
    let wish = Wish {
        partial: true,
        ..Wish::default()
    };
    let carried: Vec<Carried> = peers.iter().map(Carried::dumped).collect::<Result<_>>()?;
    let adopted = take(change, &interface, carried, Vec::new(), &wish).await?;
    Ok(adopted.left.len())
}

async fn take(
    mut change: Change<'_>,
    interface: &Interface,
    carried: Vec<Carried>,
    mut left: Vec<(String, Refusal)>,
    wish: &Wish,
) -> Result<Adopted> {
    let (taken, refused) = check::check(&mut change, interface, carried, wish).await?;
    left.extend(refused);
    if !wish.partial && !left.is_empty() {
        return Err(refuse(&left).into());
    }
    let peers: Vec<_> = taken.iter().map(|one| one.peer.clone()).collect();
    if taken.is_empty() && left.is_empty() {
        let peers = Vec::new();
        return Ok(Adopted { peers, left });
    }
    let generation = generation(&mut change, interface.id, !taken.is_empty()).await?;
    let ids = db::peers::insert(change.db(), &peers)
        .await
        .map_err(create::refused)?;
    let mut addresses = Vec::new();
    let mut placements = Vec::new();
    for (one, id) in taken.iter().zip(&ids) {
        addresses.extend(one.peer.addresses.iter().map(|address| (*address, *id)));
        placements.push(NewPlacement {
            interface: interface.id,
            peer: *id,
            sole: true,
            psk: None,
            psk_unknown: one.has_psk,
            keepalive_s: one.keepalive_s,
            generation,
            ranking: None,
        });
    }
    if !db::allocations::give(change.db(), interface.network_id, &addresses).await? {
        let text = "an address was just given to somebody else";
        return Err(Refusal::conflict("address_taken", text).into());
    }
    create::add_routes(change.db(), &peers, &ids).await?;
    db::placements::insert(change.db(), &placements).await?;
    let keys: Vec<String> = taken
        .iter()
        .map(|one| one.peer.public_key.to_string())
        .collect();
    db::retired_keys::revive(change.db(), &keys).await?;
    db::observations::claim(change.db(), &keys, &ids).await?;
    let made = create::made(change.db(), &ids).await?;
    let told = json!({
        "interface": interface.id,
        "peers": ids,
        "left": left.iter().map(|(key, why)| json!({"key": key, "code": why.code})).collect::<Vec<_>>(),
    });
    let object = object(interface.id);
    change
        .event("peers", "peers.adopted", &object, &told)
        .await?;
    change
        .finish("peer.adopt", &object, NOTHING, Some(&told))
        .await?;
    Ok(Adopted { peers: made, left })
}

/// The generation of the adopted. Where there are none it does not rise: they would be found again, without end.
async fn generation(change: &mut Change<'_>, id: InterfaceId, rises: bool) -> Result<i64> {
    let homes: &[InterfaceId] = if rises { &[id] } else { &[] };
    let raised = db::interfaces::raise(change.db(), homes).await?;
    Ok(raised.first().map_or(0, |(_, generation)| *generation))
}

/// Takes the network's lock, under which addresses are given out, and then reads the interface.
async fn hold(change: &mut Change<'_>, id: InterfaceId) -> Result<Interface> {
    let missing = || Refusal::missing("interface", id);
    let network = db::interfaces::find(change.db(), id).await?;
    let network = network.ok_or_else(missing)?.network_id;
    db::networks::lock(change.db(), network).await?;
    let interface = db::interfaces::find(change.db(), id).await?;
    let interface = interface.ok_or_else(missing)?;
    match interface.network_id == network {
        true => Ok(interface),
        false => Err(Refusal::conflict(
            "interface_moved",
            "the interface just moved to another network",
        )
        .into()),
    }
}

/// Refuses the whole, and tells of each that cannot be adopted.
fn refuse(left: &[(String, Refusal)]) -> Refusal {
    let rows: Vec<_> = left
        .iter()
        .map(|(key, why)| json!({"key": key, "code": why.code, "detail": why.text, "details": why.details}))
        .collect();
    let text = format!("{} of the keys cannot be adopted", rows.len());
    Refusal::conflict("cannot_adopt", text).with(json!({"rows": rows}))
}

fn object(id: InterfaceId) -> String {
    format!("interface/{id}")
}
