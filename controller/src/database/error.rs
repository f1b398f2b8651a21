//! What can keep the controller from its database, and what to do about it.

use std::path::PathBuf;

use super::requirements::OLDEST_MAJOR;

#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("the database URL is not one of Postgres (postgres://user@host/name)")]
    Url(#[source] sqlx::Error),
    #[error("{server} did not answer within {waited_s} s; start it, or correct the database URL")]
    Silent {
        server: String,
        waited_s: u64,
        source: sqlx::Error,
    },
    #[error("{server} refuses the controller; correct the database URL or what the server allows")]
    Refused { server: String, source: sqlx::Error },
    #[error("the database does not tell what it is")]
    Ask(#[source] sqlx::Error),

    #[error(
        "the server is PostgreSQL {major}, and {OLDEST_MAJOR} is the oldest that works; upgrade it"
    )]
    TooOld { major: u32 },
    #[error("the server is a standby and takes no writes; name the primary in the database URL")]
    Standby,
    #[error("the database is encoded in {encoding}; create one with ENCODING 'UTF8'")]
    Encoding { encoding: String },
    #[error(
        "the server has no extension {name}; install Postgres' contrib package on it (postgresql-contrib)"
    )]
    ExtensionMissing { name: String },
    #[error(
        "the database lacks the extension {name}, which this user may not create; let an administrator run CREATE EXTENSION {name} in it"
    )]
    ExtensionForbidden { name: String },

    #[error("another controller has been migrating the database for {waited_s} s; try again later")]
    MigrationsBusy { waited_s: u64, source: sqlx::Error },
    #[error(
        "the database was migrated by a newer version of this program (to {version}); run that version"
    )]
    Newer { version: i64 },
    #[error(
        "the database was migrated by another build (migration {version} differs); run that build"
    )]
    Differs { version: i64 },
    #[error("the database cannot be migrated")]
    Migrate(#[source] sqlx::migrate::MigrateError),

    #[error("there is no home directory to keep data in; name a data directory")]
    NoHome,
    #[error("{} cannot be {deed}", path.display())]
    Path {
        path: PathBuf,
        deed: &'static str,
        source: std::io::Error,
    },
    #[error("another controller runs on {}; stop it, or name another data directory", folder.display())]
    Locked { folder: PathBuf },
    #[error(
        "the Postgres of an earlier controller still works in {} after {waited_s} s; wait, or end it",
        folder.display()
    )]
    Leftover { folder: PathBuf, waited_s: u64 },
    #[error(
        "{} belongs to user {owner}, as whom the private Postgres cannot run here; give it to its user again (chown -R)",
        folder.display()
    )]
    Owner { folder: PathBuf, owner: u32 },
    #[error(
        "Postgres does not run as root, and there is no user wgfleet, postgres or nobody; create a system user wgfleet"
    )]
    NoAccount,
    #[error("{} does not hold the password of the private Postgres; restore it from a backup", path.display())]
    Password { path: PathBuf },
    #[error("no random bytes for a password")]
    Chance(#[source] getrandom::Error),

    #[error(
        "no PostgreSQL {OLDEST_MAJOR} or newer is installed; install the package postgresql, or name a database URL"
    )]
    NoPrograms,
    #[error("{} holds no programs of Postgres", folder.display())]
    Programs {
        folder: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "{} was made by PostgreSQL {major}, whose programs are missing (found: {found}); install postgresql-{major}, then `wgfleet database upgrade` can move it to a newer one",
        folder.display()
    )]
    MajorMissing {
        folder: PathBuf,
        major: u32,
        found: String,
    },
    #[error("{} has no cluster yet; there is nothing to upgrade", folder.display())]
    NoCluster { folder: PathBuf },
    #[error(
        "{} is of PostgreSQL {major}, and nothing newer is installed; install a newer one beside it",
        folder.display()
    )]
    Newest { folder: PathBuf, major: u32 },
    #[error("the upgrade is for a private cluster; this one belongs to the database URL")]
    NotPrivate,
    #[error("{program} cannot be run")]
    Run {
        program: String,
        source: std::io::Error,
    },
    #[error("{program} failed: {said}")]
    Failed { program: String, said: String },
    #[error("the private Postgres ended while it started: {said}")]
    Ended { said: String },
    #[error("the private Postgres cannot be given its user and database")]
    Furnish(#[source] sqlx::Error),
}
