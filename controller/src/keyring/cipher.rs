//! XChaCha20-Poly1305 with a random nonce of 192 bits, which is long enough never to meet itself.
//!
//! What is sealed begins with one byte that names this form, so that another can follow it.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

const FORM: u8 = 1;
const NONCE_BYTES: usize = 24;

/// 32 bytes that are wiped when dropped.
pub(super) type KeyBytes = Zeroizing<[u8; 32]>;

/// The value was not sealed with this key for this place, or it was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open")]
pub(super) struct NotOpened;

/// Derives the key for one use of `key`, so that no two uses share one.
pub(super) fn derive(key: &KeyBytes, use_of_it: &str) -> KeyBytes {
    let mut derived = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, key.as_slice())
        .expand(use_of_it.as_bytes(), derived.as_mut_slice())
        .expect("32 bytes are within what HKDF gives");
    derived
}

pub(super) fn seal(key: &KeyBytes, nonce: [u8; 24], bound_to: &str, plain: &[u8]) -> Vec<u8> {
    let payload = Payload {
        msg: plain,
        aad: bound_to.as_bytes(),
    };
    let sealed = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        .expect("no secret is near the 256 GiB that the cipher takes");
    [&[FORM], nonce.as_slice(), &sealed].concat()
}

pub(super) fn open(
    key: &KeyBytes,
    bound_to: &str,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
    let (&form, rest) = sealed.split_first().ok_or(NotOpened)?;
    let (nonce, msg) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(NotOpened)?;
    if form != FORM {
        return Err(NotOpened);
    }
    let payload = Payload {
        msg,
        aad: bound_to.as_bytes(),
    };
    cipher(key)
        .decrypt(&XNonce::from(*nonce), payload)
        .map(Zeroizing::new)
        .map_err(|_| NotOpened)
}

fn cipher(key: &KeyBytes) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.as_slice().try_into().expect("a key has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_sealed_opens_with_the_same_key_and_place(key: [u8; 32], nonce: [u8; 24], place in ".{0,40}", plain in vec(any::<u8>(), 0..200)) {
            let key = Zeroizing::new(key);

            let sealed = seal(&key, nonce, &place, &plain);

            prop_assert_eq!(open(&key, &place, &sealed), Ok(Zeroizing::new(plain)));
        }

        #[test]
        fn nothing_opens_that_was_changed_anywhere(key: [u8; 32], nonce: [u8; 24], plain in vec(any::<u8>(), 0..40), at: prop::sample::Index, bit in 0..8u8) {
            let key = Zeroizing::new(key);
            let mut sealed = seal(&key, nonce, "here", &plain);
            let at = at.index(sealed.len());

            sealed[at] ^= 1 << bit;

            prop_assert_eq!(open(&key, "here", &sealed), Err(NotOpened));
        }

        #[test]
        fn any_bytes_open_or_do_not_but_never_panic(bytes in vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(open(&Zeroizing::new([7; 32]), "here", &bytes), Err(NotOpened));
        }
    }

    #[test]
    fn a_value_opens_neither_elsewhere_nor_with_another_key() {
        let key = Zeroizing::new([1; 32]);
        let sealed = seal(&key, [9; 24], "here", b"secret");

        assert_eq!(open(&key, "there", &sealed), Err(NotOpened));
        assert_eq!(
            open(&Zeroizing::new([2; 32]), "here", &sealed),
            Err(NotOpened)
        );
        assert!(open(&key, "here", &sealed).is_ok());
    }

    #[test]
    fn each_use_of_a_key_has_its_own() {
        let key = Zeroizing::new([1; 32]);

        assert_ne!(derive(&key, "one"), derive(&key, "two"));
        assert_ne!(derive(&key, "one"), key);
    }
}
