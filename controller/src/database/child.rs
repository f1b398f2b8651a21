//! How a program of Postgres is started: as its own user, in the cluster's folder, and never outliving
//! the controller.
//!
//! Rust can ask for the signal at a parent's death only through `unsafe`; setpriv(1) does it instead, after
//! it has changed the user, which would undo it. The signal is that of the *thread* that started the
//! program, so that thread has to wait for it. A controller that died before setpriv asked is noticed
//! by the shell, whose parent is another by then.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::DatabaseError;
use super::folder::Folder;

/// The cluster's folder in the eyes of a program started here.
pub(super) const FOLDER: &str = "/proc/self/fd/9";

/// Moves the folder from standard input to where it stays, also through the shells of initdb.
const ENTER: &str = r#"[ "$PPID" = "$1" ] || exit 1; shift; exec 9<&0 </dev/null; exec "$@""#;

/// The program's output goes nowhere unless the caller asks for it.
pub(super) fn command(folder: &Folder, program: &Path) -> Result<Command, DatabaseError> {
    let mut command = Command::new("setpriv");
    // SIGINT is Postgres' fast shutdown.
    command.args(["--pdeathsig", "INT", "--no-new-privs"]);
    if let Some(account) = folder.account {
        command
            .args(["--reuid", &account.uid.to_string()])
            .args(["--regid", &account.gid.to_string()])
            .arg("--init-groups");
    }
    command
        .args(["--", "sh", "-c", ENTER, "sh"])
        .arg(std::process::id().to_string())
        .arg(program)
        // The controller's environment may hold secrets, and variables that Postgres would follow.
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .current_dir("/")
        // A Ctrl-C at the terminal is for the controller, which stops Postgres last.
        .process_group(0)
        .stdin(folder.lend()?)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(command)
}

/// Runs a program to its end; what it said becomes part of the error.
pub(super) fn run(mut command: Command, program: &str) -> Result<(), DatabaseError> {
    let output = command
        .stderr(Stdio::piped())
        .output()
        .map_err(|source| DatabaseError::Run {
            program: program.into(),
            source,
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(DatabaseError::Failed {
        program: program.into(),
        said: match said.trim() {
            "" => output.status.to_string(),
            said => said.to_owned(),
        },
    })
}
