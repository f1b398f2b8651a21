//! The limits of signing in, against what all controllers remember: attempts by address and by account, and proofs of
//! work that were taken.
//!
//! Both records are locked while one attempt is judged and counted, so that no number of attempts at once, at however
//! many controllers, gets past the limit. An attempt that is refused is not counted, and leaves no row.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SubsecRound, Utc};
use sqlx::PgTransaction;

use super::{Denied, Result};
use crate::db::sign_in_limits::{self, Subject};
use crate::domain::captcha::{self, CaptchaError, Challenge, Payload, Solved};
use crate::domain::throttle::{Counted, Facts, Limit, Record, Verdict, source};
use crate::domain::token::TokenHash;
use crate::fleet::Fleet;
use crate::fleet::sessions::Visitor;
use crate::keyring::Keyring;
use crate::{clock, random};

/// More is no payload of the widget.
const MOST_PAYLOAD_BYTES: usize = 4096;

/// An attempt that was counted. Whoever succeeds gives it back; dropped, it stays a failure.
pub(super) struct Ticket {
    subjects: [Subject; 2],
    counted: [Counted; 2],
}

/// What came along to prove work.
pub(super) enum Proof<'a> {
    /// A second step, after a proof where one was needed.
    NotAsked,
    None,
    Given(&'a str),
}

impl<'a> Proof<'a> {
    pub(super) fn of(text: Option<&'a str>) -> Self {
        match text {
            None | Some("") => Self::None,
            Some(text) => Self::Given(text),
        }
    }
}

/// Makes a challenge for a browser: signed, not stored.
pub fn challenge(fleet: &Fleet, browser: &TokenHash) -> Challenge {
    let settings = &fleet.settings.sign_in;
    let expires_at = clock::now() + settings.captcha_ttl;
    captcha::challenge(
        &key(&fleet.keyring),
        browser,
        random::bytes(),
        settings.captcha_cost,
        expires_at,
    )
}

/// Whether the login page should ask for work at once; the account is known only to a form that was refused.
pub async fn wants_captcha(
    fleet: &Fleet,
    visitor: &Visitor<'_>,
    account: Option<&str>,
) -> Result<bool> {
    let rules = &fleet.settings.sign_in.rules;
    let [by_address, by_account] = subjects(&fleet.keyring, visitor, account.unwrap_or(""));
    let address = sign_in_limits::find(&fleet.pool, &by_address).await?;
    let account = match account {
        Some(_) => sign_in_limits::find(&fleet.pool, &by_account).await?,
        None => Record::default(),
    };
    Ok(rules.wants_captcha(&address, &account, clock::now()))
}

/// Counts an attempt that may be made, or says why it may not.
pub(super) async fn admit(
    fleet: &Fleet,
    visitor: &Visitor<'_>,
    account: &str,
    proof: Proof<'_>,
) -> Result<Ticket> {
    let rules = fleet.settings.sign_in.rules;
    let subjects = subjects(&fleet.keyring, visitor, account);
    let mut tx = fleet.pool.begin().await?;
    let [mut address, mut account] = sign_in_limits::lock(&mut tx, subjects, clock::now()).await?;
    // Read when it is this attempt's turn, so that those before it are not in its future; and as exact as the database,
    // which has to know the attempt again.
    let now = clock::now().trunc_subsecs(6);
    let solved = match proof {
        Proof::Given(text) => Some(solved(fleet, &visitor.browser, text, now)),
        Proof::NotAsked | Proof::None => None,
    };
    let facts = Facts {
        address: &address,
        account: &account,
        proved_work: matches!(proof, Proof::NotAsked) || solved.is_some(),
    };
    match rules.judge(facts, now) {
        Verdict::Wait(seconds) => return Err(Denied::Wait(seconds).into()),
        Verdict::CaptchaNeeded => return Err(Denied::CaptchaNeeded.into()),
        Verdict::Admit => {}
    }
    if let Some(solved) = solved {
        let solved = solved.map_err(Denied::Captcha)?;
        if !sign_in_limits::spend(&mut *tx, &solved.nonce, solved.expires_at).await? {
            return Err(Denied::CaptchaSpent.into());
        }
    }
    let counted = [
        address.count(&rules.address, now),
        account.count(&rules.account, now),
    ];
    save(&mut tx, fleet, &subjects, [&address, &account], now).await?;
    tx.commit().await?;
    Ok(Ticket { subjects, counted })
}

/// Takes back an attempt that succeeded, in the transaction of that success.
pub(super) async fn refund(
    tx: &mut PgTransaction<'_>,
    fleet: &Fleet,
    ticket: Ticket,
) -> Result<()> {
    let now = clock::now();
    let mut records = sign_in_limits::lock(tx, ticket.subjects, now).await?;
    for (record, counted) in records.iter_mut().zip(ticket.counted) {
        record.refund(counted);
    }
    let [address, account] = &records;
    save(tx, fleet, &ticket.subjects, [address, account], now).await
}

/// Forgives an account its failures: whoever resets a password wants to get in.
pub(crate) async fn forgive(
    tx: &mut PgTransaction<'_>,
    keyring: &Keyring,
    account: &str,
) -> std::result::Result<(), sqlx::Error> {
    sign_in_limits::delete(&mut **tx, &subject(keyring, "account", account)).await
}

async fn save(
    tx: &mut PgTransaction<'_>,
    fleet: &Fleet,
    subjects: &[Subject; 2],
    records: [&Record; 2],
    now: DateTime<Utc>,
) -> Result<()> {
    let rules = &fleet.settings.sign_in.rules;
    let limits: [&Limit; 2] = [&rules.address, &rules.account];
    for ((subject, record), limit) in subjects.iter().zip(records).zip(limits) {
        let forget_at = record.forget_at(limit).unwrap_or(now);
        sign_in_limits::save(tx, subject, record, forget_at).await?;
    }
    Ok(())
}

fn solved(
    fleet: &Fleet,
    browser: &TokenHash,
    text: &str,
    now: DateTime<Utc>,
) -> std::result::Result<Solved, CaptchaError> {
    if text.len() > MOST_PAYLOAD_BYTES {
        return Err(CaptchaError::Malformed);
    }
    let json = STANDARD.decode(text).map_err(|_| CaptchaError::Malformed)?;
    let payload: Payload = serde_json::from_slice(&json).map_err(|_| CaptchaError::Malformed)?;
    captcha::verify(&key(&fleet.keyring), browser, &payload, now)
}

fn key(keyring: &Keyring) -> zeroize::Zeroizing<[u8; 32]> {
    keyring.key_for("captcha")
}

fn subjects(keyring: &Keyring, visitor: &Visitor<'_>, account: &str) -> [Subject; 2] {
    let address = visitor.address.map_or_else(
        || "unknown".to_owned(),
        |address| source(address).to_string(),
    );
    [
        subject(keyring, "address", &address),
        subject(keyring, "account", account),
    ]
}

/// Nobody who reads the table learns who tried what from where.
fn subject(keyring: &Keyring, kind: &str, which: &str) -> Subject {
    keyring.fingerprint(format!("sign-in {kind} {which}").as_bytes())
}
