//! What a process and those it started take of the machine, as the kernel counts it.

use std::fs;

/// The unit of processor time in /proc, the same on every machine that has been seen.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process, without those that it started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// Time on a processor since the start, its own and the kernel's for it, with that of its children which ended.
    pub(crate) fn processor_s(self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap();
        let (_, after_name) = stat.rsplit_once(')').unwrap();
        let ticks = after_name.split_whitespace().skip(11).take(4);
        ticks.map(|text| text.parse::<f64>().unwrap()).sum::<f64>() / TICKS_PER_SECOND
    }

    pub(crate) fn resident_mb(self) -> f64 {
        self.status_mb("VmRSS:")
    }

    /// The most that it ever held.
    pub(crate) fn peak_mb(self) -> f64 {
        self.status_mb("VmHWM:")
    }

    /// What is its alone, not shared with others of its kind.
    pub(crate) fn own_mb(self) -> f64 {
        self.status_mb("RssAnon:")
    }

    fn status_mb(self, name: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes: f64 = line
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap()
            .parse()
            .unwrap();
        kilobytes / 1024.0
    }

    /// Those that it started and that still run.
    pub(crate) fn children(self) -> Vec<Self> {
        let entries = fs::read_dir("/proc").unwrap();
        let ids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        ids.map(Self)
            .filter(|one| one.parent() == Some(self.0))
            .collect()
    }

    /// None: it has ended meanwhile.
    fn parent(self) -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?;
        let (_, after_name) = stat.rsplit_once(')')?;
        after_name.split_whitespace().nth(1)?.parse().ok()
    }
}
