//! Random sequences of requests, crashes, restarts and foreign changes, against a plain map.
//!
//! After every step the agent's answer, its dump, its digest and the device itself must agree with
//! the map. A request that got no answer because the agent was killed may have happened or not, but
//! nothing in between; one that was answered did or did not happen as the answer said.
//!
//! In memory two kinds of agent are needed to cover this: the program, which can be killed and whose
//! device is then empty as after a reboot, and the one in this process, whose device a foreign hand
//! can reach. On userspace and kernel devices the program is both.
//!
//! A sequence that fails is printed with its seed, cut down to what still fails. `WGFLEET_SEED=n`
//! runs that one alone, `WGFLEET_LONG=1` twenty times as many.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::bed::{Backend, Bed, now};

mod books;
mod rows;
mod run;
mod steps;

use run::Run;
use steps::{Chance, Step};

const STEPS: usize = 30;
/// Where each step takes a tenth of a second.
const STEPS_ON_KERNEL: usize = 20;
const AT_ONCE: u64 = 4;
/// How long a failed sequence is cut down.
const SHRINKING: Duration = Duration::from_secs(60);

/// What can be done to the agent of a run.
#[derive(Debug, Clone, Copy)]
struct Abilities {
    kill: bool,
    hand: bool,
}

#[test]
fn whatever_happens_the_agent_agrees_with_a_plain_map() {
    let memory = Backend::chosen() == Backend::Memory;
    run_all(
        if memory { 20 } else { 10 },
        Abilities {
            kill: true,
            hand: !memory,
        },
    );
}

#[test]
fn whatever_happens_behind_its_back_the_agent_agrees_with_a_plain_map() {
    if !Bed::only_on(&[Backend::Memory]) {
        return;
    }
    let abilities = Abilities {
        kill: false,
        hand: true,
    };
    run_all(20, abilities);
}

fn run_all(sequences: u64, abilities: Abilities) {
    let set = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let sequences = sequences * if set("WGFLEET_LONG").is_some() { 20 } else { 1 };
    let seeds = match set("WGFLEET_SEED").map(|seed| seed.parse().unwrap()) {
        Some(seed) => seed..seed + 1,
        None => {
            let first = now().unsigned_abs() * 1000;
            first..first + sequences
        }
    };
    let next = AtomicU64::new(seeds.start);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            run_seed(seed, abilities);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().expect("a sequence failed, see above");
        }
    });
}

fn run_seed(seed: u64, abilities: Abilities) {
    let mut chance = Chance(seed);
    let count = match Backend::chosen() {
        Backend::Kernel => STEPS_ON_KERNEL,
        Backend::Memory | Backend::Userspace => STEPS,
    };
    let mut steps: Vec<Step> = (0..count).map(|_| chance.step()).collect();
    let Err((why, at)) = attempt(&steps, abilities) else {
        return;
    };
    steps.truncate(at + 1);
    let deadline = Instant::now() + SHRINKING;
    let mut last = why;
    for i in (0..steps.len().saturating_sub(1)).rev() {
        if Instant::now() >= deadline {
            break;
        }
        let mut fewer = steps.clone();
        fewer.remove(i);
        if let Err((why, at)) = attempt(&fewer, abilities) {
            fewer.truncate(at + 1);
            steps = fewer;
            last = why;
        }
    }
    let steps: Vec<String> = steps.iter().map(|step| format!("  {step:?}")).collect();
    let steps = steps.join("\n");
    panic!("WGFLEET_SEED={seed} fails: {last}\nin the last of these steps:\n{steps}");
}

/// Runs the steps; says why it failed, and in which.
fn attempt(steps: &[Step], abilities: Abilities) -> Result<(), (String, usize)> {
    let mut run = Run::start(abilities);
    for (i, step) in steps.iter().enumerate() {
        catch_unwind(AssertUnwindSafe(|| {
            run.take(step);
            run.check();
        }))
        .map_err(|panic| {
            let text = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            (text.unwrap_or_default(), i)
        })?;
    }
    Ok(())
}
