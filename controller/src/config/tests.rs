//! The settings as their readers and writers of mistakes meet them.

use proptest::prelude::*;
use settings::Mistake;

use super::keys::{GROUPS, Value};
use super::*;

const FILE: &str = "/etc/controller.toml";

fn read(text: &str) -> Result<Config, Mistakes> {
    Config::parse(Path::new(FILE), text)
}

/// The mistakes of a text, each as `LINE KEY`.
fn places(text: &str) -> Vec<String> {
    let mistakes = read(text).expect_err(text).0;
    mistakes.iter().map(place).collect()
}

fn place(mistake: &Mistake) -> String {
    let line = mistake.line.map_or("-".into(), |line| line.to_string());
    format!("{line} {}", mistake.key.as_deref().unwrap_or("-"))
}

/// The text read with overrides, all as if they came from variables of the key's name.
fn load(text: &str, overrides: &[(&str, &str)]) -> Result<Loaded, Mistakes> {
    let overrides = overrides.iter().map(|(key, text)| Override {
        key: (*key).to_owned(),
        text: (*text).to_owned(),
        origin: format!("--{key}"),
    });
    let sources = Sources {
        overrides: overrides.collect(),
        ..Sources::default()
    };
    parse(Path::new(FILE), text, &sources, |_| Vec::new())
}

/// The example with every key in effect.
fn whole_example() -> String {
    let example = example();
    let lines = example.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if rest.contains(" = ") => rest,
        _ => line,
    });
    lines.collect::<Vec<&str>>().join("\n")
}

#[test]
fn the_file_in_the_tree_is_the_example() {
    assert!(
        example() == include_str!("../../config.example.toml"),
        "renew it: wgfleet config example >controller/config.example.toml"
    );
}

#[test]
fn the_example_is_the_default() {
    assert_eq!(read(&example()).unwrap(), Config::default());
}

#[test]
fn the_example_with_every_line_in_effect_changes_only_what_has_no_default() {
    let whole = read(&whole_example()).unwrap();

    assert!(whole.base_url.is_some() && whole.database_url.is_some());
    assert!(whole.tls.is_some() && whole.agents.ca_file.is_some());
    assert!(whole.agents.client.is_some() && whole.postgres_bin_dir.is_some());
    assert_eq!(
        whole.master_key,
        MasterKey::File("/etc/wgfleet/master.key".into())
    );
    let default = Config::default();
    let only_defaults = Config {
        base_url: default.base_url,
        database_url: default.database_url,
        tls: default.tls,
        agents: default.agents,
        postgres_bin_dir: default.postgres_bin_dir,
        master_key: default.master_key,
        oidc: default.oidc,
        ..whole
    };
    assert_eq!(only_defaults, Config::default());
}

#[test]
fn every_key_of_the_table_is_read_and_every_key_read_is_in_the_table() {
    for group in GROUPS {
        let text = match group.name {
            "" => "x = 1\n".to_owned(),
            name => format!("[{name}]\nx = 1\n"),
        };
        let mistakes = read(&text).unwrap_err().0;
        let (_, known) = mistakes[0].what.split_once("keys here: ").unwrap();
        let mut known: Vec<&str> = known.split(", ").collect();
        let mut listed: Vec<&str> = group.keys.iter().map(|key| key.name).collect();
        if group.name.is_empty() {
            listed.extend(
                GROUPS
                    .iter()
                    .map(|group| group.name)
                    .filter(|n| !n.is_empty()),
            );
        }
        known.sort_unstable();
        listed.sort_unstable();
        assert_eq!(known, listed, "[{}]", group.name);
    }
}

#[test]
fn every_number_is_taken_at_both_ends_of_its_range_and_refused_beyond() {
    for group in GROUPS {
        for key in group.keys {
            let Value::Number { least, most, .. } = key.value else {
                continue;
            };
            let text = |number: i128| match group.name {
                "" => format!("{} = {number}\n", key.name),
                name => format!("[{name}]\n{} = {number}\n", key.name),
            };
            for good in [least, most] {
                // What does not fit its neighbour is another matter.
                if let Err(mistakes) = read(&text(good.into())) {
                    assert!(!mistakes.to_string().contains("must be from"), "{mistakes}");
                }
            }
            for bad in [i128::from(least) - 1, i128::from(most) + 1] {
                let mistakes = read(&text(bad)).unwrap_err().to_string();
                assert!(mistakes.contains("must be from"), "{mistakes}");
            }
        }
    }
}

