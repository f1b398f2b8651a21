//! The folder of the private cluster, and who may use it.
//!
//! The folder is opened once, locked, and the open descriptor handed to Postgres, which reaches its data
//! as `/proc/self/fd/9`. One thing so answers several questions. Postgres as an ordinary user works below
//! a home of root that lets nobody through, without its data lying elsewhere or a namespace that
//! containers forbid. No path is too long for a socket, on neither side. And the lock is held by the
//! very processes that use the folder: while one of a killed controller's Postgres lives, nobody else starts.
//!
//! A second lock, on the data directory itself, is the controller's alone, so that a second controller
//! is refused soon and not after waiting for a Postgres that will not end.
//!
//! ```text
//! DATA_DIR/                     locked by the controller
//! DATA_DIR/postgres/            0700, of Postgres' user; locked by all its processes; here is the socket
//! DATA_DIR/postgres/password    of all users of the cluster
//! DATA_DIR/postgres/15/         the cluster; its name is its major version, and the highest counts
//! ```

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::geteuid;

use super::DatabaseError;
use super::account::{self, Account};

const PAUSE: Duration = Duration::from_millis(20);
/// A program that a controller is just starting holds its locks too, until it becomes that program.
const GRACE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Whom Postgres runs as, where that is not the controller's own user.
    pub(super) account: Option<Account>,
    handle: File,
    /// Held, not used.
    _lock: File,
}

impl Folder {
    /// Makes the folder where there is none. `limit` is for what an earlier controller left running.
    pub(super) fn take(data_dir: &Path, limit: Duration) -> Result<Self, DatabaseError> {
        make(data_dir)?;
        let lock = lock(data_dir)?;
        let path = data_dir.join("postgres");
        make(&path)?;
        let account = settle_owner(&path)?;
        let handle = File::open(&path).map_err(cannot("opened", &path))?;
        wait_for_predecessor(&handle, &path, limit)?;
        Ok(Self {
            path,
            account,
            handle,
            _lock: lock,
        })
    }

    /// For a program: the folder as its standard input. The lock goes along.
    pub(super) fn lend(&self) -> Result<File, DatabaseError> {
        self.handle.try_clone().map_err(cannot("lent", &self.path))
    }

    /// The folder as this process reaches it, by a path that is always short.
    pub(super) fn within_this_process(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.handle.as_raw_fd()).into()
    }

    /// The major versions of which there is a finished cluster, oldest first.
    pub(super) fn clusters(&self) -> Result<Vec<u32>, DatabaseError> {
        let mut majors = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(cannot("read", &self.path))? {
            let entry = entry.map_err(cannot("read", &self.path))?;
            let name = entry.file_name();
            majors.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
        }
        majors.sort_unstable();
        Ok(majors)
    }

    /// The password of the cluster's users, made where there is none. Only a folder without a cluster
    /// may lack it.
    pub(super) fn password(&self) -> Result<Password, DatabaseError> {
        let path = self.path.join("password");
        if !path.exists() && self.clusters()?.is_empty() {
            self.make_password(&path)?;
        }
        Password::read(&path)
    }

    fn make_password(&self, path: &Path) -> Result<(), DatabaseError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(DatabaseError::Chance)?;
        let new = path.with_added_extension("new");
        let written = || {
            let mut file = OpenOptions::new()
                .create(true)
                .write(true)
                .truncate(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(hex::encode(bytes).as_bytes())?;
            file.sync_all()?;
            // initdb reads it as Postgres' user.
            if let Some(account) = self.account {
                chown(&new, Some(account.uid), Some(account.gid))?;
            }
            fs::rename(&new, path)?;
            self.sync()
        };
        written().map_err(cannot("written", path))
    }

    /// Gives a finished cluster its name; from then on it is the cluster.
    pub(super) fn name_cluster(&self, unfinished: &str, major: u32) -> Result<(), DatabaseError> {
        let path = self.path.join(major.to_string());
        fs::rename(self.path.join(unfinished), &path)
            .and_then(|()| self.sync())
            .map_err(cannot("put in place", &path))
    }

    /// Removes a file or folder in it, with all that it holds, if it is there.
    pub(super) fn clear(&self, name: &str) -> Result<(), DatabaseError> {
        let path = self.path.join(name);
        let removed = match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&path),
            Ok(_) => fs::remove_file(&path),
            Err(err) => Err(err),
        };
        match removed {
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(cannot("removed", &path)),
        }
    }

    /// Removes the marks of servers that ended without doing so.
    ///
    /// Postgres takes any process of its own user that has the number in such a file for itself: after a
    /// reboot that may be another, in a container without an init a dead one that nobody buried. All
    /// processes of this folder are gone, or it were not taken; only one that was started by hand is
    /// not known here, so a mark that may be its own stays.
    pub(super) fn clear_marks(&self, cluster: &str) -> Result<(), DatabaseError> {
        self.clear(".s.PGSQL.5432")?;
        self.clear(".s.PGSQL.5432.lock")?;
        let data = self.path.join(cluster);
        let mark = data.join("postmaster.pid");
        let text = match fs::read_to_string(&mark) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
            text => text.map_err(cannot("read", &mark))?,
        };
        let pid = text.lines().next().map_or("", str::trim);
        if is_elsewhere(pid, &data).map_err(cannot("compared", &data))? {
            fs::remove_file(&mark).map_err(cannot("removed", &mark))?;
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.handle.sync_all()
    }
}

