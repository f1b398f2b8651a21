//! What a person can read about the settings: the commented example, and one key at a time.

use super::keys::{GROUPS, Group, Key, Value};

/// Where lines of the example are broken.
const WIDTH: usize = 100;

/// The commented example of the file: every key with its text, its default and its range.
pub fn example() -> String {
    let mut text = String::from(
        "# Settings of wgfleet's controller, read from /etc/wgfleet/config.toml or from --config FILE.\n\
         #\n\
         # What is commented out shows its default, or says that it has none. A key that is not listed here is refused.\n\
         # After an edit: wgfleet config check --config FILE names every mistake with its line.\n",
    );
    for group in GROUPS {
        if !group.name.is_empty() {
            text.push('\n');
            push_comment(&mut text, group.about);
            text.push_str(&format!("[{}]\n", group.name));
        }
        for key in group.keys {
            push_key(&mut text, key);
        }
    }
    text
}

/// Explains a key, given with its table, or a whole table; `None` where there is no such thing.
pub fn explain(name: &str) -> Option<String> {
    let name = name.trim_matches(['[', ']']);
    if let Some(group) = GROUPS
        .iter()
        .find(|group| group.name == name && !name.is_empty())
    {
        let keys = group.keys.iter().map(|key| explain_key(group, key));
        let keys: Vec<String> = keys.collect();
        return Some(format!("[{name}]: {}\n\n{}", group.about, keys.join("\n")));
    }
    let mut found = GROUPS.iter().flat_map(|group| {
        let keys = group.keys.iter().map(move |key| (group, key));
        keys.filter(|(group, key)| group.full_name(key) == name)
    });
    found.next().map(|(group, key)| explain_key(group, key))
}

/// The full names of all keys.
pub fn names() -> Vec<String> {
    let keys = GROUPS
        .iter()
        .flat_map(|group| group.keys.iter().map(move |key| group.full_name(key)));
    keys.collect()
}

fn explain_key(group: &Group, key: &Key) -> String {
    let mut text = format!("{}\n  {}\n", group.full_name(key), key.about);
    match key.value {
        Value::Number {
            default,
            least,
            most,
        } => text.push_str(&format!(
            "  A whole number from {least} to {most}; default {default}.\n"
        )),
        Value::Default(default) => text.push_str(&format!("  Default: {default}\n")),
        Value::Absent(example) => {
            text.push_str(&format!(
                "  No default. Example: {} = {example}\n",
                key.name
            ));
        }
    }
    if let Some(variable) = key.variable {
        text.push_str(&format!(
            "  The environment variable {variable} overrides it.\n"
        ));
    }
    text
}

fn push_key(text: &mut String, key: &Key) {
    let mut about = key.about.to_owned();
    if let Value::Number { least, most, .. } = key.value {
        about.push_str(&format!(" From {least} to {most}."));
    }
    if matches!(key.value, Value::Absent(_)) {
        about.push_str(" No default.");
    }
    if let Some(variable) = key.variable {
        about.push_str(&format!(" {variable} overrides it."));
    }
    let value = match key.value {
        Value::Number { default, .. } => default.to_string(),
        Value::Default(value) | Value::Absent(value) => value.to_owned(),
    };
    text.push('\n');
    push_comment(text, &about);
    text.push_str(&format!("# {} = {value}\n", key.name));
}

fn push_comment(text: &mut String, words: &str) {
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}