#[test]
fn every_key_can_be_explained() {
    for name in names() {
        let text = explain(&name).unwrap();
        assert!(
            text.starts_with(&name) && text.lines().count() >= 3,
            "{text}"
        );
    }
    assert!(explain("poll").unwrap().contains("poll.bad_for_offline"));
    assert!(explain("[poll]").is_some());
    assert_eq!(explain("colour"), None);
    assert_eq!(explain(""), None);
}

#[test]
fn every_mistake_is_named_with_its_line_and_key() {
    let text = r#"listen = "localhost"
colour = "red"
trusted_proxies = ["10.0.0.0/8",
  "10.1.0.0/16", "0.0.0.0/0", 7]
database_connections = "ten"
base_url = "https://vpn.example.org/panel"

[tls]
cert_file = "/a"

[poll]
every_ms = 1000
timeout_ms = 2000

[api]
workers = 0
"#;

    assert_eq!(
        places(text),
        [
            "1 listen",
            "2 colour",
            "4 trusted_proxies",
            "4 trusted_proxies",
            "4 trusted_proxies",
            "5 database_connections",
            "6 base_url",
            "9 tls.key_file",
            "13 poll.timeout_ms",
            "16 api.workers",
        ]
    );
}

#[test]
fn of_two_keys_that_do_not_fit_the_one_that_was_written_is_to_blame() {
    assert_eq!(places("[poll]\nevery_ms = 1000\n"), ["2 poll.every_ms"]);
    assert_eq!(
        places("[poll]\ntimeout_ms = 20000\n"),
        ["2 poll.timeout_ms"]
    );
}

#[test]
fn a_flag_goes_before_the_file_and_its_mistake_is_its_own() {
    let file = "listen = \"127.0.0.1:1\"\n";

    let taken = load(file, &[("listen", "127.0.0.1:2")]).unwrap();
    assert_eq!(taken.config.listen.port(), 2);
    let refused = load(file, &[("listen", "2")]).unwrap_err().0;
    assert_eq!(
        refused.iter().map(place).collect::<Vec<_>>(),
        ["- --listen"]
    );
    let hidden = load("listen = 1\n", &[("listen", "127.0.0.1:2")]).unwrap_err();
    assert_eq!(hidden.0[0].line, Some(1), "a mistake in waiting is told");
}

#[test]
fn what_is_spoken_follows_from_where_it_is_listened_and_who_is_in_front() {
    let transport = |text: &str| read(text).unwrap().transport();
    let beyond = "listen = \"0.0.0.0:8000\"\n";
    let proxies = "trusted_proxies = [\"10.0.0.1\"]\n";
    let tls = "[tls]\ncert_file = \"/c\"\nkey_file = \"/k\"\n";

    assert_eq!(transport(""), Transport::Plain);
    assert_eq!(transport("listen = \"[::1]:0\""), Transport::Plain);
    assert_eq!(transport(beyond), Transport::SelfSigned);
    assert_eq!(transport("listen = \"[::]:1\""), Transport::SelfSigned);
    assert_eq!(transport(&format!("{beyond}{proxies}")), Transport::Plain);
    for text in [tls.to_owned(), format!("{beyond}{proxies}{tls}")] {
        assert!(matches!(transport(&text), Transport::Files(_)), "{text}");
    }
}

#[test]
fn an_address_for_people_that_leads_nowhere_is_refused_or_warned_of() {
    let http = "base_url = \"http://vpn.example.org\"\n";
    let https = "base_url = \"https://vpn.example.org\"\n";
    let beyond = "listen = \"0.0.0.0:8000\"\n";
    let warnings = |text: &str| load(text, &[]).unwrap().warnings.len();

    assert_eq!(places(&format!("{beyond}{http}")), ["2 base_url"]);
    assert_eq!(warnings(&format!("{beyond}{https}")), 0);
    assert_eq!(warnings(beyond), 1);
    assert_eq!(warnings(https), 1);
    assert_eq!(
        warnings(&format!("{https}trusted_proxies = [\"::1\"]\n")),
        0
    );
    assert_eq!(warnings(http), 0);
}

const PASSWORD: &str = "hunter2hunter2";

