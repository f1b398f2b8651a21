//! What a browser is served: pages made from templates, and the files they refer to.
//!
//! Pages are a face like the JSON API: they hold no rules of their own. Each resource has a module with its handlers and
//! the structs behind its templates in `templates/<resource>/`. A handler begins with a [`visit::Visit`], which says
//! what it demands; a form is read as the body that the JSON API takes.

mod about;
pub mod answer;
mod api_keys;
mod assets;
mod audit;
mod browser_name;
mod cookie;
mod docs;
mod door;
mod figures;
mod flash;
pub mod form;
pub mod frame;
mod kept;
mod language;
mod live;
mod networks;
mod nodes;
mod overview;
mod peers;
pub mod pictures;
mod pools;
mod profile;
mod refusal;
mod reports;
mod search;
mod settings;
mod table;
mod topology;
mod trouble;
mod users;
pub mod visit;

use actix_web::App;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use chrono::{DateTime, Utc};

use crate::api::document::elsewhere;
use crate::auth;
use crate::config::Effective;
use kept::Kept;
pub use table::Listed;
use table::Table;

/// What pages show of this controller itself.
pub struct Shown {
    /// Every setting that it was started with, without secrets.
    settings: Vec<Effective>,
    started_at: DateTime<Utc>,
    /// What is counted over all peers, for all threads that serve.
    overview: Kept<overview::figures::Figures>,
    topology: Kept<topology::Counted>,
}

impl Shown {
    pub fn new(settings: Vec<Effective>, started_at: DateTime<Utc>) -> Self {
        Self {
            settings,
            started_at,
            overview: Kept::default(),
            topology: Kept::default(),
        }
    }
}

/// Serves all pages.
pub fn configure(config: &mut ServiceConfig) {
    mount(config);
}

/// Every route of pages.
pub fn routes() -> Vec<Listed> {
    let mut listed = Vec::new();
    drop(App::new().configure(|config| listed = mount(config)));
    listed
}

fn mount(config: &mut ServiceConfig) -> Vec<Listed> {
    let mut open = Table::new(config);
    open.get("/api/docs", docs::show)
        .get(assets::PATTERN, assets::serve)
        .configure(reports::configure);
    let mut listed = open.into_list();
    beside_pages(config);
    config.service(
        web::scope("")
            .wrap(from_fn(trouble::as_page))
            .wrap(from_fn(auth::door))
            .configure(|config| listed.extend(pages(config)))
            .default_service(web::to(trouble::nowhere)),
    );
    listed
}

fn pages(config: &mut ServiceConfig) -> Vec<Listed> {
    let mut table = Table::new(config);
    table
        .configure(overview::configure)
        .configure(live::configure)
        .configure(nodes::configure)
        .configure(networks::configure)
        .configure(pools::configure)
        .configure(topology::configure)
        .configure(audit::configure)
        .configure(settings::configure)
        .configure(about::configure)
        .configure(search::configure)
        .configure(door::configure)
        .configure(profile::configure)
        .configure(users::configure)
        .configure(api_keys::configure)
        .configure(peers::configure);
    table.into_list()
}

/// What programs ask for is answered as to programs where there is nothing, too.
fn beside_pages(config: &mut ServiceConfig) {
    for path in ["/livez", "/readyz", "/metrics", "/api/{rest:.*}"] {
        config.route(path, web::route().to(elsewhere));
    }
}
