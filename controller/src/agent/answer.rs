//! Whether an answer is believed, and what it says. Values in, values out.
//!
//! An answer that is not signed by the node for this very request is no answer. What such an answer
//! claims is used for one thing: to tell an operator why there may be none.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use protocol::signing::{Rejection, Secret, Signature, verify_response};
use protocol::wire::answers::Failure;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use super::error::{AgentError, Malformed, Unreachable};
use super::refusal::Refusal;

/// An answer as it came.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) seal: Seal,
    pub(super) retry_after: Option<Duration>,
    /// Whether it says that it is compressed; nobody was asked for that.
    pub(super) encoded: bool,
    pub(super) body: Vec<u8>,
}

/// The signature headers of an answer.
pub(super) enum Seal {
    Absent,
    /// Repeated, or of a shape that no signer gives them.
    Malformed,
    Given {
        signature: Signature,
        timestamp: String,
    },
}

/// Who must have signed the answer, and for which request.
pub(super) struct Expected {
    pub(super) secret: Arc<Secret>,
    pub(super) request: Signature,
    pub(super) legacy: bool,
}

pub(super) struct Judged<T> {
    /// The second in which the node signed; only a signed answer tells it.
    pub(super) signed_at: Option<i64>,
    pub(super) outcome: Result<T, AgentError>,
}

pub(super) fn judge<T: DeserializeOwned>(reply: &Reply, expected: &Expected) -> Judged<T> {
    let verified = verify(reply, expected);
    let signed_at = *verified.as_ref().unwrap_or(&None);
    let outcome = match verified {
        Err(err) => Err(err),
        Ok(_) if (200..300).contains(&reply.status) => read(&reply.body),
        Ok(_) => Err(refused(reply, expected.legacy)),
    };
    Judged { signed_at, outcome }
}

/// The second in which the answer was signed, or `None` if it need not be.
fn verify(reply: &Reply, expected: &Expected) -> Result<Option<i64>, AgentError> {
    let status = reply.status;
    if reply.encoded {
        return Err(AgentError::Malformed(Malformed::Encoded));
    }
    match &reply.seal {
        Seal::Absent if expected.legacy => legacy(reply).map(|()| None),
        Seal::Absent => Err(unsigned(reply)),
        Seal::Malformed => Err(AgentError::BadSignature { status }),
        Seal::Given {
            signature,
            timestamp,
        } => {
            let verified = verify_response(
                &expected.secret,
                status,
                &reply.body,
                timestamp,
                &expected.request,
                signature,
            );
            let signed_at = timestamp.parse().map_err(|_| ());
            match (verified, signed_at) {
                (true, Ok(signed_at)) => Ok(Some(signed_at)),
                _ => Err(AgentError::BadSignature { status }),
            }
        }
    }
}

/// The codes that an agent gives whoever did not prove who he is. The last is its limit on those.
const UNPROVEN: [&str; 6] = [
    "bad_signature",
    "unknown_key",
    "missing_signature",
    "malformed_signature",
    "bad_timestamp",
    "too_many_failures",
];

/// Why an answer is not signed, as far as it can be guessed.
fn unsigned(reply: &Reply) -> AgentError {
    let status = reply.status;
    let Ok(failure) = serde_json::from_slice::<Failure>(&reply.body) else {
        return match is_json_object(&reply.body) {
            true => AgentError::Unsigned { status },
            false => AgentError::NotAnAgent { status },
        };
    };
    let unproven = UNPROVEN.into_iter().find(|code| *code == failure.code);
    match (status, unproven) {
        (401 | 429, Some(code)) => AgentError::WrongSecret { code },
        // Full of requests that proved nothing yet, or stopping.
        (503, _) => AgentError::Unreachable {
            kind: Unreachable::Busy,
            source: None,
        },
        _ => AgentError::Unsigned { status },
    }
}

/// What a third-party agent says without a signature.
fn legacy(reply: &Reply) -> Result<(), AgentError> {
    let status = reply.status;
    if (300..400).contains(&status) || !is_json_object(&reply.body) {
        return Err(AgentError::NotAnAgent { status });
    }
    if status != 401 {
        return Ok(());
    }
    let code = serde_json::from_slice::<Failure>(&reply.body).map(|failure| failure.code);
    let late = [Rejection::StaleTimestamp, Rejection::BeforeRestart].map(Rejection::code);
    if code
        .as_ref()
        .is_ok_and(|code| late.contains(&code.as_str()))
    {
        return Ok(());
    }
    let code = code.as_deref().unwrap_or("unauthorized");
    let known = UNPROVEN.into_iter().find(|known| *known == code);
    Err(AgentError::WrongSecret {
        code: known.unwrap_or("unauthorized"),
    })
}

fn refused(reply: &Reply, legacy: bool) -> AgentError {
    let failure = match serde_json::from_slice::<Failure>(&reply.body) {
        Ok(failure) => failure,
        Err(err) if !legacy => return malformed(&err),
        Err(_) => Failure {
            error: format!("status {}", reply.status),
            code: "unnamed".into(),
            in_sync: None,
            allowed_ip: None,
            owner: None,
            count: None,
            timestamp: None,
            not_before: None,
        },
    };
    Refusal::new(reply.status, failure, reply.retry_after).into()
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AgentError> {
    serde_json::from_slice(body).map_err(|err| malformed(&err))
}

/// Where an answer is wrong, without the words of the parser, which would repeat what it read.
fn malformed(err: &serde_json::Error) -> AgentError {
    AgentError::Malformed(match err.classify() {
        Category::Data => Malformed::Shape {
            line: err.line(),
            column: err.column(),
        },
        Category::Syntax | Category::Eof | Category::Io => Malformed::NotJson,
    })
}

fn is_json_object(body: &[u8]) -> bool {
    serde_json::from_slice::<HashMap<String, IgnoredAny>>(body).is_ok()
}
