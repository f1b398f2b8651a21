//! The settings file as its readers and writers of mistakes meet it.

use proptest::prelude::*;

use super::*;

mod files;

const FILE: &str = "/etc/agent.toml";

fn parse(text: &str) -> Result<Config, Mistakes> {
    Config::parse(Path::new(FILE), text)
}

/// The mistakes of a text, each as `LINE KEY`.
fn places(text: &str) -> Vec<String> {
    let mistakes = parse(text).expect_err(text).0;
    let line = |line: Option<usize>| line.map_or("-".into(), |line| line.to_string());
    mistakes
        .iter()
        .map(|mistake| {
            let key = mistake.key.as_deref().unwrap_or("-");
            format!("{} {key}", line(mistake.line))
        })
        .collect()
}

const WG0: &str = "[[interface]]\nname = \"wg0\"\n";

#[test]
fn the_example_is_the_default() {
    let from_example = parse(example()).unwrap();
    let from_nothing = parse(&format!("secret_file = '/etc/wgfleet-agent/secret'\n{WG0}")).unwrap();

    assert_eq!(
        Config {
            source: from_example.source.clone(),
            ..from_nothing
        },
        from_example
    );
}

/// The example with every key in effect.
fn whole_example() -> String {
    let uncommented = example().lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') || rest.contains(" = ") && !rest.contains(". ") => rest,
        _ => line,
    });
    uncommented.collect::<Vec<&str>>().join("\n")
}

#[test]
fn the_example_with_every_line_in_effect_changes_only_what_has_no_default() {
    let minimal = parse(example()).unwrap();

    let whole = parse(&whole_example()).unwrap();

    assert_eq!(whole.timing, minimal.timing);
    assert_eq!(whole.limits, minimal.limits);
    assert_eq!(whole.log, minimal.log);
    assert_eq!(
        whole.interfaces[0].userspace,
        minimal.interfaces[0].userspace
    );
    assert!(whole.tls.unwrap().client_ca_file.is_some());
    assert_eq!(whole.interfaces[0].addresses.len(), 2);
    assert!(whole.interfaces[0].private_key_file.is_some());
}

#[test]
fn the_example_shows_every_key() {
    let example = whole_example();
    let text = "x = 1\n[tls]\nx = 1\n[timing]\nx = 1\n[limits]\nx = 1\n[[interface]]\nx = 1\n";
    let mistakes = parse(text).unwrap_err().0;
    let lists = mistakes
        .iter()
        .filter_map(|mistake| mistake.what.split_once("keys here: "));

    let mut keys = 0;
    for key in lists.flat_map(|(_, keys)| keys.split(", ")) {
        let shown = [
            format!("\n{key} = "),
            format!("\n[{key}]"),
            format!("\n[[{key}]]"),
        ];
        assert!(shown.iter().any(|form| example.contains(form)), "{key}");
        keys += 1;
    }
    assert!(keys > 40, "{keys}");
}

#[test]
fn every_mistake_is_named_with_its_line_and_key() {
    let text = r#"listen = "localhost"
allow_from = ["10.0.0.0/8",
  "10.0.0.0/33", 7]
state_dir = "state"
colour = "red"
log = "node_agent=loud"
insecure_http = "yes"

[tls]
cert_file = "/a"

[[interface]]
name = "wg/0"
mtu = 100

[[interface]]
backend = "kernal"
addresses = ["10.8.0.1"]

[timing]
window_s = 0

[limits]
body_bytes = 2097152
full_set_bytes = 1048576
"#;

    assert_eq!(
        places(text),
        [
            "1 listen",
            "3 allow_from",
            "3 allow_from",
            "4 state_dir",
            "5 colour",
            "6 log",
            "7 insecure_http",
            "9 tls.key_file",
            "13 interface.name",
            "14 interface.mtu",
            "16 interface.name",
            "17 interface.backend",
            "18 interface.addresses",
            "21 timing.window_s",
            "25 limits.full_set_bytes",
        ]
    );
}

