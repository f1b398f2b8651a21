use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What a kernel may do between two looks at it.
#[derive(Debug, Clone, Copy)]
enum Event {
    Traffic(u32, u32),
    Reset,
    Look,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (any::<u32>(), any::<u32>()).prop_map(|(rx, tx)| Event::Traffic(rx, tx)),
        1 => Just(Event::Reset),
        3 => Just(Event::Look),
    ]
}

/// The meter after events, and what truly was there to see: the last look of every epoch.
fn run(events: &[Event], resets_are_told: bool) -> (Meter, Bytes) {
    let (mut kernel, mut seen, mut truth) = ((0u64, 0u64), (0u64, 0u64), (0u64, 0u64));
    let (mut meter, mut epoch) = (Meter::default(), Epoch::Same);
    for event in events {
        match *event {
            Event::Traffic(rx, tx) => {
                kernel = (kernel.0 + u64::from(rx), kernel.1 + u64::from(tx));
            }
            Event::Reset => {
                (kernel, seen) = ((0, 0), (0, 0));
                if resets_are_told {
                    epoch = Epoch::New;
                }
            }
            Event::Look => {
                truth = (truth.0 + kernel.0 - seen.0, truth.1 + kernel.1 - seen.1);
                seen = kernel;
                meter = read(meter, Bytes::of_counters(kernel.0, kernel.1), epoch);
                epoch = Epoch::Same;
            }
        }
    }
    (meter, Bytes::of_counters(truth.0, truth.1))
}

proptest! {
    #[test]
    fn totals_are_the_traffic_that_was_there_to_see(events in vec(event(), 0..60)) {
        let (meter, truth) = run(&events, true);

        prop_assert_eq!(meter.totals, truth);
    }

    #[test]
    fn a_reset_that_nobody_told_of_never_invents_traffic(events in vec(event(), 0..60)) {
        let (meter, truth) = run(&events, false);

        prop_assert!(meter.totals.rx <= truth.rx && meter.totals.tx <= truth.tx);
    }

    #[test]
    fn a_reset_that_the_counters_show_need_not_be_told(rx in 1u64..1 << 40, tx in 0u64..1 << 40, again in 0u64..1 << 40) {
        let first = read(Meter::default(), Bytes::of_counters(rx, tx), Epoch::Same);

        let second = read(first, Bytes::of_counters(rx - 1, again), Epoch::Same);

        let sum = Bytes::of_counters(rx + rx - 1, tx + again);
        prop_assert_eq!(second.totals, sum);
    }

    #[test]
    fn totals_never_fall_whatever_is_read(readings in vec((any::<u64>(), any::<u64>(), any::<bool>()), 0..20)) {
        let mut meter = Meter::default();

        for (rx, tx, new) in readings {
            let epoch = if new { Epoch::New } else { Epoch::Same };
            let next = read(meter, Bytes::of_counters(rx, tx), epoch);
            prop_assert!(next.totals.rx >= meter.totals.rx && next.totals.tx >= meter.totals.tx);
            meter = next;
        }
    }
}

#[test]
fn counters_beyond_storage_stop_there() {
    let full = read(
        Meter::default(),
        Bytes::of_counters(u64::MAX, 1),
        Epoch::Same,
    );
    let again = read(full, Bytes::of_counters(u64::MAX, 2), Epoch::New);

    assert_eq!(
        again.totals,
        Bytes {
            rx: i64::MAX,
            tx: 3
        }
    );
}

#[test]
fn a_start_that_wobbles_is_no_reboot() {
    let at = |s| DateTime::from_timestamp(s, 0);

    assert_eq!(rebooted(at(1000), at(1060)), Epoch::Same);
    assert_eq!(rebooted(at(1000), at(1061)), Epoch::New);
    assert_eq!(rebooted(at(5000), at(1000)), Epoch::Same);
    assert_eq!(rebooted(None, at(1000)), Epoch::Same);
    assert_eq!(rebooted(at(1000), None), Epoch::Same);
}
