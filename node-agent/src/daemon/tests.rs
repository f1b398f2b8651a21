//! Daemons that are this test binary, or a few lines of shell.

use std::os::unix::process::ExitStatusExt;

use super::*;

const FOLDER: &str = "WGFLEET_TEST_DAEMON_FOLDER";

/// Writes a program by way of another process: a file that this one has written may still be
/// open in a child that another test just forked, and could then not be run.
fn program(folder: &Path, script: &str) -> PathBuf {
    let program = folder.join("daemon");
    let written = Command::new("sh")
        .args([
            "-c",
            "printf '#!/bin/sh\\n%s\\n' \"$1\" >\"$2\" && chmod 700 \"$2\"",
        ])
        .args(["sh", script])
        .arg(&program)
        .status();
    assert!(written.unwrap().success());
    program
}

/// A program that acts like a daemon: this test binary, told by its environment to listen.
fn listening(folder: &Path) -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let script = format!(
        "[ \"$1 $WG_PROCESS_FOREGROUND $HOME\" = '-f 1 ' ] || exit 9\n\
         {FOLDER}='{}/'$2.sock exec '{}' --exact daemon::tests::inside_listens --ignored",
        folder.display(),
        exe.display(),
    );
    program(folder, &script)
}

#[test]
#[ignore = "runs in a process of its own"]
fn inside_listens() {
    let Some(socket) = std::env::var_os(FOLDER) else {
        return;
    };
    let listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
    for connection in listener.incoming() {
        drop(connection.unwrap());
    }
}

fn name() -> InterfaceName {
    InterfaceName::parse("wg0").unwrap()
}

#[test]
fn a_daemon_is_started_once_it_answers_and_its_death_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = start_at(&listening(folder.path()), &name(), folder.path()).unwrap();
    let stopper = daemon.stopper().unwrap();
    assert!(UnixStream::connect(folder.path().join("wg0.sock")).is_ok());

    let waiting = std::thread::spawn(move || daemon.wait_for_death());
    assert!(!waiting.is_finished());
    stopper.stop().unwrap();

    let status = waiting.join().unwrap().unwrap();
    assert_eq!(status.signal(), Some(Signal::TERM.as_raw()));
    stopper.stop().unwrap();
}

#[test]
fn a_daemon_that_ends_at_once_is_an_error_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let begin = Instant::now();

    let refused = start_at(&program(folder.path(), "exit 3"), &name(), folder.path());

    assert!(matches!(refused, Err(DaemonError::Ended { status, .. }) if status.code() == Some(3)));
    assert!(begin.elapsed() < START_LIMIT);
}

#[test]
fn a_daemon_that_never_answers_is_ended_and_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let script = format!("echo $$ >'{}'\nexec sleep 60", pid_file.display());

    let refused = start_at(&program(folder.path(), &script), &name(), folder.path());

    assert!(matches!(refused, Err(DaemonError::Silent { .. })));
    let pid = std::fs::read_to_string(pid_file).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists());
}

#[test]
fn a_program_that_does_not_exist_is_named() {
    let program = Path::new("/nowhere/wireguard-go");

    let refused = start_at(program, &name(), Path::new("/nowhere"));

    assert_eq!(
        refused.unwrap_err().to_string(),
        "/nowhere/wireguard-go cannot be started"
    );
}
