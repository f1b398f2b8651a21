//! API keys by command: printed as a credentials file, and ended.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::{all, json_of, out, run, text};
use crate::stage::Running;

#[tokio::test]
async fn a_key_is_printed_as_a_file_that_the_program_reads_until_it_is_revoked() {
    let stage = Running::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");

    let printed = text(
        &stage,
        &[
            "api-keys",
            "create",
            "deploy",
            "--scope",
            "read",
            "--bearer",
            "--from",
            "127.0.0.0/8",
        ],
    );

    std::fs::write(&file, &printed).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let variables = [("WGFLEET_URL", stage.base.as_str())];
    let me = [
        "api",
        "GET",
        "/api/v1/me",
        "--credentials",
        file.to_str().unwrap(),
    ];
    let output = run(&me, &variables);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let me_said: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(
        (&me_said["kind"], &me_said["name"], &me_said["scope"]),
        (&json!("api_key"), &json!("deploy"), &json!("read"))
    );
    assert!(
        printed.contains("\n# Authorization: Bearer wgc_"),
        "{printed}"
    );
    let listed = json_of(&stage, &["api-keys", "list"]);
    assert_eq!(listed[0]["name"], "deploy");
    assert!(!listed.to_string().contains("secret"), "{listed}");

    text(
        &stage,
        &["api-keys", "revoke", &listed[0]["id"].to_string()],
    );
    let output = run(&me, &variables);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(all(&output).contains("401"), "{output:?}");
}

#[tokio::test]
async fn a_trial_makes_no_key_and_shows_no_secret() {
    let stage = Running::start().await;

    let printed = text(
        &stage,
        &[
            "api-keys",
            "create",
            "deploy",
            "--scope",
            "write",
            "--dry-run",
        ],
    );

    assert!(!printed.contains("secret"), "{printed}");
    let listed = json_of(&stage, &["api-keys", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 1, "only the stage's own");
}
