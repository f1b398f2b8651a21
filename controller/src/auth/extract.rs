//! What the gate hands on to a handler: who asks, and the bytes that were signed.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, error, web};

use super::principal::Principal;

/// The exact bytes of a body that verified.
#[derive(Debug, Clone)]
pub struct RawBody(pub web::Bytes);

impl FromRequest for Principal {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(found(request))
    }
}

impl FromRequest for RawBody {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(found(request))
    }
}

/// Takes what the gate left on a request. A route outside the gate answers nobody.
fn found<T: Clone + 'static>(request: &HttpRequest) -> Result<T, actix_web::Error> {
    let found = request.extensions().get::<T>().cloned();
    found.ok_or_else(|| error::ErrorInternalServerError("this route is outside the gate"))
}
