//! An identity provider that the tests play: it signs for real, and lies on demand.

use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard};

use actix_web::web::{Data, Json};
use actix_web::{App, HttpResponse, HttpServer, web};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use controller::clock;
use controller::fleet::sign_in::SignInError;
use controller::fleet::sign_in::oidc::{begin, finish};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Browser;
use crate::stage::{QUICK, Running};

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the provider holds.
pub(super) struct Held {
    base: String,
    pub key: EcdsaKeyPair,
    pub kid: &'static str,
    /// The claims of the next token; null for those that are not lied about.
    lies: Value,
    /// Of the code that it gave out.
    challenge: String,
    nonce: String,
    pub asked: Vec<String>,
    /// What it answers to a refresh token; each is good once, and it gives another.
    pub refresh: Refresh,
    refreshed: usize,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Refresh {
    Vouches,
    /// It does, and does not say for whom.
    Silent,
    Refuses,
    IsBroken,
}

type Shared = Data<Mutex<Held>>;

pub(super) struct Provider {
    held: Shared,
    pub stage: Running,
    _server: actix_web::dev::ServerHandle,
}

async fn discovery(held: Shared) -> Json<Value> {
    let base = held.lock().unwrap().base.clone();
    Json(json!({
        "issuer": base, "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"), "jwks_uri": format!("{base}/keys"),
    }))
}

async fn keys(held: Shared) -> Json<Value> {
    let held = held.lock().unwrap();
    let point = held.key.public_key().as_ref();
    let key = json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": held.kid,
        "x": b64(&point[1..33]), "y": b64(&point[33..65])});
    Json(json!({ "keys": [key] }))
}

async fn token(held: Shared, body: String) -> HttpResponse {
    let mut held = held.lock().unwrap();
    held.asked.push(body.clone());
    let form: Vec<(String, String)> = url_pairs(&body);
    let field = |name: &str| {
        let found = form.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str()).to_owned()
    };
    if field("grant_type") == "refresh_token" {
        let current = format!("again-{}", held.refreshed);
        match held.refresh {
            Refresh::IsBroken => {
                return HttpResponse::BadRequest().json(json!({"error": "invalid_client"}));
            }
            Refresh::Refuses => {
                return HttpResponse::BadRequest().json(json!({"error": "invalid_grant"}));
            }
            _ if field("refresh_token") != current => {
                return HttpResponse::BadRequest().json(json!({"error": "invalid_grant"}));
            }
            Refresh::Silent => return HttpResponse::Ok().json(json!({"access_token": "a"})),
            Refresh::Vouches => held.refreshed += 1,
        }
    } else if field("code") != "good"
        || b64(Sha256::digest(field("code_verifier"))) != held.challenge
    {
        return HttpResponse::BadRequest().json(json!({"error": "invalid_grant"}));
    }
    let now = clock::now().timestamp();
    let mut claims = json!({"iss": held.base, "aud": "wgfleet", "sub": "248289761001", "exp": now + 300, "iat": now,
        "nonce": held.nonce, "preferred_username": "ada", "email": "ada@example.org", "groups": ["noc"]});
    for (name, value) in held.lies.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let alg = held
        .lies
        .get("alg")
        .map_or("ES256", |alg| alg.as_str().unwrap());
    let header = json!({"alg": alg, "kid": held.kid, "typ": "JWT"});
    let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    let signature = held
        .key
        .sign(&SystemRandom::new(), signed.as_bytes())
        .unwrap();
    let id_token = format!("{signed}.{}", b64(signature.as_ref()));
    HttpResponse::Ok().json(
        json!({"id_token": id_token, "access_token": "a", "token_type": "Bearer",
            "refresh_token": format!("again-{}", held.refreshed)}),
    )
}

fn url_pairs(text: &str) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://x/?{text}")).unwrap();
    url.query_pairs().into_owned().collect()
}

impl Provider {
    pub(super) async fn start() -> Self {
        let held = Data::new(Mutex::new(Held {
            base: String::new(),
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            kid: "one",
            lies: json!({}),
            challenge: String::new(),
            nonce: String::new(),
            asked: Vec::new(),
            refresh: Refresh::Vouches,
            refreshed: 0,
        }));
        let shared = held.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .route(
                    "/.well-known/openid-configuration",
                    web::get().to(discovery),
                )
                .route("/keys", web::get().to(keys))
                .route("/token", web::post().to(token))
        })
        .workers(1)
        .disable_signals()
        .bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap();
        let base = format!("http://{}", server.addrs()[0]);
        held.lock().unwrap().base.clone_from(&base);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let sections = format!(
            "base_url = \"http://localhost:8000\"\n{QUICK}[oidc]\nissuer = \"{base}\"\nclient_id = \"wgfleet\"\n\
             admin_groups = [\"root\"]\noperator_groups = [\"noc\"]\nviewer_groups = [\"staff\"]\nrecheck_s = 1\n"
        );
        Self {
            held,
            stage: Running::with(&sections).await,
            _server: handle,
        }
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }

    pub(super) fn lies(&self, lies: Value) {
        self.held.lock().unwrap().lies = lies;
    }

    /// Goes to the provider and comes back with a state.
    pub(super) async fn visit(&self, browser: &Browser) -> String {
        let url = begin(&self.stage.fleet, &browser.visitor()).await.unwrap();
        self.asked(&url)
    }

    /// Somebody arrives, and leaves with the state that they brought.
    pub(super) fn asked(&self, url: &str) -> String {
        let pairs = url_pairs(url.split_once('?').unwrap().1);
        let field = |name: &str| pairs.iter().find(|(key, _)| key == name).unwrap().1.clone();
        assert_eq!(field("code_challenge_method"), "S256");
        assert_eq!(
            field("redirect_uri"),
            "http://localhost:8000/login/oidc/callback"
        );
        assert_eq!(field("scope"), "openid profile email");
        let mut held = self.held.lock().unwrap();
        held.challenge = field("code_challenge");
        held.nonce = field("nonce");
        field("state")
    }

    pub(super) async fn signs_in(&self) -> Result<controller::fleet::sessions::Begun, SignInError> {
        let browser = Browser::at("192.0.2.7");
        let state = self.visit(&browser).await;
        finish(&self.stage.fleet, &browser.visitor(), "good", &state).await
    }
}
