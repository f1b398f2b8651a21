//! How answers are shown to people: lists as aligned columns, one thing as lines of name and value.
//!
//! What is shown may come from a node or from anybody who may write, so nothing in it reaches the terminal as a
//! command: control characters are replaced.

use std::io::{self, Write};

use serde_json::Value;

/// A heading, and where its value stands in each item.
pub(super) type Column = (&'static str, &'static str);

/// Writes a list. Nothing found is an empty table, with its headings.
pub(super) fn list(out: &mut dyn Write, items: &[Value], columns: &[Column]) -> io::Result<()> {
    let headings = columns.iter().map(|(heading, _)| (*heading).to_owned());
    let mut rows: Vec<Vec<String>> = vec![headings.collect()];
    rows.extend(items.iter().map(|item| {
        let cell = |(_, at): &Column| item.pointer(at).map_or("-".into(), text);
        columns.iter().map(cell).collect()
    }));
    write_rows(out, &rows)
}

/// Writes everything that one thing holds, the inner parts with the path to them.
pub(super) fn details(out: &mut dyn Write, thing: &Value) -> io::Result<()> {
    let mut rows = Vec::new();
    flatten("", thing, &mut rows);
    write_rows(out, &rows)
}

fn flatten(path: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let dot = if path.is_empty() { "" } else { "." };
            for (name, field) in fields {
                flatten(&format!("{path}{dot}{name}"), field, rows);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (i, item) in items.iter().enumerate() {
                flatten(&format!("{path}[{i}]"), item, rows);
            }
        }
        _ => rows.push(vec![path.to_owned(), text(value)]),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) if text.is_empty() => "-".into(),
        Value::String(text) => plain(text),
        Value::Array(items) if items.is_empty() => "-".into(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// A text that a terminal shows and does not obey.
pub(super) fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

/// The last column is not padded: nothing follows it.
fn write_rows(out: &mut dyn Write, rows: &[Vec<String>]) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |i: usize| {
        let cells = rows.iter().filter_map(|row| row.get(i));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_stand_below_their_headings() {
        let items = [
            json!({"id": 7, "name": "fra-1", "status": {"age_s": 3}, "pools": [1, 2]}),
            json!({"id": 12, "name": "é", "status": {"age_s": null}, "pools": []}),
        ];
        let columns = [
            ("ID", "/id"),
            ("NAME", "/name"),
            ("AGE", "/status/age_s"),
            ("POOLS", "/pools"),
        ];

        let table = written(|out| list(out, &items, &columns));

        assert_eq!(
            table,
            "ID  NAME   AGE  POOLS\n7   fra-1  3    1, 2\n12  é      -    -\n"
        );
    }

    #[test]
    fn one_thing_is_told_in_full() {
        let thing = json!({"name": "a", "on": true, "in": {"x": 1}, "of": [{"y": 2}, {"y": null}], "no": {}});

        let lines = written(|out| details(out, &thing));

        for line in [
            "name     a",
            "on       yes",
            "in.x     1",
            "of[0].y  2",
            "of[1].y  -",
            "no       {}",
        ] {
            assert!(lines.contains(&format!("{line}\n")), "{line:?} in {lines}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_shown_is_a_command_to_the_terminal(text in any::<String>()) {
            let shown = written(|out| list(out, &[json!({"a": text})], &[("A", "/a")]));

            prop_assert_eq!(shown.matches('\n').count(), 2);
            prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
