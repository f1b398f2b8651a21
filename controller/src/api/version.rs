//! Versions of resources, as entity tags.

use actix_web::http::header::{self, TryIntoHeaderPair};

/// The `ETag` header of a version.
pub fn etag(version: i64) -> impl TryIntoHeaderPair {
    (header::ETAG, format!("\"{version}\""))
}

/// Reads an entity tag that [`etag`] wrote.
pub fn parse(tag: &str) -> Option<i64> {
    let inner = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
    inner.parse().ok()
}
