//! A small file of settings, read as both programs read theirs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

fn read(source: &str) -> (Option<u16>, Vec<String>) {
    let whole = Text {
        file: Path::new("/f.toml"),
        text: source,
    };
    let table = match whole.parse() {
        Ok(table) => table,
        Err(mistakes) => return (None, mistakes.iter().map(ToString::to_string).collect()),
    };
    let mut section = Section::new(whole, "", table.get_ref());
    let port = section.take("port", whole_port);
    let inner = section.take("inner", super::table);
    if let Some(inner) = inner {
        let mut within = Section::new(whole, "inner.", inner.value);
        within.take_list("paths", path);
        within.require("name", inner.line);
        section.append(within.finish());
    }
    let mistakes = section.finish();
    let lines = mistakes.iter().map(ToString::to_string).collect();
    (port.map(|at| at.value), lines)
}

fn whole_port(value: &toml::de::DeValue<'_>) -> Result<u16, String> {
    super::whole(1, u16::MAX)(value)
}

#[test]
fn every_mistake_is_told_with_its_line_and_full_key() {
    let text = "port = 0x10000\ncolour = 1\n[inner]\npaths = [\"/a\",\n  \"b\", 7]\n";

    let (port, mistakes) = read(text);

    assert_eq!(port, None);
    assert_eq!(
        mistakes,
        [
            "/f.toml:1: port: must be from 1 to 65535",
            "/f.toml:5: inner.paths: must be an absolute path",
            "/f.toml:5: inner.paths: must be a text, not a number",
            "/f.toml:3: inner.name: is missing",
            "/f.toml:2: colour: is not a key; keys here: port, inner",
        ]
    );
}

#[test]
fn good_values_are_taken_and_nothing_is_said() {
    assert_eq!(read("port = 0xff\n"), (Some(255), Vec::new()));
}

#[test]
fn text_that_is_no_toml_is_told_by_its_line() {
    let (_, mistakes) = read("port = 1\nport = 2\n");

    assert!(mistakes[0].starts_with("/f.toml:2: "), "{mistakes:?}");
}

#[test]
fn a_private_file_open_to_others_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let read = |mode| {
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        read_private(file.path())
    };

    assert!(read(0o600).is_ok() && read(0o640).is_ok());
    for mode in [0o604, 0o660, 0o602, 0o644] {
        assert!(read(mode).is_err(), "{mode:o}");
    }
    assert!(read_settings(file.path()).is_ok());
    assert!(read_public(Path::new("/dev/zero")).is_err());
}
