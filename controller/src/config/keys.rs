//! Every key of the settings file: its text, its default and its range, each said once.
//!
//! Reading takes defaults and ranges from here; the example, `config explain` and `config show` are
//! printed from here. A key that is read and does not stand here cannot work, and a test tells of one
//! that stands here and is not read.

mod door;
mod server;
mod work;

/// A table of the file; the first has no name and is the top of the file.
#[derive(Debug)]
pub struct Group {
    pub name: &'static str,
    pub about: &'static str,
    pub keys: &'static [Key],
}

#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub value: Value,
    pub about: &'static str,
    /// The environment variable that overrides the file.
    pub variable: Option<&'static str>,
    /// Whether what it holds is shown only in part.
    pub is_secret: bool,
}

#[derive(Debug)]
pub enum Value {
    /// A whole number.
    Number { default: u64, least: u64, most: u64 },
    /// Anything else, with its default as it would stand in the file.
    Default(&'static str),
    /// No default; an example as it would stand in the file.
    Absent(&'static str),
}

/// All tables, in the order of the example.
pub const GROUPS: &[Group] = &[
    server::TOP,
    server::TLS,
    server::AGENTS,
    work::POLL,
    work::APPLY,
    work::MEND,
    work::UPKEEP,
    work::ADDRESSES,
    work::SAMPLES,
    work::PEER_SESSIONS,
    work::EVENTS,
    work::LIVE,
    work::WEBHOOKS,
    server::API,
    door::SIGN_IN,
    door::SESSIONS,
    door::OIDC,
];

impl Group {
    pub(super) fn find(&self, key: &str) -> Option<&'static Key> {
        self.keys.iter().find(|candidate| candidate.name == key)
    }

    /// The name of a key as mistakes and `config explain` write it, as in `tls.cert_file`.
    pub fn full_name(&self, key: &Key) -> String {
        match self.name {
            "" => key.name.to_owned(),
            group => format!("{group}.{}", key.name),
        }
    }
}

pub(super) fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.name == name)
}

impl Key {
    /// The default as it would stand in the file.
    pub fn default_text(&self) -> Option<String> {
        match self.value {
            Value::Number { default, .. } => Some(default.to_string()),
            Value::Default(text) => Some(text.to_owned()),
            Value::Absent(_) => None,
        }
    }

    const fn new(name: &'static str, value: Value, about: &'static str) -> Self {
        Self {
            name,
            value,
            about,
            variable: None,
            is_secret: false,
        }
    }

    const fn over(mut self, variable: &'static str) -> Self {
        self.variable = Some(variable);
        self
    }

    const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }
}

const fn number(
    name: &'static str,
    default: u64,
    (least, most): (u64, u64),
    about: &'static str,
) -> Key {
    let value = Value::Number {
        default,
        least,
        most,
    };
    Key::new(name, value, about)
}

const fn with_default(name: &'static str, default: &'static str, about: &'static str) -> Key {
    Key::new(name, Value::Default(default), about)
}

const fn without_default(name: &'static str, example: &'static str, about: &'static str) -> Key {
    Key::new(name, Value::Absent(example), about)
}
