//! Bodies of requests: JSON of a known shape, with every mistake named.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, PathConfig, QueryConfig};
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

use super::document;
use super::problem::Problem;

mod object;

pub use object::Object;

/// A JSON body: an object. Fields that nobody knows are refused by the type that is read.
pub struct Body<T>(pub T);

/// A JSON body that is a list of objects.
pub struct Rows<T>(pub Vec<Object<T>>);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Json::<Object<T>>::from_request(request, payload);
        Box::pin(async move { Ok(Self(body.await?.0.0)) })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Rows<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Json::<Vec<Object<T>>>::from_request(request, payload);
        Box::pin(async move { Ok(Self(body.await?.0)) })
    }
}

/// Whatever JSON a type takes.
struct Json<T>(T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let declared = is_json(request);
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            let bytes = bytes.await.map_err(|_| too_large())?;
            if !declared {
                let text = "the body must be declared as application/json";
                return Err(Problem::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "not_json",
                    text,
                ));
            }
            parse(&bytes).map(Self)
        })
    }
}

/// A path that no id fits leads nowhere.
pub fn path_config() -> PathConfig {
    PathConfig::default().error_handler(document::no_id)
}

pub fn query_config() -> QueryConfig {
    QueryConfig::default().error_handler(|err, _| {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_query", err.to_string()).into()
    })
}

pub fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        "the body is larger than this controller takes",
    )
}

fn is_json(request: &HttpRequest) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE);
    value
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            let kind = value.split(';').next().unwrap_or(value).trim();
            kind.eq_ignore_ascii_case("application/json")
        })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|err| match err.classify() {
        Category::Data => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_body",
            err.to_string(),
        ),
        _ => Problem::new(StatusCode::BAD_REQUEST, "malformed_json", err.to_string()),
    })
}

/// Tells an absent field from one that is `null`.
pub fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
