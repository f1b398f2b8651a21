//! What a browser is served: pages made from templates, and the files they refer to.
//!
//! Pages are a face like the JSON API: they hold no rules of their own.

mod assets;
mod docs;

use actix_web::web::{self, ServiceConfig};

/// The routes of all pages.
pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/api/docs", web::get().to(docs::show))
        .route(assets::PATTERN, web::get().to(assets::serve));
}
