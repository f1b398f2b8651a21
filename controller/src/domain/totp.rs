//! Codes of an authenticator: RFC 6238 with SHA-1, six digits and 30 seconds, which is what every one of them speaks.
//!
//! A code is taken once: neither its step nor an older one is taken again.

use std::fmt;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use zeroize::{Zeroize, Zeroizing};

const STEP_S: i64 = 30;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// 160 bits, as RFC 4226 recommends.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret([u8; 20]);

impl TotpSecret {
    pub fn from_random(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// None if these are not 20 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What somebody types who cannot scan.
    pub fn base32(&self) -> Zeroizing<String> {
        let letters = self.0.chunks_exact(5).flat_map(|five| {
            let bits = five
                .iter()
                .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
            (0..8)
                .rev()
                .map(move |i| char::from(BASE32[(bits >> (5 * i) & 31) as usize]))
        });
        Zeroizing::new(letters.collect())
    }

    /// What an authenticator scans. Both names are plain letters, digits, dots and hyphens.
    pub fn address(&self, account: &str, issuer: &str) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            *self.base32()
        ))
    }

    /// Tells which step a code is of, if it may be taken: of this step or of a neighbour, and newer than `last_step`.
    pub fn check(&self, code: &str, now: DateTime<Utc>, last_step: Option<i64>) -> Option<i64> {
        let code = read(code)?;
        let current = now.timestamp().div_euclid(STEP_S);
        let mut found = None;
        for step in [current - 1, current, current + 1] {
            let is_new = last_step.is_none_or(|last| step > last);
            if self.code_at(step) == code && is_new {
                found = found.or(Some(step));
            }
        }
        found
    }

    fn code_at(&self, step: i64) -> u32 {
        let mut mac =
            Hmac::<Sha1>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let offset = usize::from(hash[19] & 15);
        let four = [
            hash[offset],
            hash[offset + 1],
            hash[offset + 2],
            hash[offset + 3],
        ];
        (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000
    }
}

/// People write a code as it is shown, often in two groups.
fn read(code: &str) -> Option<u32> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let is_code = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit());
    is_code.then(|| digits.parse().ok()).flatten()
}

impl Drop for TotpSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(***)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The secret of the vectors in RFC 6238.
    fn secret() -> TotpSecret {
        TotpSecret::from_slice(b"12345678901234567890").unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_vectors_of_the_standard_are_met() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = secret().check(code, at(seconds), None);
            assert_eq!(step, Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_taken_once_and_so_are_those_before_it() {
        let now = at(59);
        let previous = format!("{:06}", secret().code_at(0));

        assert_eq!(secret().check("287 082", now, None), Some(1));
        assert_eq!(secret().check("287082", now, Some(1)), None);
        assert_eq!(secret().check(&previous, now, None), Some(0));
        assert_eq!(secret().check(&previous, now, Some(1)), None);
    }

    #[test]
    fn a_clock_may_be_one_step_off_and_no_more() {
        let taken = |seconds| secret().check("287082", at(seconds), None).is_some();

        assert!(taken(0) && taken(89));
        assert!(!taken(90) && !taken(-1));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for code in ["", "28708", "2870820", "28708a", "+87082", "２８７０８２"] {
            assert_eq!(secret().check(code, at(59), None), None, "{code}");
        }
    }

    #[test]
    fn the_secret_is_spelled_as_authenticators_read_it_and_not_printed() {
        assert_eq!(&*secret().base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            &*secret().address("ada", "wgfleet"),
            "otpauth://totp/wgfleet:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=wgfleet&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(format!("{:?}", secret()), "TotpSecret(***)");
    }

    proptest! {
        #[test]
        fn a_code_that_was_taken_is_never_taken_again(secret: [u8; 20], now in 0..4_000_000_000i64, later in 0..90i64) {
            let secret = TotpSecret::from_random(secret);
            let code = format!("{:06}", secret.code_at(now.div_euclid(30)));
            let step = secret.check(&code, at(now), None).unwrap();

            let again = secret.check(&code, at(now + later), Some(step));

            prop_assert!(again.is_none_or(|other| other > step && secret.code_at(other) == secret.code_at(step)));
        }
    }
}
