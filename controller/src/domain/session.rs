//! How long somebody stays signed in, and how they came in.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// When a session ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Without anything that somebody asked for.
    pub idle: TimeDelta,
    /// Whatever is done in it.
    pub absolute: TimeDelta,
}

impl Lifetimes {
    pub fn is_alive(
        &self,
        created_at: DateTime<Utc>,
        last_seen_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> bool {
        now < self.ends_at(created_at, last_seen_at)
    }

    /// When it ends, should nothing be asked any more.
    pub fn ends_at(&self, created_at: DateTime<Utc>, last_seen_at: DateTime<Utc>) -> DateTime<Utc> {
        let idle = last_seen_at + self.idle;
        idle.min(created_at + self.absolute)
    }
}

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Method {
    /// By the link that makes the first administrator.
    Setup,
    Password,
    /// By password and authenticator.
    Totp,
    /// By password and a code kept for bad days.
    RecoveryCode,
    Passkey,
    Oidc,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Password => "password",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::Passkey => "passkey",
            Self::Oidc => "oidc",
        }
    }
}

/// Who may sign in with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalLogin {
    On,
    /// Administrators alone: everybody else comes over the identity provider.
    AdminOnly,
    Off,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIFETIMES: Lifetimes = Lifetimes {
        idle: TimeDelta::hours(8),
        absolute: TimeDelta::hours(24),
    };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
        let alive = |seen, now| LIFETIMES.is_alive(at(0), at(seen), at(now));
        const HOUR: i64 = 3600;

        assert!(alive(0, 8 * HOUR - 1));
        assert!(!alive(0, 8 * HOUR));
        assert!(alive(20 * HOUR, 24 * HOUR - 1));
        assert!(!alive(24 * HOUR - 1, 24 * HOUR));
    }

    proptest! {
        #[test]
        fn a_session_that_has_ended_never_lives_again(seen in 0..90_000i64, now in 0..200_000i64, later in 0..200_000i64) {
            let alive = |now| LIFETIMES.is_alive(at(0), at(seen), at(now));
            prop_assert!(alive(now) || !alive(now + later));
        }
    }
}
