//! From text to settings, without a look at any file.
//!
//! What concerns several keys together is judged here as well.

use std::path::Path;

use protocol::Cidr;
use settings::{Mistake, Text, path, socket_address};
use toml::de::DeTable;
use url::Url;

use super::reader::{Found, Reader};
use super::sources::{MASTER_KEY_VARIABLE, Sources};
use super::{Config, MasterKey, Transport, door, sections, values};

/// What reading gave. The settings are whole only where there is no mistake.
pub(super) struct Read {
    pub(super) config: Config,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) warnings: Vec<Mistake>,
}

pub(super) fn read(text: Text<'_>, table: &DeTable<'_>, sources: &Sources) -> Read {
    let empty = DeTable::new();
    let mut root = Reader::new(text, "", table, &empty, &sources.overrides);
    let mut warnings = Vec::new();
    let config = read_root(&mut root, sources, &mut warnings);
    Read {
        config,
        mistakes: root.finish(),
        warnings,
    }
}

fn read_root(root: &mut Reader<'_>, sources: &Sources, warnings: &mut Vec<Mistake>) -> Config {
    let listen = root.value("listen", socket_address);
    let base_url = root.take("base_url", values::base_url);
    let proxies = root.list("trusted_proxies", values::cidr);
    refuse_overlaps(root, &proxies);
    let data_dir = root.value("data_dir", path).value;
    let (tls, tls_reload) = root.within("tls.", |tls| {
        let pair = sections::pair(tls, "cert_file", "key_file");
        (pair, tls.duration("reload_s"))
    });

    let config = Config {
        listen: listen.value,
        base_url: base_url.as_ref().map(|found| found.value.clone()),
        trusted_proxies: proxies.iter().map(|found| found.value).collect(),
        master_key: master_key(root, sources, &data_dir),
        data_dir,
        database_url: root
            .take("database_url", values::database_url)
            .map(|found| found.value),
        database_connections: root.number("database_connections"),
        postgres_bin_dir: root.take("postgres_bin_dir", path).map(|found| found.value),
        log: root.value("log", values::log_filter).value,
        log_format: root.value("log_format", values::log_format).value,
        tls,
        tls_reload,
        agents: root.within("agents.", sections::agents),
        poll: root.within("poll.", sections::poll),
        apply: root.within("apply.", sections::apply),
        mend: root.within("mend.", sections::mend),
        upkeep: root.within("upkeep.", sections::upkeep),
        addresses: root.within("addresses.", sections::addresses),
        samples: root.within("samples.", sections::samples),
        peer_sessions: root.within("peer_sessions.", sections::peer_sessions),
        events: root.within("events.", sections::events),
        live: root.within("live.", sections::live),
        webhooks: root.within("webhooks.", sections::webhooks),
        api: root.within("api.", sections::api),
        sign_in: root.within("sign_in.", door::sign_in),
        sessions: root.within("sessions.", door::sessions),
        oidc: root.within("oidc.", door::oidc),
    };
    if config.oidc.is_some() && base_url.is_none() {
        let what = "is missing beside oidc.issuer: the provider sends people back there";
        root.mistake("base_url", None, what);
    }
    if config
        .oidc
        .as_ref()
        .is_some_and(|oidc| !oidc.lets_somebody_in())
    {
        let what = "lets nobody in: name groups in admin_groups, operator_groups or viewer_groups";
        warnings.push(root.finding("oidc.issuer", None, what));
    }
    judge_base_url(root, &config, base_url, listen.line, warnings);
    config
}

fn master_key(root: &mut Reader<'_>, sources: &Sources, data_dir: &Path) -> MasterKey {
    let file = root.take("master_key_file", path);
    if let Some(text) = &sources.master_key {
        match values::master_key(text) {
            Ok(secret) => return MasterKey::Given(secret),
            Err(what) => root.mistake_outside(MASTER_KEY_VARIABLE, what),
        }
    }
    match file {
        Some(found) => MasterKey::File(found.value),
        None => MasterKey::Own(data_dir.join("master.key")),
    }
}

/// A network inside another of the list is one that was not meant as it is written.
fn refuse_overlaps(root: &mut Reader<'_>, proxies: &[Found<Cidr>]) {
    for (i, later) in proxies.iter().enumerate() {
        let (later, line) = (later.value, later.line);
        let overlaps = |earlier: &&Found<Cidr>| {
            earlier.value.contains(later.address()) || later.contains(earlier.value.address())
        };
        if let Some(earlier) = proxies[..i].iter().find(overlaps) {
            let what = format!("{later} overlaps {}", earlier.value);
            root.mistake("trusted_proxies", line, what);
        }
    }
}

/// Whether the address that people are given leads to what is served.
fn judge_base_url(
    root: &mut Reader<'_>,
    config: &Config,
    base_url: Option<Found<Url>>,
    listen_line: Option<usize>,
    warnings: &mut Vec<Mistake>,
) {
    let Some(Found { value: url, line }) = base_url else {
        if !config.listen.ip().is_loopback() {
            let what = "reaches beyond this machine, so set base_url: without it a link leads to \
                        whatever address the request named";
            warnings.push(root.finding("listen", listen_line, what));
        }
        return;
    };
    let is_https = url.scheme() == "https";
    if config.transport() != Transport::Plain && !is_https {
        let what = "must begin with https://, because HTTPS is what is served";
        root.mistake("base_url", line, what);
    }
    if config.transport() == Transport::Plain && is_https && config.trusted_proxies.is_empty() {
        let what = "is https:// while plain HTTP is served: if a proxy is in front, name it in \
                    trusted_proxies, else every visitor seems to come from it";
        warnings.push(root.finding("base_url", line, what));
    }
}
