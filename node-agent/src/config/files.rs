//! Looks at the files that the settings name, so that `check` finds on the node what would fail there.
//!
//! It judges what is there now. Whoever uses a file later opens it again and reports its own failure.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use protocol::PrivateKey;
use settings::{Mistake, read_private, read_public};

/// A file named in the settings, and what it must be.
#[derive(Debug, Clone)]
pub(super) struct NamedFile {
    pub(super) key: &'static str,
    pub(super) line: usize,
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Readable.
    Public,
    /// Readable, though not by everyone.
    Private,
    /// A private file that holds a WireGuard key.
    WireguardKey,
    /// The same, or nothing yet: the agent that makes the interface makes its key.
    WireguardKeyToBe,
    Program,
    /// A folder, or nothing yet.
    Folder,
}

pub(super) fn check(settings: &Path, named: &NamedFile) -> Option<Mistake> {
    let what = judge(&named.path, named.kind).err()?;
    Some(Mistake {
        file: settings.to_owned(),
        line: Some(named.line),
        key: Some(named.key.to_owned()),
        what: format!("{} {what}", named.path.display()),
    })
}

fn judge(path: &Path, kind: Kind) -> Result<(), String> {
    match kind {
        Kind::Public => read_public(path).map(|_| ()),
        Kind::Private => read_private(path).map(|_| ()),
        Kind::WireguardKey => {
            let bytes = read_private(path)?;
            let text = std::str::from_utf8(&bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
            match PrivateKey::parse(text.trim_end()) {
                Ok(_) => Ok(()),
                Err(err) => Err(err.to_string()),
            }
        }
        Kind::WireguardKeyToBe => match fs::metadata(path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => judge_folder_of(path),
            _ => judge(path, Kind::WireguardKey),
        },
        Kind::Program => {
            let meta = fs::metadata(path).map_err(unreadable)?;
            if !meta.is_file() || meta.permissions().mode() & 0o111 == 0 {
                return Err("is not a program".into());
            }
            Ok(())
        }
        Kind::Folder => match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => Ok(()),
            Ok(_) => Err("is not a folder".into()),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(err) => Err(unreadable(err)),
        },
    }
}

fn judge_folder_of(path: &Path) -> Result<(), String> {
    match path.parent() {
        Some(folder) if folder.is_dir() => Ok(()),
        _ => Err("is in a folder that does not exist".into()),
    }
}

fn unreadable(err: io::Error) -> String {
    format!("cannot be read: {err}")
}
