//! Many peers at once from a text: JSON as the API takes it, or a table whose first line names the same fields.
//!
//! All are made or none, and every row that is wrong is told of. Each brings its public key: private keys of thousands
//! have no place on a page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde_json::{Map, Value};

use crate::api::caller::Writes;
use crate::api::peers::{PeerDraft, bulk};
use crate::api::problem::Problem;
use crate::fleet::peers;
use crate::web::answer::{refused, show as show_page};
use crate::web::flash;
use crate::web::form::Form;
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "peers/import.html")]
struct ImportPage {
    frame: Frame,
    form: Form,
    mistakes: Vec<Mistake>,
}

impl ImportPage {
    fn heading(&self) -> String {
        self.frame
            .t
            .count("peers-import-wrong", self.mistakes.len() as u64)
    }
}

/// What is wrong with a row; they are counted from 1.
#[derive(Debug, PartialEq)]
struct Mistake {
    row: u64,
    text: String,
}

pub(super) async fn show(visit: Visit<Writes>) -> Result<HttpResponse, Problem> {
    show_page(&ImportPage {
        frame: visit.frame(Place::Peers).await?,
        form: Form::default(),
        mistakes: Vec::new(),
    })
}

pub(super) async fn run(visit: Visit<Writes>, mut form: Form) -> Result<HttpResponse, Problem> {
    let mistakes = match import(&visit, form.value("rows")).await {
        Ok(made) => {
            let text = visit.language.count("peers-imported", made);
            return Ok(flash::go_to("/peers", &text));
        }
        Err(Wrong::Rows(mistakes)) => mistakes,
        Err(Wrong::Text(text)) => {
            form.set_mistake("rows", text);
            Vec::new()
        }
        Err(Wrong::Problem(problem)) if is_fault(&problem) => return Err(problem),
        Err(Wrong::Problem(problem)) => {
            let t = visit.language;
            form.refusal = Some(t.why(problem.words()));
            let rows = problem.words().rows();
            let mistakes = rows.map(|(row, words)| Mistake {
                row: row + 1,
                text: t.why(words),
            });
            mistakes.collect()
        }
    };
    refused(&ImportPage {
        frame: visit.frame(Place::Peers).await?,
        form,
        mistakes,
    })
}

enum Wrong {
    Text(String),
    Rows(Vec<Mistake>),
    Problem(Problem),
}

async fn import(visit: &Visit<Writes>, text: &str) -> Result<u64, Wrong> {
    let rows = match text.trim_start().starts_with(['[', '{']) {
        true => json(text),
        false => table(text),
    }
    .map_err(Wrong::Text)?;
    let without_key = visit.language.say("peers-import-no-key");
    let drafts = drafts(rows, &without_key).map_err(Wrong::Rows)?;
    let (peers, _) = bulk::read(&visit.fleet, &visit.access, drafts)
        .await
        .map_err(Wrong::Problem)?;
    let made = peers::create_all(&visit.fleet, &visit.call, &peers).await;
    let made = made.map_err(|err| Wrong::Problem(err.into()))?;
    Ok(made.len() as u64)
}

fn is_fault(problem: &Problem) -> bool {
    use actix_web::ResponseError;
    !problem.status_code().is_client_error() || problem.status_code() == StatusCode::FORBIDDEN
}

fn drafts(rows: Vec<Value>, without_key: &str) -> Result<Vec<PeerDraft>, Vec<Mistake>> {
    let (mut drafts, mut mistakes) = (Vec::with_capacity(rows.len()), Vec::new());
    for (row, value) in (1..).zip(rows) {
        let has_key = value.get("public_key").is_some_and(Value::is_string);
        match serde_json::from_value(value) {
            Ok(draft) if has_key => drafts.push(draft),
            Ok(_) => mistakes.push(Mistake {
                row,
                text: without_key.to_owned(),
            }),
            Err(err) => mistakes.push(Mistake {
                row,
                text: err.to_string(),
            }),
        }
    }
    if mistakes.is_empty() {
        Ok(drafts)
    } else {
        Err(mistakes)
    }
}

/// An array, or one object a line.
fn json(text: &str) -> Result<Vec<Value>, String> {
    let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut rows = Vec::new();
    for value in values {
        match value.map_err(|err| err.to_string())? {
            Value::Array(many) => rows.extend(many),
            one => rows.push(one),
        }
    }
    Ok(rows)
}

/// Rows as objects by the names in the first line. What is empty is left out.
fn table(text: &str) -> Result<Vec<Value>, String> {
    let mut lines = cells(text)?.into_iter();
    let names = lines.next().ok_or("there is no row")?;
    let mut rows = Vec::new();
    for (number, line) in (1..).zip(lines) {
        if line.len() > names.len() {
            return Err(format!("row {number} has more cells than the first line"));
        }
        let given = names
            .iter()
            .zip(line)
            .filter(|(_, cell)| !cell.trim().is_empty());
        let row: Map<String, Value> = given
            .map(|(name, cell)| {
                let name = name.trim().to_owned();
                let value = value(&name, cell.trim());
                (name, value)
            })
            .collect();
        rows.push(Value::Object(row));
    }
    Ok(rows)
}

/// A cell as the field that it is for takes it; what does not fit stays a text, and its field says so.
fn value(name: &str, cell: &str) -> Value {
    match name {
        "tags" | "routes" => {
            let parts = cell.split([',', ';']).map(str::trim);
            parts.filter(|part| !part.is_empty()).collect()
        }
        "owner" | "keepalive" => cell.parse::<i64>().map_or(cell.into(), Value::from),
        "enabled" => cell.parse::<bool>().map_or(cell.into(), Value::from),
        _ => cell.into(),
    }
}

/// The cells of every line that is not empty, by RFC 4180.
fn cells(text: &str) -> Result<Vec<Vec<String>>, String> {
    let (mut lines, mut line, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quoted = true;
            }
            ',' if !quoted => line.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                line.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut line));
            }
            '\r' if !quoted => {}
            other => cell.push(other),
        }
    }
    if quoted {
        return Err("a quote is opened and not closed".to_owned());
    }
    line.push(cell);
    lines.push(line);
    lines.retain(|line| line.iter().any(|cell| !cell.trim().is_empty()));
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_the_objects_that_the_api_takes() {
        let text = "name,network,tags,keepalive,enabled\r\n\"a\",office,\"lab, x\",25,true\n\nb,office,,,\n";

        let rows = table(text).unwrap();

        let expected = [
            json!({"name": "a", "network": "office", "tags": ["lab", "x"], "keepalive": 25, "enabled": true}),
            json!({"name": "b", "network": "office"}),
        ];
        assert_eq!(rows, expected);
        assert!(table("name\n\"open").is_err());
        assert!(table("name\na,b").is_err());
        assert!(table("").is_err());
    }

    #[test]
    fn every_row_that_is_no_peer_is_told_of() {
        let rows = json(r#"[{"name": 7}, {"name": "a", "network": "n"}]"#).unwrap();

        let mistakes = drafts(rows, "has no key").unwrap_err();

        let numbers: Vec<u64> = mistakes.iter().map(|mistake| mistake.row).collect();
        assert_eq!(numbers, [1, 2]);
        assert_eq!(mistakes[1].text, "has no key");
    }
}
