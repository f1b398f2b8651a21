//! Takes typed values out of one TOML table and collects what is wrong with them.
//!
//! A value that is absent or wrong stands as its default, so that reading goes on to the next
//! mistake. No such value may get out: where there is a mistake, the reader makes no settings.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Mistake;

/// The file being read.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    pub file: &'a Path,
    pub text: &'a str,
}

impl<'a> Text<'a> {
    /// Reads the whole text as TOML; each place where it is none is a mistake.
    pub fn parse(self) -> Result<Spanned<DeTable<'a>>, Vec<Mistake>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        if errors.is_empty() {
            return Ok(table);
        }
        let mistakes = errors.iter().map(|err| Mistake {
            file: self.file.to_owned(),
            line: err.span().map(|span| self.line(&span)),
            key: None,
            what: err.message().to_owned(),
        });
        Err(mistakes.collect())
    }

    pub fn line(self, span: &Range<usize>) -> usize {
        let before = self.text.as_bytes().iter().take(span.start);
        1 + before.filter(|&&byte| byte == b'\n').count()
    }
}

/// A value and the line it stands in.
#[derive(Debug, Clone)]
pub struct At<T> {
    pub value: T,
    pub line: usize,
}

pub struct Section<'a> {
    text: Text<'a>,
    /// Of the keys in this table, as in `tls.`; empty at the top.
    prefix: &'static str,
    table: &'a DeTable<'a>,
    known: Vec<&'static str>,
    mistakes: Vec<Mistake>,
}

impl<'a> Section<'a> {
    pub fn new(text: Text<'a>, prefix: &'static str, table: &'a DeTable<'a>) -> Self {
        Self {
            text,
            prefix,
            table,
            known: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    pub fn take<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&'a DeValue<'a>) -> Result<T, String>,
    ) -> Option<At<T>> {
        let found = self.find(key)?;
        let line = self.text.line(&found.span());
        match parse(found.get_ref()) {
            Ok(value) => Some(At { value, line }),
            Err(what) => {
                self.mistake(key, Some(line), what);
                None
            }
        }
    }

    /// Takes each element of a list; those that are wrong are mistakes with their own lines.
    pub fn take_list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&'a DeValue<'a>) -> Result<T, String>,
    ) -> Option<At<Vec<At<T>>>> {
        let list = self.take(key, |value| {
            let list = value.as_array().ok_or_else(|| wrong_type("a list", value));
            list.map(|list| list.iter())
        })?;
        let mut values = Vec::new();
        for element in list.value {
            let line = self.text.line(&element.span());
            match parse(element.get_ref()) {
                Ok(value) => values.push(At { value, line }),
                Err(what) => self.mistake(key, Some(line), what),
            }
        }
        let line = list.line;
        Some(At {
            value: values,
            line,
        })
    }

    pub fn seconds(&mut self, key: &'static str, default: u64) -> Duration {
        let taken = self.take(key, whole(1, 86_400));
        Duration::from_secs(taken.map_or(default, |at| at.value))
    }

    pub fn milliseconds(&mut self, key: &'static str, default: u64) -> Duration {
        let taken = self.take(key, whole(10, 3_600_000));
        Duration::from_millis(taken.map_or(default, |at| at.value))
    }

    pub fn flag(&mut self, key: &'static str) -> bool {
        let taken = self.take(key, |value| {
            let flag = value.as_bool();
            flag.ok_or_else(|| wrong_type("true or false", value))
        });
        taken.is_some_and(|at| at.value)
    }

    /// Records that `key` is missing from the table that begins in `line`.
    pub fn require(&mut self, key: &str, line: usize) {
        if !self.table.contains_key(key) {
            self.mistake(key, Some(line), "is missing");
        }
    }

    pub fn line_of(&self, key: &str) -> Option<usize> {
        let found = self.table.get(key)?;
        Some(self.text.line(&found.span()))
    }

    pub fn mistake(&mut self, key: &str, line: Option<usize>, what: impl Into<String>) {
        self.mistakes.push(Mistake {
            file: self.text.file.to_owned(),
            line,
            key: Some(format!("{}{key}", self.prefix)),
            what: what.into(),
        });
    }

    pub fn append(&mut self, mistakes: Vec<Mistake>) {
        self.mistakes.extend(mistakes);
    }

    /// Ends the reading of this table: what was never asked for is unknown.
    pub fn finish(mut self) -> Vec<Mistake> {
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if !self.known.contains(&name) {
                let line = self.text.line(&key.span());
                let known = self.known.join(", ");
                self.mistake(
                    name,
                    Some(line),
                    format!("is not a key; keys here: {known}"),
                );
            }
        }
        self.mistakes
    }

    fn find(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.push(key);
        self.table.get(key)
    }
}

pub fn text<'a>(value: &'a DeValue<'a>) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| wrong_type("a text", value))
}

/// Reads a whole number from `least` to `most`.
pub fn whole<T>(least: T, most: T) -> impl Fn(&DeValue<'_>) -> Result<T, String>
where
    T: TryFrom<i64> + PartialOrd + std::fmt::Display,
{
    move |value| {
        let number = value
            .as_integer()
            .ok_or_else(|| wrong_type("a whole number", value))?;
        // A number too large for i64 is out of every range here.
        i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| (&least..=&most).contains(&number))
            .ok_or_else(|| format!("must be from {least} to {most}"))
    }
}

/// Reads a path that means the same wherever the program was started.
pub fn path(value: &DeValue<'_>) -> Result<PathBuf, String> {
    let path = PathBuf::from(text(value)?);
    if !path.is_absolute() {
        return Err("must be an absolute path".into());
    }
    Ok(path)
}

pub fn socket_address(value: &DeValue<'_>) -> Result<SocketAddr, String> {
    let text = text(value)?;
    text.parse().map_err(|_| {
        format!("{text:?} is not an address with a port, such as 127.0.0.1:8080 or [::1]:8080")
    })
}

pub fn table<'a>(value: &'a DeValue<'a>) -> Result<&'a DeTable<'a>, String> {
    value.as_table().ok_or_else(|| wrong_type("a table", value))
}

pub fn wrong_type(wanted: &str, value: &DeValue<'_>) -> String {
    let found = match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    format!("must be {wanted}, not {found}")
}
