//! What is wrong, ready to be put into words: the code, the English sentence, and the facts beside them.
//!
//! A problem, a mistake in one of its fields and one of its rows are told in the same shape, so one reading serves all.

use serde_json::{Map, Value};

#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    pub code: &'a str,
    pub detail: &'a str,
    more: &'a Map<String, Value>,
}

impl<'a> Words<'a> {
    pub(super) fn new(code: &'a str, detail: &'a str, more: &'a Map<String, Value>) -> Self {
        Self { code, detail, more }
    }

    /// An entry of a list of what is wrong.
    pub fn of(entry: &'a Value) -> Option<Self> {
        let more = entry.as_object()?;
        Some(Self {
            code: more.get("code")?.as_str()?,
            detail: more.get("detail")?.as_str()?,
            more,
        })
    }

    /// What the sentence holds, by name.
    pub fn facts(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let facts = self.more.get("details").and_then(Value::as_object);
        let facts = facts.into_iter().flatten();
        facts.map(|(name, fact)| (name.as_str(), fact))
    }

    /// What was wrong with single rows, counted from 0.
    pub fn rows(self) -> impl Iterator<Item = (u64, Words<'a>)> {
        let rows = self.more.get("details").and_then(|more| more.get("rows"));
        let rows = rows.and_then(Value::as_array);
        rows.into_iter()
            .flatten()
            .filter_map(|row| Some((row.get("row")?.as_u64()?, Self::of(row)?)))
    }

    /// What was wrong with single fields.
    pub fn mistakes(self) -> impl Iterator<Item = (&'a str, Words<'a>)> {
        let errors = self.more.get("errors").and_then(Value::as_array);
        errors
            .into_iter()
            .flatten()
            .filter_map(|error| Some((error.get("field")?.as_str()?, Self::of(error)?)))
    }
}
