//! Receiving an answer, at most so much of it as it may have, and telling why none came.

use std::error::Error;
use std::io;
use std::time::Duration;

use protocol::signing::Signature;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, RETRY_AFTER};

use super::answer::{Reply, Seal};
use super::error::{AgentError, Malformed, Unreachable};

pub(super) async fn receive(mut response: Response, limit: usize) -> Result<Reply, AgentError> {
    let too_large = || AgentError::Malformed(Malformed::TooLarge { limit });
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |announced| announced > limit) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let headers = response.headers();
    Ok(Reply {
        status: response.status().as_u16(),
        seal: seal(headers),
        retry_after: retry_after(headers),
        encoded: headers.contains_key(CONTENT_ENCODING),
        body,
    })
}

fn seal(headers: &HeaderMap) -> Seal {
    let all = |name: &str| -> Vec<&[u8]> {
        let values = headers.get_all(name).iter();
        values.map(|value| value.as_bytes()).collect()
    };
    match (&all("x-signature")[..], &all("x-timestamp")[..]) {
        ([], _) => Seal::Absent,
        ([signature], [timestamp]) => {
            let timestamp = std::str::from_utf8(timestamp);
            match (Signature::parse(signature), timestamp) {
                (Some(signature), Ok(timestamp)) => Seal::Given {
                    signature,
                    timestamp: timestamp.to_owned(),
                },
                _ => Seal::Malformed,
            }
        }
        _ => Seal::Malformed,
    }
}

/// Seconds are all that agents say; a date, which the header may also hold, is not waited for.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What to call a request that brought no answer.
pub(super) fn unreachable(err: reqwest::Error) -> AgentError {
    if err.is_builder() {
        return AgentError::Unsendable("a header of it cannot be written");
    }
    // The address is named by whoever names the node.
    let err = err.without_url();
    AgentError::Unreachable {
        kind: kind(&err),
        source: Some(err.into()),
    }
}

fn kind(err: &reqwest::Error) -> Unreachable {
    if err.is_timeout() {
        return Unreachable::Timeout;
    }
    if err.is_dns() {
        return Unreachable::Dns;
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(err);
    while let Some(this) = cause {
        if this.is::<rustls::Error>() {
            return Unreachable::Tls;
        }
        if let Some(kind) = this.downcast_ref::<io::Error>().and_then(kind_of_io) {
            return kind;
        }
        cause = this.source();
    }
    Unreachable::Reset
}

fn kind_of_io(err: &io::Error) -> Option<Unreachable> {
    match err.kind() {
        io::ErrorKind::ConnectionRefused => return Some(Unreachable::Refused),
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::PermissionDenied => return Some(Unreachable::NoRoute),
        _ => {}
    }
    // An error made of another one does not name that as its source.
    let inner = err.get_ref()?;
    if inner.is::<rustls::Error>() {
        return Some(Unreachable::Tls);
    }
    inner.downcast_ref::<io::Error>().and_then(kind_of_io)
}
