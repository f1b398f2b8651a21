//! The tables `[timing]` and `[limits]`: numbers that have a default which fits most nodes.

use settings::{At, Section, Text, table, whole};
use toml::de::DeTable;

use super::{Limits, Timing};

pub(super) fn read_timing(text: Text<'_>, root: &mut Section<'_>) -> Timing {
    let empty = DeTable::new();
    let table = root.take("timing", table).map_or(&empty, |at| at.value);
    let mut section = Section::new(text, "timing.", table);
    let timing = Timing {
        window: section.seconds("window_s", 300),
        head_read: section.seconds("head_read_s", 10),
        body_read: section.seconds("body_read_s", 30),
        retiring: section.seconds("retiring_s", 600),
        observe: section.seconds("observe_s", 10),
        watch: section.milliseconds("watch_ms", 1000),
        retry: section.milliseconds("retry_ms", 1000),
        sample: section.seconds("sample_s", 5),
        tls_reload: section.seconds("tls_reload_s", 5),
        shutdown: section.seconds("shutdown_s", 20),
        active_handshake: section.seconds("active_handshake_s", 180),
        keep_alive: section.seconds("keep_alive_s", 75),
        stuck: section.seconds("stuck_s", 60),
    };
    root.append(section.finish());
    timing
}

pub(super) fn read_limits(text: Text<'_>, root: &mut Section<'_>) -> Limits {
    let empty = DeTable::new();
    let table = root.take("limits", table).map_or(&empty, |at| at.value);
    let mut section = Section::new(text, "limits.", table);
    let mut size = |key, default| {
        let taken = section.take(key, whole(1024, 1 << 30));
        taken.map_or((default, None), |at: At<usize>| (at.value, Some(at.line)))
    };
    let (body_bytes, _) = size("body_bytes", 1 << 20);
    let (full_set_bytes, full_set_line) = size("full_set_bytes", 16 << 20);
    let (unverified_bytes, unverified_line) = size("unverified_bytes", 64 << 20);
    let limits = Limits {
        body_bytes,
        full_set_bytes,
        unverified_bytes,
        failures_per_minute: count(&mut section, "failures_per_minute", 60, 1_000_000),
        failure_burst: count(&mut section, "failure_burst", 20, 1_000_000),
        replay_signatures: count(&mut section, "replay_signatures", 100_000, 10_000_000),
        connections: count(&mut section, "connections", 4096, 1_000_000),
        queue: count(&mut section, "queue", 1024, 1_000_000),
        group: count(&mut section, "group", 256, 100_000),
    };
    if full_set_bytes < body_bytes {
        section.mistake(
            "full_set_bytes",
            full_set_line,
            "must be at least body_bytes",
        );
    }
    if unverified_bytes < full_set_bytes {
        section.mistake(
            "unverified_bytes",
            unverified_line,
            "must be at least full_set_bytes",
        );
    }
    root.append(section.finish());
    limits
}

fn count<T>(section: &mut Section<'_>, key: &'static str, default: T, most: T) -> T
where
    T: TryFrom<i64> + From<u8> + PartialOrd + std::fmt::Display,
{
    let taken = section.take(key, whole(T::from(1), most));
    taken.map_or(default, |at| at.value)
}
