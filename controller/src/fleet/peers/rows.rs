//! Refusals by row, so that whoever brings ten thousand learns of every mistake at once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Refusal, Result};

#[derive(Debug, Default)]
pub(super) struct RowProblems(BTreeMap<usize, Refusal>);

impl RowProblems {
    /// Notes what is wrong with a row; the first finding counts.
    pub(super) fn add(&mut self, row: usize, refusal: Refusal) {
        self.0.entry(row).or_insert(refusal);
    }

    /// Refuses the whole if any row is wrong.
    pub(super) fn settle(&self) -> Result<()> {
        let Some((_, first)) = self.0.first_key_value() else {
            return Ok(());
        };
        let rows: Vec<Value> = self
            .0
            .iter()
            .map(|(row, refusal)| {
                json!({"row": row, "code": refusal.code, "detail": refusal.text, "details": refusal.details})
            })
            .collect();
        Err(Refusal::new(first.kind, first.code, first.text.clone())
            .with(json!({"rows": rows}))
            .into())
    }
}
