//! Who takes the processors meanwhile.

use std::time::Duration;

use super::controller::Controller;
use super::simulator::Simulator;
use crate::sample::time;

/// Processor time of the three who work together.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Shares {
    pub(crate) controller_s: f64,
    pub(crate) postgres_s: f64,
    pub(crate) simulator_s: f64,
}

impl Shares {
    pub(crate) fn during(
        controller: &Controller,
        simulator: &Simulator,
        action: impl FnOnce() -> Duration,
    ) -> (Duration, Self) {
        let before = Self::now(controller, Some(simulator));
        let took = action();
        (took, Self::now(controller, Some(simulator)).since(before))
    }

    /// Parts of one processor, in percent, over a while in which nobody asks for anything.
    pub(crate) fn idle(
        controller: &Controller,
        simulator: Option<&Simulator>,
        span: Duration,
    ) -> Self {
        let before = Self::now(controller, simulator);
        let (took, ()) = time(|| std::thread::sleep(span));
        let share = Self::now(controller, simulator).since(before);
        let percent = |seconds: f64| 100.0 * seconds / took.as_secs_f64();
        Self {
            controller_s: percent(share.controller_s),
            postgres_s: percent(share.postgres_s),
            simulator_s: percent(share.simulator_s),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.controller_s += other.controller_s;
        self.postgres_s += other.postgres_s;
        self.simulator_s += other.simulator_s;
    }

    /// In words, for each of so many.
    pub(crate) fn of(self, count: usize) -> String {
        let count = count as f64;
        format!(
            "; processor: controller {:.2} + Postgres {:.2} + nodes {:.2} s",
            self.controller_s / count,
            self.postgres_s / count,
            self.simulator_s / count
        )
    }

    fn now(controller: &Controller, simulator: Option<&Simulator>) -> Self {
        Self {
            controller_s: controller.process().processor_s(),
            postgres_s: controller.postgres().processor_s(),
            simulator_s: simulator.map_or(0.0, |one| one.process().processor_s()),
        }
    }

    fn since(self, before: Self) -> Self {
        Self {
            controller_s: self.controller_s - before.controller_s,
            postgres_s: self.postgres_s - before.postgres_s,
            simulator_s: self.simulator_s - before.simulator_s,
        }
    }
}
