//! The controller's settings, as values that need no further checking.
//!
//! A flag goes before the environment, the environment before the file, the file before the default.
//! Reading names every mistake at once, each with file, line and key; an unknown key is a mistake, so
//! that a typo does not become a default. `keys` says everything about a key in one place.
//!
//! No secret is quoted: not by a mistake, not by `Debug`, not by `config show`.

mod door;
mod effective;
mod explain;
pub mod keys;
mod look;
mod read;
mod reader;
mod sections;
mod sources;
mod values;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::Cidr;
use protocol::signing::Secret;
use settings::Text;
use url::Url;

pub use door::{Oidc, Sessions, SignIn};
pub use effective::{Effective, Origin};
pub use explain::{example, explain, names};
pub use sections::{
    Addresses, Agents, Api, Apply, Events, Live, Mend, PeerSessions, Poll, Samples, Tls, Upkeep,
    Webhooks,
};
pub use settings::{Mistake, Mistakes};
pub use sources::{EnvironmentError, Override, Sources, variable};
pub use values::{DatabaseUrl, LogFormat};

/// Read where nobody names a file; it may be absent, and then all settings are defaults.
pub const DEFAULT_PATH: &str = "/etc/wgfleet/config.toml";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub listen: SocketAddr,
    /// How people reach the controller; without a path.
    pub base_url: Option<Url>,
    /// Only these are believed about whom they speak for.
    pub trusted_proxies: Vec<Cidr>,
    pub data_dir: PathBuf,
    /// Absent: the controller runs a Postgres of its own.
    pub database_url: Option<DatabaseUrl>,
    pub database_connections: u32,
    pub postgres_bin_dir: Option<PathBuf>,
    pub master_key: MasterKey,
    /// A filter as `tracing_subscriber::EnvFilter` reads it.
    pub log: String,
    pub log_format: LogFormat,
    pub tls: Option<Tls>,
    /// How often files of certificates are looked at for a change.
    pub tls_reload: Duration,
    pub agents: Agents,
    pub poll: Poll,
    pub apply: Apply,
    pub mend: Mend,
    pub upkeep: Upkeep,
    pub addresses: Addresses,
    pub samples: Samples,
    pub peer_sessions: PeerSessions,
    pub events: Events,
    pub live: Live,
    pub webhooks: Webhooks,
    pub api: Api,
    pub sign_in: SignIn,
    pub sessions: Sessions,
    /// Absent: nobody signs in through an identity provider.
    pub oidc: Option<Oidc>,
}

/// Where the key comes from that encrypts secrets in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterKey {
    /// The environment holds it.
    Given(Secret),
    /// It must be there.
    File(PathBuf),
    /// Nobody gave one: it is made here at the first start.
    Own(PathBuf),
}

/// What the listener speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// HTTP: on loopback, or to a proxy that was named.
    Plain,
    /// HTTPS with these files.
    Files(Tls),
    /// HTTPS with a certificate that the controller makes.
    SelfSigned,
}

/// Settings without a mistake, and what is to be told about them.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    pub warnings: Vec<Mistake>,
    pub file: PathBuf,
    /// In the order of the example.
    pub effective: Vec<Effective>,
}

impl Config {
    /// Reads all sources and looks at the files that are named.
    pub fn load(sources: &Sources) -> Result<Loaded, Mistakes> {
        let text = read_file(sources)?;
        parse(sources.path(), &text, sources, look::mistakes)
    }

    /// Reads text as if it stood in `file`, with nothing from elsewhere; looks at no file.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Mistakes> {
        let loaded = parse(file, text, &Sources::default(), |_| Vec::new())?;
        Ok(loaded.config)
    }

    pub fn transport(&self) -> Transport {
        match &self.tls {
            Some(tls) => Transport::Files(tls.clone()),
            None if self.listen.ip().is_loopback() => Transport::Plain,
            None if !self.trusted_proxies.is_empty() => Transport::Plain,
            None => Transport::SelfSigned,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::parse(Path::new(DEFAULT_PATH), "").expect("the defaults are without mistake")
    }
}

impl Loaded {
    /// The line of a key, given with its table, where it stands in the file and nothing overrides it.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        let effective = self.effective.iter().find(|one| one.key == key)?;
        match effective.origin {
            Origin::Line(line) => Some(line),
            Origin::Default | Origin::Named(_) => None,
        }
    }

    /// Words a finding about a key, named as the person knows it who set it.
    pub fn finding(&self, key: &str, what: String) -> Mistake {
        let effective = self.effective.iter().find(|one| one.key == key);
        let name = match effective.map(|one| &one.origin) {
            Some(Origin::Named(name)) => name,
            _ => key,
        };
        Mistake {
            file: self.file.clone(),
            line: self.line_of(key),
            key: Some(name.to_owned()),
            what,
        }
    }
}

fn read_file(sources: &Sources) -> Result<String, Mistakes> {
    let path = sources.path();
    let is_absent = || std::fs::metadata(path).is_err_and(|err| err.kind() == ErrorKind::NotFound);
    if sources.file.is_none() && is_absent() {
        return Ok(String::new());
    }
    settings::read_settings(path).map_err(|mistake| Mistakes(vec![mistake]))
}

fn parse(
    file: &Path,
    source: &str,
    sources: &Sources,
    look: impl FnOnce(&Loaded) -> Vec<Mistake>,
) -> Result<Loaded, Mistakes> {
    let text = Text { file, text: source };
    let table = text.parse().map_err(Mistakes)?;
    let read = read::read(text, table.get_ref(), sources);
    let mut loaded = Loaded {
        config: read.config,
        warnings: read.warnings,
        file: file.to_owned(),
        effective: effective::all(text, table.get_ref(), &sources.overrides),
    };
    let mut mistakes = read.mistakes;
    mistakes.extend(look(&loaded));
    if !mistakes.is_empty() {
        mistakes.sort_by_key(|mistake| mistake.line);
        return Err(Mistakes(mistakes));
    }
    loaded.warnings.extend(look::warnings(&loaded));
    Ok(loaded)
}

#[cfg(test)]
mod tests;
