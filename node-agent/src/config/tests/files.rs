//! Files that the settings name: what is judged when they are loaded, and the secret.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn loading_looks_at_the_files_that_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("open"), "x").unwrap();
    std::fs::set_permissions(path("open"), std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(path("no-key"), "abc").unwrap();
    std::fs::set_permissions(path("no-key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let file = folder.path().join("config.toml");
    let text = format!(
        "state_dir = \"{open}\"\n[tls]\ncert_file = \"{missing}\"\nkey_file = \"{open}\"\n{WG0}\
         private_key_file = \"{no_key}\"\nuserspace = \"{open}\"\n",
        open = path("open"),
        missing = path("missing"),
        no_key = path("no-key"),
    );
    std::fs::write(&file, text).unwrap();

    let mistakes = Config::load(&file).unwrap_err().0;

    let found: Vec<String> = mistakes
        .iter()
        .map(|mistake| {
            format!(
                "{:?} {:?}",
                mistake.line.unwrap(),
                mistake.key.as_ref().unwrap()
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "1 \"state_dir\"",
            "3 \"tls.cert_file\"",
            "4 \"tls.key_file\"",
            "7 \"interface.private_key_file\"",
            "8 \"interface.userspace\"",
        ],
        "{mistakes:?}"
    );
    assert!(mistakes.iter().all(|mistake| mistake.file == file));
}

#[test]
fn a_file_that_is_not_there_is_a_mistake_without_a_line() {
    let mistakes = Config::load(Path::new("/nowhere/config.toml")).unwrap_err();

    assert!(
        mistakes
            .to_string()
            .starts_with("/nowhere/config.toml: cannot be read:"),
        "{mistakes}"
    );
}

const GOOD: &str = "7c1f09be5ad24836b0e2f9d41c85a763";

#[test]
fn the_secret_comes_from_the_variable_then_from_the_file_and_never_from_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, format!("{}\r\n", GOOD.to_uppercase())).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let with_file = parse(&format!("\nsecret_file = \"{}\"\n{WG0}", path.display())).unwrap();
    let without = parse(WG0).unwrap();

    let revealed = |secret: Result<Secret, Mistake>| secret.unwrap().reveal().to_owned();
    assert_eq!(revealed(with_file.read_secret(Some(GOOD.into()))), GOOD);
    assert_eq!(revealed(with_file.read_secret(None)), GOOD.to_uppercase());
    assert_eq!(
        without.read_secret(None).unwrap_err().key.as_deref(),
        Some("secret_file")
    );
    let empty = with_file.read_secret(Some(String::new())).unwrap_err();
    assert_eq!(empty.key.as_deref(), Some(SECRET_VARIABLE));
}

#[test]
fn a_secret_file_that_others_may_read_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, GOOD).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o604)).unwrap();
    let config = parse(&format!("\nsecret_file = \"{}\"\n{WG0}", path.display())).unwrap();

    let mistake = config.read_secret(None).unwrap_err();

    assert_eq!(mistake.line, Some(2));
    assert!(mistake.what.contains("mode 604"), "{mistake}");
    assert!(!mistake.what.contains(GOOD), "{mistake}");
}

#[test]
fn mistakes_of_the_secret_are_told_with_all_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(
        &file,
        format!("colour = 1\nsecret_file = \"/nowhere\"\n{WG0}"),
    )
    .unwrap();

    let mistakes = Config::load_with_secret(&file, None).unwrap_err().0;

    let lines: Vec<Option<usize>> = mistakes.iter().map(|mistake| mistake.line).collect();
    assert_eq!(lines, [Some(1), Some(2)]);
    std::fs::write(&file, WG0).unwrap();
    let (_, secret) = Config::load_with_secret(&file, Some(GOOD.into())).unwrap();
    assert_eq!(secret.reveal(), GOOD);
}

#[test]
fn a_key_may_be_missing_only_where_the_agent_makes_the_interface() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let mistakes = |create: bool, key: &str| {
        let key = folder.path().join(key);
        let text = format!("{WG0}create = {create}\nprivate_key_file = {key:?}\n");
        std::fs::write(&file, text).unwrap();
        Config::load(&file).map_or_else(|mistakes| mistakes.0.len(), |_| 0)
    };

    assert_eq!(mistakes(true, "wg0.key"), 0);
    assert_eq!(mistakes(true, "no-folder/wg0.key"), 1);
    assert_eq!(mistakes(false, "wg0.key"), 1);
}
