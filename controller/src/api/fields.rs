//! Checking the fields of a body one by one, so that an answer names every mistake at once.

use std::fmt::Display;
use std::ops::RangeInclusive;

use actix_web::http::StatusCode;
use serde_json::json;

use super::problem::Problem;

const LONGEST_TEXT: usize = 4096;

#[derive(Debug, Default)]
pub struct Fields {
    mistakes: Vec<(String, String)>,
}

impl Fields {
    /// The value, or none and a mistake that names the field: `name: is not a DNS label`.
    pub fn take<T, E: Display>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(err) => {
                self.mistake(field, err);
                None
            }
        }
    }

    /// The same for what may be absent, or `null` and with that taken away.
    pub fn take_given<T, E: Display>(
        &mut self,
        field: &str,
        given: Option<Option<String>>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match given? {
            Some(text) => self.take(field, parse(&text)).map(Some),
            None => Some(None),
        }
    }

    pub fn mistake(&mut self, field: &str, text: impl Display) {
        self.mistakes.push((field.to_owned(), text.to_string()));
    }

    /// Free text, of a length that people write and without what no row can keep.
    pub fn text(&mut self, field: &str, text: &str) {
        if text.len() > LONGEST_TEXT {
            self.mistake(field, format!("is longer than {LONGEST_TEXT} bytes"));
        }
        if text.contains('\0') {
            self.mistake(field, "holds a NUL, which no row can keep");
        }
    }

    /// A number in its bounds.
    pub fn number(&mut self, field: &str, number: u32, bounds: RangeInclusive<u32>) {
        if !bounds.contains(&number) {
            let (least, most) = bounds.into_inner();
            self.mistake(field, format!("is not {least} to {most}"));
        }
    }

    /// What was parsed, if there is all of it and nothing was wrong.
    pub fn finish<T>(self, parsed: Option<T>) -> Result<T, Problem> {
        match parsed {
            Some(value) if self.mistakes.is_empty() => Ok(value),
            _ => Err(self.problem()),
        }
    }

    fn problem(self) -> Problem {
        let sentences: Vec<String> = self
            .mistakes
            .iter()
            .map(|(field, text)| format!("{field} {text}"))
            .collect();
        let errors = self
            .mistakes
            .iter()
            .map(|(field, text)| json!({"field": field, "detail": text}))
            .collect();
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_fields",
            sentences.join("; "),
        )
        .with("errors", errors)
    }
}
