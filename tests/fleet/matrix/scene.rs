//! One of each thing that a route may be about, all of them with the id 1, and whoever tries the routes on them.

use controller::domain::drift::Plan;
use reqwest::{Client, redirect};
use serde_json::json;
use sqlx::query;

use super::line::{Expected, Line, Who};
use crate::stage::{Api, QUICK, Running, Visitor};

/// What the first of each thing is called, and nothing else is: no page says such a word by itself.
pub(super) const NAMES: [&str; 7] = [
    "obelisk", "quartz", "zaffre-1", "wg-ember", "teapot", "zebedee", "trombone",
];

/// The first network, pool, node, interface and peer belong together; the second network and pool hold nothing.
pub(crate) async fn furnished() -> Running {
    // Strangers each come from an address of their own, because failures are counted.
    let stage = Running::with(&format!("trusted_proxies = [\"127.0.0.1/32\"]\n{QUICK}")).await;
    let api = &stage.api;
    for (network, prefix, pool) in [
        ("obelisk", "10.8.0.0/16", "quartz"),
        ("away", "10.9.0.0/16", "south"),
    ] {
        let draft = json!({"name": network, "cidr_v4": prefix});
        api.post("/networks", draft).await.ok();
        api.post("/pools", json!({"name": pool})).await.ok();
    }
    let node = json!({"name": "zaffre-1", "agent_url": "http://127.0.0.1:9", "enabled": false,
        "interface": {"name": "wg-ember", "network": "obelisk", "endpoint": "vpn.example:51820"}});
    api.post("/nodes", node).await.ok();
    api.patch("/pools/1", json!({"members": [1]})).await.ok();
    let user = json!({"name": "zebedee", "role": "viewer"});
    api.post("/users", user).await.ok();
    let hook = json!({"name": "trombone", "url": "http://127.0.0.1:9/", "enabled": false});
    api.post("/webhooks", hook).await.ok();
    let reserved = json!({"prefix": "10.8.9.0/28"});
    api.post("/networks/1/reservations", reserved).await.ok();
    stage
        .sql(
            "INSERT INTO peers (network_id, pool_id, name, public_key) VALUES
                (1, 1, 'teapot', 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=');
             INSERT INTO placements (interface_id, peer_id, generation) VALUES (1, 1, 1);
             INSERT INTO webhook_deliveries (webhook_id, event_id, body, delivered_at, next_attempt_at)
                VALUES (1, 1, '{}', now(), NULL);
             INSERT INTO passkeys (user_id, name, credential_id, credential, created_at)
                VALUES (1, 'key', '\\x01', '{}', now());",
        )
        .await;
    let steps = serde_json::to_value(Plan::default()).unwrap();
    let plan = query(
        "INSERT INTO plans (interface_id, desired_generation, observed_digest, steps, created_by)
         VALUES (1, 1, '', $1, 'tests')",
    );
    plan.bind(steps).execute(stage.rows()).await.unwrap();
    renew(&stage).await;
    stage
}

/// Brings back the session of the user that was there first, which several routes end.
pub(super) async fn renew(stage: &Running) {
    stage
        .sql(
            "INSERT INTO sessions (id, token_hash, user_id, method, created_at, last_seen_at)
             OVERRIDING SYSTEM VALUE SELECT 1000000, '\\x01', id, 'password', now(), now() FROM users WHERE id = 1
             ON CONFLICT DO NOTHING",
        )
        .await;
}

pub(super) enum Caller {
    Page(Visitor, String),
    Api(Api),
    Stranger(Client, String, u8),
}

impl Caller {
    pub(super) async fn new(stage: &Running, who: Who, is_at_browser: bool) -> Self {
        match (who.role().zip(who.scope()), is_at_browser) {
            (None, false) => {
                let client = Client::builder()
                    .no_proxy()
                    .redirect(redirect::Policy::none());
                Self::Stranger(client.build().unwrap(), stage.base.clone(), 0)
            }
            (None, true) => {
                let mut visitor = Visitor::new(stage);
                let token = visitor.token("/login").await;
                Self::Page(visitor, token)
            }
            (Some((_, scope)), false) => Self::Api(stage.limited(scope, who.reach()).await),
            (Some((role, _)), true) => {
                let mut visitor = Visitor::within(stage, "eva", role, who.reach()).await;
                let token = visitor.token("/profile").await;
                Self::Page(visitor, token)
            }
        }
    }

    /// All that is answered, but for a stream without end.
    pub(super) async fn read(&mut self, line: &Line) -> String {
        match self {
            Self::Page(visitor, _) => visitor.get_only(&line.path()).await.text,
            Self::Api(api) => api.get(&format!("/{}", line.path())).await.text,
            Self::Stranger(..) => String::new(),
        }
    }

    /// Tries a route with a form or a body that holds nothing.
    pub(super) async fn call(&mut self, line: &Line) -> Expected {
        let path = line.path().replace("/sessions/1/", "/sessions/1000000/");
        let (status, location) = match self {
            Self::Page(visitor, token) => {
                let answer = visitor.begin(line.method.clone(), &path, token).await;
                let location = answer.headers().get("location");
                let location = location.map(|location| location.to_str().unwrap().to_owned());
                (answer.status().as_u16(), location)
            }
            Self::Api(api) => {
                let body = (!line.method.is_safe()).then(|| json!({}));
                let tried = match body {
                    Some(_) => format!("/{path}?dry_run=true"),
                    None => format!("/{path}"),
                };
                let answer = api.call(line.method.clone(), &tried, body, &[]).await;
                (answer.status, None)
            }
            Self::Stranger(client, base, number) => {
                *number += 1;
                let request = client
                    .request(line.method.clone(), format!("{base}{path}"))
                    .header("x-forwarded-for", format!("192.0.2.{number}"))
                    .header("content-type", "application/json");
                let answer = request.body("{}").send().await.unwrap();
                (answer.status().as_u16(), None)
            }
        };
        match status {
            // No agent is there to answer, which is another thing than a fault.
            500 | 503 => Expected::Status(status),
            // What strangers are told there is about what they sent.
            _ if line.is_open() => Expected::Permitted,
            401 | 403 | 404 => Expected::Status(status),
            303 if location.is_some_and(|to| to.starts_with("/login?next=")) => Expected::ToLogin,
            _ => Expected::Permitted,
        }
    }
}