/// The password of the cluster's users; hexadecimal, so that it can end no literal.
pub(super) struct Password(String);

impl Password {
    pub(super) fn read(path: &Path) -> Result<Self, DatabaseError> {
        let text = fs::read_to_string(path).map_err(cannot("read", path))?;
        let password = text.trim_end();
        if password.is_empty() || !password.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(DatabaseError::Password {
                path: path.to_owned(),
            });
        }
        Ok(Self(password.to_owned()))
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Tells whether there is such a process, and it does not work in `data`, as a server would.
fn is_elsewhere(pid: &str, data: &Path) -> io::Result<bool> {
    let process = Path::new("/proc").join(pid);
    if pid.is_empty() || !process.exists() {
        return Ok(false);
    }
    match fs::metadata(process.join("cwd")) {
        Ok(folder) => {
            let data = fs::metadata(data)?;
            Ok((folder.dev(), folder.ino()) != (data.dev(), data.ino()))
        }
        // The dead are nowhere.
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(true),
        // Another user's, which does not mislead Postgres.
        Err(err) if err.kind() == io::ErrorKind::PermissionDenied => Ok(false),
        Err(err) => Err(err),
    }
}

fn make(path: &Path) -> Result<(), DatabaseError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(cannot("made", path))
}

fn lock(data_dir: &Path) -> Result<File, DatabaseError> {
    let file = File::open(data_dir).map_err(cannot("opened", data_dir))?;
    if locked_within(&file, data_dir, GRACE)? {
        return Ok(file);
    }
    Err(DatabaseError::Locked {
        folder: data_dir.to_owned(),
    })
}

/// Who owns the folder runs what is in it. A root controller gives a new one away.
fn settle_owner(path: &Path) -> Result<Option<Account>, DatabaseError> {
    let me = geteuid();
    let owner = fs::metadata(path).map_err(cannot("read", path))?.uid();
    let foreign = || DatabaseError::Owner {
        folder: path.to_owned(),
        owner,
    };
    if !me.is_root() {
        return (owner == me.as_raw()).then_some(None).ok_or_else(foreign);
    }
    if owner != 0 {
        return account::of(owner)?.map(Some).ok_or_else(foreign);
    }
    let is_new = fs::read_dir(path)
        .map_err(cannot("read", path))?
        .next()
        .is_none();
    if !is_new {
        return Err(foreign());
    }
    let account = account::choose()?;
    chown(path, Some(account.uid), Some(account.gid)).map_err(cannot("given away", path))?;
    Ok(Some(account))
}

fn wait_for_predecessor(handle: &File, path: &Path, limit: Duration) -> Result<(), DatabaseError> {
    if locked_within(handle, path, limit)? {
        return Ok(());
    }
    Err(DatabaseError::Leftover {
        folder: path.to_owned(),
        waited_s: limit.as_secs(),
    })
}

fn locked_within(file: &File, path: &Path, limit: Duration) -> Result<bool, DatabaseError> {
    let deadline = Instant::now() + limit;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(source)) => return Err(cannot("locked", path)(source)),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return Ok(false),
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
        }
    }
}

pub(super) fn cannot(deed: &'static str, path: &Path) -> impl Fn(io::Error) -> DatabaseError {
    move |source| DatabaseError::Path {
        path: path.to_owned(),
        deed,
        source,
    }
}
