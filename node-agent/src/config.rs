//! The agent's one file of settings, as values that need no further checking.
//!
//! Reading names every mistake at once, each with file, line and key, because an operator who edits
//! a file on a far node has one try per restart. That is why the file is not read through serde,
//! which stops at the first mistake. An unknown key is a mistake: a typo must not become a default.
//!
//! The shared secret is no setting. It is read apart, has no default, and never lands in [`Config`].

mod files;
mod interface;
mod parse;
mod secret;
mod tuning;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use protocol::signing::Secret;
use protocol::{Cidr, InterfaceName};

pub use crate::device::BackendChoice;
pub use settings::{Mistake, Mistakes};

pub const DEFAULT_PATH: &str = "/etc/wgfleet-agent/config.toml";

/// The environment variable that may hold the secret instead of `secret_file`.
pub const SECRET_VARIABLE: &str = "WGFLEET_AGENT_SECRET";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub listen: SocketAddr,
    /// Who may connect at all.
    pub allow_from: Vec<Cidr>,
    pub secret_file: Option<PathBuf>,
    pub state_dir: PathBuf,
    pub insecure_http: bool,
    pub allow_root: bool,
    /// A filter as `tracing_subscriber::EnvFilter` reads it.
    pub log: String,
    /// Whether metrics carry public keys as labels.
    pub metrics_peer_labels: bool,
    pub tls: Option<Tls>,
    /// At least one; names are unique.
    pub interfaces: Vec<Interface>,
    pub timing: Timing,
    pub limits: Limits,
    source: Source,
}

/// Where the settings came from, for mistakes that show only later.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    file: PathBuf,
    secret_file_line: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
    /// Present where clients must show a certificate of this authority.
    pub client_ca_file: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    pub name: InterfaceName,
    pub backend: BackendChoice,
    /// Whether the agent makes the interface where it does not exist.
    pub create: bool,
    pub listen_port: Option<u16>,
    /// Addresses with their host bits.
    pub addresses: Vec<IpNet>,
    pub mtu: Option<u32>,
    pub private_key_file: Option<PathBuf>,
    /// Started where the backend is userspace and no daemon answers.
    pub userspace: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// How far a timestamp may be from this node's clock, in either direction.
    pub window: Duration,
    pub head_read: Duration,
    pub body_read: Duration,
    /// How long a secret that was replaced still verifies.
    pub retiring: Duration,
    /// How often a device is read when nobody asks.
    pub observe: Duration,
    /// How often the agent looks whether an interface vanished.
    pub watch: Duration,
    /// Pause before a disk or device that refused is asked again.
    pub retry: Duration,
    /// How often the machine's figures are taken.
    pub sample: Duration,
    pub tls_reload: Duration,
    pub shutdown: Duration,
    /// How long an idle connection is kept.
    pub keep_alive: Duration,
    /// After this long without a sign of life from an interface's writer, the watchdog is not fed.
    pub stuck: Duration,
    /// A peer counts as active for so long after its last handshake.
    pub active_handshake: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub body_bytes: usize,
    pub full_set_bytes: usize,
    /// All bodies together that are not verified yet.
    pub unverified_bytes: usize,
    pub failures_per_minute: u32,
    pub failure_burst: u32,
    pub replay_signatures: usize,
    pub connections: usize,
    /// Requests that may wait for one interface's writer.
    pub queue: usize,
    /// Writes that are committed together at most.
    pub group: usize,
}

impl Config {
    /// Reads the file, and looks at the files that it names, apart from the secret.
    pub fn load(file: &Path) -> Result<Self, Mistakes> {
        parse_and_look(file)?.finish()
    }

    /// Reads the file and the secret, so that the mistakes of both are told at once.
    pub fn load_with_secret(
        file: &Path,
        variable: Option<String>,
    ) -> Result<(Self, Secret), Mistakes> {
        let mut parsed = parse_and_look(file)?;
        match parsed
            .config
            .as_ref()
            .map(|config| config.read_secret(variable))
        {
            Some(Ok(secret)) => Ok((parsed.finish()?, secret)),
            Some(Err(mistake)) => {
                parsed.mistakes.push(mistake);
                Err(parsed.refuse())
            }
            None => Err(parsed.refuse()),
        }
    }

    /// Reads text as if it stood in `file`; looks at no file.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Mistakes> {
        parse::parse(file, text).finish()
    }

    /// Reads the shared secret: from `variable`, the value of [`SECRET_VARIABLE`], if there is one,
    /// else from `secret_file`.
    pub fn read_secret(&self, variable: Option<String>) -> Result<Secret, Mistake> {
        secret::read(&self.source, self.secret_file.as_deref(), variable)
    }
}

fn parse_and_look(file: &Path) -> Result<parse::Parsed, Mistakes> {
    let text = settings::read_settings(file).map_err(|mistake| Mistakes(vec![mistake]))?;
    let mut parsed = parse::parse(file, &text);
    let files = parsed.files.iter();
    parsed
        .mistakes
        .extend(files.filter_map(|named| files::check(file, named)));
    Ok(parsed)
}

/// Reads the name of a backend as it stands in the file and on the command line.
pub fn parse_backend(text: &str) -> Result<BackendChoice, String> {
    match text {
        "auto" => Ok(BackendChoice::Auto),
        "kernel" => Ok(BackendChoice::Kernel),
        "userspace" => Ok(BackendChoice::Userspace),
        "memory" => Ok(BackendChoice::Memory),
        other => Err(format!(
            "{other:?} is not one of auto, kernel, userspace, memory"
        )),
    }
}

/// The commented example of the file, which documents every key with its default.
pub fn example() -> &'static str {
    include_str!("../config.example.toml")
}

#[cfg(test)]
mod tests;
