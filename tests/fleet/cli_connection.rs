//! How a command that asks the API says who is asking, and what it ends with when nobody answers.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::cli_config::{STRONG, all, run};

/// The address of a port where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

const GET: [&str; 3] = ["api", "GET", "/api/v1/nodes"];

#[test]
fn nobody_there_is_3_with_a_key_from_the_environment_or_from_home() {
    let url = nobody();
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/wgfleet");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("credentials");
    fs::write(
        &file,
        format!("key_id = \"ops-1\"\nsecret = \"{STRONG}\"\n"),
    )
    .unwrap();
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    let at_home = [
        ("HOME", home.path().to_str().unwrap()),
        ("WGFLEET_URL", &url),
    ];
    let in_environment = [
        ("WGFLEET_API_KEY_ID", "ops-1"),
        ("WGFLEET_API_SECRET", STRONG),
        ("WGFLEET_URL", &url),
    ];

    mode(0o600);
    for variables in [&at_home[..], &in_environment] {
        let output = run(&GET, variables);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(all(&output).contains(&url), "{output:?}");
        assert!(!all(&output).contains(STRONG), "{output:?}");
    }

    mode(0o644);
    let output = run(&GET, &at_home);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(all(&output).contains("chmod it to 0600"), "{output:?}");
}

#[test]
fn half_a_key_or_none_is_refused_with_the_way_out() {
    let half = run(&GET, &[("WGFLEET_API_KEY_ID", "ops-1")]);
    let none = run(&GET, &[("HOME", "/nowhere")]);

    for output in [&half, &none] {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(all(output).contains("WGFLEET_API_SECRET"), "{output:?}");
    }
    assert!(
        all(&none).contains("/nowhere/.config/wgfleet/credentials"),
        "{none:?}"
    );
}
