//! Reads the texts under `/proc`. What does not look as expected gives no figure.

use protocol::wire::answers::{Memory, Network};

/// What all processors together have spent since the machine started, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CpuTimes {
    total: u64,
    idle: u64,
}

impl CpuTimes {
    /// `None` where no tick passed, or a counter went back, as some do when a processor goes offline.
    pub(super) fn percent_since(self, before: Self) -> Option<f64> {
        let total = self.total.checked_sub(before.total)?;
        let idle = self.idle.checked_sub(before.idle)?;
        let busy = total.checked_sub(idle)?;
        percent(busy, total)
    }
}

pub(super) fn cpu_times(stat: &str) -> Option<CpuTimes> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // user nice system idle iowait irq softirq steal; guest times are part of user and nice.
    let ticks = numbers(line.split_ascii_whitespace().take(8))?;
    let idle = ticks.get(3)?.checked_add(*ticks.get(4)?)?;
    let total = sum(ticks.iter().copied())?;
    Some(CpuTimes { total, idle })
}

pub(super) fn load(loadavg: &str) -> Option<[f64; 3]> {
    let mut words = loadavg.split_ascii_whitespace();
    let mut next = || {
        words
            .next()?
            .parse()
            .ok()
            .filter(|load: &f64| load.is_finite())
    };
    Some([next()?, next()?, next()?])
}

pub(super) fn memory(meminfo: &str) -> Option<Memory> {
    let bytes = |name: &str| -> Option<u64> {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes = line.trim().strip_suffix("kB")?.trim_end();
        kibibytes.parse::<u64>().ok()?.checked_mul(1024)
    };
    let total = bytes("MemTotal:")?;
    let available = bytes("MemAvailable:")?;
    let used = total.checked_sub(available)?;
    Some(Memory {
        total,
        available,
        used,
        percent: percent(used, total)?,
    })
}

/// Adds up all devices but loopback. Traffic through a tunnel counts twice: as such, and encrypted.
pub(super) fn network(dev: &str) -> Option<Network> {
    let mut sums = Network {
        bytes_sent: 0,
        bytes_recv: 0,
        packets_sent: 0,
        packets_recv: 0,
    };
    let mut lines = dev.lines();
    // Two lines of headings.
    lines.next()?;
    lines.next()?;
    for line in lines {
        let (name, counters) = line.rsplit_once(':')?;
        if name.trim() == "lo" {
            continue;
        }
        let counters = numbers(counters.split_ascii_whitespace())?;
        let add = |sum: u64, column: usize| sum.checked_add(*counters.get(column)?);
        sums = Network {
            bytes_recv: add(sums.bytes_recv, 0)?,
            packets_recv: add(sums.packets_recv, 1)?,
            bytes_sent: add(sums.bytes_sent, 8)?,
            packets_sent: add(sums.packets_sent, 9)?,
        };
    }
    Some(sums)
}

pub(super) fn uptime(uptime: &str) -> Option<u64> {
    let (seconds, _) = uptime.split_once('.')?;
    seconds.parse().ok()
}

/// One decimal; more would be noise. There is no part of nothing.
pub(super) fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 * 1000.0 / whole as f64).round() / 10.0)
}

fn numbers<'a>(words: impl Iterator<Item = &'a str>) -> Option<Vec<u64>> {
    words.map(|word| word.parse().ok()).collect()
}

fn sum(mut numbers: impl Iterator<Item = u64>) -> Option<u64> {
    numbers.try_fold(0_u64, u64::checked_add)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STAT: &str = "cpu  74608 2520 24433 1117073 6176 4054 1203 7 100 50\n\
                        cpu0 37304 1260 12216 558536 3088 2027 601 3 50 25\n\
                        intr 1462898 0\nctxt 115315\nbtime 769041601\n";

    const MEMINFO: &str = "MemTotal:        8152376 kB\nMemFree:          234112 kB\n\
                           MemAvailable:    6114282 kB\nBuffers:          118920 kB\nHugePages_Total:       0\n";

    const DEV: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 2776770   11307    0    0    0     0          0         0  2776770   11307    0    0    0     0       0          0
  eth0: 1215645    2751    0    0    0     0          0         0  1782404    4324    0    0    0   427       0          0
  wg0:100 2 0 0 0 0 0 0 300 4 0 0 0 0 0 0
";

    #[test]
    fn recorded_texts_are_read() {
        let cpu = cpu_times(STAT).unwrap();
        assert_eq!(
            cpu,
            CpuTimes {
                total: 1_230_074,
                idle: 1_123_249
            }
        );
        assert_eq!(load("0.75 0.35 0.25 1/25 1747\n"), Some([0.75, 0.35, 0.25]));
        assert_eq!(uptime("350735.47 234388.90\n"), Some(350_735));
        assert_eq!(
            memory(MEMINFO),
            Some(Memory {
                total: 8_348_033_024,
                available: 6_261_024_768,
                used: 2_087_008_256,
                percent: 25.0
            })
        );
        assert_eq!(
            network(DEV),
            Some(Network {
                bytes_sent: 1_782_704,
                bytes_recv: 1_215_745,
                packets_sent: 4328,
                packets_recv: 2753
            })
        );
    }

    #[test]
    fn a_machine_without_devices_has_sent_nothing_and_one_without_text_is_unknown() {
        let headings: String = DEV
            .lines()
            .take(2)
            .map(|line| format!("{line}\n"))
            .collect();

        assert_eq!(network(&headings).map(|sums| sums.bytes_sent), Some(0));
        assert_eq!(network(""), None);
        assert_eq!(memory(""), None);
        assert_eq!(cpu_times(""), None);
        assert_eq!(load(""), None);
        assert_eq!(uptime(""), None);
        assert_eq!(memory("MemTotal: 100 kB\n"), None);
    }

    #[test]
    fn the_processors_are_busy_with_what_was_not_idle() {
        let before = CpuTimes {
            total: 1000,
            idle: 900,
        };

        let after = |total, idle| CpuTimes { total, idle }.percent_since(before);

        assert_eq!(after(1100, 975), Some(25.0));
        assert_eq!(after(1000, 900), None);
        assert_eq!(after(1100, 899), None);
        assert_eq!(after(900, 900), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_a_panic(text in "[ -~\n]{0,200}") {
            let line = |prefix: &str| format!("{prefix}{text}");
            let _cpu: Option<CpuTimes> = cpu_times(&line("cpu "));
            let _load: Option<[f64; 3]> = load(&text);
            let _memory: Option<Memory> = memory(&line("MemAvailable: 1 kB\nMemTotal:"));
            let _network: Option<Network> = network(&line("a\nb\n"));
            let _uptime: Option<u64> = uptime(&text);
        }

        #[test]
        fn counters_of_any_size_make_no_panic(counters: [u64; 10], more: [u64; 10]) {
            let spell = |counters: [u64; 10]| counters.map(|n| n.to_string()).join(" ");
            let text = format!("a\nb\neth0: {0}\neth1: {0}\n", spell(counters));
            let _network: Option<Network> = network(&text);

            let times = |counters| cpu_times(&format!("cpu  {}\n", spell(counters)));
            if let (Some(before), Some(after)) = (times(counters), times(more))
                && let Some(percent) = after.percent_since(before)
            {
                prop_assert!((0.0..=100.0).contains(&percent));
            }
        }
    }
}
