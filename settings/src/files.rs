//! Reads the files of the settings, so that a wrong path is a sentence and never a surprise.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::Mistake;

/// Larger than any file of settings; a path to a device or a disk image ends here.
const MOST_BYTES: u64 = 1 << 20;

/// Reads a file of settings as text.
pub fn read_settings(file: &Path) -> Result<String, Mistake> {
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

/// Reads a file whose content is no secret.
pub fn read_public(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    read(path).map_err(unreadable)
}

/// Reads a file that must not be readable or writable by everyone, nor writable by its group.
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
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
