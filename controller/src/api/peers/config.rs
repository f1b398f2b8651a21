//! `/peers/{id}/config`: the wg-quick text of a peer, as text or as a picture for phones.
//!
//! The text holds preshared keys, so it takes a key that may write. The private key is known to the device alone;
//! a comment stands where it belongs.

use actix_web::http::header;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, HttpResponseBuilder, get};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::caller::{Caller, WritesWithin};
use crate::api::problem::{Problem, WriteProblems};
use crate::domain::config_text::Mode;
use crate::domain::ids::PeerId;
use crate::fleet::peers::issue::{self, HandedOut};
use crate::fleet::{Fleet, Refusal};
use crate::qr;

/// What the text is to reach.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConfigQuery {
    /// `split` if absent: the network and what is behind its nodes.
    #[serde(default = "split")]
    mode: Mode,
}

fn split() -> Mode {
    Mode::Split
}

/// Hand out a peer's configuration.
#[utoipa::path(tag = "peers", operation_id = "peers.config", params(("id" = i64, Path), ConfigQuery),
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 423, description = "The peer is isolated.", body = Problem), WriteProblems))]
#[get("/peers/{id}/config")]
pub(crate) async fn text(
    caller: Caller<WritesWithin>,
    fleet: Data<Fleet>,
    id: Path<PeerId>,
    query: Query<ConfigQuery>,
) -> Result<HttpResponse, Problem> {
    super::find(&fleet, &caller, *id).await?;
    let out = issue::issue(&fleet, *id, query.mode).await?;
    Ok(secret("text/plain; charset=utf-8", &out)
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("inline; filename=\"{}.conf\"", device_name(&out.peer.name)),
        ))
        .body(out.issued.text().to_owned()))
}

/// Hand out a peer's configuration as a QR code that scales.
#[utoipa::path(tag = "peers", operation_id = "peers.config_svg", params(("id" = i64, Path), ConfigQuery),
    responses((status = 200, body = String, content_type = "image/svg+xml"),
        (status = 423, description = "The peer is isolated.", body = Problem), WriteProblems))]
#[get("/peers/{id}/config.svg")]
pub(crate) async fn svg(
    caller: Caller<WritesWithin>,
    fleet: Data<Fleet>,
    id: Path<PeerId>,
    query: Query<ConfigQuery>,
) -> Result<HttpResponse, Problem> {
    super::find(&fleet, &caller, *id).await?;
    let out = issue::issue(&fleet, *id, query.mode).await?;
    let picture = qr::svg(out.issued.text()).map_err(too_long)?;
    Ok(secret("image/svg+xml", &out).body(picture))
}

/// Hand out a peer's configuration as a QR code in pixels.
#[utoipa::path(tag = "peers", operation_id = "peers.config_png", params(("id" = i64, Path), ConfigQuery),
    responses((status = 200, body = Vec<u8>, content_type = "image/png"),
        (status = 423, description = "The peer is isolated.", body = Problem), WriteProblems))]
#[get("/peers/{id}/config.png")]
pub(crate) async fn png(
    caller: Caller<WritesWithin>,
    fleet: Data<Fleet>,
    id: Path<PeerId>,
    query: Query<ConfigQuery>,
) -> Result<HttpResponse, Problem> {
    super::find(&fleet, &caller, *id).await?;
    let out = issue::issue(&fleet, *id, query.mode).await?;
    let picture = qr::png(out.issued.text()).map_err(too_long)?;
    Ok(secret("image/png", &out).body(picture))
}

/// An answer that nothing on its way may keep. Whether the text is another one than the last time stands in a header.
fn secret(content: &str, out: &HandedOut) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .content_type(content)
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(changed) = out.changed {
        answer.insert_header(("X-Config-Changed", changed.to_string()));
    }
    answer
}

fn too_long(err: qr::TooLong) -> Problem {
    Refusal::conflict("config_too_long", err.to_string()).into()
}

/// The file's name becomes that of the device, which the kernel wants short.
fn device_name(peer: &str) -> &str {
    peer.get(..15).unwrap_or(peer)
}
