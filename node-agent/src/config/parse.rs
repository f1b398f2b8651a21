//! From text to settings, without a look at any file.
//!
//! What concerns several keys together is judged here as well: who may connect, and whether plain
//! HTTP may be spoken at all.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use protocol::Cidr;
use settings::{At, Mistake, Mistakes, Section, Text, path, socket_address, table, text};
use toml::de::DeValue;
use tracing_subscriber::EnvFilter;

use super::files::{Kind, NamedFile};
use super::{Config, Interface, Source, Tls, interface, tuning};

/// What reading the text gave. The settings are whole only where there is no mistake.
pub(super) struct Parsed {
    pub(super) config: Option<Config>,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) files: Vec<NamedFile>,
}

impl Parsed {
    pub(super) fn finish(mut self) -> Result<Config, Mistakes> {
        match self.config.take() {
            Some(config) if self.mistakes.is_empty() => Ok(config),
            _ => Err(self.refuse()),
        }
    }

    pub(super) fn refuse(mut self) -> Mistakes {
        self.mistakes.sort_by_key(|mistake| mistake.line);
        Mistakes(self.mistakes)
    }
}

pub(super) fn parse(file: &Path, source: &str) -> Parsed {
    let text = Text { file, text: source };
    let table = match text.parse() {
        Ok(table) => table,
        Err(mistakes) => {
            return Parsed {
                config: None,
                mistakes,
                files: Vec::new(),
            };
        }
    };
    let mut files = Vec::new();
    let mut root = Section::new(text, "", table.get_ref());
    let config = read_root(text, &mut root, &mut files);
    Parsed {
        config: Some(config),
        mistakes: root.finish(),
        files,
    }
}

fn read_root(text: Text<'_>, root: &mut Section<'_>, files: &mut Vec<NamedFile>) -> Config {
    let listen = root.take("listen", socket_address);
    let allow_from = root.take_list("allow_from", cidr);
    let secret_file = root.take("secret_file", path);
    let state_dir = root.take("state_dir", path);
    if let Some(at) = &state_dir {
        files.push(name_file("state_dir", at, Kind::Folder));
    }
    let insecure_http = root.flag("insecure_http");
    let tls = read_tls(text, root, files);
    let interfaces = read_interfaces(text, root, files);

    let address = listen
        .as_ref()
        .map_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), |at| at.value);
    let line = listen.map(|at| at.line);
    if !address.ip().is_loopback() {
        if allow_from.is_none() {
            let what = "is required when listening beyond loopback: the networks that may connect";
            root.mistake("allow_from", line, what);
        }
        let own = |interface: &Interface| {
            interface
                .addresses
                .iter()
                .any(|net| net.addr() == address.ip())
        };
        if tls.is_none() && !insecure_http && !interfaces.iter().any(own) {
            root.mistake(
                "listen",
                line,
                "would speak plain HTTP beyond loopback; add [tls], or listen on an address of an \
                 [[interface]], or set insecure_http = true",
            );
        }
    }
    let allow_from = match allow_from {
        Some(at) => {
            if at.value.is_empty() {
                root.mistake(
                    "allow_from",
                    Some(at.line),
                    "is empty, so nobody could connect",
                );
            }
            at.value.into_iter().map(|cidr| cidr.value).collect()
        }
        None => loopback(),
    };

    Config {
        listen: address,
        allow_from,
        state_dir: state_dir.map_or_else(|| PathBuf::from("/var/lib/wgfleet-agent"), |at| at.value),
        insecure_http,
        allow_root: root.flag("allow_root"),
        log: root
            .take("log", log_filter)
            .map_or_else(|| "info".to_owned(), |at| at.value),
        metrics_peer_labels: root.flag("metrics_peer_labels"),
        tls,
        interfaces,
        timing: tuning::read_timing(text, root),
        limits: tuning::read_limits(text, root),
        source: Source {
            file: text.file.to_owned(),
            secret_file_line: secret_file.as_ref().map(|at| at.line),
        },
        secret_file: secret_file.map(|at| at.value),
    }
}

fn read_tls(text: Text<'_>, root: &mut Section<'_>, files: &mut Vec<NamedFile>) -> Option<Tls> {
    let table = root.take("tls", table)?;
    let mut section = Section::new(text, "tls.", table.value);
    let mut file = |key, kind, full_key| {
        let at = section.take(key, path)?;
        files.push(name_file(full_key, &at, kind));
        Some(at.value)
    };
    let cert_file = file("cert_file", Kind::Public, "tls.cert_file");
    let key_file = file("key_file", Kind::Private, "tls.key_file");
    let client_ca_file = file("client_ca_file", Kind::Public, "tls.client_ca_file");
    section.require("cert_file", table.line);
    section.require("key_file", table.line);
    root.append(section.finish());
    Some(Tls {
        cert_file: cert_file?,
        key_file: key_file?,
        client_ca_file,
    })
}

fn read_interfaces(
    text: Text<'_>,
    root: &mut Section<'_>,
    files: &mut Vec<NamedFile>,
) -> Vec<Interface> {
    let tables = root.take_list("interface", table);
    let tables = tables.map_or_else(Vec::new, |at| at.value);
    if tables.is_empty() {
        let what = "is missing: without an [[interface]] there is nothing the agent may touch";
        root.mistake("interface", None, what);
    }
    let mut interfaces = Vec::new();
    let mut lines = BTreeMap::new();
    for table in tables {
        let mut section = Section::new(text, "interface.", table.value);
        if let Some(read) = interface::read(&mut section, table.line, files) {
            interface::refuse_twins(&mut section, table.line, &read, &mut lines);
            interfaces.push(read);
        }
        root.append(section.finish());
    }
    interfaces
}

pub(super) fn name_file(key: &'static str, at: &At<PathBuf>, kind: Kind) -> NamedFile {
    NamedFile {
        key,
        line: at.line,
        path: at.value.clone(),
        kind,
    }
}

fn loopback() -> Vec<Cidr> {
    [
        Cidr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
        Cidr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
    ]
    .into_iter()
    .map(|cidr| cidr.expect("both lengths fit their addresses"))
    .collect()
}

fn cidr(value: &DeValue<'_>) -> Result<Cidr, String> {
    let text = text(value)?;
    Cidr::parse(text).map_err(|err| format!("{text:?} {err}"))
}

fn log_filter(value: &DeValue<'_>) -> Result<String, String> {
    let text = text(value)?;
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(err) => Err(format!(
            "{text:?} is not a log filter such as info or warn,node_agent=debug: {err}"
        )),
    }
}
