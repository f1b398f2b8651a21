//! Others act at the wrong moment: a writer beside a reader, a daemon that dies or hangs.

use std::sync::atomic::AtomicBool;

use wireguard_control::DeviceUpdate;

use super::*;

#[test]
fn a_dump_during_which_peers_go_is_interrupted() {
    let Some(lab) = Lab::start() else { return };
    if !lab.is_kernel() {
        return;
    }
    let peers = varied_peers(2000);
    lab.apply(&peers);
    // The kernel remembers the peer to go on with. Where that one is gone, it ends the list there.
    let all_but_few = (10..2000_u32).filter(|number| !number.is_multiple_of(100));
    let removal = all_but_few.fold(DeviceUpdate::new(), |update, number| {
        update.remove_peer_by_key(&raw(key(number)))
    });
    let mut removal = Some(removal);
    let mut session = kernel::Session::open().unwrap();

    let outcome = session.dump(lab.index(), |_| {
        if let Some(removal) = removal.take() {
            lab.foreign(removal);
        }
        Ok(())
    });

    assert_eq!(outcome, Err(netlink::Failure::Interrupted));
    assert_eq!(lab.read().peers.len(), 10 + 19);
}

#[test]
fn a_reading_beside_a_writer_is_whole_or_an_error() {
    let Some(lab) = Lab::start() else { return };
    let peers = varied_peers(600);
    let (stay, go): (Vec<u32>, Vec<u32>) =
        (0..600_u32).partition(|number| number.is_multiple_of(2));
    let mut wanted = expected(&peers);
    for number in &go {
        wanted.remove(&key(*number));
    }

    let (name, kernel) = (lab.name.clone(), lab.is_kernel());

    let (mut whole, mut busy) = (0, 0);
    for _ in 0..6 {
        // In one order each time, so that every other peer in the kernel's list is one that goes.
        lab.foreign(DeviceUpdate::new().replace_peers());
        lab.apply(&peers);
        let gone = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in go.iter().rev() {
                    let update = DeviceUpdate::new().remove_peer_by_key(&raw(key(*number)));
                    foreign(&name, kernel, update);
                    thread::sleep(Duration::from_millis(u64::from(*number % 7)));
                }
                gone.store(true, Ordering::Relaxed);
            });
            while !gone.load(Ordering::Relaxed) {
                match lab.device.read() {
                    Ok(mut reading) => {
                        reading.peers.retain(|key, _| wanted.contains_key(key));
                        assert!(reading.peers == wanted, "{} peers", reading.peers.len());
                        whole += 1;
                    }
                    Err(err) => {
                        assert_eq!(err, DeviceError::Busy);
                        busy += 1;
                    }
                }
            }
        });
        assert_eq!(lab.read().peers.len(), stay.len());
    }

    println!("{whole} whole readings, {busy} given up");
}

#[test]
fn an_interface_that_goes_meanwhile_is_missing_and_stays_gone() {
    let Some(lab) = Lab::open() else { return };
    if !lab.is_kernel() {
        return;
    }
    let ops = varied_peers(5);

    for round in 0..30 {
        lab.device.create().unwrap();
        let index = lab.index();
        let name = lab.name.clone();
        let other = thread::spawn(move || {
            let interface = super::super::link::Interface::new(&name, "wireguard").unwrap();
            thread::sleep(Duration::from_micros(round * 300));
            interface.delete(index).unwrap();
        });
        let outcome = loop {
            let outcome = lab.device.apply(index, &ops);
            let outcome = outcome.and_then(|()| lab.device.read().map(|_| ()));
            if !matches!(outcome, Ok(()) | Err(DeviceError::Busy)) {
                break outcome;
            }
        };
        other.join().unwrap();

        assert_eq!(outcome, Err(DeviceError::Missing));
        assert_eq!(lab.device.index(), Ok(None));
    }
}

/// A daemon that does as it is told, in place of one that fails at just the right moment.
fn false_daemon(
    name: &InterfaceName,
    answer: &'static [u8],
) -> (std::path::PathBuf, thread::JoinHandle<()>) {
    let path = std::path::Path::new("/run/wireguard").join(format!("{name}.sock"));
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let daemon = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Read::read_exact(&mut stream, &mut [0; 7]).unwrap();
        std::io::Write::write_all(&mut stream, answer).unwrap();
        if answer.is_empty() {
            // Says nothing until the other side gives up.
            std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
        }
    });
    (path, daemon)
}

#[test]
fn a_daemon_that_fails_is_not_taken_at_its_word() {
    let Some(lab) = Lab::open() else { return };
    if lab.is_kernel() {
        return;
    }

    for (answer, outcome) in [
        (&b"listen_port=1\n"[..], DeviceError::Unreadable),
        (b"words\n", DeviceError::Unreadable),
        (b"errno=-5\n\n", DeviceError::Refused { errno: Some(5) }),
        (b"", DeviceError::Busy),
    ] {
        let (path, daemon) = false_daemon(&lab.name, answer);
        let start = Instant::now();

        assert_eq!(lab.device.read(), Err(outcome));

        assert!(start.elapsed() < Duration::from_secs(8));
        daemon.join().unwrap();
        // The socket of one that was killed stays behind; no new daemon is started for it.
        assert_eq!(lab.device.read(), Err(DeviceError::Missing));
        assert_eq!(lab.device.index(), Ok(None));
        std::fs::remove_file(path).unwrap();
    }
}
