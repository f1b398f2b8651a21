//! One attempt of one delivery: a POST of the stored bytes, signed as the contract signs requests.
//!
//! Any 2xx is success and its body is not read. Redirects are answers like any other: the receiver that was named gets
//! the event or nobody does. No proxy of the environment is used, as for agents.

use std::error::Error;
use std::time::Duration;

use protocol::signing::{Request, Secret};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, redirect};
use zeroize::Zeroizing;

use crate::db::deliveries::{self, Claimed};
use crate::domain::webhook::WebhookUrl;
use crate::fleet::{Fleet, FleetError, Result, Settings};
use crate::keyring::OpenError;
use crate::{authorities, clock, random};

/// What is kept of an answer that says no.
const KEPT_BYTES: usize = 300;

pub(super) struct Sender {
    http: Client,
}

/// An attempt that did not succeed, as the log of deliveries shows it.
struct Failed {
    status: Option<u16>,
    problem: String,
}

impl Sender {
    pub(super) fn new(settings: &Settings) -> Result<Self, reqwest::Error> {
        let builder = || {
            Client::builder()
                .no_proxy()
                .redirect(redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .timeout(settings.webhook_timeout)
                .pool_idle_timeout(Duration::from_secs(15))
                .user_agent(concat!("wgfleet/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self {
            http: authorities::client("receivers of events", builder, &[])?,
        })
    }

    /// Sends a claimed delivery and books how that went.
    pub(super) async fn deliver(&self, fleet: &Fleet, claimed: &Claimed) -> Result<()> {
        let secret = secret(fleet, claimed).await?;
        match self.post(claimed, &secret).await {
            Ok(status) => {
                deliveries::book_success(&fleet.pool, claimed, status.into()).await?;
            }
            Err(failed) => {
                let failures = u32::try_from(claimed.attempts).unwrap_or(u32::MAX);
                let age = claimed.claimed_at - claimed.wanted_at;
                let jitter = f64::from(u32::from_ne_bytes(random::bytes())) / f64::from(u32::MAX);
                let wait = fleet.settings.webhook_patience.wait(failures, age, jitter);
                let status = failed.status.map(i32::from);
                deliveries::book_failure(&fleet.pool, claimed, status, &failed.problem, wait)
                    .await?;
                if wait.is_none() {
                    tracing::warn!(
                        webhook.id = %claimed.webhook,
                        delivery.id = %claimed.id,
                        "a delivery is given up: {}", failed.problem
                    );
                }
            }
        }
        Ok(())
    }

    async fn post(&self, claimed: &Claimed, secret: &Secret) -> Result<u16, Failed> {
        let url = WebhookUrl::parse(&claimed.url).map_err(|err| Failed {
            status: None,
            problem: format!("the address {err}"),
        })?;
        let timestamp = clock::now().timestamp().to_string();
        let nonce = hex::encode(random::bytes::<16>());
        let signature = Request {
            method: "POST",
            target: url.target(),
            body: claimed.body.as_bytes(),
            timestamp: &timestamp,
            nonce: Some(&nonce),
        }
        .sign(secret);
        let request = self
            .http
            .post(url.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header("x-key-id", claimed.webhook.to_string())
            .header("x-timestamp", timestamp)
            .header("x-nonce", nonce)
            .header("x-signature", signature.to_string())
            .body(claimed.body.clone());
        let response = request.send().await.map_err(|err| Failed {
            status: None,
            problem: describe(&err),
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(status.as_u16());
        }
        Err(Failed {
            status: Some(status.as_u16()),
            problem: said(response).await,
        })
    }
}

/// The secret of the receiver; its data key may be younger than what this controller has read.
async fn secret(fleet: &Fleet, claimed: &Claimed) -> Result<Secret> {
    let place = super::change::place(claimed.webhook);
    let open = || {
        fleet
            .keyring
            .open_sealed(&place, &claimed.sealed, claimed.data_key_id)
    };
    let opened = match open() {
        Err(OpenError::UnknownKey(_)) => {
            fleet.keyring.refresh(&fleet.pool).await?;
            open()?
        }
        opened => opened?,
    };
    let corrupt = FleetError::Corrupt("the secret of a webhook");
    let Ok(text) = std::str::from_utf8(&opened) else {
        return Err(corrupt);
    };
    Secret::parse(text).map_err(|_| corrupt)
}

/// The beginning of what a receiver says to its refusal, on one line.
async fn said(mut response: Response) -> String {
    let status = response.status();
    let mut bytes = Zeroizing::new(Vec::new());
    while bytes.len() < KEPT_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            // What has come so far says as much as there is.
            Ok(None) | Err(_) => break,
        }
    }
    bytes.truncate(KEPT_BYTES);
    let text = String::from_utf8_lossy(&bytes).replace(|c: char| c.is_control(), " ");
    format!("answered {status} {}", text.trim())
        .trim()
        .to_owned()
}

/// What went wrong, in the words of its innermost cause, and without the address, which may hold a token.
fn describe(err: &reqwest::Error) -> String {
    if err.is_timeout() {
        return "there was no answer in time".to_owned();
    }
    let mut cause: &dyn Error = err;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let what = if err.is_connect() {
        "cannot be reached"
    } else {
        "the request failed"
    };
    if err.source().is_none() {
        return what.to_owned();
    }
    format!("{what}: {cause}")
}
