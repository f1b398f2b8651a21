//! A form as somebody filled it in: what they wrote, what was wrong with it, and the JSON that it stands for.
//!
//! Pages have no rules of their own: a form is turned into the body that the JSON API takes, and what that refuses is
//! shown beside the field. A refused form comes back with what was written, secrets excepted.

mod reading;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, ResponseError, web};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::api::fields::Fields;
use crate::api::fields::mistake::Mistake;
use crate::api::problem::Problem;
use crate::domain::profile::Language;
use crate::fleet::Refusal;

/// The code of a form that does not stand for what is read of it.
const MISFIT: &str = "invalid_form";

#[derive(Debug, Default, Clone)]
pub struct Form {
    /// In the order that they came, names repeated where several were chosen.
    values: Vec<(String, String)>,
    mistakes: BTreeMap<String, String>,
    /// What is wrong with no field in particular.
    pub refusal: Option<String>,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Empty: left out.
    Text,
    /// Empty: taken away.
    TextOrNull,
    /// Written as it is, even when empty.
    Exactly,
    Number,
    /// A box: ticked or not.
    Flag,
    /// Words apart by commas, spaces or lines.
    List,
}

impl Form {
    /// A form to begin with.
    pub fn with<const N: usize>(values: [(&str, String); N]) -> Self {
        let values = values.map(|(name, value)| (name.to_owned(), value));
        Self {
            values: values.into(),
            ..Self::default()
        }
    }

    pub fn value(&self, name: &str) -> &str {
        let mut values = self.values.iter();
        values
            .find(|(other, _)| other == name)
            .map_or("", |(_, value)| value)
    }

    /// The version that the form was made from, where it tells one. A guard that cannot be read is none to pass by.
    pub fn version(&self) -> Result<Option<i64>, Refusal> {
        match self.value("version") {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| Refusal::invalid("invalid_form", "version is no number")),
        }
    }

    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.values.iter().filter(move |(other, _)| other == name);
        named.map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.values.iter().any(|(other, _)| other == name)
    }

    pub fn is(&self, name: &str, value: &str) -> bool {
        self.values(name).any(|chosen| chosen == value)
    }

    pub fn mistake(&self, name: &str) -> Option<&str> {
        self.mistakes.get(name).map(String::as_str)
    }

    pub fn set_mistake(&mut self, name: &str, text: String) {
        self.mistakes.insert(name.to_owned(), text);
    }

    /// Writes a field in somebody's place.
    pub fn set(&mut self, name: &str, value: &str) {
        self.forget(name);
        self.values.push((name.to_owned(), value.to_owned()));
    }

    /// Takes what must not be shown again out of what was written.
    pub fn forget(&mut self, name: &str) {
        self.values.retain(|(other, _)| other != name);
    }

    /// Reads the form as the API reads its body. A name with a dot is a field of a field.
    pub fn read<T: DeserializeOwned>(&self, fields: &[(&str, Holds)]) -> Result<T, Problem> {
        let mut body = Map::new();
        let mut wrong = Fields::default();
        for (name, holds) in fields {
            let Some(value) = self.json(name, *holds) else {
                continue;
            };
            if *holds == Holds::Number && !value.is_u64() {
                let what = "is not a whole number";
                wrong.mistake(name, Mistake::new("not_a_number", what));
            }
            match name.split_once('.') {
                None => {
                    body.insert((*name).to_owned(), value);
                }
                Some((outer, inner)) => {
                    let inside = body
                        .entry(outer)
                        .or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(inside) = inside {
                        inside.insert(inner.to_owned(), value);
                    }
                }
            }
        }
        wrong.finish(Some(()))?;
        read_body(body)
    }

    /// Whether anything is wrong with it.
    pub fn is_mistaken(&self) -> bool {
        !self.mistakes.is_empty() || self.refusal.is_some()
    }

    /// Takes over what was wrong: beside the fields where it belongs to one, above them else.
    pub fn refuse(&mut self, problem: &Problem, t: Language) {
        for (field, words) in problem.words().mistakes() {
            self.mistakes.insert(field.to_owned(), t.wrong(words));
        }
        // What no person can have written, a form may have no place for beside a field.
        if self.mistakes.is_empty() || problem.code() == MISFIT {
            self.refusal = Some(t.why(problem.words()));
        }
    }

    fn json(&self, name: &str, holds: Holds) -> Option<Value> {
        let text = self.value(name).trim();
        match holds {
            Holds::Text => (!text.is_empty()).then(|| text.into()),
            Holds::TextOrNull => Some(if text.is_empty() {
                Value::Null
            } else {
                text.into()
            }),
            Holds::Exactly => Some(self.value(name).into()),
            // What is no number stays as it was written, and the type that is read says so.
            Holds::Number => {
                (!text.is_empty()).then(|| text.parse::<i64>().map_or(text.into(), Value::from))
            }
            Holds::Flag => Some(self.has(name).into()),
            Holds::List => Some(words(text).collect()),
        }
    }
}

