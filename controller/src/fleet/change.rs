//! A change of intent: one transaction with its rows, its audit row and the raised generations.
//!
//! Locks are taken in the order of `migrations/README.md`; the audit row is the last statement, because who
//! writes it holds the end of the chain until the transaction ends. Raising a generation wakes whoever
//! applies it, by a trigger and at the commit, so nothing needs to be told here.

use serde::Serialize;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use super::audit;
use super::refusal::{Kind, Refusal, Result};
use crate::clock;
use crate::db;
use crate::domain::actor::Actor;

/// How a change was asked for.
#[derive(Debug, Clone)]
pub struct Call {
    pub actor: Actor,
    /// Do all of it and then take it back.
    pub dry_run: bool,
    /// The version that the caller saw.
    pub if_match: Option<i64>,
}

impl Call {
    pub fn by(actor: Actor) -> Self {
        Self {
            actor,
            dry_run: false,
            if_match: None,
        }
    }

    /// Refuses a change of something that has moved on since the caller looked.
    pub fn check_version(&self, object: &str, version: i64) -> Result<(), Refusal> {
        match self.if_match {
            Some(seen) if seen != version => Err(Refusal::new(
                Kind::Stale,
                "version_mismatch",
                format!("{object} is at version {version}, not {seen}: read it again"),
            )),
            _ => Ok(()),
        }
    }
}

/// A transaction under way.
pub struct Change<'a> {
    pub call: &'a Call,
    tx: Transaction<'static, Postgres>,
}

impl<'a> Change<'a> {
    pub async fn begin(pool: &PgPool, call: &'a Call) -> Result<Self> {
        Ok(Self {
            call,
            tx: pool.begin().await?,
        })
    }

    pub fn db(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// For what proves by its type that it is in a transaction.
    pub fn tx(&mut self) -> &mut Transaction<'static, Postgres> {
        &mut self.tx
    }

    /// Announces what happened to live pages and webhooks, once it is committed.
    pub async fn event(
        &mut self,
        topic: &str,
        kind: &str,
        object: &str,
        data: &impl Serialize,
    ) -> Result<()> {
        let data = serde_json::to_value(data)?;
        Ok(db::events::insert(&mut *self.tx, topic, kind, object, &data).await?)
    }

    /// Writes the audit row and commits, or takes everything back on a dry run.
    pub async fn finish<B: Serialize, A: Serialize>(
        mut self,
        action: &str,
        object: &str,
        before: Option<&B>,
        after: Option<&A>,
    ) -> Result<()> {
        if self.call.dry_run {
            return Ok(self.tx.rollback().await?);
        }
        let entry = audit::done(
            &self.call.actor,
            action,
            object,
            before,
            after,
            clock::now(),
        )?;
        audit::append(&mut self.tx, &entry).await?;
        Ok(self.tx.commit().await?)
    }
}

/// For [`Change::finish`], where there was or is nothing to show.
pub const NOTHING: Option<&()> = None;
