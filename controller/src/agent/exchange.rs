//! One signed request and its answer, and the three things that are put right without asking anybody:
//! a clock that differs, an agent that has just started, and one that knows only the first form of a
//! signature. Each is tried once; every other retry belongs to whoever planned the call.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use protocol::signing::{Rejection, Request, Signature};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder, Url};
use serde::de::DeserializeOwned;

use super::answer::{self, Expected, Judged, Reply};
use super::error::AgentError;
use super::reply::{receive, unreachable};
use super::{Clients, Target, paths};
use crate::clock;

/// Longer waits for an agent that has just started are left to the caller.
const LONGEST_WAIT_S: i64 = 3;

/// An answer of this size is read away from the threads that serve everybody else.
const LARGE_ANSWER: usize = 256 * 1024;

/// What to ask of an agent.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) target: String,
    /// The very bytes that are signed and sent.
    pub(super) body: Vec<u8>,
    /// The longest body that an agent takes here.
    pub(super) body_limit: usize,
    pub(super) answer_limit: usize,
}

/// What was sent, as far as the answer depends on it.
struct Sent {
    reply: Reply,
    signature: Signature,
    sent_at: i64,
    received_at: i64,
}

/// What was tried already to have a request accepted.
#[derive(Default)]
struct Tried {
    clock: bool,
    wait: bool,
    first_form: bool,
}

/// A try that failed, and whether a signed answer says so.
struct Failed {
    err: AgentError,
    signed: bool,
}

impl From<AgentError> for Failed {
    fn from(err: AgentError) -> Self {
        Self { err, signed: false }
    }
}

impl Tried {
    /// How long to wait until the request is tried in another way, if there is one left.
    fn next(&mut self, failed: &Failed, legacy: bool) -> Option<Duration> {
        let (tried, wait_s) = match failed.err {
            AgentError::ClockSkew { .. } if failed.signed => (&mut self.clock, 0),
            AgentError::TooEarly { wait_s } if wait_s <= LONGEST_WAIT_S => (&mut self.wait, wait_s),
            AgentError::WrongSecret { .. } if legacy => (&mut self.first_form, 0),
            _ => return None,
        };
        let was_tried = mem::replace(tried, true);
        (!was_tried).then(|| Duration::from_secs(wait_s.unsigned_abs()))
    }
}

impl Clients {
    pub(super) async fn call<T>(&self, target: &Target, call: &Call) -> Result<T, AgentError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let (bytes, limit) = (call.body.len(), call.body_limit);
        if bytes > limit {
            return Err(AgentError::RequestTooLarge { bytes, limit });
        }
        let mut tried = Tried {
            first_form: target.legacy && self.learned(target.node).first_form,
            ..Tried::default()
        };
        loop {
            let failed = match self.attempt(target, call, tried.first_form).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let Some(wait) = tried.next(&failed, target.legacy) else {
                return Err(failed.err);
            };
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// Sends the request once, and learns from the answer what the next one needs to know.
    async fn attempt<T>(&self, target: &Target, call: &Call, first_form: bool) -> Result<T, Failed>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let sent = self.send(target, call, first_form).await?;
        let (sent_at, received_at) = (sent.sent_at, sent.received_at);
        let judged = judge(sent, target).await?;
        let signed_at = judged.signed_at;
        if let Some(signed_at) = signed_at {
            let offset_s = clock_offset(sent_at, received_at, signed_at);
            self.learn(target.node, |it| it.clock_offset_s = Some(offset_s));
        }
        if judged.outcome.is_ok() {
            self.learn(target.node, |it| it.first_form = first_form);
        }
        judged.outcome.map_err(|err| Failed {
            err: named(err, received_at, signed_at),
            signed: signed_at.is_some(),
        })
    }

