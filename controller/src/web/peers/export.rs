//! Peers as a file: a table for people, or one JSON object a line, each as the API lists it.
//!
//! Read and sent part by part, whatever their number. A cell that a spreadsheet would run as a formula is made text.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use chrono::{DateTime, Utc};
use futures_util::stream::{self, Stream};

use super::wanted::Selection;
use crate::api::peers::PeerView;
use crate::api::problem::Problem;
use crate::db::Span;
use crate::db::peers::listing::{self, Filter, Listed};
use crate::fleet::Fleet;
use crate::web::answer;
use crate::web::visit::Visit;

const PART: i64 = 500;

const COLUMNS: &str = "id,name,public_key,addresses,nodes,owner,tags,enabled,expired,isolated_at,expires_at,\
                       handshake_at,received_bytes,sent_bytes,created_at\r\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Ndjson,
}

impl Format {
    pub(super) fn of_word(word: &str) -> Option<Self> {
        match word {
            "csv" => Some(Self::Csv),
            "ndjson" => Some(Self::Ndjson),
            _ => None,
        }
    }

    fn content(self) -> (&'static str, &'static str) {
        match self {
            Self::Csv => (
                "text/csv; charset=utf-8",
                "attachment; filename=\"peers.csv\"",
            ),
            Self::Ndjson => (
                "application/x-ndjson",
                "attachment; filename=\"peers.ndjson\"",
            ),
        }
    }

    fn write(self, peers: Vec<Listed>) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = Vec::new();
        for peer in peers {
            match self {
                Self::Csv => bytes.extend_from_slice(line(&peer).as_bytes()),
                Self::Ndjson => {
                    serde_json::to_writer(&mut bytes, &PeerView::of(peer))?;
                    bytes.push(b'\n');
                }
            }
        }
        Ok(bytes)
    }
}

#[derive(Debug, thiserror::Error)]
enum BrokenOff {
    #[error("database")]
    Db(#[from] sqlx::Error),
    #[error("a peer cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

pub(super) fn answer<D>(
    visit: &Visit<D>,
    selection: &Selection,
    format: Format,
) -> Result<HttpResponse, Problem> {
    let (kind, disposition) = format.content();
    let parts = parts(
        visit.fleet.clone(),
        selection.filter(visit.access.reach)?,
        format,
    );
    let mut answer = HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .streaming(parts);
    answer::protect(answer.headers_mut());
    Ok(answer)
}

/// Where an export goes on.
enum Next {
    Head,
    After(i64),
    End,
}

fn parts(
    fleet: Data<Fleet>,
    filter: Option<Filter>,
    format: Format,
) -> impl Stream<Item = Result<Bytes, BrokenOff>> {
    stream::try_unfold(Next::Head, move |next| {
        let (fleet, filter) = (fleet.clone(), filter.clone());
        async move {
            let after = match next {
                Next::End => return Ok(None),
                Next::Head if format == Format::Csv => {
                    return Ok(Some((
                        Bytes::from_static(COLUMNS.as_bytes()),
                        Next::After(0),
                    )));
                }
                Next::Head => 0,
                Next::After(id) => id,
            };
            let Some(filter) = filter else {
                return Ok(None);
            };
            let span = Span { after, limit: PART };
            let peers = listing::list(&fleet.pool, &filter, span).await?;
            let next = peers
                .last()
                .map_or(Next::End, |last| Next::After(last.id.0));
            let is_over = peers.is_empty();
            let bytes = Bytes::from(format.write(peers)?);
            Ok((!is_over).then_some((bytes, next)))
        }
    })
}

fn line(peer: &Listed) -> String {
    let time = |at: Option<DateTime<Utc>>| at.map_or(String::new(), |at| at.to_rfc3339());
    let addresses: Vec<String> = peer
        .addresses
        .iter()
        .map(|net| net.addr().to_string())
        .collect();
    let cells = [
        peer.id.to_string(),
        cell(&peer.name),
        cell(&peer.public_key),
        addresses.join(" "),
        cell(&peer.nodes.join(" ")),
        cell(peer.owner_name.as_deref().unwrap_or("")),
        cell(&peer.tags.join(", ")),
        peer.enabled.to_string(),
        peer.expired.to_string(),
        time(peer.isolated_at),
        time(peer.expires_at),
        time(peer.handshake_at),
        peer.rx_total.to_string(),
        peer.tx_total.to_string(),
        time(Some(peer.created_at)),
    ];
    cells.join(",") + "\r\n"
}

/// A text as a cell: in quotes where it needs them, and never a formula.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    match is_formula || text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{guard}{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_read_back_as_it_was_and_never_run() {
        assert_eq!(cell("laptop-1"), "laptop-1");
        assert_eq!(cell("a, b"), "\"a, b\"");
        assert_eq!(cell("say \"x\""), "\"say \"\"x\"\"\"");
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("@SUM(A1)"), "\"'@SUM(A1)\"");
    }
}
