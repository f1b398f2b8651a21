//! Reading a body that nobody has verified yet: bounded in size, in time, and all bodies together.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpResponse, web};
use futures_util::StreamExt;

use super::refusal::Refused;

/// How much a stranger may send before it is known who it is.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub body_bytes: usize,
    /// All bodies together that are not verified yet.
    pub unverified_bytes: usize,
    pub body_read: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            unverified_bytes: 64 * 1024 * 1024,
            body_read: Duration::from_secs(30),
        }
    }
}

/// The room for bodies that are not verified yet, shared by all requests.
#[derive(Debug, Default)]
pub(super) struct Room {
    used: AtomicUsize,
}

/// Room that is given back when the request is verified or refused.
pub(super) struct Taken {
    room: Arc<Room>,
    bytes: usize,
}

impl Taken {
    fn grow(&mut self, bytes: usize, limit: usize) -> bool {
        let before = self.room.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        before + bytes <= limit
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Reads the whole body, or stops reading at the first reason to.
pub(super) async fn read(
    headers: &HeaderMap,
    payload: &mut Payload,
    limits: Limits,
    room: &Arc<Room>,
) -> Result<(web::Bytes, Taken), Refused> {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Refused::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content_encoding",
            "a body is signed and read as it is sent, so it cannot be encoded",
        ));
    }
    if announced(headers).is_some_and(|announced| announced > limits.body_bytes) {
        return Err(too_large(limits));
    }
    let taken = Taken {
        room: Arc::clone(room),
        bytes: 0,
    };
    let slow = |_| {
        Refused::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow_body",
            "the body took too long to arrive",
        )
    };
    tokio::time::timeout(limits.body_read, collect(payload, limits, taken))
        .await
        .map_err(slow)?
}

async fn collect(
    payload: &mut Payload,
    limits: Limits,
    mut taken: Taken,
) -> Result<(web::Bytes, Taken), Refused> {
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| {
            Refused::new(
                StatusCode::BAD_REQUEST,
                "broken_body",
                "the body ended before it was complete",
            )
        })?;
        if body.len() + chunk.len() > limits.body_bytes {
            return Err(too_large(limits));
        }
        if !taken.grow(chunk.len(), limits.unverified_bytes) {
            let busy = Refused::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "too many bodies are being read at the moment",
            );
            return Err(busy.retry_after(1));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), taken))
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

fn too_large(limits: Limits) -> Refused {
    Refused::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        &format!("the body is larger than {} bytes", limits.body_bytes),
    )
}

/// An answer's body that holds on to the request's.
///
/// A body that comes in chunks and is let go before its end, the server reads on without any bound.
/// Held until the answer is out, it makes the server close the connection instead.
struct Holding {
    answer: BoxBody,
    _request: Payload,
}

impl MessageBody for Holding {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        self.answer.as_pin_mut().poll_next(context)
    }
}

/// Has the connection closed after this answer, should the request's body not have been read whole.
pub(super) fn close_unless_read(answer: HttpResponse, request: Payload) -> HttpResponse {
    answer.map_body(|_, answer| {
        BoxBody::new(Holding {
            answer,
            _request: request,
        })
    })
}
