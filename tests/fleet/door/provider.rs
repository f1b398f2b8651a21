//! An identity provider that the tests play: it signs for real, and lies on demand.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use actix_web::web::{Data, Json};
use actix_web::{App, HttpResponse, HttpServer, web};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use controller::clock;
use controller::domain::role::Role;
use controller::fleet::sessions::find;
use controller::fleet::sign_in::oidc::{begin, finish};
use controller::fleet::sign_in::{Denied, SignInError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Browser, denied, log, user};
use crate::stage::{QUICK, Running, Visitor};

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the provider holds.
struct Held {
    base: String,
    key: EcdsaKeyPair,
    kid: &'static str,
    /// The claims of the next token; null for those that are not lied about.
    lies: Value,
    /// Of the code that it gave out.
    challenge: String,
    nonce: String,
    asked: Vec<String>,
}

type Shared = Data<Mutex<Held>>;

struct Provider {
    held: Shared,
    stage: Running,
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
    if field("code") != "good" || b64(Sha256::digest(field("code_verifier"))) != held.challenge {
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
    HttpResponse::Ok()
        .json(json!({"id_token": id_token, "access_token": "a", "token_type": "Bearer"}))
}

fn url_pairs(text: &str) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://x/?{text}")).unwrap();
    url.query_pairs().into_owned().collect()
}

impl Provider {
    async fn start() -> Self {
        let held = Data::new(Mutex::new(Held {
            base: String::new(),
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            kid: "one",
            lies: json!({}),
            challenge: String::new(),
            nonce: String::new(),
            asked: Vec::new(),
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
             admin_groups = [\"root\"]\noperator_groups = [\"noc\"]\nviewer_groups = [\"staff\"]\n"
        );
        Self {
            held,
            stage: Running::with(&sections).await,
            _server: handle,
        }
    }

    fn lies(&self, lies: Value) {
        self.held.lock().unwrap().lies = lies;
    }

    /// Goes to the provider and comes back with a state.
    async fn visit(&self, browser: &Browser) -> String {
        let url = begin(&self.stage.fleet, &browser.visitor()).await.unwrap();
        self.asked(&url)
    }

    /// Somebody arrives, and leaves with the state that they brought.
    fn asked(&self, url: &str) -> String {
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

    async fn signs_in(&self) -> Result<controller::fleet::sessions::Begun, SignInError> {
        let browser = Browser::at("192.0.2.7");
        let state = self.visit(&browser).await;
        finish(&self.stage.fleet, &browser.visitor(), "good", &state).await
    }
}

#[actix_web::test]
async fn whoever_the_provider_vouches_for_comes_in_with_the_role_of_their_groups() {
    let provider = Provider::start().await;
    let fleet = Arc::clone(&provider.stage.fleet);

    let begun = provider.signs_in().await.unwrap();
    let row = find(&fleet, &begun.token, None).await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.role), ("ada", Role::Operator));
    provider.lies(json!({"groups": ["staff"], "preferred_username": "renamed"}));
    let again = provider.signs_in().await.unwrap();

    assert_eq!(again.user, begun.user, "the subject says who it is");
    let row = find(&fleet, &begun.token, None).await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.role), ("ada", Role::Viewer));
    let rows = log(&provider.stage).await;
    assert!(rows[0][4].contains("\"method\":\"oidc\""), "{rows:?}");
    let actions: Vec<&str> = rows[..4].iter().map(|row| row[1].as_str()).collect();
    assert_eq!(
        actions,
        ["sign_in", "user.change", "sign_in", "user.create"]
    );
}

#[actix_web::test]
async fn a_browser_goes_to_the_provider_and_comes_back_to_where_it_wanted() {
    let provider = Provider::start().await;
    let mut ada = Visitor::new(&provider.stage);
    let door = ada.get("/login?next=/nodes").await;
    assert!(
        door.has("href=\"/login/oidc?next=%2Fnodes\""),
        "{}",
        door.text
    );

    let away = ada.get_only("/login/oidc?next=%2Fnodes").await;
    assert_eq!(away.status, 303);
    let state = provider.asked(away.headers["location"].to_str().unwrap());
    let callback = "/login/oidc/callback?code=good&state=";
    let foreign = Visitor::new(&provider.stage)
        .get(&format!("{callback}{state}"))
        .await;
    assert_eq!(foreign.status, 422);
    assert!(foreign.has("begun in another browser"));
    let home = ada.get(&format!("{callback}{state}")).await;
    assert_eq!((home.status, home.path.as_str()), (200, "/nodes"));

    let mut eva = Visitor::new(&provider.stage);
    let turned_away = eva
        .get("/login/oidc/callback?error=access_denied&state=x")
        .await;
    assert_eq!(turned_away.status, 422);
    assert!(turned_away.has("does not vouch for you"));
    let sessions = "SELECT count(*) FROM sessions";
    assert_eq!(provider.stage.count(sessions).await, 1);
}

