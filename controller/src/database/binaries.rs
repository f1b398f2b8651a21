//! Finds the programs of Postgres that are installed.
//!
//! Several major versions may be: a cluster runs only with those of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::DatabaseError;
use super::requirements::OLDEST_MAJOR;

/// Where Debian keeps them, a folder per major version.
const INSTALLED: &str = "/usr/lib/postgresql";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) folder: PathBuf,
    pub(super) major: u32,
}

impl Binaries {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// All that are new enough: those in the named folder first, then the newest.
pub(super) fn find(named: Option<&Path>) -> Result<Vec<Binaries>, DatabaseError> {
    let mut found = Vec::new();
    for folder in installed()? {
        let major = major_in(&folder)?;
        found.push(Binaries { folder, major });
    }
    found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
    if let Some(folder) = named {
        let major = major_in(folder)?;
        found.insert(
            0,
            Binaries {
                folder: folder.to_owned(),
                major,
            },
        );
    }
    found.retain(|binaries| binaries.major >= OLDEST_MAJOR);
    Ok(found)
}

fn installed() -> Result<Vec<PathBuf>, DatabaseError> {
    let unreadable = |source| DatabaseError::Path {
        path: INSTALLED.into(),
        deed: "read",
        source,
    };
    let entries = match fs::read_dir(INSTALLED) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let folder = entry.map_err(unreadable)?.path().join("bin");
        // The client package alone brings a folder without a server.
        if folder.join("postgres").exists() {
            folders.push(folder);
        }
    }
    Ok(folders)
}

fn major_in(folder: &Path) -> Result<u32, DatabaseError> {
    let programs = |source| DatabaseError::Programs {
        folder: folder.to_owned(),
        source,
    };
    let output = Command::new(folder.join("postgres"))
        .arg("--version")
        .output()
        .map_err(programs)?;
    let said = String::from_utf8_lossy(&output.stdout);
    major(&said).ok_or_else(|| programs(io::Error::other(format!("it says {:?}", said.trim()))))
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, or `18beta1`.
fn major(said: &str) -> Option<u32> {
    let version = said.strip_prefix("postgres (PostgreSQL) ")?;
    let end = version
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(version.len());
    version[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_says() {
        assert_eq!(
            major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major("postgres (PostgreSQL) 17"), Some(17));
        assert_eq!(major("initdb (PostgreSQL) 15.18\n"), None);
        assert_eq!(major("postgres (PostgreSQL) devel\n"), None);
        assert_eq!(major(""), None);
    }
}
