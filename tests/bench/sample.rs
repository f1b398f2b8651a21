//! Samples of durations, and how many of them are taken.

use std::time::{Duration, Instant};

/// How much is measured. The VM emulates every instruction, so it gets less.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) many: usize,
    pub(crate) dumps_of_10: usize,
    pub(crate) dumps_of_1000: usize,
    pub(crate) dumps_of_many: usize,
    pub(crate) health_rounds: usize,
    pub(crate) health_round: Duration,
    pub(crate) adds: usize,
    pub(crate) flat_adds: usize,
    pub(crate) writer_rounds: usize,
    pub(crate) signatures: usize,
    /// For memory to be given back and for the agent to look at its device unasked.
    pub(crate) settling: Duration,
}

impl Extent {
    pub(crate) const FULL: Self = Self {
        many: 10_000,
        dumps_of_10: 500,
        dumps_of_1000: 200,
        dumps_of_many: 60,
        health_rounds: 9,
        health_round: Duration::from_millis(700),
        adds: 1000,
        flat_adds: 300,
        writer_rounds: 7,
        signatures: 20_000,
        settling: Duration::from_secs(12),
    };
    pub(crate) const SMALL: Self = Self {
        many: 10_000,
        dumps_of_10: 200,
        dumps_of_1000: 50,
        dumps_of_many: 12,
        health_rounds: 5,
        health_round: Duration::from_millis(700),
        adds: 300,
        flat_adds: 100,
        writer_rounds: 3,
        signatures: 2000,
        settling: Duration::from_secs(12),
    };

    pub(crate) fn dumps(&self, peers: usize) -> usize {
        match peers {
            0..100 => self.dumps_of_10,
            100..5000 => self.dumps_of_1000,
            _ => self.dumps_of_many,
        }
    }
}

/// Durations of one thing, in the order in which they were taken.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn push(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// The nearest rank: no value is made up between two that were seen.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted[rank - 1]
    }

    /// The sums of so many at a time.
    pub(crate) fn totals(&self, block: usize) -> impl Iterator<Item = Duration> {
        self.0.chunks(block).map(|samples| samples.iter().sum())
    }
}

pub(crate) fn time<T>(action: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let outcome = action();
    (began.elapsed(), outcome)
}

pub(crate) fn ratio(measured: Duration, floor: Duration) -> f64 {
    measured.as_secs_f64() / floor.as_secs_f64()
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
