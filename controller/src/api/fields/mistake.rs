//! What is wrong with one field: a code for programs, the sentence for people, and the facts that the sentence holds.
//!
//! Types that parse say what is wrong in words alone; what each of these words is called stands here, in one place.

use std::fmt::Display;

use protocol::interface_name::InterfaceNameError;
use protocol::key::KeyError;
use protocol::signing::SecretError;
use serde_json::{Map, Value, json};

use crate::domain::address::prefix::PrefixError;
use crate::domain::agent_url::AgentUrlError;
use crate::domain::endpoint::EndpointError;
use crate::domain::names::{HostNameError, LabelError};
use crate::domain::node::{CountryError, KeyIdError};
use crate::domain::password::PasswordError;
use crate::domain::peer::{MOST_TAGS, TagsError};
use crate::domain::role::UnknownWord;
use crate::domain::user::{EmailError, UserNameError};
use crate::domain::webhook::{KindsError, WebhookUrlError};

#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    code: &'static str,
    detail: String,
    facts: Map<String, Value>,
}

impl Mistake {
    pub fn new(code: &'static str, detail: impl Display) -> Self {
        Self {
            code,
            detail: detail.to_string(),
            facts: Map::new(),
        }
    }

    /// A fact that the sentence holds.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), fact.into());
        self
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// As an entry of the `errors` of a problem.
    pub fn json(&self, field: &str) -> Value {
        let mut whole = json!({"field": field, "code": self.code, "detail": self.detail});
        if !self.facts.is_empty() {
            whole["details"] = Value::Object(self.facts.clone());
        }
        whole
    }
}

/// Gives every mistake of a type one code.
macro_rules! called {
    ($($wrong:ty => $mistake:expr,)+) => {
        $(impl From<$wrong> for Mistake {
            fn from(err: $wrong) -> Self {
                let named: fn(&$wrong) -> Self = $mistake;
                named(&err)
            }
        })+
    };
}

called! {
    LabelError => |err| Mistake::new("not_a_label", err),
    HostNameError => |err| Mistake::new("not_a_host_name", err),
    UserNameError => |err| Mistake::new("not_a_login_name", err),
    EmailError => |err| Mistake::new("not_an_email", err),
    EndpointError => |err| Mistake::new("not_an_endpoint", err),
    CountryError => |err| Mistake::new("not_a_country", err),
    KeyIdError => |err| Mistake::new("not_a_key_id", err),
    InterfaceNameError => |err| Mistake::new("not_an_interface_name", err),
    KindsError => |err| Mistake::new("not_kinds", err),
    UnknownWord => |err| Mistake::new("unknown_word", err).with("words", err.words().join(", ")),
    PrefixError => of_prefix,
    AgentUrlError => of_agent_url,
    WebhookUrlError => of_webhook_url,
    PasswordError => of_password,
    SecretError => of_secret,
    KeyError => of_key,
    TagsError => of_tags,
}

fn of_prefix(err: &PrefixError) -> Mistake {
    match err {
        PrefixError::Malformed => Mistake::new("not_a_prefix", err),
        PrefixError::HostBits { right } => {
            Mistake::new("host_bits", err).with("right", right.to_string())
        }
        PrefixError::Length { shortest, longest } => Mistake::new("prefix_length", err)
            .with("shortest", *shortest)
            .with("longest", *longest),
        PrefixError::Special { special, .. } => {
            Mistake::new("special_prefix", err).with("special", special.to_string())
        }
    }
}

fn of_agent_url(err: &AgentUrlError) -> Mistake {
    match err {
        AgentUrlError::Scheme => Mistake::new("url_scheme", err),
        AgentUrlError::Host => Mistake::new("url_host", err),
        AgentUrlError::Port => Mistake::new("url_port", err),
        AgentUrlError::UserInfo => Mistake::new("url_user", err),
        AgentUrlError::Path => Mistake::new("url_path", err),
        AgentUrlError::Query => Mistake::new("url_query", err),
        AgentUrlError::Fragment => Mistake::new("url_fragment", err),
    }
}

fn of_webhook_url(err: &WebhookUrlError) -> Mistake {
    match err {
        WebhookUrlError::Scheme => Mistake::new("url_scheme", err),
        WebhookUrlError::UserInfo => Mistake::new("url_user", err),
        WebhookUrlError::Fragment => Mistake::new("url_fragment", err),
        WebhookUrlError::Separator => Mistake::new("url_separator", err),
        WebhookUrlError::Long => Mistake::new("url_long", err),
    }
}

fn of_password(err: &PasswordError) -> Mistake {
    match err {
        PasswordError::Short => Mistake::new("password_short", err),
        PasswordError::Long => Mistake::new("password_long", err),
        PasswordError::Obvious => Mistake::new("password_obvious", err),
        PasswordError::Name => Mistake::new("password_is_name", err),
    }
}

fn of_secret(err: &SecretError) -> Mistake {
    match err {
        SecretError::Short => Mistake::new("secret_short", err),
        SecretError::Weak => Mistake::new("secret_weak", err),
    }
}

fn of_key(err: &KeyError) -> Mistake {
    match err {
        KeyError::Malformed => Mistake::new("not_a_key", err),
        KeyError::AllZero => Mistake::new("zero_key", err),
    }
}

fn of_tags(err: &TagsError) -> Mistake {
    match err {
        TagsError::TooMany => Mistake::new("too_many_tags", err).with("most", MOST_TAGS),
        TagsError::Malformed(tag) => Mistake::new("not_a_tag", err).with("tag", tag.as_str()),
    }
}
