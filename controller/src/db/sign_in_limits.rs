//! How often it was tried to sign in, shared by all controllers; and proofs of work that were taken.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgTransaction};

use crate::domain::throttle::Record;

/// A keyed hash that names an address or an account.
pub type Subject = [u8; 32];

/// Reads what is known of both, which nobody else changes until the transaction ends; in the order of `subjects`.
///
/// Rows are locked in one order by everybody, so that two of these never wait for each other.
pub async fn lock(
    db: &mut PgTransaction<'_>,
    subjects: [Subject; 2],
    now: DateTime<Utc>,
) -> Result<[Record; 2], sqlx::Error> {
    let mut names = subjects.map(|subject| subject.to_vec());
    names.sort_unstable();
    sqlx::query!(
        r#"
        INSERT INTO sign_in_limits (subject, forget_at)
        SELECT unnest($1::bytea[]), $2
        ON CONFLICT (subject) DO NOTHING
        "#,
        &names[..],
        now,
    )
    .execute(&mut **db)
    .await?;
    let rows = sqlx::query!(
        r#"
        SELECT subject, attempts, strikes, blocked_until
        FROM sign_in_limits
        WHERE subject = ANY($1::bytea[])
        ORDER BY subject
        FOR UPDATE
        "#,
        &names[..],
    )
    .fetch_all(&mut **db)
    .await?;
    let mut records = [Record::default(), Record::default()];
    for row in rows {
        for (subject, record) in subjects.iter().zip(&mut records) {
            if row.subject == subject {
                *record = Record {
                    attempts: row.attempts.clone(),
                    strikes: strikes(row.strikes)?,
                    blocked_until: row.blocked_until,
                };
            }
        }
    }
    Ok(records)
}

/// Reads what is known of a subject, without holding it.
pub async fn find(db: impl PgExecutor<'_>, subject: &Subject) -> Result<Record, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT attempts, strikes, blocked_until FROM sign_in_limits WHERE subject = $1",
        subject,
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else {
        return Ok(Record::default());
    };
    Ok(Record {
        attempts: row.attempts,
        strikes: strikes(row.strikes)?,
        blocked_until: row.blocked_until,
    })
}

/// Less than none would forgive whoever has them.
fn strikes(count: i32) -> Result<u32, sqlx::Error> {
    u32::try_from(count).map_err(|err| sqlx::Error::Decode(err.into()))
}

/// Writes what became of a locked record.
pub async fn save(
    db: &mut PgTransaction<'_>,
    subject: &Subject,
    record: &Record,
    forget_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE sign_in_limits SET attempts = $2, strikes = $3, blocked_until = $4, forget_at = $5
        WHERE subject = $1
        "#,
        subject,
        &record.attempts,
        i32::try_from(record.strikes).unwrap_or(i32::MAX),
        record.blocked_until,
        forget_at,
    )
    .execute(&mut **db)
    .await?;
    Ok(())
}

/// Forgives a subject everything.
pub async fn delete(db: impl PgExecutor<'_>, subject: &Subject) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM sign_in_limits WHERE subject = $1", subject)
        .execute(db)
        .await?;
    Ok(())
}

/// Takes a proof of work; false where it was taken before.
pub async fn spend(
    db: impl PgExecutor<'_>,
    nonce: &[u8; 16],
    expires_at: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "INSERT INTO spent_captchas (nonce, expires_at) VALUES ($1, $2) ON CONFLICT (nonce) DO NOTHING",
        nonce,
        expires_at,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

pub async fn prune(db: impl PgExecutor<'_> + Copy, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM sign_in_limits WHERE forget_at <= $1", now)
        .execute(db)
        .await?;
    sqlx::query!("DELETE FROM spent_captchas WHERE expires_at <= $1", now)
        .execute(db)
        .await?;
    Ok(())
}
