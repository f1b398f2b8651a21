//! The JSON API below `/api/v1`: one file per resource, each a thin face over `fleet` and plain reads of `db`.
//!
//! A handler parses, calls one flow and shows the result; rules are elsewhere. Routes and their description are
//! registered in one place (`routes`), so that the served OpenAPI document cannot differ from the router.

pub mod adoptions;
pub mod api_keys;
pub mod audit;
pub mod body;
pub mod caller;
pub mod document;
pub mod events;
pub mod fields;
pub mod interfaces;
pub mod ipam;
pub mod lookup;
pub mod me;
pub mod networks;
pub mod nodes;
pub mod page;
pub mod peers;
pub mod plans;
pub mod pools;
pub mod probes;
pub mod problem;
pub mod reached;
pub mod reference;
pub mod requests;
pub mod samples;
pub mod status;
pub mod texts;
pub mod users;
pub mod version;
pub mod webhooks;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web;
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::auth;
use crate::domain::role::Permission;

const PREFIX: &str = "/api/v1";

/// Where only those have business who decide what others may do.
const ADMINISTERS: &[&str] = &[
    "/api/v1/users",
    "/api/v1/api-keys",
    "/api/v1/audit",
    "/api/v1/webhooks",
];

/// Everything that is served.
pub fn configure(config: &mut ServiceConfig) {
    config
        .app_data(body::path_config())
        .app_data(body::query_config())
        .service(probes::live)
        .service(probes::ready)
        .service(
            scope::scope("/metrics")
                .wrap(from_fn(auth::guard))
                .service(probes::metrics),
        )
        .service(
            scope::scope(PREFIX)
                .wrap(from_fn(auth::once))
                .wrap(from_fn(auth::guard))
                .configure(routes)
                .default_service(web::route().to(document::elsewhere)),
        )
        .map(document::configure);
}

/// Every route of the API, with its description.
fn routes(config: &mut ServiceConfig) {
    administration(config);
    config
        .service(networks::index)
        .service(networks::create)
        .service(networks::show)
        .service(networks::change)
        .service(networks::delete)
        .service(nodes::index)
        .service(nodes::create)
        .service(nodes::show)
        .service(nodes::change)
        .service(nodes::delete)
        .service(nodes::replace_secret)
        .service(nodes::connection::test_draft)
        .service(nodes::connection::test)
        .service(interfaces::index)
        .service(interfaces::create)
        .service(interfaces::show)
        .service(interfaces::change)
        .service(interfaces::delete)
        .service(interfaces::acknowledge_key)
        .service(pools::index)
        .service(pools::create)
        .service(pools::show)
        .service(pools::change)
        .service(pools::delete)
        .service(pools::add_member)
        .service(pools::remove_member)
        .service(peers::index)
        .service(peers::create)
        .service(peers::bulk::create)
        .service(peers::show)
        .service(peers::change)
        .service(peers::delete)
        .service(peers::isolate)
        .service(peers::release)
        .service(peers::relocation::relocate)
        .service(peers::sessions::index)
        .service(peers::config::text)
        .service(peers::config::svg)
        .service(peers::config::png)
        .service(ipam::suggestions)
        .service(ipam::ranges)
        .service(ipam::addresses::index)
        .service(ipam::reservations)
        .service(ipam::reserve)
        .service(ipam::unreserve)
        .service(adoptions::index)
        .service(adoptions::create)
        .service(adoptions::remove)
        .service(plans::look)
        .service(plans::create)
        .service(plans::show)
        .service(plans::apply);
}

/// Who may do what, what was done, and how all of it is.
fn administration(config: &mut ServiceConfig) {
    config
        .service(users::index)
        .service(users::create)
        .service(users::show)
        .service(users::change)
        .service(users::delete)
        .service(api_keys::index)
        .service(api_keys::create)
        .service(api_keys::show)
        .service(api_keys::revoke)
        .service(audit::index)
        .service(audit::export)
        .service(audit::verify)
        .service(me::show)
        .service(status::show)
        .service(events::index)
        .service(samples::of_interface)
        .service(samples::of_node)
        .service(samples::of_peer)
        .service(webhooks::index)
        .service(webhooks::create)
        .service(webhooks::show)
        .service(webhooks::change)
        .service(webhooks::delete)
        .service(webhooks::deliveries::index)
        .service(webhooks::deliveries::show)
        .service(webhooks::deliveries::replay);
}

/// What a route needs at least; handlers may demand more. What is not named here nobody may.
pub fn needs(method: &Method, pattern: &str) -> Option<Permission> {
    let below = |prefix: &&str| {
        pattern
            .strip_prefix(*prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if pattern == "/metrics" {
        return Some(Permission::Read);
    }
    if !below(&PREFIX) {
        return None;
    }
    if ADMINISTERS.iter().any(below) {
        return Some(Permission::Admin);
    }
    Some(if method.is_safe() {
        Permission::Read
    } else {
        Permission::Write
    })
}
