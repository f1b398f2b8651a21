//! Files that only the agent may read, replaced in one step: a reader, or a restart, finds the old
//! one or the new one and never half of either.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file written and on disk, not yet under its name.
pub(crate) struct Beside<T> {
    pub(crate) file: File,
    pub(crate) written: T,
    path: PathBuf,
}

/// Writes what is to take the place of `path`.
pub(crate) fn beside<T>(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<T>,
) -> io::Result<Beside<T>> {
    let new = path.with_added_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    let written = write(&mut file)?;
    file.sync_all()?;
    Ok(Beside {
        file,
        written,
        path: new,
    })
}

impl<T> Beside<T> {
    /// Takes the place of `path`. The name is not durable before its folder is synced.
    pub(crate) fn rename(&self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)
    }
}

/// Replaces the file at `path`; returns once the disk has it under its name.
pub(crate) fn replace<T>(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<T>,
) -> io::Result<T> {
    let new = beside(path, write)?;
    new.rename(path)?;
    sync_folder(path)?;
    Ok(new.written)
}

/// Makes a new or renamed file's name durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_could_not_be_written_whole_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, |file| file.write_all(b"old")).unwrap();

        let failed = replace(&path, |file| {
            file.write_all(b"half of the n")?;
            Err::<(), _>(io::Error::other("the disk is full"))
        });

        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        replace(&path, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
