//! Where the master key comes from: the environment, or a file that nobody else may read.
//!
//! Beside the file there may be a second one, `….next`: a change of the key that has not ended. Which of
//! the two holds is for the database to say, by what its rows are wrapped with.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::master::{MasterKey, MasterKeyError};

/// The environment variable that holds the master key where no file does.
pub const MASTER_KEY_VARIABLE: &str = "WGFLEET_MASTER_KEY";

const MASTER_KEY_FILE: &str = "master.key";

/// Longer files are not a key.
const MOST_BYTES: u64 = 1024;

#[derive(Debug, Clone)]
pub enum MasterSource {
    /// From the environment: the controller writes nothing.
    Given(MasterKey),
    /// In this file, made at the first start.
    File(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("cannot {what} the master key file {path}")]
    Io {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("the master key file {0} is open to others; chmod it to 0600 or 0640")]
    NotPrivate(PathBuf),
    #[error("{MASTER_KEY_VARIABLE} in the environment holds no key")]
    NoKeyGiven(#[source] MasterKeyError),
    #[error("the master key file {path} holds no key")]
    NoKey {
        path: PathBuf,
        source: MasterKeyError,
    },
}

impl MasterSource {
    /// The environment rules; then the file that the settings name; then the one in the data folder.
    pub fn choose(
        variable: Option<&str>,
        file: Option<PathBuf>,
        data_dir: &Path,
    ) -> Result<Self, SourceError> {
        match variable {
            Some(text) => MasterKey::parse(text)
                .map(Self::Given)
                .map_err(SourceError::NoKeyGiven),
            None => Ok(Self::File(
                file.unwrap_or_else(|| data_dir.join(MASTER_KEY_FILE)),
            )),
        }
    }

    /// The keys that may be the one: the key, then the one that is to follow it. None: there is no file yet.
    pub(super) fn candidates(&self) -> Result<Vec<MasterKey>, SourceError> {
        match self {
            Self::Given(key) => Ok(vec![key.clone()]),
            Self::File(path) => {
                let both = [read(path)?, read(&next(path))?];
                Ok(both.into_iter().flatten().collect())
            }
        }
    }
}

/// Where the key that is to follow the one at `path` is written first.
pub(super) fn next(path: &Path) -> PathBuf {
    path.with_added_extension("next")
}

/// Reads the key at `path`; `None` where there is no file.
pub(super) fn read(path: &Path) -> Result<Option<MasterKey>, SourceError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(io_error("open", path)(err)),
    };
    let about = file.metadata().map_err(io_error("read", path))?;
    // A service manager may hand a secret to the service's group.
    if about.permissions().mode() & 0o027 != 0 {
        return Err(SourceError::NotPrivate(path.to_owned()));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MOST_BYTES)
        .read_to_string(&mut text)
        .map_err(io_error("read", path))?;
    let key = MasterKey::parse(&text).map_err(|source| SourceError::NoKey {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(key))
}

/// Writes a key whole or not at all; returns once the disk has it under its name.
pub(super) fn write(path: &Path, key: &MasterKey) -> Result<(), SourceError> {
    let new = path.with_added_extension("new");
    let failed = io_error("write", path);
    write_private(&new, key).map_err(&failed)?;
    rename(&new, path)
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), SourceError> {
    fs::rename(from, to)
        .and_then(|()| sync_folder(to))
        .map_err(io_error("replace", to))
}

fn write_private(path: &Path, key: &MasterKey) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    // One that was left by a crash keeps the mode it was made with.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(key.reveal().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Makes a renamed file's name durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn io_error(what: &'static str, path: &Path) -> impl Fn(io::Error) -> SourceError {
    let path = path.to_owned();
    move |source| SourceError::Io {
        what,
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> MasterKey {
        MasterKey::from_random(std::array::from_fn(|at| n.wrapping_add(at as u8)))
    }

    #[test]
    fn a_written_key_is_read_back_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");

        write(&path, &key(1)).unwrap();

        assert_eq!(read(&path).unwrap(), Some(key(1)));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        write(&path, &key(1)).unwrap();

        for mode in [0o604, 0o660, 0o644, 0o602] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = read(&path);
            assert!(
                matches!(refused, Err(SourceError::NotPrivate(_))),
                "{mode:o}"
            );
        }
        for mode in [0o400, 0o440, 0o640] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&path).unwrap(), Some(key(1)), "{mode:o}");
        }
    }

    #[test]
    fn a_file_without_a_key_is_an_error_and_no_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        assert_eq!(read(&path).unwrap(), None);

        write_private(&path, &key(1)).unwrap();
        fs::write(&path, "half a k").unwrap();

        assert!(matches!(read(&path), Err(SourceError::NoKey { .. })));
    }

    #[test]
    fn the_environment_rules_over_files() {
        let data_dir = Path::new("/data");
        let choose = |variable: Option<&str>, file: Option<&str>| {
            MasterSource::choose(variable, file.map(PathBuf::from), data_dir)
        };
        let file = |source| match source {
            Ok(MasterSource::File(path)) => path,
            other => panic!("{other:?}"),
        };

        let given = choose(Some(&key(1).reveal()), Some("/run/key"));
        assert!(matches!(given, Ok(MasterSource::Given(given)) if given == key(1)));
        assert_eq!(file(choose(None, Some("/run/key"))), Path::new("/run/key"));
        assert_eq!(file(choose(None, None)), Path::new("/data/master.key"));
        let bad = choose(Some("hunter2"), None).unwrap_err().to_string();
        assert_eq!(bad, "WGFLEET_MASTER_KEY in the environment holds no key");
    }

    #[test]
    fn both_files_are_tried_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let source = MasterSource::File(path.clone());
        assert_eq!(source.candidates().unwrap(), []);

        write(&next(&path), &key(2)).unwrap();
        write(&path, &key(1)).unwrap();

        assert_eq!(source.candidates().unwrap(), [key(1), key(2)]);
    }
}
