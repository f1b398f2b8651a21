//! A caller of the API who signs what it sends, as a script would.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use controller::domain::reach::Reach;
use controller::domain::role::Scope;
use controller::fleet::api_keys::{self, NewApiKey};
use controller::keyring::Keyring;
use protocol::signing::{Request, Secret};
use reqwest::Method;
use serde_json::Value;
use sqlx::PgPool;

/// Whoever holds one API key.
#[derive(Clone)]
pub(crate) struct Api {
    base: String,
    http: reqwest::Client,
    pub(crate) key_id: String,
    pub(crate) secret: Secret,
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|err| panic!("{err}: {self:?}"))
    }

    /// The answer to a call that must succeed.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{} {}",
            self.status,
            self.text
        );
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// The code of a call that must be refused so.
    #[track_caller]
    pub(crate) fn refused(self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()["code"].as_str().unwrap().to_owned()
    }

    /// All that is said to a call that must be refused so.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The sentence of a call that must be refused with this code.
    #[track_caller]
    pub(crate) fn refused_as(self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        problem["detail"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Api {
    /// Makes a key in the database, as the administrator does at the machine.
    pub(crate) async fn new(base: &str, pool: &PgPool, keyring: &Keyring, scope: Scope) -> Self {
        Self::within(base, pool, keyring, scope, Reach::All).await
    }

    /// Makes a key that is limited to a pool or a network.
    pub(crate) async fn within(
        base: &str,
        pool: &PgPool,
        keyring: &Keyring,
        scope: Scope,
        reach: Reach,
    ) -> Self {
        let mut tx = pool.begin().await.unwrap();
        let new = NewApiKey {
            name: "tests".into(),
            scope,
            reach,
            bearer: false,
            allowed_from: Vec::new(),
            expires_at: None,
            created_by: "tests".into(),
        };
        let created = api_keys::create(&mut tx, keyring, &new, chrono::DateTime::from(now()));
        let created = created.await.unwrap();
        tx.commit().await.unwrap();
        Self {
            base: base.to_owned(),
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(60))
                .build()
                .unwrap(),
            key_id: created.key.key_id.clone(),
            secret: created.secret,
        }
    }

    /// The same key at another controller.
    pub(crate) fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body), &[]).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body), &[]).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None, &[]).await
    }

    /// One call below `/api/v1`, or at an absolute path of the controller that begins with `//`.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.try_call(method, path, body, headers).await.unwrap()
    }

    pub(crate) async fn try_call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        let target = match path.strip_prefix('/').filter(|rest| rest.starts_with('/')) {
            Some(absolute) => absolute.to_owned(),
            None => format!("/api/v1{path}"),
        };
        let body = body.map_or(String::new(), |body| body.to_string());
        let timestamp = now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs()
            .to_string();
        let nonce = hex::encode(controller::random::bytes::<16>());
        let signature = Request {
            method: method.as_str(),
            target: &target,
            body: body.as_bytes(),
            timestamp: &timestamp,
            nonce: Some(&nonce),
        }
        .sign(&self.secret);
        let mut request = self
            .http
            .request(method, format!("{}{target}", self.base))
            // A controller that ends waits for connections that are only kept.
            .header("connection", "close")
            .header("x-key-id", &self.key_id)
            .header("x-timestamp", timestamp)
            .header("x-nonce", nonce)
            .header("x-signature", signature.to_string());
        if !body.is_empty() {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "a caller signs by the clock")]
fn now() -> SystemTime {
    SystemTime::now()
}
