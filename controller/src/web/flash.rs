//! What was done, told on the page that a change leads to: in a cookie that lives until that page, so it works without
//! scripts and leaves no trace in addresses.

use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::{answer, cookie};

const NAME: &str = "wgfleet-flash";
const MOST_CHARACTERS: usize = 250;
const LIFETIME_S: u32 = 60;

/// The way to the next page, which tells what was done.
pub(super) fn go_to(path: &str, text: &str) -> HttpResponse {
    let mut answer = answer::go_to(path);
    let shortened: String = text.chars().take(MOST_CHARACTERS).collect();
    let value = BASE64_URL_SAFE_NO_PAD.encode(shortened);
    cookie::set(&mut answer, NAME, &value, LIFETIME_S);
    answer
}

pub(super) fn read(request: &HttpRequest) -> Option<String> {
    let value = cookie::read(request, NAME)?;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let is_ours = !text.is_empty() && text.chars().count() <= MOST_CHARACTERS;
    is_ours.then_some(text)
}

/// Takes the text away with the page that shows it.
pub(super) fn told(request: &HttpRequest, answer: &mut HttpResponse) {
    if cookie::read(request, NAME).is_some() {
        cookie::set(answer, NAME, "", 0);
    }
}
