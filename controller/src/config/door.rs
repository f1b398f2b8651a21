//! The tables of the settings about signing in, as values.

use std::path::PathBuf;
use std::time::Duration;

use settings::text;
use toml::de::DeValue;
use url::Url;

use super::reader::Reader;
use crate::domain::session::LocalLogin;
use crate::domain::throttle::CaptchaMode;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    pub password: LocalLogin,
    pub address_failures: usize,
    pub address_window: Duration,
    pub account_failures: usize,
    pub account_window: Duration,
    pub longest_wait: Duration,
    pub captcha: CaptchaMode,
    pub captcha_after: usize,
    pub captcha_ttl: Duration,
    pub captcha_cost: u32,
    pub second_step: Duration,
    pub setup_link: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions {
    pub idle: Duration,
    pub absolute: Duration,
    pub note_every: Duration,
}

/// An identity provider that people sign in through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oidc {
    pub issuer: Url,
    pub client_id: String,
    pub client_secret_file: Option<PathBuf>,
    pub label: String,
    pub scopes: Vec<String>,
    pub name_claim: String,
    pub groups_claim: String,
    pub admin_groups: Vec<String>,
    pub operator_groups: Vec<String>,
    pub viewer_groups: Vec<String>,
    pub ca_file: Option<PathBuf>,
    pub timeout: Duration,
    pub keys_keep: Duration,
    pub recheck_every: Duration,
}

impl Oidc {
    /// Whether any group of the provider may come in.
    pub(super) fn lets_somebody_in(&self) -> bool {
        let groups = [
            &self.admin_groups,
            &self.operator_groups,
            &self.viewer_groups,
        ];
        !groups.into_iter().all(Vec::is_empty)
    }
}

pub(super) fn sign_in(reader: &mut Reader<'_>) -> SignIn {
    SignIn {
        password: reader.value("password", local_login).value,
        address_failures: reader.number("address_failures"),
        address_window: reader.duration("address_window_s"),
        account_failures: reader.number("account_failures"),
        account_window: reader.duration("account_window_s"),
        longest_wait: reader.duration("longest_wait_s"),
        captcha: reader.value("captcha", captcha).value,
        captcha_after: reader.number("captcha_after"),
        captcha_ttl: reader.duration("captcha_ttl_s"),
        captcha_cost: reader.number("captcha_cost"),
        second_step: reader.duration("second_step_s"),
        setup_link: reader.duration("setup_link_s"),
    }
}

pub(super) fn sessions(reader: &mut Reader<'_>) -> Sessions {
    let sessions = Sessions {
        idle: reader.duration("idle_s"),
        absolute: reader.duration("absolute_s"),
        note_every: reader.duration("note_every_s"),
    };
    reader.at_most("idle_s", sessions.idle, "absolute_s", sessions.absolute);
    // Else somebody who is at work is taken for idle.
    reader.at_most("note_every_s", sessions.note_every, "idle_s", sessions.idle);
    sessions
}

pub(super) fn oidc(reader: &mut Reader<'_>) -> Option<Oidc> {
    let issuer = reader.take("issuer", issuer);
    let client_id = reader.take("client_id", nonempty);
    let lonely = |here: &str| format!("is missing beside {here}");
    match (&issuer, &client_id) {
        (Some(at), None) => reader.require("client_id", at.line, lonely("issuer")),
        (None, Some(at)) => reader.require("issuer", at.line, lonely("client_id")),
        _ => {}
    }
    let scopes = words(reader, "scopes");
    let more = Oidc {
        issuer: Url::parse("https://invalid").expect("this is an address"),
        client_id: String::new(),
        client_secret_file: reader
            .take("client_secret_file", settings::path)
            .map(|at| at.value),
        label: reader.value("label", nonempty).value,
        scopes: match scopes.is_empty() {
            true => ["openid", "profile", "email"].map(str::to_owned).to_vec(),
            false => scopes,
        },
        name_claim: reader.value("name_claim", nonempty).value,
        groups_claim: reader.value("groups_claim", nonempty).value,
        admin_groups: words(reader, "admin_groups"),
        operator_groups: words(reader, "operator_groups"),
        viewer_groups: words(reader, "viewer_groups"),
        ca_file: reader.take("ca_file", settings::path).map(|at| at.value),
        timeout: reader.duration("timeout_ms"),
        keys_keep: reader.duration("keys_keep_s"),
        recheck_every: reader.duration("recheck_s"),
    };
    let issuer = issuer?;
    if !more.scopes.iter().any(|scope| scope == "openid") {
        reader.mistake("scopes", issuer.line, "must hold openid");
    }
    Some(Oidc {
        issuer: issuer.value,
        client_id: client_id?.value,
        ..more
    })
}

fn words(reader: &mut Reader<'_>, key: &'static str) -> Vec<String> {
    let found = reader.list(key, nonempty);
    found.into_iter().map(|found| found.value).collect()
}

fn nonempty(value: &DeValue<'_>) -> Result<String, String> {
    match text(value)? {
        "" => Err("is empty".into()),
        text => Ok(text.to_owned()),
    }
}

fn issuer(value: &DeValue<'_>) -> Result<Url, String> {
    let url: Url = text(value)?
        .parse()
        .map_err(|err| format!("is not an address such as https://id.example.org: {err}"))?;
    let is_here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
        return Err("must begin with https://; only on this machine http:// will do".into());
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("must be without a user name, a query and a fragment".into());
    }
    Ok(url)
}

fn local_login(value: &DeValue<'_>) -> Result<LocalLogin, String> {
    match text(value)? {
        "on" => Ok(LocalLogin::On),
        "admin-only" => Ok(LocalLogin::AdminOnly),
        "off" => Ok(LocalLogin::Off),
        other => Err(format!("{other:?} is not one of on, admin-only, off")),
    }
}

fn captcha(value: &DeValue<'_>) -> Result<CaptchaMode, String> {
    match text(value)? {
        "always" => Ok(CaptchaMode::Always),
        "adaptive" => Ok(CaptchaMode::Adaptive),
        "off" => Ok(CaptchaMode::Off),
        other => Err(format!("{other:?} is not one of always, adaptive, off")),
    }
}
