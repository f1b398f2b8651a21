//! Preshared keys of placements: made, sealed to where they belong, opened again.

use protocol::PresharedKey;

use super::super::{FleetError, Result};
use crate::domain::ids::{DataKeyId, InterfaceId, PeerId};
use crate::domain::peer::Psk;
use crate::keyring::{Column, Keyring, Place};
use crate::random;

/// What a row keeps of a preshared key.
pub(super) type SealedPsk = (Vec<u8>, DataKeyId);

/// Makes the key that is wanted for one placement, sealed to it.
pub(super) fn seal(
    keyring: &Keyring,
    interface: InterfaceId,
    peer: PeerId,
    wanted: &Psk,
) -> Option<SealedPsk> {
    make(wanted).map(|key| {
        let sealed = keyring.seal(&place(interface, peer), key.as_bytes());
        (sealed.bytes, sealed.data_key_id)
    })
}

/// Opens the key of a placement.
pub fn open(
    keyring: &Keyring,
    interface: InterfaceId,
    peer: PeerId,
    sealed: &[u8],
    key: DataKeyId,
) -> Result<PresharedKey> {
    let bytes = keyring.open_sealed(&place(interface, peer), sealed, key)?;
    let bytes: [u8; 32] = bytes
        .as_slice()
        .try_into()
        .map_err(|_| FleetError::Corrupt("a preshared key"))?;
    PresharedKey::from_bytes(bytes).map_err(|_| FleetError::Corrupt("a preshared key"))
}

fn place(interface: InterfaceId, peer: PeerId) -> Place {
    Place::new(Column::PlacementPsk, format_args!("{interface}/{peer}"))
}

fn make(wanted: &Psk) -> Option<PresharedKey> {
    match wanted {
        Psk::Given(key) => Some(key.clone()),
        Psk::None => None,
        // All zeros would mean no key; nobody will live to see the second round.
        Psk::Fresh => std::iter::repeat_with(random::bytes)
            .find_map(|bytes| PresharedKey::from_bytes(bytes).ok()),
    }
}
