//! The door around pages: who is signed in, and that what changes something comes from a form of ours.
//!
//! Wrapped around a scope of pages with `from_fn`. It lets strangers in, because the login page is theirs: each handler
//! demands whom it serves, by [`Principal`] or a demand upon it. A write needs two things whatever page it is for: that
//! the browser names no other site, and the token of the form, in the field `csrf` or the header `X-CSRF-Token`.

use std::error::Error;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::rc::Rc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, error, web};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::body;
use super::gate::Gate;
use super::principal::{Principal, Who};
use super::refusal::Reason;
use super::site::{Cookie, Cookies, Origin, Site};
use crate::api::requests::RequestId;
use crate::db::sessions::SignedInRow;
use crate::domain::token::{Token, TokenHash};
use crate::fleet::sessions::{self, Asked, Visitor};
use crate::fleet::{Fleet, FleetError};
use crate::random;

const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
const CSRF_FIELD: &str = "csrf";

/// What the script of a page sends along when nobody made it ask.
const BY_ITSELF: HeaderName = HeaderName::from_static("x-by-itself");

/// The stream that every open page keeps: nobody asks for it.
const STREAM: &str = "/events";

/// Who is at the door, for handlers.
#[derive(Clone)]
pub struct AtDoor(Rc<Known>);

struct Known {
    session: Option<SignedInRow>,
    session_token: Option<TokenHash>,
    browser: TokenHash,
    /// Made for a browser that had none.
    new_browser: Option<Token>,
    csrf: String,
    cookies: Cookies,
    address: Option<IpAddr>,
    user_agent: Option<String>,
    request_id: Option<String>,
}

impl AtDoor {
    /// The session, with its user and how they want to see things.
    pub fn session(&self) -> Option<&SignedInRow> {
        self.0.session.as_ref()
    }

    /// For the flows that let people in.
    pub fn visitor(&self) -> Visitor<'_> {
        Visitor {
            browser: self.0.browser,
            session: self.0.session_token,
            address: self.0.address,
            user_agent: self.0.user_agent.as_deref(),
            request_id: self.0.request_id.as_deref(),
        }
    }

    /// What every form holds in a hidden field `csrf`, and the page for its scripts.
    pub fn csrf(&self) -> &str {
        &self.0.csrf
    }

    /// The token by which what lasts longer than a request asks whether its session is still there.
    pub fn session_token(&self) -> Option<TokenHash> {
        self.0.session_token
    }

    /// The headers of an answer to whoever has just come in: the new cookie, and the old one gone.
    pub fn come_in(&self, token: &Token) -> [(HeaderName, String); 2] {
        let cookies = self.0.cookies;
        [
            (header::SET_COOKIE, cookies.set(Cookie::Session, token)),
            (header::SET_COOKIE, cookies.clear(Cookie::Browser)),
        ]
    }

    /// The header of an answer to whoever has signed out.
    pub fn go_out(&self) -> (HeaderName, String) {
        (header::SET_COOKIE, self.0.cookies.clear(Cookie::Session))
    }
}

impl FromRequest for AtDoor {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = request.extensions().get::<Self>().cloned();
        ready(
            found.ok_or_else(|| error::ErrorInternalServerError("this route is outside the door")),
        )
    }
}

