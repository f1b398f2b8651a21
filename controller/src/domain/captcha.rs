//! A proof of work in place of a puzzle, in the form of ALTCHA 2: the browser looks for a counter whose hash begins
//! with a zero byte.
//!
//! A challenge is signed, not stored, and bound to the browser that it was made for. Which ones were used up is for the
//! caller to remember, by their nonce. Nothing here keeps a person with patience and a computer out: it makes each
//! guess cost.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::token::TokenHash;

/// 256 tries on average; what a try costs is a setting.
const PREFIX: &str = "00";
const ALGORITHM: &str = "SHA-256";
const KEY_BYTES: usize = 32;

/// As the browser gets it, in JSON, and sends it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    pub parameters: Parameters,
    /// Over the parameters and the browser, in hex.
    pub signature: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    pub algorithm: String,
    /// How often each try is hashed.
    pub cost: u32,
    pub expires_at: i64,
    pub key_length: usize,
    pub key_prefix: String,
    pub nonce: String,
    pub salt: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Solution {
    pub counter: u32,
    pub derived_key: String,
}

/// What a form brings, as base64 of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    pub challenge: Challenge,
    pub solution: Solution,
}

/// A solved challenge. It is good once: whoever takes it remembers the nonce until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solved {
    pub nonce: [u8; 16],
    pub expires_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaptchaError {
    #[error("is no solved challenge")]
    Malformed,
    #[error("is not of a challenge that was made for this browser")]
    Foreign,
    #[error("has expired")]
    Expired,
    #[error("does not solve the challenge")]
    Unsolved,
}

/// Makes a challenge for one browser; `random` becomes the nonce and the salt.
pub fn challenge(
    key: &[u8; 32],
    browser: &TokenHash,
    random: [u8; 32],
    cost: u32,
    expires_at: DateTime<Utc>,
) -> Challenge {
    let (nonce, salt) = random.split_at(16);
    let parameters = Parameters {
        algorithm: ALGORITHM.to_owned(),
        cost,
        expires_at: expires_at.timestamp(),
        key_length: KEY_BYTES,
        key_prefix: PREFIX.to_owned(),
        nonce: hex::encode(nonce),
        salt: hex::encode(salt),
    };
    let signature = hex::encode(mac(key, browser, &parameters).finalize().into_bytes());
    Challenge {
        parameters,
        signature,
    }
}

/// Verifies what a browser found. What was signed here has the cost that was asked for, so that checking is cheap.
pub fn verify(
    key: &[u8; 32],
    browser: &TokenHash,
    payload: &Payload,
    now: DateTime<Utc>,
) -> Result<Solved, CaptchaError> {
    let Payload {
        challenge: Challenge {
            parameters,
            signature,
        },
        solution,
    } = payload;
    let signature = hex::decode(signature).map_err(|_| CaptchaError::Malformed)?;
    mac(key, browser, parameters)
        .verify_slice(&signature)
        .map_err(|_| CaptchaError::Foreign)?;
    let expires_at =
        DateTime::from_timestamp(parameters.expires_at, 0).ok_or(CaptchaError::Malformed)?;
    if expires_at <= now {
        return Err(CaptchaError::Expired);
    }
    let nonce = bytes(&parameters.nonce)?;
    let found = derive(
        parameters.cost,
        &nonce,
        &bytes(&parameters.salt)?,
        solution.counter,
    );
    if found[0] != 0 || hex::encode(found) != solution.derived_key {
        return Err(CaptchaError::Unsolved);
    }
    Ok(Solved { nonce, expires_at })
}

/// Looks for a solution as a browser does: for programs that sign in, and for tests.
pub fn solve(challenge: &Challenge) -> Result<Solution, CaptchaError> {
    let Parameters {
        cost, nonce, salt, ..
    } = &challenge.parameters;
    let (nonce, salt) = (bytes(nonce)?, bytes(salt)?);
    for counter in 0..=u32::MAX {
        let found = derive(*cost, &nonce, &salt, counter);
        if found[0] == 0 {
            return Ok(Solution {
                counter,
                derived_key: hex::encode(found),
            });
        }
    }
    Err(CaptchaError::Unsolved)
}

