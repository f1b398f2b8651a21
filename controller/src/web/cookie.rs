//! Cookies that hold no secret: what to tell on the next page, and the language somebody chose before signing in.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

pub(super) fn read<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let headers = request.headers().get_all(header::COOKIE);
    let texts = headers.filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// `value` is letters, digits, `-` and `_`. Nothing of it lives longer than that many seconds; none at all: it goes.
pub(super) fn set(answer: &mut HttpResponse, name: &str, value: &str, seconds: u32) {
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}");
    let text = HeaderValue::try_from(text).expect("names and values are plain words");
    answer.headers_mut().append(header::SET_COOKIE, text);
}
