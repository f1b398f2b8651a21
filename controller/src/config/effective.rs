//! Every setting as it is in effect, with where it comes from: what `config show` prints, and how a
//! finding that shows only later still names a line.

use std::fmt;

use settings::Text;
use toml::de::{DeTable, DeValue};

use super::keys::{GROUPS, Group, Key};
use super::sources::Override;
use super::values::DatabaseUrl;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// With its table, as in `tls.cert_file`.
    pub key: String,
    /// As it would stand in the file, secrets redacted; `None` where there is neither value nor default.
    pub text: Option<String>,
    pub origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    Line(usize),
    /// A flag or an environment variable.
    Named(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

pub(super) fn all(text: Text<'_>, root: &DeTable<'_>, overrides: &[Override]) -> Vec<Effective> {
    let mut all = Vec::new();
    for group in GROUPS {
        let table = match group.name {
            "" => Some(root),
            name => root.get(name).and_then(|found| found.get_ref().as_table()),
        };
        for key in group.keys {
            all.push(effective(text, table, overrides, group, key));
        }
    }
    all
}

fn effective(
    text: Text<'_>,
    table: Option<&DeTable<'_>>,
    overrides: &[Override],
    group: &Group,
    key: &Key,
) -> Effective {
    let full_name = group.full_name(key);
    let over = overrides.iter().find(|over| over.key == full_name);
    let in_file = table.and_then(|table| table.get(key.name));
    let (shown, origin) = match (over, in_file) {
        (Some(over), _) => (Some(quoted(&over.text)), Origin::Named(over.origin.clone())),
        (None, Some(found)) => (
            Some(text.text[found.span()].to_owned()),
            Origin::Line(text.line(&found.span())),
        ),
        (None, None) => (key.default_text(), Origin::Default),
    };
    Effective {
        key: full_name,
        text: match key.is_secret {
            true => shown.as_deref().map(redacted),
            false => shown,
        },
        origin,
    }
}

/// A secret is shown only as far as it is understood.
fn redacted(text: &str) -> String {
    let value = DeValue::parse(text);
    let url = match &value {
        Ok(value) => value.get_ref().as_str().map(DatabaseUrl::parse),
        Err(_) => None,
    };
    match url {
        Some(Ok(url)) => quoted(&url.redacted()),
        _ => quoted("***"),
    }
}

/// Writes a text as TOML, whose escapes are those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
