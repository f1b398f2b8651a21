//! Lists in pages: a cursor says where the next page begins, whatever was added or removed meanwhile.

use std::fmt::Display;
use std::str::FromStr;

use actix_web::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;
use crate::db::Span;

const DEFAULT_LIMIT: i64 = 50;
const MOST: i64 = 500;
/// What cursors of rows by id begin with.
const BY_ID: &str = "id";

/// Which part of a list is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
    /// How many, 1 to 500; 50 if absent.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<i64>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The cursor of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The cursor of the page behind the row of this id.
pub fn cursor(id: i64) -> String {
    mark(BY_ID, id)
}

impl PageQuery {
    pub fn span(&self) -> Result<Span, Problem> {
        Ok(Span {
            after: match &self.cursor {
                Some(cursor) => marked(BY_ID, cursor)?,
                None => 0,
            },
            limit: limit(self.limit)?,
        })
    }
}

impl<T> Page<T> {
    /// A page of rows ordered by id. A full page has a next one, if only an empty one.
    pub fn of<R>(rows: Vec<R>, span: Span, id: impl Fn(&R) -> i64, view: impl Fn(R) -> T) -> Self {
        Self::by(rows, span.limit, |last| mark(BY_ID, id(last)), view)
    }

    /// The same of rows in another order: `cursor` says where the page after a row begins.
    pub fn by<R>(
        rows: Vec<R>,
        limit: i64,
        cursor: impl Fn(&R) -> String,
        view: impl Fn(R) -> T,
    ) -> Self {
        let full = i64::try_from(rows.len()).is_ok_and(|found| found == limit);
        let next = rows.last().filter(|_| full).map(cursor);
        Self {
            items: rows.into_iter().map(view).collect(),
            next,
        }
    }
}

pub fn limit(wanted: Option<i64>) -> Result<i64, Problem> {
    match wanted.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MOST => Ok(limit),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_query",
            "limit is 1 to 500",
        )),
    }
}

/// A cursor behind a row of which this is the key; `order` says in which order of rows it makes sense.
pub fn mark(order: &str, key: impl Display) -> String {
    URL_SAFE_NO_PAD.encode(format!("{order}:{key}"))
}

/// The key in a cursor that [`mark`] made.
pub fn marked<T: FromStr>(order: &str, cursor: &str) -> Result<T, Problem> {
    let decoded = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let key = text.as_deref().and_then(|text| {
        let key = text.strip_prefix(order)?.strip_prefix(':')?;
        key.parse().ok()
    });
    key.ok_or_else(|| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_cursor",
            "cursor is not one that this API gave",
        )
    })
}
