//! Takes the values of one table: from the command line, the environment, the file, or the defaults.
//!
//! Defaults and ranges come from the table of keys alone.

use std::time::Duration;

use settings::{Mistake, Section, Text, whole};
use toml::de::{DeTable, DeValue};

use super::keys::{self, Group, Key, Value};
use super::sources::Override;

/// A value, and its line where it stands in the file.
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) line: Option<usize>,
}

pub(super) struct Reader<'a> {
    text: Text<'a>,
    section: Section<'a>,
    group: &'static Group,
    /// Stands for a table that the file does not have.
    empty: &'a DeTable<'a>,
    overrides: &'a [Override],
}

impl<'a> Reader<'a> {
    /// Reads the table of `group`, whose name with a dot is `prefix`.
    pub(super) fn new(
        text: Text<'a>,
        prefix: &'static str,
        table: &'a DeTable<'a>,
        empty: &'a DeTable<'a>,
        overrides: &'a [Override],
    ) -> Self {
        let group = keys::group(prefix.trim_end_matches('.')).expect("each table read is listed");
        Self {
            text,
            section: Section::new(text, prefix, table),
            group,
            empty,
            overrides,
        }
    }

    pub(super) fn take<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<Found<T>> {
        // The file's own value is judged even where it is overridden: it is a mistake in waiting.
        let in_file = self.section.take(key, &parse);
        let Some(over) = self.overridden(key) else {
            return in_file.map(|at| Found {
                value: at.value,
                line: Some(at.line),
            });
        };
        match parse(&DeValue::String(over.text.as_str().into())) {
            Ok(value) => Some(Found { value, line: None }),
            Err(what) => {
                self.mistake_outside(&over.origin, what);
                None
            }
        }
    }

    /// Takes a value that has a default.
    pub(super) fn value<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Found<T> {
        if let Some(found) = self.take(key, &parse) {
            return found;
        }
        let text = match self.key(key).value {
            Value::Default(text) => DeValue::parse(text).expect("defaults are TOML"),
            _ => unreachable!("{key} has no default of this kind"),
        };
        Found {
            value: parse(text.get_ref()).expect("defaults are without mistake"),
            line: None,
        }
    }

    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Vec<Found<T>> {
        let taken = self.section.take_list(key, parse);
        let elements = taken.into_iter().flat_map(|list| list.value);
        elements
            .map(|at| Found {
                value: at.value,
                line: Some(at.line),
            })
            .collect()
    }

    pub(super) fn number<T: TryFrom<u64>>(&mut self, key: &'static str) -> T {
        let number = self.whole(key);
        T::try_from(number)
            .unwrap_or_else(|_| unreachable!("the range of {key} is wider than its type"))
    }

    /// Takes a length of time in the unit that ends the key.
    pub(super) fn duration(&mut self, key: &'static str) -> Duration {
        let number = self.whole(key);
        match key.rsplit_once('_') {
            Some((_, "ms")) => Duration::from_millis(number),
            Some((_, "s")) => Duration::from_secs(number),
            Some((_, "h")) => Duration::from_secs(number * 3600),
            Some((_, "d")) => Duration::from_secs(number * 86_400),
            _ => unreachable!("{key} ends with no unit of time"),
        }
    }

    fn whole(&mut self, key: &'static str) -> u64 {
        let Value::Number {
            default,
            least,
            most,
        } = self.key(key).value
        else {
            unreachable!("{key} is no number");
        };
        let taken = self.section.take(key, whole(least, most));
        taken.map_or(default, |at| at.value)
    }

    /// Records it where `less` is more than `more`.
    pub(super) fn at_most(
        &mut self,
        less_key: &'static str,
        less: Duration,
        more_key: &'static str,
        more: Duration,
    ) {
        if less <= more {
            return;
        }
        let lines = (
            self.section.line_of(less_key),
            self.section.line_of(more_key),
        );
        // To blame is the key that somebody wrote.
        match lines {
            (None, Some(line)) => {
                let what = format!("must be at least {less_key}, which is {less:?}");
                self.mistake(more_key, Some(line), what);
            }
            (line, _) => {
                let what = format!("must be at most {more_key}, which is {more:?}");
                self.mistake(less_key, line, what);
            }
        }
    }

    /// Records that `key` is missing, unless it is there and wrong, which is recorded already.
    pub(super) fn require(&mut self, key: &'static str, line: Option<usize>, what: String) {
        if self.section.line_of(key).is_none() {
            self.mistake(key, line, what);
        }
    }

    pub(super) fn mistake(
        &mut self,
        key: &'static str,
        line: Option<usize>,
        what: impl Into<String>,
    ) {
        self.section.mistake(key, line, what);
    }

    /// Records a mistake in what stands outside the file.
    pub(super) fn mistake_outside(&mut self, origin: &str, what: String) {
        let mistake = self.finding(origin, None, what);
        self.section.append(vec![mistake]);
    }

    /// Words a finding about a key of this file, given with its table.
    pub(super) fn finding(
        &self,
        full_key: &str,
        line: Option<usize>,
        what: impl Into<String>,
    ) -> Mistake {
        Mistake {
            file: self.text.file.to_owned(),
            line,
            key: Some(full_key.to_owned()),
            what: what.into(),
        }
    }

    /// Reads a table of this table, whose name with a dot is `prefix`.
    pub(super) fn within<T>(
        &mut self,
        prefix: &'static str,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let taken = self
            .section
            .take(prefix.trim_end_matches('.'), settings::table);
        let table = taken.map_or(self.empty, |at| at.value);
        let mut inner = Self::new(self.text, prefix, table, self.empty, self.overrides);
        let value = read(&mut inner);
        self.section.append(inner.finish());
        value
    }

    pub(super) fn finish(self) -> Vec<Mistake> {
        self.section.finish()
    }

    fn overridden(&self, key: &str) -> Option<&'a Override> {
        let full_name = self.group.full_name(self.key(key));
        self.overrides.iter().find(|over| over.key == full_name)
    }

    fn key(&self, key: &str) -> &'static Key {
        self.group
            .find(key)
            .unwrap_or_else(|| unreachable!("{key} does not stand in the table of keys"))
    }
}
