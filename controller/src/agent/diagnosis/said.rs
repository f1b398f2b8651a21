//! What a check says: the sentence, its code, and the facts from which a page makes it in another language.
//!
//! What a machine said of a failure stays in that machine's words, as the fact `cause`.

use std::error::Error;

use serde_json::{Map, Value};

use crate::agent::{AgentError, Malformed, Target, Unreachable};

pub(super) struct Said {
    pub(super) code: &'static str,
    pub(super) sentence: String,
    pub(super) details: Map<String, Value>,
}

impl Said {
    pub(super) fn new(code: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            code,
            sentence: sentence.into(),
            details: Map::new(),
        }
    }

    pub(super) fn with(mut self, name: &str, fact: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), fact.into());
        self
    }

    /// The error, its first cause, and a hint where one thing is mostly behind it.
    pub(super) fn of(err: &AgentError, target: &Target) -> Self {
        let mut said = Self::of_error(err);
        if let Some(cause) = first_cause(err) {
            said.sentence.push_str(&format!(" ({cause})"));
            said = said.with("cause", cause);
        }
        if let Some(hint) = hint(err, target) {
            said.sentence.push_str(&format!("; {}", hint.sentence));
            said = said.with("hint", hint.code);
        }
        said
    }

    /// The error alone.
    pub(super) fn of_error(err: &AgentError) -> Self {
        let sentence = err.to_string();
        match err {
            AgentError::Unreachable { kind, .. } => unreachable(*kind, sentence),
            AgentError::WrongSecret { code } => {
                Self::new("wrong_secret", sentence).with("code", *code)
            }
            AgentError::ClockSkew {
                seconds: ahead @ 0..,
            } => Self::new("clock_ahead", sentence).with("seconds", *ahead),
            AgentError::ClockSkew { seconds: behind } => {
                Self::new("clock_behind", sentence).with("seconds", behind.unsigned_abs())
            }
            AgentError::Unsigned { status } => {
                Self::new("unsigned", sentence).with("status", *status)
            }
            AgentError::BadSignature { status } => {
                Self::new("bad_signature", sentence).with("status", *status)
            }
            AgentError::NotAnAgent { status } => {
                Self::new("not_an_agent", sentence).with("status", *status)
            }
            AgentError::TooEarly { wait_s } => {
                Self::new("too_early", sentence).with("wait_s", *wait_s)
            }
            AgentError::Refused(refusal) if refusal.is_interface_missing() => {
                Self::new("no_such_interface", sentence).with("code", refusal.code())
            }
            AgentError::Refused(refusal) => Self::new("agent_refused", sentence)
                .with("code", refusal.code())
                .with("error", refusal.failure.error.as_str()),
            AgentError::Malformed(how) => malformed(*how, sentence),
            AgentError::RequestTooLarge { bytes, limit } => {
                Self::new("request_too_large", sentence)
                    .with("bytes", *bytes)
                    .with("limit", *limit)
            }
            AgentError::Unsendable(_) => Self::new("unsendable", sentence),
        }
    }
}

fn unreachable(kind: Unreachable, sentence: String) -> Said {
    match kind {
        Unreachable::Refused => Said::new("connection_refused", sentence),
        Unreachable::NoRoute => Said::new("no_route", sentence),
        Unreachable::Dns => Said::new("no_address_of_name", sentence),
        Unreachable::Timeout => Said::new("no_answer_in_time", sentence),
        Unreachable::Tls => Said::new("no_tls", sentence),
        Unreachable::Reset => Said::new("connection_ended", sentence),
        Unreachable::Busy => Said::new("agent_busy", sentence),
    }
}

fn malformed(how: Malformed, sentence: String) -> Said {
    match how {
        Malformed::Encoded => Said::new("answer_compressed", sentence),
        Malformed::TooLarge { limit } => {
            Said::new("answer_too_large", sentence).with("limit", limit)
        }
        Malformed::NotJson => Said::new("answer_not_json", sentence),
        Malformed::Shape { line, column } => Said::new("answer_misshapen", sentence)
            .with("line", line)
            .with("column", column),
    }
}

/// What a machine said at the bottom of it.
fn first_cause(err: &AgentError) -> Option<String> {
    let mut cause = err.source()?;
    while let Some(before) = cause.source() {
        cause = before;
    }
    Some(cause.to_string())
}

fn hint(err: &AgentError, target: &Target) -> Option<Said> {
    match err {
        AgentError::Unreachable {
            kind: Unreachable::Reset,
            ..
        } if !target.url.is_tls() => Some(Said::new(
            "hint_tls",
            "if the agent has TLS its address begins with https://, and it hangs up on whom its \
             allow_from does not name",
        )),
        AgentError::WrongSecret {
            code: "missing_signature" | "malformed_signature" | "bad_timestamp",
        } => Some(Said::new(
            "hint_headers",
            "something between us changes the headers of requests",
        )),
        AgentError::Unsigned { .. } => Some(Said::new(
            "hint_legacy",
            "mark the node as legacy only if its agent is known not to sign",
        )),
        _ => None,
    }
}
