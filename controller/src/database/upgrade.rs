//! Moves the private cluster to a newer major version of Postgres.
//!
//! The old server is dumped, the new one filled, and the new cluster gets its name in the very last step:
//! until then the old one counts, and an attempt that was interrupted is begun anew. The old folder
//! stays for the operator to remove. pg_upgrade is quicker, but wants the same build options and
//! paths it can walk; a controller's database is small.

use std::path::PathBuf;
use std::sync::Arc;

use super::binaries::{self, Binaries};
use super::child::{FOLDER, run};
use super::cluster::{self, Cluster, blocking, make, of_major, unfinished};
use super::folder::Folder;
use super::{DatabaseError, Settings};

const DUMP: &str = "upgrade.dump";

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgraded {
    pub from: u32,
    pub to: u32,
    /// The old cluster, which nothing needs any more once the new one has proved itself.
    pub kept: PathBuf,
}

/// Needs the programs of both versions, and the controller stopped.
pub async fn upgrade(settings: &Settings) -> Result<Upgraded, DatabaseError> {
    if settings.url.is_some() {
        return Err(DatabaseError::NotPrivate);
    }
    let copy = settings.clone();
    let (folder, old, new) = blocking(move || {
        let folder = Arc::new(Folder::take(&copy.data_dir, copy.start_timeout)?);
        let (old, new) = versions(&folder, &copy)?;
        folder.clear(DUMP)?;
        Ok((folder, old, new))
    })
    .await?;
    let moved = move_over(&folder, &old, &new, settings).await;
    folder.clear(DUMP)?;
    if let Err(why) = moved {
        folder.clear(&unfinished(new.major))?;
        return Err(why);
    }
    folder.name_cluster(&unfinished(new.major), new.major)?;
    Ok(Upgraded {
        from: old.major,
        to: new.major,
        kept: folder.path.join(old.major.to_string()),
    })
}

fn versions(folder: &Folder, settings: &Settings) -> Result<(Binaries, Binaries), DatabaseError> {
    let installed = binaries::find(settings.postgres_bin_dir.as_deref())?;
    let Some(major) = folder.clusters()?.pop() else {
        return Err(DatabaseError::NoCluster {
            folder: folder.path.clone(),
        });
    };
    let old = of_major(&installed, major, folder)?;
    // Of equals the last wins, and those that were named come first.
    let newest = installed.into_iter().rev().max_by_key(|found| found.major);
    let new = newest
        .filter(|newest| newest.major > major)
        .ok_or_else(|| DatabaseError::Newest {
            folder: folder.path.join(major.to_string()),
            major,
        })?;
    Ok((old, new))
}

/// Leaves the filled cluster under a name that does not count yet.
async fn move_over(
    folder: &Arc<Folder>,
    old: &Binaries,
    new: &Binaries,
    settings: &Settings,
) -> Result<(), DatabaseError> {
    let major = old.major.to_string();
    let server = Cluster::serve(Arc::clone(folder), old.clone(), major, settings).await?;
    // The newer pg_dump knows how to write for the newer server.
    let dump = ["-Fc", "--dbname", cluster::NAME, "--file"];
    on_dump(server, new, "pg_dump", &dump).await?;

    let (target, binaries) = (Arc::clone(folder), new.clone());
    blocking(move || make(&target, &binaries)).await?;
    let name = unfinished(new.major);
    let server = Cluster::serve(Arc::clone(folder), new.clone(), name, settings).await?;
    let restore = ["--exit-on-error", "--dbname", cluster::NAME];
    on_dump(server, new, "pg_restore", &restore).await
}

/// Runs one program on the dump, and stops the server whatever comes of it.
async fn on_dump(
    server: Cluster,
    binaries: &Binaries,
    program: &'static str,
    arguments: &[&str],
) -> Result<(), DatabaseError> {
    let done = match server.client(&binaries.program(program)) {
        Ok(mut command) => {
            command.args(arguments).arg(format!("{FOLDER}/{DUMP}"));
            blocking(move || run(command, program)).await
        }
        Err(why) => Err(why),
    };
    server.stop().await;
    done
}
