//! Checking the fields of a body one by one, so that an answer names every mistake at once.

pub mod mistake;

use std::ops::RangeInclusive;

use actix_web::http::StatusCode;

use super::problem::Problem;
use mistake::Mistake;

const LONGEST_TEXT: usize = 4096;

#[derive(Debug, Default)]
pub struct Fields {
    mistakes: Vec<(String, Mistake)>,
}

impl Fields {
    /// The value, or none and a mistake that names the field: `name: is not a DNS label`.
    pub fn take<T, E: Into<Mistake>>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(err) => {
                self.mistake(field, err);
                None
            }
        }
    }

    /// The same for what may be absent, or `null` and with that taken away.
    pub fn take_given<T, E: Into<Mistake>>(
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

    pub fn mistake(&mut self, field: &str, what: impl Into<Mistake>) {
        self.mistakes.push((field.to_owned(), what.into()));
    }

    /// Free text, of a length that people write and without what no row can keep.
    pub fn text(&mut self, field: &str, text: &str) {
        if text.len() > LONGEST_TEXT {
            let long = format!("is longer than {LONGEST_TEXT} bytes");
            self.mistake(
                field,
                Mistake::new("too_long", long).with("most", LONGEST_TEXT),
            );
        }
        if text.contains('\0') {
            let what = "holds a NUL, which no row can keep";
            self.mistake(field, Mistake::new("holds_nul", what));
        }
    }

    /// A number in its bounds.
    pub fn number(&mut self, field: &str, number: u32, bounds: RangeInclusive<u32>) {
        if !bounds.contains(&number) {
            let (least, most) = bounds.into_inner();
            self.mistake(
                field,
                Mistake::new("out_of_bounds", format!("is not {least} to {most}"))
                    .with("least", least)
                    .with("most", most),
            );
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
            .map(|(field, what)| format!("{field} {}", what.detail()))
            .collect();
        let errors = self
            .mistakes
            .iter()
            .map(|(field, what)| what.json(field))
            .collect();
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_fields",
            sentences.join("; "),
        )
        .with("errors", errors)
    }
}
