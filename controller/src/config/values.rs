//! Reads the values that are neither numbers nor paths.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use protocol::Cidr;
use protocol::signing::Secret;
use settings::{judge_secret, text};
use sqlx::postgres::PgConnectOptions;
use toml::de::DeValue;
use tracing_subscriber::EnvFilter;
use url::Url;
use zeroize::Zeroizing;

/// How lines of the log are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// The address of a database, which may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Url);

impl DatabaseUrl {
    pub fn parse(text: &str) -> Result<Self, String> {
        // The text is not quoted: it may hold a password.
        let refusal = || {
            "is not an address of Postgres, such as postgres://wgfleet@db.example.org/wgfleet"
                .to_owned()
        };
        let url: Url = text.parse().map_err(|_| refusal())?;
        if !["postgres", "postgresql"].contains(&url.scheme()) {
            return Err(refusal());
        }
        match text.parse::<PgConnectOptions>() {
            Ok(_) => Ok(Self(url)),
            Err(_) => Err(refusal()),
        }
    }

    /// The address, password and all.
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }

    pub fn holds_password(&self) -> bool {
        self.0.password().is_some() || self.0.query_pairs().any(|(name, _)| is_secret(&name))
    }

    /// The address with *** in place of what is secret.
    pub fn redacted(&self) -> String {
        let mut url = self.0.clone();
        // Only a URL without a host refuses a password, and such a URL holds none.
        if url.password().is_some() && url.set_password(Some("***")).is_err() {
            return "***".to_owned();
        }
        if url.query().is_some() {
            let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            let shown = pairs.iter().map(|(name, value)| match is_secret(name) {
                true => (name.as_str(), "***"),
                false => (name.as_str(), value.as_str()),
            });
            url.query_pairs_mut().clear().extend_pairs(shown);
        }
        url.into()
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({})", self.redacted())
    }
}

/// Whether a parameter of a database's address is never shown.
fn is_secret(name: &str) -> bool {
    name.to_ascii_lowercase().contains("password")
}

/// Takes a key that encrypts: strong as any secret, and 32 bytes in hex or base64.
pub(super) fn master_key(text: &str) -> Result<Secret, String> {
    let secret = judge_secret(text)?;
    let digits = secret.reveal().trim();
    let is_key = match hex::decode(digits) {
        Ok(bytes) => Zeroizing::new(bytes).len() == 32,
        Err(_) => is_base64_key(digits),
    };
    match is_key {
        true => Ok(secret),
        false => Err(
            "is not 32 bytes in 64 hex digits or base64; make one with: openssl rand -hex 32"
                .into(),
        ),
    }
}

fn is_base64_key(text: &str) -> bool {
    let alphabet = match text.contains(['-', '_']) {
        true => URL_SAFE_NO_PAD,
        false => STANDARD_NO_PAD,
    };
    let bytes = alphabet.decode(text.trim_end_matches('='));
    bytes.is_ok_and(|bytes| Zeroizing::new(bytes).len() == 32)
}

pub(super) fn database_url(value: &DeValue<'_>) -> Result<DatabaseUrl, String> {
    DatabaseUrl::parse(text(value)?)
}

pub(super) fn base_url(value: &DeValue<'_>) -> Result<Url, String> {
    let url: Url = text(value)?
        .parse()
        .map_err(|err| format!("is not an address such as https://vpn.example.org: {err}"))?;
    if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
        return Err("must begin with http:// or https:// and a host".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must hold no user name and no password".into());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(
            "must be without a path: the controller is served at the root of its host".into(),
        );
    }
    Ok(url)
}

pub(super) fn cidr(value: &DeValue<'_>) -> Result<Cidr, String> {
    let text = text(value)?;
    let cidr = Cidr::parse(text).map_err(|err| format!("{text:?} {err}"))?;
    if cidr.length() == 0 {
        return Err(format!("{text:?} would take everybody for a proxy"));
    }
    Ok(cidr)
}

pub(super) fn log_filter(value: &DeValue<'_>) -> Result<String, String> {
    let text = text(value)?;
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(err) => Err(format!(
            "{text:?} is not a log filter such as info or warn,controller=debug: {err}"
        )),
    }
}

pub(super) fn log_format(value: &DeValue<'_>) -> Result<LogFormat, String> {
    match text(value)? {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(format!("{other:?} is not one of text, json")),
    }
}
