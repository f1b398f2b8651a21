//! Deriving a node's next secret, so that it never travels.
//!
//! Both sides make a fresh X25519 key pair, exchange the public halves in a signed call and derive
//! the same secret. The salt is the secret that verified that call: whoever forged the exchange
//! without it ends with another secret.

use hkdf::Hkdf;
use sha2::Sha256;
use x25519_dalek::{PublicKey as DalekPublic, StaticSecret};

use crate::signing::Secret;
use crate::{PrivateKey, PublicKey};

/// The other side sent a point that makes every private key agree on the same result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the public key is of low order and shares no secret")]
pub struct LowOrderKey;

/// The two public keys of an exchange, each in its role.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    pub id: &'a str,
    pub controller: PublicKey,
    pub agent: PublicKey,
}

/// Derives the new secret; `own` is either side's private key, `other` the opposite public one.
pub fn derive(
    exchange: &Exchange<'_>,
    own: &PrivateKey,
    other: &PublicKey,
    verifying: &Secret,
) -> Result<Secret, LowOrderKey> {
    let shared =
        StaticSecret::from(*own.as_bytes()).diffie_hellman(&DalekPublic::from(*other.as_bytes()));
    if !shared.was_contributory() {
        return Err(LowOrderKey);
    }
    let info = format!(
        "wgfleet-secret-1|{}|{}|{}",
        exchange.id, exchange.controller, exchange.agent
    );
    let mut bytes = [0; 32];
    Hkdf::<Sha256>::new(Some(verifying.reveal().as_bytes()), shared.as_bytes())
        .expand(info.as_bytes(), &mut bytes)
        .expect("HKDF-SHA256 gives 32 bytes");
    Ok(Secret::parse(&hex::encode(bytes)).expect("64 hex digits of a hash are a secret"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_derive_the_same_secret() {
        let controller = PrivateKey::from_random([1; 32]);
        let agent = PrivateKey::from_random([2; 32]);
        let exchange = Exchange {
            id: "next",
            controller: controller.public_key(),
            agent: agent.public_key(),
        };
        let verifying = Secret::parse("correct horse battery staple 0123456789").unwrap();

        let theirs = derive(&exchange, &controller, &agent.public_key(), &verifying).unwrap();
        let ours = derive(&exchange, &agent, &controller.public_key(), &verifying).unwrap();

        assert_eq!(theirs, ours);
    }

    #[test]
    fn a_low_order_point_is_refused() {
        let mut one = [0; 32];
        one[0] = 1;
        let low = PublicKey::from_bytes(one).unwrap();
        let own = PrivateKey::from_random([2; 32]);
        let exchange = Exchange {
            id: "next",
            controller: low,
            agent: own.public_key(),
        };
        let verifying = Secret::parse("correct horse battery staple 0123456789").unwrap();

        assert_eq!(derive(&exchange, &own, &low, &verifying), Err(LowOrderKey));
    }
}
