//! The files in `static/`, part of the program: each under an address that holds its own hash, so a browser keeps it
//! for good and a new release cannot meet an old copy.
//!
//! Small answers are not worth packing; what is worth it is packed once, when it is first wanted.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{LazyLock, OnceLock};

use actix_web::http::header::{
    self, AcceptEncoding, ContentEncoding, ETag, Encoding, EntityTag, Header, IfNoneMatch,
};
use actix_web::web::{self, Bytes, Path};
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::Embed;
use sha2::{Digest, Sha256};

use crate::api::problem::Problem;

pub(super) const PATTERN: &str = "/static/{tag}/{name:.+}";

/// Below this, the headers weigh more than what is saved.
const WORTH_PACKING_BYTES: usize = 1024;

/// So many bytes of the hash tell one version of a file from another.
const TAG_BYTES: usize = 12;

#[derive(Embed)]
#[folder = "../static"]
struct Files;

struct Asset {
    bytes: Bytes,
    packed: OnceLock<Bytes>,
    tag: String,
    content_type: String,
}

/// The script of every page, and what it is made of. As one file that waits for the page it cannot begin before all of
/// it is there: htmx begins when it can, and must find its extension.
const PAGE: (&str, [&str; 3]) = (
    "page.js",
    [
        "vendor/htmx/dist/htmx.min.js",
        "vendor/htmx/dist/ext/hx-sse.min.js",
        "app.js",
    ],
);

static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    let named = |name: &str| Some((name.to_owned(), Asset::read(Files::get(name)?)));
    let mut assets: BTreeMap<String, Asset> =
        Files::iter().filter_map(|name| named(&name)).collect();
    let parts: Vec<&Asset> = PAGE.1.iter().filter_map(|part| assets.get(*part)).collect();
    let page = Asset::joined(&parts);
    assets.insert(PAGE.0.to_owned(), page);
    assets
});

/// Where a file is served, by its path in `static/`.
pub(super) fn url(name: &str) -> String {
    let asset = ASSETS.get(name);
    let asset = asset.expect("pages name files of static/, and their tests open every page");
    format!("/static/{}/{name}", asset.tag)
}

pub(super) async fn serve(
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (tag, name) = path.into_inner();
    let asset = ASSETS.get(&name).filter(|asset| asset.tag == tag);
    let asset = asset.ok_or_else(Problem::not_found)?;
    // Weak, because the packed form is the same file in other bytes.
    let tag = EntityTag::new_weak(asset.tag.clone());
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header(ETag(tag.clone()))
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::VARY, "Accept-Encoding"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if holds(&request, &tag) {
        return Ok(answer
            .status(actix_web::http::StatusCode::NOT_MODIFIED)
            .finish());
    }
    answer.content_type(asset.content_type.as_str());
    if asset.bytes.len() < WORTH_PACKING_BYTES || !takes_gzip(&request) {
        return Ok(answer.body(asset.bytes.clone()));
    }
    let packed = web::block(|| asset.packed()).await;
    let packed = packed.map_err(|err| Problem::fault(&err))?;
    let packed = packed.map_err(|err| Problem::fault(&err))?;
    Ok(answer
        .insert_header(ContentEncoding::Gzip)
        .body(packed.clone()))
}

impl Asset {
    fn read(file: rust_embed::EmbeddedFile) -> Self {
        let kind = file.metadata.mimetype();
        Self {
            tag: hex::encode(&file.metadata.sha256_hash()[..TAG_BYTES]),
            content_type: match kind.starts_with("text/") {
                true => format!("{kind}; charset=utf-8"),
                false => kind.to_owned(),
            },
            packed: OnceLock::new(),
            bytes: file.data.into_owned().into(),
        }
    }

    /// Scripts one after the other, each beginning a statement of its own.
    fn joined(parts: &[&Self]) -> Self {
        let texts: Vec<&[u8]> = parts.iter().map(|part| &part.bytes[..]).collect();
        let bytes = texts.join(&b"\n;\n"[..]);
        Self {
            tag: hex::encode(&Sha256::digest(&bytes)[..TAG_BYTES]),
            content_type: "text/javascript; charset=utf-8".to_owned(),
            packed: OnceLock::new(),
            bytes: bytes.into(),
        }
    }

    fn packed(&self) -> io::Result<&Bytes> {
        if let Some(packed) = self.packed.get() {
            return Ok(packed);
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&self.bytes)?;
        let packed = encoder.finish()?;
        // Two who came at once have packed the same.
        Ok(self.packed.get_or_init(|| packed.into()))
    }
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let offered = [Encoding::gzip(), Encoding::identity()];
    AcceptEncoding::parse(request)
        .is_ok_and(|accepted| accepted.negotiate(offered.iter()) == Some(Encoding::gzip()))
}

/// Whether the caller has the file already.
fn holds(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(held)) => held.iter().any(|item| item.weak_eq(tag)),
        Err(_) => false,
    }
}
