//! What the commands over the API have in common: asking, going through pages, finding things by name, and
//! showing what came.

use std::io::Write;

use reqwest::Method;
use serde_json::{Map, Value};
use url::form_urlencoded::Serializer;

use super::Failure;
use super::connection::{Call, Connection, ConnectionArguments};
use super::exit::Exit;
use super::table::{self, Column};

const PREFIX: &str = "/api/v1";
/// The most that the API gives at once.
const PAGE: &str = "500";

/// What every command over the API takes.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// Print JSON for programs, as the API gives it
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) connection: ConnectionArguments,
}

/// Whether a change is only tried.
#[derive(Debug, clap::Args)]
pub(super) struct Trial {
    /// Show what would be, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) struct Client {
    connection: Connection,
    json: bool,
}

impl Client {
    pub(super) fn open(common: &Common) -> Result<Self, Failure> {
        Ok(Self {
            connection: Connection::open(&common.connection)?,
            json: common.json,
        })
    }

    /// For what has only one form, whoever reads it.
    pub(super) fn connect(connection: &ConnectionArguments) -> Result<Self, Failure> {
        Ok(Self {
            connection: Connection::open(connection)?,
            json: false,
        })
    }

    /// Asks for what is at a path below the API's prefix.
    pub(super) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, None, &[])
    }

    /// Asks for what is no JSON.
    pub(super) fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let target = format!("{PREFIX}{path}");
        let answer = self.connection.call(&Call {
            method: Method::GET,
            target: &target,
            body: None,
            headers: &[],
        })?;
        Ok(answer.body)
    }

    /// Has something changed.
    pub(super) fn change(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        trial: &Trial,
    ) -> Result<Value, Failure> {
        match trial.dry_run {
            true => self.call(method, &format!("{path}?dry_run=true"), body, &[]),
            false => self.call(method, path, body, &[]),
        }
    }

    pub(super) fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&'static str, String)],
    ) -> Result<Value, Failure> {
        let target = format!("{PREFIX}{path}");
        let answer = self.connection.call(&Call {
            method,
            target: &target,
            body,
            headers,
        })?;
        Ok(answer.json()?)
    }

    /// Goes through all pages of a list.
    pub(super) fn all(
        &self,
        path: &str,
        query: &[(&str, Option<&str>)],
    ) -> Result<Vec<Value>, Failure> {
        let (mut items, mut cursor) = (Vec::new(), None);
        loop {
            let position = [("limit", Some(PAGE)), ("cursor", cursor.as_deref())];
            let query = query.iter().copied().chain(position);
            let mut page = self.get(&with_query(path, query))?;
            match page["items"].take() {
                Value::Array(more) => items.extend(more),
                _ => return Err(Failure::Shape("a page")),
            }
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(items),
            }
        }
    }

    /// The id of a node, a network, a pool, a peer: digits are one, anything else is its name.
    pub(super) fn id(&self, resource: &'static str, which: &str) -> Result<i64, Failure> {
        if let Ok(id) = which.parse() {
            return Ok(id);
        }
        let searched = resource != "networks";
        let query = [("q", searched.then_some(which))];
        let mut found = self.all(&format!("/{resource}"), &query)?;
        found.retain(|item| {
            let name = item["name"].as_str();
            name.is_some_and(|name| name.eq_ignore_ascii_case(which))
                || item["public_key"].as_str() == Some(which)
        });
        let unknown = || Failure::Unknown {
            what: resource,
            which: which.to_owned(),
        };
        match &found[..] {
            [] => Err(unknown()),
            [one] => one["id"].as_i64().ok_or(Failure::Shape("a list")),
            several => Err(Failure::Several {
                what: resource,
                which: which.to_owned(),
                ids: several.iter().map(|one| one["id"].to_string()).collect(),
            }),
        }
    }

    /// The id of an interface: digits are one, else it is `NODE/NAME`.
    pub(super) fn interface(&self, which: &str) -> Result<i64, Failure> {
        if let Ok(id) = which.parse() {
            return Ok(id);
        }
        let unknown = || Failure::Unknown {
            what: "interfaces",
            which: which.to_owned(),
        };
        let (node, name) = which.split_once('/').ok_or_else(unknown)?;
        let id = self.id("nodes", node)?;
        let node = self.get(&format!("/nodes/{id}"))?;
        let interfaces = node["interfaces"].as_array();
        let interfaces = interfaces.ok_or(Failure::Shape("a node"))?;
        let found = interfaces.iter().find(|one| one["name"] == name);
        found.and_then(|one| one["id"].as_i64()).ok_or_else(unknown)
    }

    /// Shows a list, and ends the command.
    pub(super) fn show_all(
        &self,
        out: &mut dyn Write,
        items: Vec<Value>,
        columns: &[Column],
    ) -> Result<Exit, Failure> {
        match self.json {
            true => write_json(out, &Value::Array(items))?,
            false => table::list(out, &items, columns)?,
        }
        Ok(Exit::Fine)
    }

    /// Shows one thing, and ends the command.
    pub(super) fn show(&self, out: &mut dyn Write, thing: &Value) -> Result<Exit, Failure> {
        match self.json {
            true => write_json(out, thing)?,
            false => table::details(out, thing)?,
        }
        Ok(Exit::Fine)
    }

    /// Says in a line what was done, to people alone: a program has the exit status.
    pub(super) fn tell(&self, out: &mut dyn Write, line: &str) -> Result<Exit, Failure> {
        if !self.json {
            writeln!(out, "{}", table::plain(line))?;
        }
        Ok(Exit::Fine)
    }
}

impl Trial {
    pub(super) fn dry_run(&self) -> bool {
        self.dry_run
    }

    /// A word for what was done, or only tried.
    pub(super) fn done(&self, done: &str) -> String {
        match self.dry_run {
            true => format!("not {done}: this was a trial, which found nothing against it"),
            false => done.to_owned(),
        }
    }
}

/// Writes JSON for programs, on lines that people can read too.
pub(super) fn write_json(out: &mut dyn Write, value: &Value) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)?;
    Ok(())
}

/// A path with what is given of a query.
pub(super) fn with_query<'a>(
    path: &str,
    query: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> String {
    let mut written = Serializer::new(String::new());
    for (name, value) in query {
        if let Some(value) = value {
            written.append_pair(name, value);
        }
    }
    match written.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// A body of the fields that are given.
pub(super) fn body(fields: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let given = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}

/// A field as it is given on the command line.
pub(super) fn field<T: Clone + Into<Value>>(given: &Option<T>) -> Option<Value> {
    given.clone().map(Into::into)
}

/// A field that an empty text takes away.
pub(super) fn erasable(given: &Option<String>) -> Option<Value> {
    given.as_ref().map(|text| match text.is_empty() {
        true => Value::Null,
        false => text.as_str().into(),
    })
}
