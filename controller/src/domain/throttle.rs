//! How often one may try to sign in, so that guessing costs the guesser.
//!
//! Attempts are counted before anything is checked and taken back when they succeed: so no number of attempts at once
//! gets past the limit. An address and an account have a limit each. What fills it is refused for as long as the
//! window, the next time twice as long, and so on up to the longest wait; after as long a quiet time all is forgotten.
//! From a few failures on, a proof of work is asked for.

use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, TimeDelta, Utc};

/// How much of one thing is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// So many failures within the window are taken, and no more.
    pub failures: usize,
    pub window: TimeDelta,
    pub longest_wait: TimeDelta,
}

/// What is remembered of an address or an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// In the order in which they were made.
    pub attempts: Vec<DateTime<Utc>>,
    /// How often in a row it was too much.
    pub strikes: u32,
    pub blocked_until: Option<DateTime<Utc>>,
}

/// An attempt that was counted, to be taken back if it succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    pub at: DateTime<Utc>,
    /// Whether it filled the limit.
    pub struck: bool,
}

/// When a proof of work is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptchaMode {
    Always,
    Adaptive,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    pub address: Limit,
    pub account: Limit,
    pub captcha: CaptchaMode,
    /// How many failures of an address or an account make it suspicious.
    pub captcha_after: usize,
}

/// What is known when somebody tries.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub address: &'a Record,
    pub account: &'a Record,
    /// Whether a proof of work came along that is good and was never used.
    pub proved_work: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Admit,
    /// Not before so many seconds, at least 1.
    Wait(u64),
    CaptchaNeeded,
}

impl Rules {
    /// Decides over one attempt, before it is counted.
    pub fn judge(&self, facts: Facts<'_>, now: DateTime<Utc>) -> Verdict {
        let waits = [facts.address, facts.account].map(|record| record.wait(now));
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Verdict::Wait(whole_seconds(wait));
        }
        if !facts.proved_work && self.wants_captcha(facts.address, facts.account, now) {
            return Verdict::CaptchaNeeded;
        }
        Verdict::Admit
    }

    /// Whether an attempt without a proof of work would be asked for one.
    pub fn wants_captcha(&self, address: &Record, account: &Record, now: DateTime<Utc>) -> bool {
        match self.captcha {
            CaptchaMode::Always => true,
            CaptchaMode::Off => false,
            CaptchaMode::Adaptive => {
                address.recent(&self.address, now) >= self.captcha_after
                    || account.recent(&self.account, now) >= self.captcha_after
            }
        }
    }
}

impl Record {
    /// How long attempts are refused still.
    pub fn wait(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let left = self.blocked_until? - now;
        (left > TimeDelta::zero()).then_some(left)
    }

    /// How many attempts lie within the window.
    pub fn recent(&self, limit: &Limit, now: DateTime<Utc>) -> usize {
        let since = now - limit.window;
        self.attempts.iter().filter(|at| **at > since).count()
    }

    /// Counts an attempt that is about to be made.
    pub fn count(&mut self, limit: &Limit, now: DateTime<Utc>) -> Counted {
        let since = now - limit.window;
        self.attempts.retain(|at| *at > since);
        if self.is_quiet(limit, now) {
            self.strikes = 0;
        }
        self.attempts.push(now);
        let struck = self.attempts.len() >= limit.failures;
        if struck {
            self.strikes += 1;
            self.blocked_until = Some(now + limit.wait_after(self.strikes));
        }
        Counted { at: now, struck }
    }

    /// Takes back an attempt that succeeded.
    pub fn refund(&mut self, counted: Counted) {
        if let Some(place) = self.attempts.iter().rposition(|at| *at == counted.at) {
            self.attempts.remove(place);
        }
        if counted.struck {
            self.strikes = self.strikes.saturating_sub(1);
            self.blocked_until = None;
        }
    }

    /// From when on this says no more than no record would.
    pub fn forget_at(&self, limit: &Limit) -> Option<DateTime<Utc>> {
        let attempts = self.attempts.iter().max().map(|at| *at + limit.window);
        let strikes = self.blocked_until.map(|until| until + limit.longest_wait);
        attempts.max(strikes)
    }

    fn is_quiet(&self, limit: &Limit, now: DateTime<Utc>) -> bool {
        self.blocked_until
            .is_none_or(|until| until + limit.longest_wait <= now)
            && self.attempts.is_empty()
    }
}

impl Limit {
    fn wait_after(&self, strikes: u32) -> TimeDelta {
        let doublings = strikes.saturating_sub(1).min(20);
        let wait = self.window.checked_mul(1 << doublings);
        // Nobody waits less than a window: the failures in it would be counted anew.
        let longest = self.longest_wait.max(self.window);
        wait.map_or(longest, |wait| wait.min(longest))
    }
}

/// What counts as one address: an IPv4 address, or the /64 of an IPv6 address, which is what one customer gets.
pub fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        v4 @ IpAddr::V4(_) => v4,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

fn whole_seconds(wait: TimeDelta) -> u64 {
    let milliseconds = u64::try_from(wait.num_milliseconds()).unwrap_or(0);
    milliseconds.div_ceil(1000).max(1)
}

#[cfg(test)]
mod tests;
