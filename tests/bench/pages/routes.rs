//! The pages that are asked for: lists, searches and single things, each time another one.

use crate::fleet::database::Database;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub(super) struct Route {
    pub(super) name: &'static str,
    path: Box<dyn Fn(usize) -> String>,
    /// Its figures are kept for some seconds.
    pub(super) is_kept: bool,
}

impl Route {
    pub(super) fn path(&self, n: usize) -> String {
        (self.path)(n)
    }
}

pub(super) fn all(database: &Database) -> Vec<Route> {
    let peers = database.count("peers");
    let far = move |n: usize| (n as i64 * 7919 * 31) % (peers - 50) + 1;
    let cursor = move |n: usize| URL_SAFE_NO_PAD.encode(format!("made:{} x", far(n)));
    let still = |name, path: &'static str| route(name, move |_| path.to_owned());
    let node = |n: usize| n * 7 % 500 + 1;
    let mut routes = vec![
        kept(still("overview", "/")),
        kept(still("topology", "/topology")),
        still("nodes", "/nodes"),
        still("nodes online", "/nodes?state=online"),
        route("nodes by a part of the name", move |n| {
            format!("/nodes?q=node-0{}", n % 5)
        }),
        route("a node", move |n| format!("/nodes/{}", node(n))),
        route("a node's traffic", move |n| {
            format!("/nodes/{}/traffic", node(n))
        }),
        still("peers, first page", "/peers"),
        route("peers, a page", move |n| {
            format!("/peers?cursor={}", cursor(n))
        }),
        route("peers, rows again", move |n| {
            format!("/peers/rows?cursor={}", cursor(n))
        }),
        route("peers of a node", move |n| {
            format!("/peers?node={}", node(n))
        }),
        route("peers of a pool", |n| format!("/peers?pool={}", n % 10 + 1)),
        route("peers of a tag", |n| format!("/peers?tag=team-{}", n % 100)),
        route("peers by a part of the name", |n| {
            format!("/peers?q=-{:04}-{:04}", n * 3 % 500, n % 200)
        }),
        route("peers by what begins many names", |n| {
            format!("/peers?q=phone-{:03}", n % 50)
        }),
        route("peers by what a fifth has", |n| {
            format!("/peers?q={}", ["phone", "lap", "a", "camera-0"][n % 4])
        }),
        route("peers by what none has", |n| format!("/peers?q=nobody-{n}")),
        route("peers by an address", |n| {
            let offset = (n * 3 % 500) << 14 | (2 + n % 200);
            format!(
                "/peers?q=10.{}.{}.{}",
                offset >> 16,
                offset >> 8 & 255,
                offset & 255
            )
        }),
    ];
    for state in ["online", "waiting", "disabled", "expired", "isolated"] {
        routes.push(Route {
            name: match state {
                "online" => "peers online",
                "waiting" => "peers waiting",
                "disabled" => "peers disabled",
                "expired" => "peers expired",
                _ => "peers isolated",
            },
            path: Box::new(move |_| format!("/peers?state={state}")),
            is_kept: false,
        });
    }
    routes.extend([
        route("a peer", move |n| format!("/peers/{}", far(n))),
        route("a peer's traffic", move |n| {
            format!("/peers/{}/traffic", far(n))
        }),
        route("a peer's sessions", move |n| {
            format!("/peers/{}/sessions", far(n) / 100 * 100 + 100)
        }),
        route("whether a peer's configuration is old", move |n| {
            format!("/peers/{}/stale", far(n))
        }),
        route("a peer's form", move |n| format!("/peers/{}/edit", far(n))),
        still("form of a new peer", "/peers/new"),
        still("networks", "/networks"),
        still("a network", "/networks/1"),
        still("pools", "/pools"),
        route("a pool", |n| format!("/pools/{}", n % 10 + 1)),
        route("search everything", |n| {
            format!("/search?q=phone-{:03}", n % 50)
        }),
        route("search in the palette", |n| {
            format!("/search/found?q=-{:04}-", n * 3 % 500)
        }),
        still("audit log", "/audit"),
        still("audit log of one object", "/audit?object=node%2F7"),
        still("users", "/users"),
        still("a user", "/users/1"),
        still("API keys", "/api-keys"),
        still("profile", "/profile"),
        still("settings", "/settings"),
        still("about", "/about"),
    ]);
    routes
}

fn route(name: &'static str, path: impl Fn(usize) -> String + 'static) -> Route {
    Route {
        name,
        path: Box::new(path),
        is_kept: false,
    }
}

fn kept(route: Route) -> Route {
    Route {
        is_kept: true,
        ..route
    }
}
