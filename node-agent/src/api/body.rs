//! Reading a body that nobody has verified yet: bounded in size, in time, and all bodies together.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::{HttpResponse, web};
use futures_util::StreamExt;

use super::answer::Answer;

/// The room for bodies that are not verified yet, shared by all requests.
#[derive(Debug)]
pub(super) struct Room {
    used: AtomicUsize,
    bytes: usize,
}

/// Room that is given back when the request is over or refused.
pub(super) struct Taken {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    pub(super) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            used: AtomicUsize::new(0),
            bytes,
        })
    }

    fn take(self: &Arc<Self>) -> Taken {
        Taken {
            room: Arc::clone(self),
            bytes: 0,
        }
    }
}

impl Taken {
    fn grow(&mut self, bytes: usize) -> bool {
        let before = self.room.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        before + bytes <= self.room.bytes
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) bytes: usize,
    pub(super) time: Duration,
    /// What the headers announce; a larger one is refused before a byte is read.
    pub(super) announced: Option<usize>,
}

/// Room for so much is made at once where it is announced; an announcement alone takes no more.
const LEAST_ROOM: usize = 64 * 1024;

/// Reads the whole body, or stops reading at the first reason to.
pub(super) async fn read(
    payload: &mut web::Payload,
    bounds: Bounds,
    room: &Arc<Room>,
) -> Result<(Vec<u8>, Taken), Answer> {
    if bounds
        .announced
        .is_some_and(|announced| announced > bounds.bytes)
    {
        return Err(too_large(bounds.bytes));
    }
    let slow = || Answer::error(408, "slow_body", "the body took too long to arrive");
    tokio::time::timeout(bounds.time, collect(payload, bounds, room.take()))
        .await
        .map_err(|_| slow())?
}

async fn collect(
    payload: &mut web::Payload,
    bounds: Bounds,
    mut taken: Taken,
) -> Result<(Vec<u8>, Taken), Answer> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| {
            Answer::error(400, "broken_body", "the body ended before it was complete")
        })?;
        if body.len() + chunk.len() > bounds.bytes {
            return Err(too_large(bounds.bytes));
        }
        if !taken.grow(chunk.len()) {
            return Err(Answer::later(
                "busy",
                "too many bodies are being read at the moment",
            ));
        }
        if body.is_empty() {
            body.reserve(bounds.announced.unwrap_or(0).min(LEAST_ROOM));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, taken))
}

fn too_large(limit: usize) -> Answer {
    Answer::error(
        413,
        "body_too_large",
        &format!("the body is larger than {limit} bytes"),
    )
}

/// An answer's body that holds on to the request's.
///
/// A body that comes in chunks and is let go before its end, the server reads on without any bound.
/// Held until the answer is out, it makes the server close the connection instead.
struct Holding {
    answer: BoxBody,
    _request: web::Payload,
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
pub(super) fn close_unless_read(answer: HttpResponse, request: web::Payload) -> HttpResponse {
    answer.map_body(|_, answer| {
        BoxBody::new(Holding {
            answer,
            _request: request,
        })
    })
}