#[test]
fn a_password_is_shown_nowhere() {
    for url in [
        format!("postgres://wg:{PASSWORD}@db/wg?sslmode=require"),
        format!("postgres:///wg?host=/run&user=wg&password={PASSWORD}"),
    ] {
        let file = load(&format!("database_url = \"{url}\"\n"), &[]).unwrap();
        let over = load("", &[("database_url", &url)]).unwrap();
        for loaded in [file, over] {
            let shown = format!("{loaded:?}");
            assert!(!shown.contains(PASSWORD), "{shown}");
            assert!(shown.contains("***"), "{shown}");
            assert!(
                loaded
                    .config
                    .database_url
                    .unwrap()
                    .reveal()
                    .contains(PASSWORD)
            );
        }
    }
    let refused = read(&format!("database_url = \"mysql://wg:{PASSWORD}@db/wg\"\n")).unwrap_err();
    assert!(!refused.to_string().contains(PASSWORD), "{refused}");
    let refused = read(&format!("base_url = \"https://wg:{PASSWORD}@db\"\n")).unwrap_err();
    assert!(!refused.to_string().contains(PASSWORD), "{refused}");
}

#[test]
fn what_is_shown_can_be_read_again_and_means_the_same() {
    let text = "trusted_proxies = [\"10.0.0.0/8\"]\n[poll]\nevery_ms = 20_000\n";
    let loaded = load(text, &[("log_format", "json"), ("log", "controller=\"x\"")]);
    assert!(loaded.is_err(), "a filter with quotes is none");
    let loaded = load(text, &[("log_format", "json")]).unwrap();

    let mut again = String::new();
    for one in &loaded.effective {
        if let Some(text) = &one.text {
            again.push_str(&format!("{} = {text}\n", one.key));
        }
    }

    assert_eq!(read(&again).unwrap(), loaded.config);
    assert_eq!(loaded.line_of("poll.every_ms"), Some(3));
    assert_eq!(loaded.line_of("log_format"), None);
}

#[test]
fn a_master_key_from_the_environment_is_judged_and_goes_before_the_file() {
    let sources = |key: &str| Sources {
        master_key: Some(key.to_owned().into()),
        ..Sources::default()
    };
    let file = "master_key_file = \"/k\"\n";
    let load = |key: &str| parse(Path::new(FILE), file, &sources(key), |_| Vec::new());

    let weak = load("change-me-in-production-change-me!").unwrap_err();
    assert_eq!(place(&weak.0[0]), "- WGFLEET_MASTER_KEY");
    assert!(!weak.to_string().contains("change-me"), "{weak}");
    let no_key = load("7c1f09be5ad24836b0e2f9d41c85a763").unwrap_err();
    assert!(no_key.to_string().contains("64 hex digits"), "{no_key}");
    let base64 = load("nC8JvlrSSDaw4vnUHIWnY5Cx438takxY4PFym9NIbKU=").unwrap();
    assert!(matches!(base64.config.master_key, MasterKey::Given(_)));
    let good = load("7c1f09be5ad24836b0e2f9d41c85a76390b1e37f2d6a4c58e0f1729bd3486ca5").unwrap();
    assert!(matches!(good.config.master_key, MasterKey::Given(_)));
    assert_eq!(
        Config::default().master_key,
        MasterKey::Own("/var/lib/wgfleet/master.key".into())
    );
}

#[test]
fn a_file_that_nobody_named_may_be_absent_and_one_that_was_named_may_not() {
    let folder = tempfile::tempdir().unwrap();
    let named = Sources {
        file: Some(folder.path().join("absent.toml")),
        ..Sources::default()
    };

    assert!(Config::load(&named).is_err());
}

proptest! {
    #[test]
    fn any_text_is_settings_or_mistakes_with_lines_that_exist(text in "[ -~\n]{0,200}") {
        if let Err(mistakes) = read(&text) {
            prop_assert!(!mistakes.0.is_empty());
            let lines = text.lines().count().max(1) + 1;
            prop_assert!(mistakes.0.iter().all(|mistake| mistake.line.is_none_or(|line| line <= lines)));
        }
    }

    #[test]
    fn any_value_for_any_key_is_judged_without_a_panic(
        key in proptest::sample::select(names()),
        value in "-?[0-9]{1,25}|true|\"[a-z0-9:./\\[\\]]{0,12}\"|\\[\\]|\\[1, \"a\"\\]|\\{\\}|\\[\\{ name = 1 \\}\\]|1979-05-27|1\\.5|nan|0x7f",
    ) {
        if let Err(mistakes) = load(&format!("{key} = {value}"), &[]) {
            prop_assert!(!mistakes.0.is_empty());
        }
    }
}
