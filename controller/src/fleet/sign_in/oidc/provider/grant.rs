//! Asking the provider for tokens, in the name of this program: for a code, or for a token that it gave out before.

use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use super::ProviderError;
use super::http;
use super::known::Discovery;

pub(super) struct Grant<'a> {
    pub client_id: &'a str,
    pub secret: Option<&'a str>,
    pub fields: &'a [(&'a str, &'a str)],
}

#[derive(Deserialize)]
pub(super) struct Tokens {
    pub id_token: Option<Zeroizing<String>>,
    pub refresh_token: Option<Zeroizing<String>>,
}

/// Why it gives none (RFC 6749, 5.2).
#[derive(Deserialize)]
struct No {
    error: String,
}

impl Grant<'_> {
    pub(super) async fn send(
        &self,
        http: &Client,
        discovery: &Discovery,
    ) -> Result<Tokens, ProviderError> {
        let request = http
            .post(discovery.token_endpoint.clone())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json");
        let request = self.sign(request, discovery);
        let response = request.send().await.map_err(ProviderError::Http)?;
        let status = response.status();
        if status.is_success() {
            return http::read(response).await;
        }
        // Only this is about the person. Whatever else it says is about this program, and nobody loses anything by it.
        match http::read::<No>(response).await {
            Ok(No { error }) if error == "invalid_grant" => Err(ProviderError::Grant),
            _ => Err(ProviderError::Status(status.as_u16())),
        }
    }

    /// Puts the fields in, and who asks, in the way that the provider takes.
    fn sign(&self, request: RequestBuilder, discovery: &Discovery) -> RequestBuilder {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(self.fields);
        let request = match self.secret {
            Some(secret) if discovery.takes_basic() => {
                request.basic_auth(encoded(self.client_id), Some(encoded(secret)))
            }
            Some(secret) => {
                form.append_pair("client_id", self.client_id)
                    .append_pair("client_secret", secret);
                request
            }
            None => {
                form.append_pair("client_id", self.client_id);
                request
            }
        };
        request.body(form.finish())
    }
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
