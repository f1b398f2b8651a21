//! Holds the texts against what asks for them, in both languages and both directions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The texts of one language: for each name the names of what is put in.
type Texts = BTreeMap<String, BTreeSet<String>>;

/// How texts are asked for in code and in templates, and what they then may hold: anything, or only so much.
const ASKS: [(&str, Option<&[&str]>); 4] = [
    ("say(", Some(&[])),
    ("say_of(", Some(&["name"])),
    ("count(", Some(&["count", "shown"])),
    ("say_with(", None),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.to_str().unwrap().ends_with(ending) {
            found.push(path);
        }
    }
}

/// All that could ask: templates and code, this file apart.
fn sources() -> String {
    let mut found = Vec::new();
    files(&root().join("templates"), ".html", &mut found);
    files(&root().join("controller/src"), ".rs", &mut found);
    found.retain(|path| !path.ends_with("web/language/texts.rs"));
    assert!(found.len() > 100, "{found:?}");
    let texts = found.iter().map(|path| fs::read_to_string(path).unwrap());
    texts.collect()
}

/// The code alone, each file up to its tests.
fn code_without_tests() -> String {
    let mut found = Vec::new();
    files(&root().join("controller/src"), ".rs", &mut found);
    found.retain(|path| !path.ends_with("tests.rs") && !path.ends_with("texts.rs"));
    let texts = found.iter().map(|path| {
        let text = fs::read_to_string(path).unwrap();
        let end = text.find("#[cfg(test)]\nmod tests {");
        text[..end.unwrap_or(text.len())].to_owned()
    });
    texts.collect()
}

fn texts(language: &str) -> Texts {
    let mut found = Vec::new();
    files(
        &root().join("templates/texts").join(language),
        ".ftl",
        &mut found,
    );
    let mut texts = Texts::new();
    for path in found {
        let mut name = String::new();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let is_inside =
                line.starts_with([' ', '}']) || line.is_empty() || line.starts_with('#');
            if !is_inside {
                let (key, _) = line
                    .split_once(" = ")
                    .unwrap_or_else(|| panic!("{}: {line}", path.display()));
                key.clone_into(&mut name);
                let before = texts.insert(name.clone(), BTreeSet::new());
                assert!(before.is_none(), "{name} is twice in {language}");
            }
            for variable in line.split("{ $").skip(1) {
                let end = variable.find([' ', '}']).unwrap();
                texts
                    .get_mut(&name)
                    .unwrap()
                    .insert(variable[..end].to_owned());
            }
        }
    }
    texts
}

/// The names that stand, written out, behind this way of asking.
fn asked<'a>(sources: &'a str, how: &'a str) -> impl Iterator<Item = &'a str> {
    let behind = sources.match_indices(how).filter(|(at, _)| {
        let before = sources[..*at].chars().next_back();
        before == Some('.')
    });
    behind.filter_map(move |(at, _)| {
        let rest = sources[at + how.len()..].trim_start().strip_prefix('"')?;
        rest.split_once('"').map(|(name, _)| name)
    })
}

#[test]
fn no_text_is_missing_and_none_asks_for_what_it_is_not_given() {
    let (sources, texts) = (sources(), texts("en"));
    let mut seen = 0;

    for (how, given) in ASKS {
        for name in asked(&sources, how) {
            let holds = texts
                .get(name)
                .unwrap_or_else(|| panic!("there is no text {name}"));
            let is_given = |held: &String| given.is_none_or(|given| given.contains(&held.as_str()));
            assert!(holds.iter().all(is_given), "{name} holds {holds:?}");
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen}");
}

/// How what goes wrong gets its code, and what the text of such a code is called.
const CODED: [(&str, &str); 7] = [
    ("Refusal::invalid(", "refusal-"),
    ("Refusal::conflict(", "refusal-"),
    ("Refusal::new(", "refusal-"),
    ("Problem::new(", "refusal-"),
    ("Problem::unavailable(", "refusal-"),
    ("Mistake::new(", "mistake-"),
    ("Said::new(", "check-"),
];

/// Codes that only programs meet: no form and no link of a page leads there.
const FOR_PROGRAMS: [&str; 6] = [
    "invalid_body",
    "invalid_fields",
    "invalid_if_match",
    "malformed_json",
    "missing_signature",
    "not_json",
];

fn is_code(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// What stands in the parentheses of a call, from behind the first one on.
fn arguments(call: &str) -> &str {
    let mut depth = 1;
    let end = call.find(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    &call[..end.unwrap_or(call.len())]
}

/// The texts that codes written out in the code ask for. A code stands alone in its quotes, before any sentence.
fn coded(sources: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (how, kind) in CODED {
        for (at, _) in sources.match_indices(how) {
            let call = arguments(&sources[at + how.len()..]);
            if let Some(code) = call.split('"').nth(1)
                && is_code(code)
                && !FOR_PROGRAMS.contains(&code)
            {
                names.insert(format!("{kind}{code}"));
            }
        }
    }
    names
}

#[test]
fn every_code_that_a_page_can_meet_has_a_text() {
    let (sources, texts) = (code_without_tests(), texts("en"));

    let asked = coded(&sources);

    assert!(asked.len() > 100, "{}", asked.len());
    let missing: Vec<&String> = asked
        .iter()
        .filter(|name| {
            !texts.contains_key(*name) && !texts.contains_key(&format!("{name}-plainly"))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The text of a code is there for the code.
fn is_written(name: &str, written: &BTreeSet<&str>) -> bool {
    let code = ["refusal-", "mistake-", "check-"]
        .iter()
        .find_map(|kind| name.strip_prefix(kind));
    let code = code.map(|code| code.strip_suffix("-plainly").unwrap_or(code));
    written.contains(code.unwrap_or(name))
}

#[test]
fn no_text_is_left_over() {
    let sources = sources();
    let written: BTreeSet<&str> = sources.split('"').collect();

    let texts = texts("en");
    let unused: Vec<&String> = texts
        .keys()
        .filter(|name| !is_written(name, &written))
        .collect();

    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn both_languages_say_the_same() {
    let (english, french) = (texts("en"), texts("fr"));

    for (name, holds) in &english {
        assert_eq!(french.get(name), Some(holds), "{name}");
    }
    let more: Vec<&String> = french
        .keys()
        .filter(|name| !english.contains_key(*name))
        .collect();
    assert!(more.is_empty(), "{more:?}");
}
