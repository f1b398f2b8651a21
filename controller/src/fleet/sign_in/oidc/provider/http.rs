//! Answers of the provider as they come: small, as JSON, from nowhere but where they were asked for.

use std::time::Duration;

use reqwest::tls::Certificate;
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::ProviderError;

/// More is no answer of a provider.
const MOST_BYTES: usize = 1 << 20;

pub(super) fn client(
    authorities: Vec<Certificate>,
    timeout: Duration,
) -> Result<Client, ProviderError> {
    let builder = || {
        Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .timeout(timeout)
            .user_agent(concat!("wgfleet/", env!("CARGO_PKG_VERSION")))
    };
    let built = builder().tls_certs_merge(authorities.clone()).build();
    // A machine without any authority of its own can still ask whom the named one vouches for.
    built
        .or_else(|_| builder().tls_certs_only(authorities).build())
        .map_err(ProviderError::Client)
}

pub(super) async fn answer<T: DeserializeOwned>(
    request: RequestBuilder,
) -> Result<T, ProviderError> {
    let response = request.send().await.map_err(ProviderError::Http)?;
    if !response.status().is_success() {
        return Err(ProviderError::Status(response.status().as_u16()));
    }
    read(response).await
}

pub(super) async fn read<T: DeserializeOwned>(mut response: Response) -> Result<T, ProviderError> {
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(ProviderError::Http)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_BYTES {
            return Err(ProviderError::Answer);
        }
    }
    serde_json::from_slice(&bytes).map_err(|_| ProviderError::Answer)
}