/// Reads a form's JSON as the API reads its body. What does not fit is told of its field, and holds nothing of it.
pub fn read_body<T: DeserializeOwned>(body: Map<String, Value>) -> Result<T, Problem> {
    reading::read(body).map_err(|misfit| {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, MISFIT, misfit.to_string());
        match misfit.field.as_str() {
            "" => problem,
            field => problem.with("errors", json!([misfit.mistake.json(field)])),
        }
    })
}

/// What came of a form: the thing done, or nothing and the form says why. What is no fault of the form goes on.
pub fn taken<T>(
    done: Result<T, Problem>,
    form: &mut Form,
    t: Language,
) -> Result<Option<T>, Problem> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(problem) if is_refusal(problem.status_code()) => {
            form.refuse(&problem, t);
            Ok(None)
        }
        Err(problem) => Err(problem),
    }
}

fn is_refusal(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED | StatusCode::UNPROCESSABLE_ENTITY
    )
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let separates = |character: char| character == ',' || character.is_whitespace();
    text.split(separates).filter(|word| !word.is_empty())
}

impl FromRequest for Form {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let declared = request.headers().get(header::CONTENT_TYPE);
        let is_form = declared.is_some_and(|kind| {
            kind.as_bytes()
                .starts_with(b"application/x-www-form-urlencoded")
        });
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            if !is_form {
                let text = "the body must be a form";
                return Err(Problem::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "not_a_form",
                    text,
                ));
            }
            let bytes = bytes.await.map_err(|_| crate::api::body::too_large())?;
            let values = url::form_urlencoded::parse(&bytes);
            Ok(Self {
                values: values.into_owned().collect(),
                ..Self::default()
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Draft {
        name: String,
        weight: Option<u32>,
        country: Option<String>,
        #[serde(default)]
        tags: Vec<String>,
        enabled: bool,
        interface: Option<Inner>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        name: String,
    }

    const FIELDS: [(&str, Holds); 6] = [
        ("name", Holds::Exactly),
        ("weight", Holds::Number),
        ("country", Holds::Text),
        ("tags", Holds::List),
        ("enabled", Holds::Flag),
        ("interface.name", Holds::Text),
    ];

    fn filled(fields: &[(&str, &str)]) -> Form {
        let values = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Form {
            values: values.collect(),
            ..Form::default()
        }
    }

    #[test]
    fn a_form_is_the_body_that_the_api_takes() {
        let form = filled(&[
            ("name", "fra-1"),
            ("weight", "100"),
            ("tags", "a, b\n c"),
            ("enabled", "on"),
            ("interface.name", "wg0"),
        ]);

        let expected = Draft {
            name: "fra-1".to_owned(),
            weight: Some(100),
            country: None,
            tags: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
            enabled: true,
            interface: Some(Inner {
                name: "wg0".to_owned(),
            }),
        };
        assert_eq!(form.read::<Draft>(&FIELDS).unwrap(), expected);
    }

    #[test]
    fn only_fields_of_the_form_are_read_whatever_else_was_sent() {
        let form = filled(&[("name", "fra-1"), ("version", "7"), ("role", "admin")]);

        assert_eq!(form.read::<Draft>(&FIELDS).unwrap().name, "fra-1");
        assert!(
            filled(&[("weight", "many")])
                .read::<Draft>(&FIELDS)
                .is_err()
        );
    }
}
