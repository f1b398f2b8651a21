//! From rows to what an interface should hold: keys parsed, preshared keys opened, prefixes gathered.

use std::collections::BTreeSet;

use ipnet::IpNet;
use protocol::{AllowedIps, Cidr, Digest, PeerConfig, PublicKey};

use crate::clock;
use crate::db::sync::desired::{self as rows, DesiredRow};
use crate::domain::drift::{self, Desired, DesiredPeers};
use crate::domain::ids::InterfaceId;
use crate::fleet::peers::psk;
use crate::fleet::{Fleet, FleetError, Result};
use crate::keyring::Keyring;

/// What changed on an interface between two generations.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub generation: i64,
    /// To be there.
    pub present: DesiredPeers,
    /// Not to be there.
    pub absent: Vec<PublicKey>,
    /// Those of the absent who are locked out: they go first, each by itself.
    pub isolated: Vec<PublicKey>,
}

/// Reads what changed after a generation; after -1, everything. None: the interface is gone.
pub(super) async fn changed_since(
    fleet: &Fleet,
    interface: InterfaceId,
    generation: i64,
) -> Result<Option<Changed>> {
    let found = rows::changed_since(&fleet.pool, interface, generation).await?;
    let Some(rows) = found else {
        return Ok(None);
    };
    let mut changed = Changed {
        generation: rows.generation,
        ..Changed::default()
    };
    for row in rows.peers {
        let key = key(&row.public_key)?;
        if row.active {
            let peer = peer(&fleet.keyring, interface, row)?;
            changed.present.insert(key, peer);
        } else {
            changed.absent.push(key);
            if row.isolated {
                changed.isolated.push(key);
            }
        }
    }
    let kept_out: BTreeSet<PublicKey> = changed.absent.iter().copied().collect();
    for departed in &rows.departed {
        let key = key(departed)?;
        // Who left and came back is there, or is kept out already: an agent refuses a key that is named twice.
        if !changed.present.contains_key(&key) && !kept_out.contains(&key) {
            changed.absent.push(key);
        }
    }
    Ok(Some(changed))
}

/// What an interface shows when it holds exactly what it should now.
pub(in crate::fleet) struct Expected {
    pub generation: i64,
    /// None: a preshared key is known to the node alone.
    pub digest: Option<Digest>,
}

/// Reads and reckons it. None: the interface is gone.
pub(in crate::fleet) async fn expected(
    fleet: &Fleet,
    interface: InterfaceId,
) -> Result<Option<Expected>> {
    let changed = changed_since(fleet, interface, -1).await?;
    Ok(changed.map(|changed| Expected {
        generation: changed.generation,
        digest: drift::expected_digest(&changed.present, clock::now().timestamp()),
    }))
}

fn peer(keyring: &Keyring, interface: InterfaceId, row: DesiredRow) -> Result<Desired> {
    let preshared_key = match (&row.psk_sealed, row.psk_key) {
        (Some(sealed), Some(key)) => Some(psk::open(keyring, interface, row.peer, sealed, key)?),
        _ => None,
    };
    Ok(Desired {
        config: PeerConfig {
            allowed_ips: allowed_ips(row.addresses.iter().chain(&row.routes))?,
            persistent_keepalive: u16::try_from(row.keepalive_s)
                .map_err(|_| FleetError::Corrupt("a keepalive"))?,
            preshared_key,
        },
        expires_at: row.expires_at.map(|at| at.timestamp()),
        psk_unknown: row.psk_unknown,
    })
}

fn allowed_ips<'a>(prefixes: impl Iterator<Item = &'a IpNet>) -> Result<AllowedIps> {
    prefixes
        .map(|net| Cidr::new(net.addr(), net.prefix_len()))
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| FleetError::Corrupt("a prefix"))
}

pub(super) fn key(text: &str) -> Result<PublicKey> {
    PublicKey::parse(text).map_err(|_| FleetError::Corrupt("a public key"))
}