#[test]
fn a_mistake_reads_like_that_of_a_compiler() {
    let mistakes = parse(&format!("listen = \"8080\"\n{WG0}")).unwrap_err();

    assert_eq!(
        mistakes.to_string(),
        "/etc/agent.toml:1: listen: \"8080\" is not an address with a port, such as 127.0.0.1:8080 or [::1]:8080"
    );
}

#[test]
fn text_that_is_no_toml_is_named_by_line() {
    assert_eq!(places("listen = \n\nallow_from = [\n"), ["1 -", "3 -"]);
    assert_eq!(places("log = \"info\"\nlog = \"warn\"\n"), ["2 -"]);
}

#[test]
fn beyond_loopback_somebody_must_be_named_and_plain_http_asked_for() {
    let beyond = "listen = \"192.0.2.1:8080\"\n";
    let from = "allow_from = [\"192.0.2.0/24\"]\n";
    let tls = "[tls]\ncert_file = \"/c\"\nkey_file = \"/k\"\n";

    assert_eq!(
        places(&format!("{beyond}{WG0}")),
        ["1 allow_from", "1 listen"]
    );
    assert_eq!(places(&format!("{beyond}{from}{WG0}")), ["1 listen"]);
    assert_eq!(
        places(&format!("listen = \"[::]:80\"\n{from}{WG0}")),
        ["1 listen"]
    );
    assert!(parse(&format!("{beyond}{from}insecure_http = true\n{WG0}")).is_ok());
    assert!(parse(&format!("{beyond}{from}{tls}{WG0}")).is_ok());
    assert!(
        parse(&format!(
            "{beyond}{from}{WG0}addresses = [\"192.0.2.1/24\"]\n"
        ))
        .is_ok()
    );
    assert_eq!(
        places(&format!(
            "{beyond}{from}{WG0}addresses = [\"192.0.2.2/24\"]\n"
        )),
        ["1 listen"]
    );
}

#[test]
fn an_empty_list_of_who_may_connect_is_a_mistake() {
    assert_eq!(places(&format!("allow_from = []\n{WG0}")), ["1 allow_from"]);
}

#[test]
fn two_interfaces_share_neither_name_nor_port_nor_address() {
    let more = "listen_port = 51820\naddresses = [\"10.8.0.1/24\"]\n";
    let text = format!("{WG0}{more}{WG0}{more}");

    assert_eq!(
        places(&text),
        [
            "6 interface.name",
            "7 interface.listen_port",
            "8 interface.addresses"
        ]
    );
}

#[test]
fn an_mtu_too_small_for_ipv6_is_refused_only_with_ipv6() {
    let v4 = format!("{WG0}mtu = 1000\naddresses = [\"10.8.0.1/24\"]\n");
    let v6 = format!("{WG0}mtu = 1000\naddresses = [\"fd00::1/64\"]\n");

    assert!(parse(&v4).is_ok());
    assert_eq!(places(&v6), ["3 interface.mtu"]);
}

#[test]
fn without_an_interface_there_is_nothing_to_do() {
    assert_eq!(places(""), ["- interface"]);
}

proptest! {
    #[test]
    fn any_text_is_settings_or_mistakes_with_lines_that_exist(text in "[ -~\n]{0,200}") {
        if let Err(mistakes) = parse(&text) {
            prop_assert!(!mistakes.0.is_empty());
            let lines = text.lines().count().max(1) + 1;
            prop_assert!(mistakes.0.iter().all(|mistake| mistake.line.is_none_or(|line| line <= lines)));
        }
    }

    #[test]
    fn any_value_for_any_key_is_judged_without_a_panic(
        key in "listen|allow_from|tls|interface|timing|limits|log|state_dir",
        value in "-?[0-9]{1,25}|true|\"[a-z0-9:./\\[\\]]{0,12}\"|\\[\\]|\\[1, \"a\"\\]|\\{\\}|\\{ name = \"a\" \\}|\\[\\{ name = 1 \\}\\]|1979-05-27|1\\.5|nan|0x7f",
    ) {
        if let Err(mistakes) = parse(&format!("{key} = {value}")) {
            prop_assert!(!mistakes.0.is_empty());
        }
    }
}