/// Finds out who is there, and turns away writes that no form of ours sent.
pub async fn door(
    fleet: web::Data<Fleet>,
    gate: web::Data<Gate>,
    site: web::Data<Site>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let known = match recognise(&fleet, &site, &request).await {
        Ok(known) => Rc::new(known),
        Err(err) => {
            tracing::error!(error = &err as &dyn Error, "cannot tell who is at the door");
            let answer = refusal(StatusCode::SERVICE_UNAVAILABLE, "unavailable");
            return Ok(request.into_response(answer));
        }
    };
    if let Some(principal) = principal(&known) {
        request.extensions_mut().insert(principal);
    }
    request.extensions_mut().insert(AtDoor(Rc::clone(&known)));
    if !request.method().is_safe()
        && let Err(answer) = check_write(&fleet, &gate, &site, &known, &mut request).await
    {
        let payload = request.take_payload();
        let answer = body::close_unless_read(answer, payload);
        return Ok(request.into_response(answer));
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    let headers = response.headers_mut();
    if let Some(token) = &known.new_browser {
        let cookie = known.cookies.set(Cookie::Browser, token);
        let cookie = HeaderValue::try_from(cookie).map_err(error::ErrorInternalServerError)?;
        headers.append(header::SET_COOKIE, cookie);
    }
    // What one person may see, no cache between may show to another.
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

async fn recognise(
    fleet: &Fleet,
    site: &Site,
    request: &ServiceRequest,
) -> Result<Known, FleetError> {
    let headers = request.headers();
    let peer = request.peer_addr().map(|peer| peer.ip());
    let cookies = site.cookies(peer, text(headers, &header::X_FORWARDED_PROTO));
    let forwarded: Vec<&str> = all(headers, &header::X_FORWARDED_FOR).collect();
    let address = peer.map(|peer| site.client(peer, &forwarded));
    let read = |cookie| cookies.read(cookie, all(headers, &header::COOKIE));
    let token = read(Cookie::Session);
    let asked = match headers.contains_key(BY_ITSELF) || request.path() == STREAM {
        true => Asked::ByItself,
        false => Asked::BySomebody,
    };
    let session = match &token {
        Some(token) => sessions::find(fleet, token, address, asked).await?,
        None => None,
    };
    // Of whoever is signed in the session is the browser: nothing begun before outlives the sign-in.
    let signed_in = token.as_ref().filter(|_| session.is_some());
    let old_browser = read(Cookie::Browser);
    let new_browser = match (signed_in, &old_browser) {
        (None, None) => Some(Token::from_random(random::bytes())),
        _ => None,
    };
    let browser = signed_in
        .or(old_browser.as_ref())
        .or(new_browser.as_ref())
        .map(Token::hash)
        .expect("without a session and a cookie a new one was made");
    let request_id = request.extensions().get::<RequestId>().cloned();
    Ok(Known {
        session,
        session_token: token.as_ref().map(Token::hash),
        browser,
        csrf: hex::encode(csrf(fleet, &browser).finalize().into_bytes()),
        new_browser,
        cookies,
        address,
        user_agent: text(headers, &header::USER_AGENT).map(str::to_owned),
        request_id: request_id.map(|id| id.as_str().to_owned()),
    })
}

fn principal(known: &Known) -> Option<Principal> {
    let session = known.session.as_ref()?;
    Some(Principal {
        who: Who::User {
            id: session.user,
            role: session.role,
        },
        name: session.name.clone(),
        from: known.address,
        reach: session.reach(),
    })
}

async fn check_write(
    fleet: &Fleet,
    gate: &Gate,
    site: &Site,
    known: &Known,
    request: &mut ServiceRequest,
) -> Result<(), HttpResponse> {
    let headers = request.headers();
    let from = Origin {
        fetch_site: text(headers, &HeaderName::from_static("sec-fetch-site")),
        origin: text(headers, &header::ORIGIN),
        host: text(headers, &header::HOST),
    };
    if site.check_origin(from).is_err() {
        return Err(refusal(StatusCode::FORBIDDEN, "cross_site"));
    }
    let in_header = text(headers, &CSRF_HEADER).map(str::to_owned);
    let given = match in_header {
        Some(given) => Some(given),
        None => in_form(gate, request).await?,
    };
    let given = given.and_then(|given| hex::decode(given).ok());
    let is_ours = |given: Vec<u8>| csrf(fleet, &known.browser).verify_slice(&given).is_ok();
    if given.is_some_and(is_ours) {
        return Ok(());
    }
    Err(refusal(StatusCode::FORBIDDEN, "no_form_token"))
}

/// Reads the token out of a form, which the handler then reads again.
async fn in_form(
    gate: &Gate,
    request: &mut ServiceRequest,
) -> Result<Option<String>, HttpResponse> {
    if request.content_type() != "application/x-www-form-urlencoded" {
        return Ok(None);
    }
    let mut payload = request.take_payload();
    let read = gate.read_body(request.headers(), &mut payload).await;
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(refused) => {
            request.set_payload(payload);
            return Err(*refused.answer);
        }
    };
    request.set_payload(Payload::from(bytes.clone()));
    let mut fields = url::form_urlencoded::parse(&bytes);
    let token = fields.find(|(name, _)| name == CSRF_FIELD);
    Ok(token.map(|(_, value)| value.into_owned()))
}

/// Derived from the cookie, which no other site can read; so it need not be stored.
fn csrf(fleet: &Fleet, browser: &TokenHash) -> Hmac<Sha256> {
    let key = fleet.keyring.key_for("csrf");
    Hmac::new_from_slice(key.as_slice())
        .expect("HMAC takes a key of any length")
        .chain_update(browser.as_bytes())
}

fn refusal(status: StatusCode, code: &'static str) -> HttpResponse {
    let text = match code {
        "unavailable" => "the controller cannot tell at the moment who is asking",
        "cross_site" => "another site made this request",
        _ => "the form is not one of this page any more: go back, reload, and send it again",
    };
    let mut answer = HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body(text);
    answer.extensions_mut().insert(Reason(code));
    answer
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn all<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    // What is no text is no address and no token either.
    headers
        .get_all(name)
        .map(|value| value.to_str().unwrap_or(""))
}
