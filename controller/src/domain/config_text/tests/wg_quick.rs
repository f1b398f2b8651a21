//! The real tool on generated texts, where it is installed and may run.

use std::process::Command;

use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

#[test]
fn wg_quick_accepts_every_configuration() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: wg-quick asks for a password unless root runs it");
        return;
    }
    if Command::new("wg-quick").arg("--help").output().is_err() {
        println!("skipped: there is no wg-quick");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("wg0.conf");
    let mut runner = TestRunner::deterministic();
    for round in 0..24 {
        let config = config().new_tree(&mut runner).unwrap().current();
        let key = private_key();
        let issued = issue(&config, (round % 2 == 0).then_some(&key)).unwrap();
        std::fs::write(&file, issued.text()).unwrap();

        let output = Command::new("wg-quick")
            .arg("strip")
            .arg(&file)
            .output()
            .unwrap();

        assert!(output.status.success(), "{output:?}");
        let stripped = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            stripped.trim_end(),
            without_wg_quick_lines(issued.text()).trim_end()
        );
    }
}

/// What wg(8) is to see: everything but the lines that only wg-quick understands.
fn without_wg_quick_lines(text: &str) -> String {
    let own = |line: &&str| {
        !["Address", "DNS", "MTU"]
            .iter()
            .any(|key| line.starts_with(key))
    };
    text.lines().filter(own).collect::<Vec<_>>().join("\n")
}