    async fn send(
        &self,
        target: &Target,
        call: &Call,
        first_form: bool,
    ) -> Result<Sent, AgentError> {
        let changed = AgentError::Unsendable("its path would not arrive as it is signed");
        let url = paths::url(&target.url, &call.target).ok_or(changed)?;
        let nonce = if first_form { None } else { Some(nonce()?) };
        let permit = self.shared.permits.acquire().await;
        let _permit = permit.expect("the permits are never closed");
        let sent_at = clock::now().timestamp();
        let offset_s = self.learned(target.node).clock_offset_s.unwrap_or(0);
        let timestamp = sent_at.saturating_add(offset_s).to_string();
        let signature = Request {
            method: call.method.as_str(),
            target: &call.target,
            body: &call.body,
            timestamp: &timestamp,
            nonce: nonce.as_deref(),
        }
        .sign(&target.secret);
        let headers = [
            ("X-Signature", Some(signature.to_string())),
            ("X-Timestamp", Some(timestamp)),
            ("X-Nonce", nonce),
            ("X-Key-Id", target.key_id.clone()),
        ];
        let mut request = self.request(call, url).timeout(target.timeout);
        for (name, value) in headers {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let response = request.send().await.map_err(unreachable)?;
        let reply = receive(response, call.answer_limit).await?;
        Ok(Sent {
            reply,
            signature,
            sent_at,
            received_at: clock::now().timestamp(),
        })
    }

    /// The request as it is before anybody signs it.
    fn request(&self, call: &Call, url: Url) -> RequestBuilder {
        let mut request = self.shared.http.request(call.method.clone(), url);
        if let Some(id) = &self.request_id {
            request = request.header("X-Request-Id", id);
        }
        if call.body.is_empty() {
            return request;
        }
        request
            .header(CONTENT_TYPE, "application/json")
            .body(call.body.clone())
    }
}

async fn judge<T>(sent: Sent, target: &Target) -> Result<Judged<T>, AgentError>
where
    T: DeserializeOwned + Send + 'static,
{
    let expected = Expected {
        secret: Arc::clone(&target.secret),
        request: sent.signature,
        legacy: target.legacy,
    };
    let reply = sent.reply;
    if reply.body.len() < LARGE_ANSWER {
        return Ok(answer::judge(&reply, &expected));
    }
    tokio::task::spawn_blocking(move || answer::judge(&reply, &expected))
        .await
        .map_err(|_| AgentError::Unsendable("the controller is stopping"))
}

/// How far the node's clock is ahead, given that it signed at some moment between the two.
fn clock_offset(sent_at: i64, received_at: i64, signed_at: i64) -> i64 {
    signed_at - signed_at.clamp(sent_at, received_at.max(sent_at))
}

/// Gives the two refusals that are about time their own names.
fn named(err: AgentError, now: i64, signed_at: Option<i64>) -> AgentError {
    let Some(refusal) = err.refusal().filter(|refusal| refusal.status == 401) else {
        return err;
    };
    let theirs = signed_at.or(refusal.failure.timestamp).unwrap_or(now);
    if refusal.code() == Rejection::StaleTimestamp.code() {
        let seconds = theirs.saturating_sub(now);
        return AgentError::ClockSkew { seconds };
    }
    match refusal.failure.not_before {
        Some(not_before) if refusal.code() == Rejection::BeforeRestart.code() => {
            let wait_s = not_before.saturating_sub(theirs).max(1);
            AgentError::TooEarly { wait_s }
        }
        _ => err,
    }
}

fn nonce() -> Result<String, AgentError> {
    let mut bytes = [0; 16];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|_| AgentError::Unsendable("the system gives no random bytes"))?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_no_other_clock() {
        assert_eq!(clock_offset(100, 105, 103), 0);
        assert_eq!(clock_offset(100, 105, 100), 0);
        assert_eq!(clock_offset(100, 105, 99), -1);
        assert_eq!(clock_offset(100, 105, 112), 7);
        // Our own clock was set back meanwhile.
        assert_eq!(clock_offset(100, 90, 100), 0);
    }
}
