//! Looks at the files that the settings name, so that `check` finds on the node what would fail there.
//!
//! It judges what is there now. Whoever uses a file later opens it again and reports its own failure.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use protocol::PrivateKey;
use zeroize::Zeroizing;

use super::Mistake;

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

/// Larger than any file of settings; a path to a device or a disk image ends here.
const MOST_BYTES: u64 = 1 << 20;

pub(super) fn read_settings(file: &Path) -> Result<String, Mistake> {
    let mistake = |what: String| Mistake {
        file: file.to_owned(),
        line: None,
        key: None,
        what,
    };
    let bytes = read(file).map_err(|err| mistake(format!("cannot be read: {err}")))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(mistake("is not UTF-8 text".into())),
    }
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
        Kind::Public => read(path).map(|_| ()).map_err(unreadable),
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

/// Reads a file that must not be readable or writable by everyone, nor writable by its group.
pub(super) fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let meta = fs::metadata(path).map_err(unreadable)?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o027 != 0 {
        return Err(format!(
            "is open to others (mode {mode:03o}); chmod it to 0600 or 0640"
        ));
    }
    read(path).map_err(unreadable)
}

fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let read = File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if read as u64 > MOST_BYTES {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}

fn unreadable(err: io::Error) -> String {
    format!("cannot be read: {err}")
}
