//! Folders that go when the test process has gone, whoever ended it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A folder that only the test's user enters.
pub(crate) fn folder() -> tempfile::TempDir {
    static ALL: OnceLock<PathBuf> = OnceLock::new();
    tempfile::tempdir_in(ALL.get_or_init(make)).unwrap()
}

fn make() -> PathBuf {
    let folder = tempfile::Builder::new()
        .prefix("wgfleet-")
        .tempdir()
        .unwrap()
        .keep();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o711)).unwrap();
    watch(&folder);
    folder
}

/// The pipe closes with this process. Servers that are ending then may still write for a moment.
fn watch(folder: &Path) {
    let watcher = Command::new("sh")
        .args([
            "-c",
            r#"read -r _; until rm -rf "$1"; do sleep 0.2; done"#,
            "sh",
        ])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    std::mem::forget(watcher); // and with it our end of the pipe
}
