//! Going to the private cluster of a controller that runs: its socket and its password, and none of its locks.
//!
//! Only who may read the folder gets in, which is the controller's user and root.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnectOptions;

use super::DatabaseError;
use super::cluster::{self, NAME};
use super::folder::{Password, cannot};

#[derive(Debug)]
pub(super) struct Guest {
    folder: File,
    password: Password,
}

impl Guest {
    /// None where there is no private cluster: the controller there has its database elsewhere.
    pub(super) fn of(data_dir: &Path) -> Result<Option<Self>, DatabaseError> {
        let path = data_dir.join("postgres");
        let password = path.join("password");
        if !password.try_exists().map_err(cannot("read", &path))? {
            return Ok(None);
        }
        Ok(Some(Self {
            folder: File::open(&path).map_err(cannot("opened", &path))?,
            password: Password::read(&password)?,
        }))
    }

    pub(super) fn options(&self) -> PgConnectOptions {
        // No path to a socket may be long; this one never is.
        let folder = PathBuf::from(format!("/proc/self/fd/{}", self.folder.as_raw_fd()));
        cluster::options(&folder, &self.password, NAME, NAME)
    }
}
