//! The documentation of the API for people: Swagger UI over the document that the API serves of itself.
//!
//! Everything comes from this program, nothing from elsewhere, and the policy sent along holds the browser to that.

use actix_web::HttpResponse;
use actix_web::http::header;
use askama::Template;

use super::assets;
use crate::api::problem::Problem;

/// Pictures in stylesheets are data; there is no script or style in the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "api/docs.html")]
struct DocsPage {
    document: &'static str,
    library: String,
    library_style: String,
    style: String,
    script: String,
}

pub(super) async fn show() -> Result<HttpResponse, Problem> {
    let page = DocsPage {
        document: "/api/openapi.json",
        library: assets::url("vendor/swagger-ui/swagger-ui-bundle.js"),
        library_style: assets::url("vendor/swagger-ui/swagger-ui.css"),
        style: assets::url("api-docs.css"),
        script: assets::url("api-docs.js"),
    };
    let html = page.render().map_err(|err| Problem::fault(&err))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        // It names files by their content: an old page would ask for files that are gone.
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .content_type("text/html; charset=utf-8")
        .body(html))
}