fn derive(cost: u32, nonce: &[u8; 16], salt: &[u8; 16], counter: u32) -> [u8; 32] {
    let first = Sha256::new()
        .chain_update(salt)
        .chain_update(nonce)
        .chain_update(counter.to_be_bytes())
        .finalize();
    (1..cost).fold(first, |hash, _| Sha256::digest(hash)).into()
}

fn bytes(text: &str) -> Result<[u8; 16], CaptchaError> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| CaptchaError::Malformed)?;
    Ok(bytes)
}

fn mac(key: &[u8; 32], browser: &TokenHash, parameters: &Parameters) -> Hmac<Sha256> {
    let Parameters {
        algorithm,
        cost,
        expires_at,
        key_length,
        key_prefix,
        nonce,
        salt,
    } = parameters;
    let text = format!("{algorithm}|{cost}|{expires_at}|{key_length}|{key_prefix}|{nonce}|{salt}|");
    Hmac::<Sha256>::new_from_slice(key)
        .expect("HMAC takes a key of any length")
        .chain_update(text)
        .chain_update(browser.as_bytes())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 32] = [3; 32];
    const BROWSER: TokenHash = TokenHash([5; 32]);

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn solved(random: [u8; 32]) -> Payload {
        let challenge = challenge(&KEY, &BROWSER, random, 3, at(300));
        let solution = solve(&challenge).unwrap();
        Payload {
            challenge,
            solution,
        }
    }

    fn judge(payload: &Payload) -> Result<(), CaptchaError> {
        verify(&KEY, &BROWSER, payload, at(0)).map(|_| ())
    }

    #[test]
    fn a_solution_is_taken_from_the_browser_that_it_was_made_for_until_it_expires() {
        let payload = solved([7; 32]);

        let taken = verify(&KEY, &BROWSER, &payload, at(299)).unwrap();
        assert_eq!((taken.nonce, taken.expires_at), ([7; 16], at(300)));
        let late = verify(&KEY, &BROWSER, &payload, at(300));
        assert_eq!(late, Err(CaptchaError::Expired));
        let elsewhere = verify(&KEY, &TokenHash([6; 32]), &payload, at(0));
        assert_eq!(elsewhere, Err(CaptchaError::Foreign));
        let other_key = verify(&[4; 32], &BROWSER, &payload, at(0));
        assert_eq!(other_key, Err(CaptchaError::Foreign));
    }

    #[test]
    fn a_challenge_that_was_made_easier_or_longer_lived_is_foreign() {
        let good = solved([7; 32]);
        let change = |change: &dyn Fn(&mut Parameters)| {
            let mut payload = good.clone();
            change(&mut payload.challenge.parameters);
            judge(&payload)
        };

        assert_eq!(judge(&good), Ok(()));
        assert_eq!(change(&|p| p.cost = 1), Err(CaptchaError::Foreign));
        assert_eq!(change(&|p| p.expires_at += 1), Err(CaptchaError::Foreign));
        assert_eq!(
            change(&|p| p.key_prefix.clear()),
            Err(CaptchaError::Foreign)
        );
        assert_eq!(
            change(&|p| p.nonce = "00".repeat(16)),
            Err(CaptchaError::Foreign)
        );
    }

    #[test]
    fn a_counter_that_solves_nothing_is_refused_whatever_key_it_claims() {
        let good = solved([7; 32]);
        let mut wrong = good.clone();
        wrong.solution.counter = good.solution.counter.wrapping_add(1);
        assert_eq!(judge(&wrong), Err(CaptchaError::Unsolved));
        let mut wrong = good;
        wrong.solution.derived_key = "00".repeat(32);
        assert_eq!(judge(&wrong), Err(CaptchaError::Unsolved));
    }

    #[test]
    fn a_challenge_is_spelled_as_the_widget_reads_it() {
        let challenge = challenge(
            &KEY,
            &BROWSER,
            [0xab; 32],
            200,
            at(0) + TimeDelta::minutes(5),
        );

        let json = serde_json::to_value(&challenge).unwrap();

        assert_eq!(
            json["parameters"],
            serde_json::json!({
                "algorithm": "SHA-256", "cost": 200, "expiresAt": 1_800_000_300, "keyLength": 32, "keyPrefix": "00",
                "nonce": "ab".repeat(16), "salt": "ab".repeat(16),
            })
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_is_solved_is_verified(random: [u8; 32]) {
            prop_assert_eq!(judge(&solved(random)), Ok(()));
        }
    }
}