#[actix_web::test]
async fn a_token_that_is_not_for_this_sign_in_lets_nobody_in() {
    let provider = Provider::start().await;
    let past = clock::now().timestamp() - 3600;

    for lies in [
        json!({"aud": "another"}),
        json!({"aud": ["wgfleet", "another"]}),
        json!({"azp": "another"}),
        json!({"iss": "https://evil.example"}),
        json!({"nonce": "another"}),
        json!({"exp": past}),
        json!({"alg": "none"}),
        json!({"alg": "HS256"}),
        json!({"groups": []}),
        json!({"preferred_username": "a b"}),
    ] {
        provider.lies(lies.clone());
        let refused = denied(provider.signs_in().await);
        assert_eq!(refused, Denied::NotVouched, "{lies}");
    }

    assert_eq!(provider.stage.count("SELECT count(*) FROM users").await, 0);
    assert_eq!(
        provider.stage.count("SELECT count(*) FROM sessions").await,
        0
    );
    let refusals =
        "SELECT count(*) FROM audit_log WHERE action = 'sign_in' AND outcome = 'refused'";
    assert_eq!(provider.stage.count(refusals).await, 10);
}

#[actix_web::test]
async fn a_state_that_is_missing_foreign_or_used_is_refused_before_the_provider_is_asked() {
    let provider = Provider::start().await;
    let fleet = &provider.stage.fleet;
    let [browser, other] = [Browser::at("192.0.2.7"), Browser::at("192.0.2.8")];
    let state = provider.visit(&browser).await;

    let elsewhere = finish(fleet, &other.visitor(), "good", &state).await;
    assert_eq!(denied(elsewhere), Denied::ForeignState);
    let wrong = finish(fleet, &browser.visitor(), "good", "").await;
    assert_eq!(denied(wrong), Denied::ForeignState);
    let used_up = finish(fleet, &browser.visitor(), "good", &state).await;
    assert_eq!(denied(used_up), Denied::ForeignState);
    assert!(provider.held.lock().unwrap().asked.is_empty());

    let state = provider.visit(&browser).await;
    let bad_code = finish(fleet, &browser.visitor(), "bad", &state).await;
    assert_eq!(denied(bad_code), Denied::NotVouched);
    assert_eq!(provider.stage.count("SELECT count(*) FROM users").await, 0);
}

#[actix_web::test]
async fn a_local_user_is_not_whom_the_provider_calls_the_same() {
    let provider = Provider::start().await;
    user(&provider.stage.fleet, "ada", Role::Admin).await;

    let refused = denied(provider.signs_in().await);

    assert_eq!(refused, Denied::NameTaken);
    assert_eq!(
        provider
            .stage
            .count("SELECT count(*) FROM oidc_identities")
            .await,
        0
    );
    assert_eq!(
        provider.stage.count("SELECT count(*) FROM sessions").await,
        0
    );
}

#[actix_web::test]
async fn whoever_is_in_no_group_any_more_loses_the_sessions_they_have() {
    let provider = Provider::start().await;
    let fleet = &provider.stage.fleet;
    let begun = provider.signs_in().await.unwrap();

    provider.lies(json!({"groups": ["elsewhere"]}));
    assert_eq!(denied(provider.signs_in().await), Denied::NotVouched);

    assert_eq!(find(fleet, &begun.token, None).await.unwrap(), None);
}

#[actix_web::test]
async fn a_key_that_the_provider_changed_is_fetched_and_a_stranger_s_key_is_not_taken() {
    let provider = Provider::start().await;
    provider.signs_in().await.unwrap();
    // The provider's own new key, under a new name.
    {
        let mut held = provider.held.lock().unwrap();
        held.key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    }
    let forged = denied(provider.signs_in().await);
    assert_eq!(forged, Denied::NotVouched, "the same name, another key");

    provider.held.lock().unwrap().kid = "two";
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    provider.signs_in().await.unwrap();
}
