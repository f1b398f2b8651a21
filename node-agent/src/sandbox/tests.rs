//! Confinement cannot be undone, so each test that confines does it in a process of its own: this test
//! binary again, told by an environment variable to run one function below. The harness has a thread
//! beside that of the test, so what is called there is `confine` without its count of threads.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output};

use super::*;

const INSIDE: &str = "WGFLEET_TEST_INSIDE_SANDBOX";

/// Runs the test `name` of this file in a process of its own, with `folder` told to it.
fn run_inside(prefix: &[&str], name: &str, folder: &Path) -> Output {
    let exe = std::env::current_exe().unwrap();
    let mut words = prefix.iter().map(|word| (*word).to_owned());
    let program = words.next();
    let mut command = match &program {
        Some(program) => Command::new(program),
        None => Command::new(&exe),
    };
    command.args(words);
    if program.is_some() {
        command.arg(&exe);
    }
    command
        .args(["--exact", &format!("sandbox::tests::{name}"), "--nocapture"])
        .arg("--ignored")
        .env(INSIDE, folder)
        .output()
        .unwrap()
}

fn assert_passed(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.contains("1 passed"), "{text}\n{errors}");
}

fn is_denied<T>(result: std::io::Result<T>) -> bool {
    result.is_err_and(|err| err.kind() == ErrorKind::PermissionDenied)
}

#[test]
fn a_confined_process_starts_nothing_and_sees_only_what_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["state", "read", "hidden"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("file"), "x").unwrap();
    }

    assert_passed(&run_inside(&[], "inside_starts_nothing", folder.path()));
}

#[test]
#[ignore = "runs in a process of its own"]
fn inside_starts_nothing() {
    let Some(folder) = std::env::var_os(INSIDE) else {
        return;
    };
    let folder = Path::new(&folder);
    let (state, read) = (folder.join("state"), folder.join("read"));

    let confinement = confine_thread(&[&state], &[&read]).unwrap();

    assert!(is_denied(Command::new("/bin/true").status()));
    assert_eq!(std::fs::read(read.join("file")).unwrap(), b"x");
    assert_eq!(std::fs::read(state.join("file")).unwrap(), b"x");
    std::fs::write(state.join("new"), "y").unwrap();
    std::fs::rename(state.join("new"), state.join("file")).unwrap();
    std::fs::remove_file(state.join("file")).unwrap();
    assert!(std::fs::read_to_string("/proc/self/status").is_ok());
    assert!(std::net::UdpSocket::bind("127.0.0.1:0").is_ok());
    let worker = std::thread::spawn(|| Command::new("/bin/true").status());
    assert!(is_denied(worker.join().unwrap()));
    let packet = rustix::net::AddressFamily::PACKET;
    let socket = rustix::net::socket(packet, rustix::net::SocketType::RAW, None);
    assert_eq!(socket.err(), Some(rustix::io::Errno::PERM));
    let namespace = rustix::thread::UnshareFlags::NEWUSER;
    #[expect(
        deprecated,
        reason = "the other is unsafe, for flags that are not used here"
    )]
    let unshared = rustix::thread::unshare(namespace);
    assert_eq!(unshared, Err(rustix::io::Errno::PERM));
    eprintln!("{confinement}");
    if confinement.landlock == Landlock::Unsupported {
        eprintln!("this kernel has no landlock: files outside are not tested");
        return;
    }
    assert!(is_denied(std::fs::read(folder.join("hidden/file"))));
    assert!(is_denied(std::fs::read("/etc/passwd")));
    assert!(is_denied(std::fs::write(read.join("file"), "z")));
    assert!(is_denied(std::fs::write(folder.join("other"), "z")));
    assert!(is_denied(std::os::unix::fs::symlink(
        "/etc",
        state.join("link")
    )));
}

#[test]
fn of_all_capabilities_net_admin_alone_is_left() {
    if !identity()
        .unwrap()
        .capabilities
        .contains(&"CAP_NET_ADMIN".into())
    {
        eprintln!("skipped: needs CAP_NET_ADMIN");
        return;
    }
    let folder = tempfile::tempdir().unwrap();

    assert_passed(&run_inside(&[], "inside_keeps_net_admin", folder.path()));
}

#[test]
#[ignore = "runs in a process of its own"]
fn inside_keeps_net_admin() {
    let Some(folder) = std::env::var_os(INSIDE) else {
        return;
    };

    let confinement = confine_thread(&[Path::new(&folder)], &[]).unwrap();

    assert_eq!(confinement.capabilities, ["CAP_NET_ADMIN"]);
    let net_admin = "0000000000001000";
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().to_owned()
    };
    assert_eq!(field("CapEff:"), net_admin);
    assert_eq!(field("CapPrm:"), net_admin);
    assert_eq!(field("CapAmb:"), "0000000000000000");
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(field("Seccomp:"), "2");
    if confinement.bounded {
        assert_eq!(field("CapBnd:"), net_admin);
    }
    let worker = std::thread::spawn(|| std::fs::read_to_string("/proc/thread-self/status"));
    let of_thread = worker.join().unwrap().unwrap();
    assert!(
        of_thread.contains(&format!("CapEff:\t{net_admin}")),
        "{of_thread}"
    );
}

#[test]
fn a_user_without_capabilities_is_confined_as_well() {
    let setpriv = Path::new("/usr/bin/setpriv");
    if !setpriv.exists() || !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root and setpriv");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(folder.path(), Some(65534), Some(65534)).unwrap();
    let nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];

    let exe = std::env::current_exe().unwrap();
    let reachable = Command::new(nobody[0])
        .args(&nobody[1..])
        .args(["test", "-x"])
        .arg(exe)
        .status();
    if !reachable.unwrap().success() {
        eprintln!("skipped: nobody may run this test binary where it lies");
        return;
    }

    let with_nothing = run_inside(&nobody, "inside_has_nothing", folder.path());
    let mut service = nobody.to_vec();
    service.extend(["--inh-caps=+net_admin", "--ambient-caps=+net_admin"]);
    let as_the_unit_does = run_inside(&service, "inside_keeps_net_admin", folder.path());

    assert_passed(&with_nothing);
    assert_passed(&as_the_unit_does);
}

#[test]
#[ignore = "runs in a process of its own"]
fn inside_has_nothing() {
    let Some(folder) = std::env::var_os(INSIDE) else {
        return;
    };

    let confinement = confine_thread(&[Path::new(&folder)], &[]).unwrap();

    assert!(confinement.capabilities.is_empty());
    assert!(is_denied(Command::new("/bin/true").status()));
}

#[test]
fn a_second_thread_stops_confinement_before_it_begins() {
    // This test runs beside the main thread of the harness, or starts a thread to be sure.
    let (stop, wait) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || wait.recv());

    let refused = confine(&[], &[]);

    drop(stop);
    assert!(other.join().unwrap().is_err());
    assert!(matches!(refused, Err(SandboxError::Threads(2..))));
    assert!(Command::new("/bin/true").status().unwrap().success());
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let refused = files::close_off(&[Path::new("/nowhere/state")], &[]);

    let message = refused.unwrap_err().to_string();
    assert!(message.starts_with("/nowhere/state "), "{message}");
}

#[test]
fn limits_are_set() {
    prepare().unwrap();

    let files = getrlimit(Resource::Nofile);
    assert_eq!(files.current, files.maximum);
    assert_eq!(getrlimit(Resource::Core).current, Some(0));
}
