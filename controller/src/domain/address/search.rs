//! The search for free addresses, one window of taken ones at a time.
//!
//! A range may hold 2^64 hosts and a network a hundred thousand peers, so neither is ever looked at
//! whole. The database keeps for each range where the last search ended; the next one goes on from
//! there, to the end of the range and then once from its beginning, and asks for the taken addresses
//! only as far as it must. A resting address that may not yet be given again counts as taken here.
//!
//! ```
//! use std::num::NonZeroU16;
//! use controller::domain::address::{range::Range, search::Search};
//!
//! let range = Range::new("10.8.0.0/29".parse().unwrap(), &[]);
//! let taken = ["10.8.0.5".parse().unwrap(), "10.8.0.6".parse().unwrap()];
//! let window = NonZeroU16::new(100).unwrap();
//!
//! let mut search = Search::new(&range, "10.8.0.5".parse().unwrap(), 2, window);
//! while let Some(question) = search.question() {
//!     let rows: Vec<_> = taken.into_iter()
//!         .filter(|address| (question.from..=question.until).contains(address))
//!         .take(usize::from(question.limit.get()))
//!         .collect();
//!     search.answer(&rows);
//! }
//!
//! let outcome = search.outcome();
//! assert_eq!(outcome.addresses, ["10.8.0.1", "10.8.0.2"].map(|text| text.parse::<std::net::IpAddr>().unwrap()));
//! assert_eq!(outcome.next.to_string(), "10.8.0.3");
//! ```

use std::net::IpAddr;
use std::num::NonZeroU16;

use super::range::{Range, number};

/// What the search must know to go on: the taken addresses `from..=until`, ascending, at most `limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    pub from: IpAddr,
    pub until: IpAddr,
    pub limit: NonZeroU16,
}

/// What was found, in the order of the search. Fewer than wanted: the range holds no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub addresses: Vec<IpAddr>,
    /// Where the next search is to go on.
    pub next: IpAddr,
}

#[derive(Debug)]
pub struct Search<'a> {
    range: &'a Range,
    hint: IpAddr,
    wanted: usize,
    window: NonZeroU16,
    found: Vec<IpAddr>,
    /// The numbers not yet looked at, inclusive, in the order they are to be.
    first: Option<(u128, u128)>,
    then: Option<(u128, u128)>,
}

impl<'a> Search<'a> {
    /// Looks for `wanted` addresses from `hint` on. A hint outside the range means its beginning.
    pub fn new(range: &'a Range, hint: IpAddr, wanted: usize, window: NonZeroU16) -> Self {
        let (low, high) = range.numbers();
        let start = match range.prefix().contains(&hint) {
            true => number(hint).clamp(low, high.max(low)),
            false => low,
        };
        Self {
            range,
            hint,
            wanted,
            window,
            found: Vec::new(),
            first: (start <= high).then_some((start, high)),
            then: (low < start && low <= high).then(|| (low, start - 1)),
        }
    }

    /// What to read next; nothing when all that was wanted is found or the range is exhausted.
    pub fn question(&self) -> Option<Question> {
        if self.found.len() >= self.wanted {
            return None;
        }
        let (from, until) = self.first.or(self.then)?;
        Some(Question {
            from: self.range.address(from),
            until: self.range.address(until),
            limit: self.window,
        })
    }

    /// Takes the answer to the last question. As many as the limit are taken for a part of the truth
    /// that ends with the last of them, fewer for all of it.
    pub fn answer(&mut self, taken: &[IpAddr]) {
        let Some((from, until)) = self.first.or(self.then) else {
            return;
        };
        let known_until = match taken.last() {
            Some(last) if taken.len() >= usize::from(self.window.get()) => {
                number(*last).clamp(from, until)
            }
            _ => until,
        };

        let stopped_at = self.take_free(from, known_until, taken);

        let rest = match stopped_at {
            Some(at) => Some((at, until)),
            None if known_until < until => Some((known_until + 1, until)),
            None => None,
        };
        match self.first {
            Some(_) => self.first = rest,
            None => self.then = rest,
        }
    }

    pub fn outcome(self) -> Outcome {
        let next = match self.found.last() {
            Some(last) => self.after(number(*last)),
            None => self.hint,
        };
        Outcome {
            addresses: self.found,
            next,
        }
    }

    /// Collects what is free in `from..=until` and tells where it stopped if it found enough.
    fn take_free(&mut self, from: u128, until: u128, taken: &[IpAddr]) -> Option<u128> {
        let mut taken = taken.iter().map(|address| number(*address)).peekable();
        let mut at = from;
        while self.found.len() < self.wanted {
            while taken.next_if(|number| *number < at).is_some() {}
            let occupied = taken.next_if_eq(&at).map(|number| (number, number));
            match self.range.span_with(at).or(occupied) {
                Some((_, high)) if high >= until => return None,
                Some((_, high)) => at = high + 1,
                None => {
                    self.found.push(self.range.address(at));
                    if at >= until {
                        return None;
                    }
                    at += 1;
                }
            }
        }
        Some(at)
    }

    fn after(&self, last: u128) -> IpAddr {
        let (low, high) = self.range.numbers();
        self.range.address(if last < high { last + 1 } else { low })
    }
}

#[cfg(test)]
mod tests;
