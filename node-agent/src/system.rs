//! The machine's own figures: processor, memory, disk, network, uptime.
//!
//! A thread takes them every few seconds; whoever asks gets the latest from memory, so that no request
//! waits for a disk. A figure that cannot be read is absent, never 0, and is logged once.

mod parse;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io, thread};

use protocol::wire::answers::{Disk, System};

use parse::CpuTimes;

/// A figure's source failed; the figure stays absent.
#[derive(Debug, thiserror::Error)]
enum FigureError {
    #[error("{path} cannot be read")]
    Read {
        path: &'static str,
        source: io::Error,
    },
    #[error("{path} does not look as expected")]
    Unexpected { path: &'static str },
    #[error("the disk of {} cannot be looked at", path.display())]
    Disk { path: PathBuf, source: io::Error },
    #[error("the disk of {} has no size", path.display())]
    NoSize { path: PathBuf },
}

/// All figures of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
struct Figures {
    system: System,
    /// Seconds since the machine started.
    uptime: Option<u64>,
}

/// Hands out the figures that were taken last. Taking them ends with the process.
#[derive(Debug, Clone)]
pub struct Sampler(Arc<Mutex<Figures>>);

impl Sampler {
    /// Takes the figures once, then in a thread every `period`.
    pub fn start(state_dir: PathBuf, period: Duration) -> io::Result<Self> {
        let mut source = Source::new(state_dir);
        let latest = Arc::new(Mutex::new(source.sample()));
        let shared = Arc::clone(&latest);
        thread::Builder::new()
            .name("system".into())
            .spawn(move || {
                loop {
                    thread::sleep(period);
                    let figures = source.sample();
                    *shared.lock().unwrap_or_else(PoisonError::into_inner) = figures;
                }
            })?;
        Ok(Self(latest))
    }

    /// The machine's figures, and its uptime in seconds.
    pub(crate) fn latest(&self) -> (System, Option<u64>) {
        // Figures are replaced whole: a thread that panicked left none half written.
        let figures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (figures.system.clone(), figures.uptime)
    }
}

/// Where figures come from, with what must be remembered from one time to the next.
#[derive(Debug)]
struct Source {
    state_dir: PathBuf,
    /// Load of the processors is a difference between two readings.
    cpu: Option<CpuTimes>,
    complained: BTreeSet<&'static str>,
}

impl Source {
    fn new(state_dir: PathBuf) -> Self {
        Self {
            state_dir,
            cpu: None,
            complained: BTreeSet::new(),
        }
    }

    fn sample(&mut self) -> Figures {
        let cpu = self.known("cpu", read("/proc/stat", parse::cpu_times));
        let cpu_percent = match (self.cpu, cpu) {
            (Some(before), Some(now)) => now.percent_since(before),
            _ => None,
        };
        self.cpu = cpu;
        let disk = disk(&self.state_dir);
        Figures {
            system: System {
                cpu_percent,
                load: self.known("load", read("/proc/loadavg", parse::load)),
                memory: self.known("memory", read("/proc/meminfo", parse::memory)),
                disk: self.known("disk", disk),
                network: self.known("network", read("/proc/net/dev", parse::network)),
            },
            uptime: self.known("uptime", read("/proc/uptime", parse::uptime)),
        }
    }

    /// Turns a failure into an absent figure, and tells the log about the first of its kind.
    fn known<T>(&mut self, figure: &'static str, read: Result<T, FigureError>) -> Option<T> {
        match read {
            Ok(value) => {
                self.complained.remove(figure);
                Some(value)
            }
            Err(err) => {
                if self.complained.insert(figure) {
                    let error = &err as &dyn std::error::Error;
                    tracing::warn!(figure, error, "the machine's {figure} is unknown");
                }
                None
            }
        }
    }
}

fn read<T>(path: &'static str, parse: fn(&str) -> Option<T>) -> Result<T, FigureError> {
    let text = fs::read_to_string(path).map_err(|source| FigureError::Read { path, source })?;
    parse(&text).ok_or(FigureError::Unexpected { path })
}

/// The disk under `folder`, counted as df(1) does: what only root may fill is neither used nor free.
fn disk(folder: &Path) -> Result<Disk, FigureError> {
    let stat = rustix::fs::statvfs(folder).map_err(|err| FigureError::Disk {
        path: folder.to_owned(),
        source: err.into(),
    })?;
    let used = stat.f_blocks.saturating_sub(stat.f_bfree) * stat.f_frsize;
    let free = stat.f_bavail * stat.f_frsize;
    Ok(Disk {
        total: stat.f_blocks * stat.f_frsize,
        used,
        free,
        percent: parse::percent(used, used + free).ok_or_else(|| FigureError::NoSize {
            path: folder.to_owned(),
        })?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_figures_at_once_and_a_processor_load_at_the_second_time() {
        let mut source = Source::new(std::env::temp_dir());

        let first = source.sample();
        thread::sleep(Duration::from_millis(100));
        let second = source.sample();

        assert_eq!(first.system.cpu_percent, None);
        assert!(second.system.cpu_percent.is_some());
        assert!(first.uptime.is_some_and(|seconds| seconds > 0));
        assert!(first.system.load.is_some());
        assert!(first.system.network.is_some());
        let memory = first.system.memory.unwrap();
        assert_eq!(memory.total, memory.used + memory.available);
        let disk = first.system.disk.unwrap();
        assert!(disk.total >= disk.used + disk.free);
    }

    #[test]
    fn a_figure_that_cannot_be_read_is_absent_and_the_others_are_there() {
        let mut source = Source::new("/nowhere".into());

        let figures = source.sample();

        assert_eq!(figures.system.disk, None);
        assert!(figures.system.memory.is_some());
        assert_eq!(source.complained, BTreeSet::from(["disk"]));
    }

    #[test]
    fn the_sampler_goes_on_by_itself() {
        let sampler = Sampler::start(std::env::temp_dir(), Duration::from_millis(20)).unwrap();
        assert_eq!(sampler.latest().0.cpu_percent, None);

        let begin = std::time::Instant::now();
        while sampler.latest().0.cpu_percent.is_none() {
            assert!(begin.elapsed() < Duration::from_secs(10));
            thread::sleep(Duration::from_millis(20));
        }
    }
}
