//! What proves somebody beside a password: an authenticator's codes, codes on paper, passkeys.
//!
//! A secret is asked for at sign-in only after a first code has proved that it arrived. Secrets and codes are shown
//! once, when they are made.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgTransaction;

use super::change::{Call, Change, NOTHING};
use super::{Fleet, FleetError, Kind, Refusal, Result};
use crate::db::passkeys::PasskeyRow;
use crate::db::{passkeys, second_factors, users};
use crate::domain::ids::{PasskeyId, UserId};
use crate::domain::recovery_code::{CODES, RecoveryCode};
use crate::domain::totp::TotpSecret;
use crate::keyring::{Column, OpenError, Place};
use crate::{clock, random};

const ISSUER: &str = "wgfleet";

/// How somebody proves who they are, as their own page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factors {
    pub has_totp: bool,
    pub recovery_codes_left: i64,
    pub passkeys: Vec<PasskeyRow>,
}

pub async fn list(fleet: &Fleet, user: UserId) -> Result<Factors> {
    Ok(Factors {
        has_totp: second_factors::has_totp(&fleet.pool, user).await?,
        recovery_codes_left: second_factors::codes_left(&fleet.pool, user).await?,
        passkeys: passkeys::list(&fleet.pool, user).await?,
    })
}

/// An authenticator's secret at the only moment at which it is shown.
#[derive(Debug)]
pub struct Enrolment {
    pub secret: TotpSecret,
    /// The login name and the program, as the authenticator lists them.
    account: String,
}

impl Enrolment {
    /// What the QR code holds.
    pub fn address(&self) -> zeroize::Zeroizing<String> {
        self.secret.address(&self.account, ISSUER)
    }
}

/// Makes a secret for an authenticator. Until a code confirms it, nothing changes at sign-in.
pub async fn begin_totp(fleet: &Fleet, call: &Call, user: UserId) -> Result<Enrolment> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let row = users::find(change.db(), user).await?;
    let row = row.ok_or_else(|| Refusal::missing("user", user))?;
    let secret = TotpSecret::from_random(random::bytes());
    let sealed = fleet.keyring.seal(&place(user), secret.as_bytes());
    let (bytes, key) = (&sealed.bytes, sealed.data_key_id);
    if !second_factors::put_totp(change.db(), user, bytes, key, clock::now()).await? {
        let text = "an authenticator is in use already: remove it first";
        return Err(Refusal::conflict("totp_in_use", text).into());
    }
    let object = format!("user/{user}");
    change
        .finish("totp.begin", &object, NOTHING, NOTHING)
        .await?;
    Ok(Enrolment {
        secret,
        account: row.name,
    })
}

/// Takes the first code of an authenticator, which is asked for from now on, and makes codes for the day it is lost.
pub async fn confirm_totp(
    fleet: &Fleet,
    call: &Call,
    user: UserId,
    code: &str,
) -> Result<Vec<RecoveryCode>> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    if second_factors::has_totp(change.db(), user).await? {
        let text = "an authenticator is in use already";
        return Err(Refusal::conflict("totp_in_use", text).into());
    }
    if !take(change.tx(), fleet, user, code, clock::now()).await? {
        let text = "this is not the code that the authenticator should show now";
        return Err(Refusal::invalid("wrong_code", text).into());
    }
    let codes = renew(&mut change, user).await?;
    let object = format!("user/{user}");
    let after = json!({"totp": true, "recovery_codes": codes.len()});
    change
        .finish("totp.confirm", &object, NOTHING, Some(&after))
        .await?;
    Ok(codes)
}

/// Removes the authenticator, and the codes that stood in for it.
pub async fn remove_totp(fleet: &Fleet, call: &Call, user: UserId) -> Result<()> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    if !second_factors::delete_totp(change.db(), user).await? {
        return Err(Refusal::missing("authenticator of user", user).into());
    }
    second_factors::delete_codes(change.db(), user).await?;
    let object = format!("user/{user}");
    change
        .finish("totp.remove", &object, NOTHING, NOTHING)
        .await
}

/// Makes new codes on paper; those made before are good for nothing any more.
pub async fn renew_codes(fleet: &Fleet, call: &Call, user: UserId) -> Result<Vec<RecoveryCode>> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    if !second_factors::has_totp(change.db(), user).await? {
        return Err(Refusal::missing("authenticator of user", user).into());
    }
    let codes = renew(&mut change, user).await?;
    let object = format!("user/{user}");
    let after = json!({"recovery_codes": codes.len()});
    change
        .finish("recovery_codes.renew", &object, NOTHING, Some(&after))
        .await?;
    Ok(codes)
}

/// Removes one passkey of a user.
pub async fn remove_passkey(fleet: &Fleet, call: &Call, user: UserId, id: PasskeyId) -> Result<()> {
    let mut change = Change::begin(&fleet.pool, call).await?;
    let name = passkeys::delete(change.db(), user, id).await?;
    let name = name.ok_or_else(|| Refusal::missing("passkey", id))?;
    let object = format!("user/{user}");
    change
        .finish("passkey.remove", &object, Some(&name), NOTHING)
        .await
}

/// Takes a code of a confirmed authenticator; false for one that is wrong or was taken before.
pub(super) async fn take_totp(
    tx: &mut PgTransaction<'_>,
    fleet: &Fleet,
    user: UserId,
    code: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    if !second_factors::has_totp(&mut **tx, user).await? {
        return Ok(false);
    }
    take(tx, fleet, user, code, now).await
}

async fn take(
    tx: &mut PgTransaction<'_>,
    fleet: &Fleet,
    user: UserId,
    code: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let Some(row) = second_factors::lock_totp(tx, user).await? else {
        return Ok(false);
    };
    let open = || {
        fleet
            .keyring
            .open_sealed(&place(user), &row.sealed, row.data_key_id)
    };
    let opened = match open() {
        // Sealed by another controller, with a key that was made since the ring was read.
        Err(OpenError::UnknownKey(_)) => {
            fleet.keyring.refresh(&fleet.pool).await?;
            open()?
        }
        opened => opened?,
    };
    let secret = TotpSecret::from_slice(&opened)
        .ok_or(FleetError::Corrupt("the secret of an authenticator"))?;
    let Some(step) = secret.check(code, now, row.last_step) else {
        return Ok(false);
    };
    second_factors::take_step(&mut **tx, user, step, now).await?;
    Ok(true)
}

async fn renew(change: &mut Change<'_>, user: UserId) -> Result<Vec<RecoveryCode>> {
    let codes: Vec<RecoveryCode> = (0..CODES)
        .map(|_| RecoveryCode::from_random(random::bytes()))
        .collect();
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| code.hash().to_vec()).collect();
    second_factors::delete_codes(change.db(), user).await?;
    second_factors::insert_codes(change.db(), user, &hashes).await?;
    Ok(codes)
}

/// A user has one authenticator, and an id is never given again.
fn place(user: UserId) -> Place {
    Place::new(Column::TotpSecret, user)
}

/// A name that somebody gives a thing of theirs.
pub(super) fn check_name(name: &str) -> Result<()> {
    let length = name.chars().count();
    if (1..=100).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(());
    }
    let text = "the name has 1 to 100 characters and no control characters";
    Err(Refusal::new(Kind::Invalid, "invalid_name", text).into())
}
