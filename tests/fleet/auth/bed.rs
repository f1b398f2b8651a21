//! A small application behind the gate, on a port of its own, that counts what it did.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, web};
use controller::auth::{Gate, Limits, Principal, Routes, guard, once};
use controller::clock;
use controller::domain::reach::Reach;
use controller::domain::role::{Permission, Scope};
use controller::fleet::api_keys::{Created, NewApiKey, create};
use controller::keyring::{Keyring, MasterKey, MasterSource};
use protocol::Cidr;
use tokio::sync::Semaphore;

use crate::stage::{TestDb, fresh};

mod wire;

use wire::exchange;
pub(super) use wire::{Answer, Call, call};

pub(super) const LIMITS: Limits = Limits {
    body_bytes: 4096,
    unverified_bytes: 1024 * 1024,
    body_read: std::time::Duration::from_secs(1),
};

/// What the application did.
pub(super) struct Deeds {
    acted: AtomicU32,
    /// Slow requests end when they are let go.
    let_go: Semaphore,
}

impl Deeds {
    fn act(&self) -> u32 {
        self.acted.fetch_add(1, Ordering::SeqCst) + 1
    }
}

pub(super) struct Bed {
    pub(super) database: TestDb,
    pub(super) keyring: Arc<Keyring>,
    deeds: Arc<Deeds>,
    address: SocketAddr,
}

fn needs(method: &Method, pattern: &str) -> Option<Permission> {
    match (method.as_str(), pattern) {
        ("GET", "/api/things/{name}") => Some(Permission::Read),
        ("POST", "/api/things" | "/api/fails" | "/api/slow") => Some(Permission::Write),
        ("DELETE", "/api/things/{name}") => Some(Permission::Admin),
        _ => None,
    }
}

async fn show(name: web::Path<String>, principal: Principal) -> HttpResponse {
    HttpResponse::Ok().body(format!("{name} for {}", principal.actor()))
}

async fn make(deeds: web::Data<Deeds>, body: web::Bytes) -> HttpResponse {
    let number = deeds.act();
    HttpResponse::Created()
        .insert_header(("Location", format!("/api/things/{number}")))
        .body(
            [
                b"made ".as_slice(),
                &body,
                format!(" as {number}").as_bytes(),
            ]
            .concat(),
        )
}

async fn fail(deeds: web::Data<Deeds>) -> HttpResponse {
    deeds.act();
    HttpResponse::InternalServerError().finish()
}

async fn make_slowly(deeds: web::Data<Deeds>) -> HttpResponse {
    let number = deeds.act();
    deeds.let_go.acquire().await.unwrap().forget();
    HttpResponse::Created().body(format!("slowly {number}"))
}

async fn destroy(deeds: web::Data<Deeds>) -> HttpResponse {
    deeds.act();
    HttpResponse::NoContent().finish()
}

impl Bed {
    pub(super) async fn new() -> Self {
        Self::behind(&[]).await
    }

    pub(super) async fn behind(proxies: &[&str]) -> Self {
        let database = fresh().await;
        let master = MasterSource::Given(MasterKey::from_random([3; 32]));
        let keyring = Arc::new(Keyring::open(&database.pool, master).await.unwrap());
        let trusted = proxies
            .iter()
            .map(|text| Cidr::parse(text).unwrap())
            .collect();
        let gate = Gate::new(
            database.pool.clone(),
            Arc::clone(&keyring),
            trusted,
            Routes {
                needs,
                takes: |_| Vec::new(),
            },
            LIMITS,
        );
        let gate = web::Data::new(gate);
        let deeds = Arc::new(Deeds {
            acted: AtomicU32::new(0),
            let_go: Semaphore::new(0),
        });
        let shared = web::Data::from(Arc::clone(&deeds));
        let server = HttpServer::new(move || {
            let api = web::scope("/api")
                .wrap(from_fn(once))
                .wrap(from_fn(guard))
                .route("/things", web::post().to(make))
                .route("/things/{name}", web::get().to(show))
                .route("/things/{name}", web::head().to(show))
                .route("/things/{name}", web::delete().to(destroy))
                .route("/fails", web::post().to(fail))
                .route("/slow", web::post().to(make_slowly))
                .route("/forgotten", web::get().to(destroy));
            App::new()
                .app_data(gate.clone())
                .app_data(shared.clone())
                .service(api)
        })
        .workers(2)
        .disable_signals()
        .bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap();
        let address = server.addrs()[0];
        tokio::spawn(server.run());
        Self {
            database,
            keyring,
            deeds,
            address,
        }
    }

    pub(super) fn acted(&self) -> u32 {
        self.deeds.acted.load(Ordering::SeqCst)
    }

    pub(super) fn let_go(&self, requests: usize) {
        self.deeds.let_go.add_permits(requests);
    }

    pub(super) async fn key(&self, scope: Scope) -> Created {
        self.key_as(|new| new.scope = scope).await
    }

    pub(super) async fn key_as(&self, alter: impl FnOnce(&mut NewApiKey)) -> Created {
        let mut new = NewApiKey {
            name: "deploy".to_owned(),
            scope: Scope::Read,
            reach: Reach::All,
            bearer: false,
            allowed_from: Vec::new(),
            expires_at: None,
            created_by: "ada".to_owned(),
        };
        alter(&mut new);
        let mut transaction = self.database.pool.begin().await.unwrap();
        let created = create(&mut transaction, &self.keyring, &new, clock::now())
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        created
    }

    pub(super) async fn send(&self, call: &Call) -> Answer {
        self.send_bytes(call.bytes()).await
    }

    pub(super) async fn send_bytes(&self, bytes: Vec<u8>) -> Answer {
        let address = self.address;
        tokio::task::spawn_blocking(move || exchange(address, &bytes))
            .await
            .unwrap()
    }

    pub(super) async fn sql(&self, statement: &'static str) -> u64 {
        let done = sqlx::query(statement).execute(&self.database.pool);
        done.await.unwrap().rows_affected()
    }
}
